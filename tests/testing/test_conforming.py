"""`assert_conforms` with a server and with a client that the test starts."""

import sys
from contextlib import contextmanager

import pytest
from tests.interop.processes import ROOT

from dersim.errors import ConfigError

HEAD_END = ROOT / "examples" / "test_a_head_end" / "head_end.py"


@pytest.fixture
def start_server(dersim_program):
    """Starts the example's head-end."""

    @contextmanager
    def start(server):
        program = dersim_program(sys.executable, HEAD_END, "0", *server.files)
        port = program.wait_line("listening on port").rpartition(" ")[2]
        yield f"https://127.0.0.1:{port}/dcap"
        program.close()

    return start


def test_a_server_that_conforms_passes(assert_conforms, start_server):
    [outcome] = assert_conforms("COMM-002", server=start_server)
    assert outcome.procedure.id == "COMM-002"


def test_what_a_server_fails_is_named(assert_conforms, start_server):
    with pytest.raises(AssertionError) as caught:
        assert_conforms("COMM-002", "CORE-003", server=start_server)
    first, *more = str(caught.value).splitlines()
    assert first == "COMM-002 DeviceCapability is at the configured address: pass"
    assert more[0] == "CORE-003 Polling: fail"
    assert any(line.startswith("    fail: ") for line in more)


def test_unknown_ids_are_named_with_the_known_ones(assert_conforms):
    with pytest.raises(ConfigError, match=r"assert_conforms: SNOW-1: no procedure has such an id; known are"):
        assert_conforms("SNOW-1")


async def test_in_an_async_test_it_is_awaited(assert_conforms):
    [outcome] = await assert_conforms("CORE-003")
    assert outcome.procedure.id == "CORE-003"


@pytest.mark.slow
def test_a_client_is_started_for_each_procedure(assert_conforms, dersim_start):
    started = []

    @contextmanager
    def start(client):
        world = dersim_start(server=client.url, files=client.files, frontends=["csip"])
        started.append(world.der)
        yield
        world.der.stop()

    outcomes = assert_conforms("COMM-002", "COMM-003", client=start, scale=0.1)
    assert len(outcomes) == len(started) == 2
