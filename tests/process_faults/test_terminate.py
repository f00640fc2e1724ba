"""SIGTERM ends a simulator and a server in time, whatever their peers do not do."""

import contextlib
import signal
import socket

import pytest
from tests.process_faults.running import DEMO, SERVER_PORTS, SIM_PORTS, program, stopped_in_s

#: A stop at a signal, s.
STOP_S = 5.0


def address(url):
    host, _, port = url.rpartition("/")[2].rpartition(":")
    return host, int(port)


@contextlib.contextmanager
def stuck(where, *pieces):
    """A client that has sent something and reads nothing; its buffer is small."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.connect(where)
    with peer:
        for piece in pieces:
            peer.sendall(piece)
        yield


@contextlib.contextmanager
def deaf_server():
    """A server whose kernel takes connections, and which never does anything with them."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


WEBSOCKET = (
    b"GET /api/dersim/telemetry/ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
POST = (
    b"POST /api/dersim/inputs HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
    b"Content-Length: 99\r\n\r\n{"
)
GET = b"GET /openapi.json HTTP/1.1\r\nHost: %s\r\n\r\n"
READ_125 = bytes.fromhex("00010000000601039c400064")


def stuck_at_the_simulator(ready):
    """Half a Modbus frame, many frames whose answers are not read, and the same over HTTP."""
    held = contextlib.ExitStack()
    modbus, web = address(ready["modbus"]), address(ready["dashboard"])
    host = b"%s:%d" % (web[0].encode(), web[1])
    held.enter_context(stuck(modbus, READ_125[:5]))
    held.enter_context(stuck(modbus, READ_125 * 200))
    held.enter_context(stuck(web, WEBSOCKET % host))
    held.enter_context(stuck(web, POST % host))
    held.enter_context(stuck(web, GET % host * 50))
    return held


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)], ids=["TERM", "INT"]
)
def test_a_simulator_ends_in_time_with_stuck_peers(number):
    with deaf_server() as port, program("dersim", "sim", *SIM_PORTS, "--csip_server_port", str(port)) as sim:
        ready = sim.ready()
        with stuck_at_the_simulator(ready):
            sim.wait_line(lambda line: "trying again" in line or "CSIP" in line)
            assert stopped_in_s(sim, number) < STOP_S
        assert sim.process.returncode == 0
        assert not [line for line in sim.err if "took longer" in line or "Traceback" in line]


@pytest.mark.slow
def test_a_demo_ends_in_time_with_stuck_peers():
    with program(*DEMO) as sim:
        ready = sim.ready()
        with stuck_at_the_simulator(ready), stuck(address(ready["utility"]), b"\x16\x03\x01"):
            assert stopped_in_s(sim, signal.SIGTERM) < STOP_S
        assert sim.process.returncode == 0


@pytest.mark.slow
def test_a_server_ends_in_time_with_stuck_peers():
    with program("dersim", "server", *SERVER_PORTS) as server:
        ready = server.ready()
        admin = address(ready["utility_admin"])
        host = b"%s:%d" % (admin[0].encode(), admin[1])
        with stuck(address(ready["utility"]), b"\x16\x03\x01"), stuck(admin, GET % host * 50):
            assert stopped_in_s(server, signal.SIGTERM) < STOP_S
        assert server.process.returncode == 0
