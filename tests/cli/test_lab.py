"""`dersim lab` as a process: its ready line, its children, its end."""

import os
import signal
import socket

import httpx
import pytest
from tests.interop.processes import eventually, get_json, program

from dersim.cli import main


def state_of(url, key):
    return next(each for each in get_json(f"{url}/api/lab/state")["programs"] if each["program"] == key)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_what_it_started(number):
    with program("dersim", "lab", "--port", "0") as lab:
        url = lab.ready()["lab"]
        settings = {"values": {"--port": "0", "--admin_port": "0", "--enc": "no"}}
        path = f"{url}/api/lab/programs/server"
        assert httpx.put(f"{path}/settings", json=settings, trust_env=False).status_code == 200
        assert httpx.post(f"{path}/start", trust_env=False).status_code == 202
        pid = (
            eventually("the server runs", lambda: state_of(url, "server")["addresses"])
            and state_of(url, "server")["pid"]
        )
        lab.process.send_signal(number)
        assert lab.process.wait(15) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_command_lines_are_short_where_the_certificates_are_at_hand():
    with program("dersim", "lab", "--port", "0") as lab:  # started in the checkout
        url = lab.ready()["lab"]
        assert state_of(url, "server")["command"] == "dersim server --use_test_pki_certs certs"
        assert lab.stop() == 0


def test_it_listens_on_loopback_alone():
    with program("dersim", "lab", "--port", "0") as lab:
        assert lab.ready()["lab"].startswith("http://127.0.0.1:")
        assert lab.stop() == 0


def test_a_busy_port_is_exit_code_2(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main.main(["lab", "--port", str(taken.getsockname()[1])]) == 2
    assert "is in use" in capsys.readouterr().err


def test_help_names_the_command(capsys):
    assert main.main(["--help"]) == 0
    assert "lab" in capsys.readouterr().out
