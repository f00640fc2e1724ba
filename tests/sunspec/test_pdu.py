"""Requests and framing without I/O: right answers, right exceptions, whatever the pieces."""

import random

import pytest
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from dersim.errors import RemoteProtocolError
from dersim.sunspec.mbap import Stream


def mbap(pdu, unit=1, transaction=7, protocol=0, length=None):
    length = len(pdu) + 1 if length is None else length
    header = transaction.to_bytes(2, "big") + protocol.to_bytes(2, "big") + length.to_bytes(2, "big")
    return header + bytes([unit]) + pdu


@pytest.fixture
def stream(bench):
    return Stream(bench.service, bench.server.answers_to)


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        ("03 9c40 0002", "03 04 53756e53"),
        ("04 9c40 0002", "04 04 53756e53"),
        ("03 9c42 0002", "03 04 0001 0042"),
        ("03 9c40 0000", "83 03"),
        ("03 9c40 007e", "83 03"),
        ("03 0000 0001", "83 02"),
        ("03 9c40", "83 03"),
        ("03 9c40 0001 00", "83 03"),
        ("06 9c40 0001", "86 02"),
        ("06 9c84", "86 03"),
        ("10 9c42 0001 02 0001", "90 02"),
        ("10 9c42 0001 02 00", "90 03"),
        ("10 9c42 0002 02 0001", "90 03"),
        ("10 9c42 0000 00", "90 03"),
        ("10 9c42 007c f8" + "00" * 248, "90 03"),
        ("10", "90 03"),
        ("00", "80 01"),
        ("01 0000 0001", "81 01"),
        ("63", "e3 01"),
        ("83 02", "83 01"),
        ("17 9c40 0002 9c42 0001 02 0001", "97 02"),
        ("17 9c40 007e 9c42 0001 02 0001", "97 03"),
        ("17 9c40", "97 03"),
        ("2b 0e 01 00", None),
        ("2b 0e 04 01", "2b0e0483000001 01 0d 4445522053696d756c61746f72"),
        ("2b 0e 04 77", "ab 02"),
        ("2b 0e 05 00", "ab 03"),
        ("2b 0d 01 00", "ab 01"),
        ("2b 0e", "ab 03"),
    ],
)
def test_answers_byte_by_byte(bench, request_hex, answer_hex):
    answer = bench.pdu(request_hex.replace(" ", ""))
    if answer_hex is not None:
        assert answer.hex() == answer_hex.replace(" ", "")


def test_the_identification_is_what_pymodbus_reads(bench):
    answer = bench.pdu("2b0e0300")
    pdu = DecodePDU(False).decode(answer)
    plate = bench.device.nameplate
    assert pdu.information[0].decode() == plate.manufacturer
    assert pdu.information[1].decode() == plate.model


def test_function_23_reads_what_it_wrote(bench):
    _, _, address = bench.at(704, "WMaxLimPct")
    answer = bench.pdu(f"17{address:04x}0001{address:04x}0001021388")
    assert answer.hex() == "17021388"
    assert bench.read(704, "WMaxLimPct") == 50


def test_function_23_that_may_not_read_writes_nothing(bench):
    _, _, address = bench.at(704, "WMaxLimPct")
    assert bench.pdu(f"1700000001{address:04x}0001021388").hex() == "9702"
    assert bench.read(704, "WMaxLimPct") == 100


def test_half_of_a_point_of_two_registers_is_refused(bench):
    _, _, address = bench.at(704, "WMaxLimPctRvrtTms")
    assert bench.pdu(f"06{address:04x}0000").hex() == "8603"
    assert bench.pdu(f"10{address + 1:04x}0001020000").hex() == "9003"
    assert bench.pdu(f"10{address:04x}0002040000000a").hex() == f"10{address:04x}0002"
    assert bench.read(704, "WMaxLimPctRvrtTms") == 10


def test_a_write_across_models_is_refused_and_changes_nothing(bench):
    block = bench.unit.block(703)
    end = block.address + block.length
    answer = bench.pdu(f"10{end - 3:04x}00040800000001000200030000"[: 12 + 16])
    assert answer.hex() == "9002"
    before = bench.unit.block(705).data()
    block = bench.unit.block(704)  # its last registers are RW, then come ID and L of 705
    assert bench.pdu(f"10{block.address + block.length - 2:04x}00040803e8000002c10067").hex() == "9002"
    assert bench.unit.block(705).data() == before
    assert bench.read(704, "PFWInj.PF") == 1


def test_the_unit_id_decides(stream):
    read = bytes.fromhex("039c400001")
    assert stream.receive(mbap(read, unit=9)) == mbap(b"\x83\x0b", unit=9)
    for unit in (0, 1, 255):
        assert stream.receive(mbap(read, unit=unit)) == mbap(bytes.fromhex("03025375"), unit=unit)


def test_messages_in_one_segment_are_all_answered_in_order(stream):
    requests = b"".join(mbap(bytes.fromhex("039c400001"), transaction=n) for n in range(8))
    answers = b"".join(mbap(bytes.fromhex("03025375"), transaction=n) for n in range(8))
    assert stream.receive(requests) == answers


@pytest.mark.parametrize("size", range(1, 14))
def test_messages_in_pieces_are_answered_once_whole(stream, size):
    data = mbap(bytes.fromhex("039c400002")) + mbap(bytes.fromhex("2b0e0100"), transaction=8)
    pieces = [stream.receive(data[i : i + size]) for i in range(0, len(data), size)]
    whole = Stream(stream._service, stream._answers_to).receive(data)
    assert b"".join(pieces) == whole
    assert not stream.pending


@pytest.mark.parametrize("wrong", [{"protocol": 1}, {"length": 0}, {"length": 1}, {"length": 255}])
def test_a_header_that_lies_ends_the_connection(stream, wrong):
    with pytest.raises(RemoteProtocolError):
        stream.receive(mbap(bytes.fromhex("039c400001"), **wrong))


def test_what_is_kept_is_bounded(stream):
    for _ in range(100):
        stream.receive(b"")
    stream.receive(mbap(bytes(253))[:-1])
    assert stream.pending
    assert stream.receive(b"\0") == mbap(b"\x80\x01")
    assert not stream.pending


def test_answers_are_those_that_pymodbus_understands(bench, stream):
    """FC 3 of every part of the map through pymodbus' own framer and decoder."""
    framer = FramerSocket(DecodePDU(False))
    rng = random.Random(4)
    for _ in range(200):
        address = rng.randrange(40000, 40000 + 2000)
        count = rng.randrange(1, 126)
        answer = stream.receive(mbap(b"\x03" + address.to_bytes(2, "big") + count.to_bytes(2, "big")))
        _, pdu = framer.handleFrame(answer, 0, 7)
        wanted = bench.unit.read(address, count)
        assert b"".join(r.to_bytes(2, "big") for r in pdu.registers) == wanted


def test_an_identification_from_an_unknown_object_on_begins_at_the_first(bench):
    """Modbus application protocol 6.21: an object id that matches none means the beginning."""
    assert bench.pdu("2b0e0150") == bench.pdu("2b0e0100")
