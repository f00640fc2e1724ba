"""Few file descriptors: a program starts, or says in one line what is missing, and recovers later."""

import contextlib
import socket
import time

import httpx
import pytest
from tests.interop.processes import eventually, get_json
from tests.process_faults.running import DEMO, SERVER_PORTS, SIM_PORTS, cpu_share, with_few_descriptors

pytestmark = pytest.mark.slow
#: As after `ulimit -n 64`.
LIMIT = 64


def where(url):
    host, _, port = url.rpartition("/")[2].rpartition(":")
    return host, int(port)


def outcome(*argv):
    """What a program does with `LIMIT` descriptors: its addresses, or its exit code and words."""
    with with_few_descriptors(LIMIT, *argv) as started:
        try:
            ready = started.ready()
        except AssertionError:
            return started.process.wait(5), started.err
        return ready, started.stop()


@pytest.mark.parametrize(
    "argv",
    [("dersim", "sim", *SIM_PORTS), ("dersim", "server", *SERVER_PORTS), DEMO],
    ids=["sim", "server", "demo"],
)
def test_it_starts_or_says_in_one_line_what_is_missing(argv):
    found, rest = outcome(*argv)
    if isinstance(found, int):
        assert found == 2
        [line] = rest
        assert "file descriptors" in line
        assert "ulimit -n" in line
    else:
        assert rest == 0


def take_all(target):
    """Connect until no more connections are taken, or the kernel's queue is full of them."""
    held = contextlib.ExitStack()
    for _ in range(LIMIT * 2):
        peer = held.enter_context(socket.socket())
        peer.settimeout(1)
        peer.connect(target)
    return held


def test_a_simulator_whose_descriptors_are_used_up_waits_and_recovers():
    with with_few_descriptors(200, "dersim", "sim", *SIM_PORTS) as sim:
        ready = sim.ready()
        site, modbus = ready["dashboard"], where(ready["modbus"])
        ticks = lambda: get_json(f"{site}/api/dersim/overview")  # noqa: E731
        assert ticks()
        with take_all(modbus), take_all(where(site)):
            time.sleep(0.5)
            assert cpu_share(sim, 2.0) < 0.5
        eventually("an answer when descriptors are free", lambda: _try(ticks), timeout_s=15)
        with socket.create_connection(modbus, 5) as peer:
            peer.sendall(bytes.fromhex("00010000000601039c400002"))
            assert peer.recv(64)[7] == 3
        assert sim.stop() == 0


def test_a_server_whose_descriptors_are_used_up_waits_and_recovers():
    with with_few_descriptors(LIMIT, "dersim", "server", *SERVER_PORTS) as server:
        ready = server.ready()
        admin = ready["utility_admin"]
        with take_all(where(ready["utility"])), take_all(where(admin)):
            time.sleep(0.5)
            assert cpu_share(server, 2.0) < 0.5
        look = lambda: get_json(f"{admin}/api/utility/end-devices")  # noqa: E731
        eventually("an answer when descriptors are free", lambda: _try(look), timeout_s=15)
        assert server.stop() == 0


def _try(look):
    with contextlib.suppress(httpx.HTTPError):
        look()
        return True
    return False
