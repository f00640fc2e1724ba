"""What was chosen, what follows from it, and that no secret is told."""

import json
import sys
from pathlib import Path

import pytest
import trio

from dersim.cli.lab import make_programs
from dersim.errors import ConfigError
from dersim.lab.programs import SERVER, SIMULATOR
from dersim.lab.state import USING_DEFAULT, LabState

PKI = "some/pki"


@pytest.fixture
def state():
    return LabState(make_programs(), Path(PKI))


def options(state, program):
    """The flags that the program would get, read by its own parser."""
    words = state.words(program)
    return state.programs.parser(program, words).parse_args(words)


def fields(state, program):
    return {field["name"]: field for group in state.form(program)["groups"] for field in group["fields"]}


@pytest.fixture
def real_state(tmp_path):
    return LabState(make_programs(), tmp_path)


def test_left_alone_both_take_the_test_certificates_and_the_client_checks_the_servers_pin(
    real_state, tmp_path
):
    server, simulator = options(real_state, SERVER), options(real_state, SIMULATOR)
    assert server.enc
    assert server.use_test_pki_certs == tmp_path
    assert simulator.csip_enc
    assert simulator.use_test_pki_certs == tmp_path
    assert simulator.csip_pin == server.pin == 111115
    assert (simulator.csip_server_ip, simulator.csip_server_port) == ("127.0.0.1", server.port)


def test_default_certificates_are_shown_as_such(state):
    shown = fields(state, SIMULATOR)
    for name in (*SIMULATOR.certificates, "--use_test_pki_certs", "--csip_pin"):
        assert shown[name]["value"] == ""
        assert shown[name]["placeholder"] == USING_DEFAULT
    assert shown["--csip_server_port"]["value"] == "8443"


def test_own_certificates_and_plain_http_stand(state):
    state.choose(SIMULATOR, {"--csip_cert": "mine.pem", "--csip_key": "mine.key"})
    simulator = options(state, SIMULATOR)
    assert (simulator.csip_cert, simulator.csip_key) == (Path("mine.pem"), Path("mine.key"))
    assert simulator.use_test_pki_certs is None
    state.choose(SIMULATOR, {"--csip_enc": "no"})
    assert options(state, SIMULATOR).use_test_pki_certs is None
    assert state.words(SIMULATOR)[:2] == ["--csip_enc", "no"]


def test_the_simulator_follows_the_lab_server_until_another_is_named(real_state):
    real_state.choose(SERVER, {"--port": "9443", "--pin": "123455"})
    simulator = options(real_state, SIMULATOR)
    assert (simulator.csip_server_port, simulator.csip_pin) == (9443, 123455)
    assert fields(real_state, SIMULATOR)["--csip_server_port"]["value"] == "9443"
    # The form as it was shown, with one field changed: the port stays what was shown.
    shown = {name: field["value"] for name, field in fields(real_state, SIMULATOR).items()}
    real_state.choose(SIMULATOR, {**shown, "--csip_server_ip": "192.0.2.7"})
    simulator = options(real_state, SIMULATOR)
    assert (simulator.csip_server_ip, simulator.csip_server_port) == ("192.0.2.7", 9443)
    assert simulator.csip_pin is None


def test_a_running_server_is_found_where_it_listens(state):
    state.choose(SERVER, {"--port": "0", "--enc": "no"})
    state.choose(SIMULATOR, {"--csip_enc": "no"})
    assert options(state, SIMULATOR).csip_server_port == 8443
    state.children["server"].addresses = {"utility": "http://127.0.0.1:40001"}
    assert options(state, SIMULATOR).csip_server_port == 40001


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost"])
def test_a_server_on_every_address_is_reached_on_loopback(state, host):
    state.choose(SERVER, {"--host": host, "--enc": "no"})
    assert options(state, SIMULATOR).csip_server_ip == "127.0.0.1"


def test_a_value_that_cannot_be_leaves_all_as_it_was(real_state):
    real_state.choose(SERVER, {"--port": "9443"})
    with pytest.raises(ConfigError, match=r"--admin_port: a port from 0"):
        real_state.choose(SERVER, {"--port": "1", "--admin_port": "x"})
    assert options(real_state, SERVER).port == 9443


def test_no_secret_is_told_and_a_blank_keeps_it(real_state):
    real_state.choose(SIMULATOR, {"--csip_pin": "123455", "--token": "open-sesame", "--strict": "yes"})
    told = json.dumps([real_state.form(SIMULATOR), real_state.snapshot({})])
    assert "123455" not in told
    assert "open-sesame" not in told
    assert fields(real_state, SIMULATOR)["--token"]["is_set"]
    real_state.choose(SIMULATOR, {"--csip_pin": None, "--token": None})
    simulator = options(real_state, SIMULATOR)
    assert (simulator.csip_pin, simulator.token, simulator.strict) == (123455, "open-sesame", False)
    real_state.choose(SIMULATOR, {"--csip_pin": ""})
    simulator = options(real_state, SIMULATOR)
    assert (simulator.csip_pin, simulator.token) == (111115, None)


async def test_secrets_reach_the_programs_by_their_environment_alone(real_state, nursery, monkeypatch):
    started, open_process = [], trio.lowlevel.open_process

    async def watched(argv, env, **kwargs):
        started.append((argv, env))
        return await open_process([sys.executable, "-c", ""], env=env, **kwargs)

    monkeypatch.setattr(trio.lowlevel, "open_process", watched)
    real_state.choose(SIMULATOR, {"--token": "open-sesame", "--csip_enc": "no"})
    await real_state.start(SIMULATOR, nursery)
    [(argv, env)] = started
    assert "open-sesame" not in " ".join(argv)
    assert "--token" not in argv
    assert "--csip_enc" in argv
    assert env["DERSIM_TOKEN"] == "open-sesame"
    assert "--csip_pin" not in argv
    assert env["DERSIM_CSIP_PIN"] == "111115"

    real_state.choose(SERVER, {"--pin": "123455"})
    await real_state.start(SERVER, nursery)
    argv, env = started[1]
    assert "--pin" not in argv
    assert "123455" not in " ".join(argv)
    assert env["DERSIM_PIN"] == "123455"


def test_a_short_secret_hides_itself_and_nothing_else_of_the_command(real_state):
    real_state.choose(SERVER, {"--pin": "19", "--port": "1943"})
    command = real_state.command(SERVER)
    assert "--port 1943" in command
    assert "--pin ******" in command


def test_a_token_that_nobody_would_learn_is_refused(state):
    with pytest.raises(ConfigError, match="give one of your own"):
        state.choose(SIMULATOR, {"--token": "auto"})


def test_advice_where_only_one_of_the_two_encrypts(state):
    assert state.snapshot({})["advice"] == []
    state.choose(SERVER, {"--enc": "no"})
    assert "encrypts" in state.snapshot({})["advice"][0]
    state.choose(SIMULATOR, {"--csip_server_ip": "192.0.2.7"})
    assert state.snapshot({})["advice"] == []


async def test_news_wake_those_who_wait(state, autojump_clock):
    woken = []

    async def wait():
        await state.wait_news(state.version, 100)
        woken.append(trio.current_time())

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(1)
        state.choose(SERVER, {"--enc": "no"})
    assert woken == [began + 1]
    await state.wait_news(state.version, 20)
    assert trio.current_time() == began + 21
