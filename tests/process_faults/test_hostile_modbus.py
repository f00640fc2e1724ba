"""Frames and connections over real sockets that no sane client makes: answered or closed, never a hang."""

import contextlib
import itertools
import socket
import struct
import time

import pytest
from tests.process_faults.running import SIM_PORTS, cpu_share, program, room_for_sockets

pytestmark = pytest.mark.slow
READ, ANSWER = bytes.fromhex("00010000000601039c400002"), bytes.fromhex("00010000000701030453756e53")
EXCEPTIONS = {1, 2, 3, 4, 6, 11}
#: How long a test waits for an answer; a wrong frame in full is answered or closed at once.
ANSWER_S = 3.0


@pytest.fixture(scope="module")
def modbus():
    with program("dersim", "sim", *SIM_PORTS, "--without", "csip") as sim:
        host, _, port = sim.ready()["modbus"].rpartition(":")
        yield sim, (host, int(port))
        assert "internal error" not in "".join(sim.err)
        assert sim.stop() == 0
        assert len(sim.err) < 250


def connect(where):
    peer = socket.create_connection(where, 5)
    peer.settimeout(ANSWER_S)
    return peer


def said(peer, size=0):
    """What comes until `size` bytes are there, or the end; None where nothing comes in time."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while len(data) < size or not size:
            try:
                piece = peer.recv(65536)
            except TimeoutError:
                return data or None
            if not piece:
                break
            data += piece
    return data


def is_well(where):
    with connect(where) as peer:
        peer.sendall(READ)
        return said(peer, len(ANSWER)) == ANSWER


def answers(data):
    """The functions in whole frames, with the exception codes."""
    found, at = [], 0
    while at < len(data):
        _, protocol, length, _, function = struct.unpack_from(">HHHBB", data, at)
        assert protocol == 0
        found.append((function, data[at + 8] if function & 0x80 else 0))
        at += 6 + length
    assert at == len(data)
    return found


@pytest.mark.parametrize("length", [0, 1, 255, 256, 65535])
def test_a_length_that_cannot_be_ends_the_connection(modbus, length):
    _, where = modbus
    with connect(where) as peer:
        peer.sendall(struct.pack(">HHHBB", 1, 0, length, 1, 3) + bytes(300))
        assert said(peer) == b""
    assert is_well(where)


@pytest.mark.parametrize("protocol", [1, 255, 65535])
def test_another_protocol_ends_the_connection(modbus, protocol):
    _, where = modbus
    with connect(where) as peer:
        peer.sendall(struct.pack(">HHHBBHH", 1, protocol, 6, 1, 3, 40000, 2))
        assert said(peer) == b""
    assert is_well(where)


@pytest.mark.parametrize("length", [2, 253, 254])
def test_every_function_of_every_size_is_answered(modbus, length):
    _, where = modbus
    with connect(where) as peer:
        for function in range(256):
            peer.sendall(struct.pack(">HHHBB", function, 0, length, 1, function) + bytes(length - 2))
            head = said(peer, 9)
            [(answered, code)] = answers(head)
            assert answered == function | 0x80
            assert code in EXCEPTIONS
    assert is_well(where)


@pytest.mark.parametrize(("count", "code"), [(0, 3), (126, 3), (65535, 3)])
def test_counts_out_of_range_are_exceptions(modbus, count, code):
    _, where = modbus
    with connect(where) as peer:
        peer.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 40000, count))
        assert answers(said(peer, 9)) == [(0x83, code)]


def test_a_request_split_at_every_byte_is_one_request(modbus):
    _, where = modbus
    for at in range(1, len(READ)):
        with connect(where) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.sendall(READ[:at])
            time.sleep(0.005)
            peer.sendall(READ[at:])
            assert said(peer, len(ANSWER)) == ANSWER


def test_a_hundred_requests_in_one_piece_are_answered_in_order(modbus):
    _, where = modbus
    with connect(where) as peer:
        peer.sendall(b"".join(struct.pack(">H", number) + READ[2:] for number in range(100)))
        data = said(peer, 100 * len(ANSWER))
        assert data == b"".join(struct.pack(">H", number) + ANSWER[2:] for number in range(100))


@pytest.mark.parametrize("unit", [0, 1, 255])
def test_unit_ids_for_anyone_are_answered_and_others_are_not_wedged(modbus, unit):
    _, where = modbus
    with connect(where) as peer:
        peer.sendall(READ[:6] + bytes((9,)) + READ[7:])  # nobody's: told or not answered
        peer.sendall(READ[:6] + bytes((unit,)) + READ[7:])
        assert said(peer, len(ANSWER) + 9)


def test_a_thousand_connections_half_of_them_half_open_and_the_newest_is_served(modbus):
    sim, where = modbus
    with contextlib.ExitStack() as held:
        for number in range(room_for_sockets(1_200) - 200):
            peer = held.enter_context(socket.create_connection(where, 5))
            if number % 2:
                peer.sendall(READ[:7])
            if number % 5 == 0:
                peer.shutdown(socket.SHUT_WR)
        assert is_well(where)
        assert cpu_share(sim, 1.0) < 0.5
    assert is_well(where)


def test_a_peer_that_never_reads_ends_alone(modbus):
    _, where = modbus
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.connect(where)
        peer.settimeout(0.2)
        with contextlib.suppress(TimeoutError, ConnectionError):
            for _ in itertools.repeat(None, 2_000):
                peer.sendall(READ * 100)
        assert is_well(where)
