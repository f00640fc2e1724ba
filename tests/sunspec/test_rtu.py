"""The serial line: over a pseudo-terminal with pysunspec2 at the other end, and byte by byte."""

import io
import os
import pty
import random
from argparse import Namespace
from types import SimpleNamespace

import pytest
import trio
from pymodbus.framer import FramerRTU
from sunspec2.modbus.client import SunSpecModbusClientDeviceRTU
from tests.sunspec.conftest import Bench

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.logbuffer import LogBuffer
from dersim.saved_states import SavedStates
from dersim.sunspec.rtu import RtuServer
from dersim.sunspec.rtu_framing import Line, crc


def framed(unit, pdu_hex):
    data = bytes([unit]) + bytes.fromhex(pdu_hex.replace(" ", ""))
    return data + crc(data)


def test_the_crc_is_that_of_the_standard():
    # Modbus over Serial Line 1.02, appendix: 02 07 has the CRC 0x1241, low byte first.
    assert crc(b"\x02\x07") == b"\x41\x12"
    rng = random.Random(1)
    for _ in range(50):
        data = rng.randbytes(rng.randrange(1, 60))
        assert int.from_bytes(crc(data), "big") == FramerRTU.compute_CRC(data)


@pytest.fixture
def line(bench):
    return Line(lambda unit, pdu: bench.service.answer(pdu) if unit in (0, 1) else None)


def test_a_request_in_pieces_and_two_at_once(line):
    request, answer = framed(1, "03 9c40 0002"), framed(1, "03 04 53756e53")
    assert b"".join(line.receive(bytes([byte])) for byte in request) == answer
    assert line.receive(request * 2) == answer * 2
    assert not line.pending


def test_others_on_the_line_and_bad_crcs_get_no_answer(line):
    assert line.receive(framed(5, "03 9c40 0002")) == b""
    assert line.receive(framed(1, "03 9c40 0002")[:-1] + b"\x00") == b""
    assert line.silence() == b""
    assert line.receive(framed(1, "03 9c40 0002")) == framed(1, "03 04 53756e53")


def test_a_function_of_unknown_length_ends_with_silence(line):
    assert line.receive(framed(1, "63 01 02")) == b""
    assert line.silence() == framed(1, "e3 01")


def test_a_broadcast_is_carried_out_and_not_answered(line, bench):
    _, _, address = bench.at(704, "WMaxLimPct")
    assert line.receive(framed(0, f"06 {address:04x} 0fa0")) == b""
    assert bench.read(704, "WMaxLimPct") == 40


def test_noise_is_bounded_and_forgotten(line):
    rng = random.Random(2)
    for _ in range(300):
        line.receive(rng.randbytes(100))
    line.silence()
    assert line.receive(framed(1, "03 9c40 0002")) == framed(1, "03 04 53756e53")


def context_of(path, bench):
    options = Namespace(rtu_port=path, rtu_baud=115200, rtu_parity="N", rtu_stopbits=1)
    log = LogBuffer(stream=io.StringIO())
    return SimpleNamespace(
        options=options,
        fleet=SimpleNamespace(devices=[bench.device]),
        service=bench.services.find,
        log=log,
        fences=Fences(log),
        saved_states=SavedStates(),
    )


async def test_pysunspec2_scans_over_a_pseudo_terminal(bench):
    """Two pseudo-terminals back to back make a cable."""
    ours, ours_end = pty.openpty()
    theirs, theirs_end = pty.openpty()
    for descriptor in (ours, theirs):
        os.set_blocking(descriptor, False)
    server = RtuServer(context_of(os.ttyname(ours_end), bench))
    shown = await server.bind()
    assert shown == {"rtu": os.ttyname(ours_end)}

    async def wire(source, sink):
        while True:
            await trio.lowlevel.wait_readable(source)
            data = os.read(source, 4096)
            os.write(sink, data)

    def scan():
        tool = SunSpecModbusClientDeviceRTU(
            slave_id=1, name=os.ttyname(theirs_end), baudrate=115200, timeout=5
        )
        tool.scan()
        tool.models[704][0].WMaxLimPct.cvalue = 55
        tool.models[704][0].write()
        found = [each for each in tool.models if isinstance(each, int)], tool.models[701][0].W.cvalue
        tool.close()
        return found

    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        nursery.start_soon(wire, ours, theirs)
        nursery.start_soon(wire, theirs, ours)
        with trio.fail_after(30):
            models, power = await trio.to_thread.run_sync(scan)
        nursery.cancel_scope.cancel()
    assert models == [block.model_id for block in bench.unit.blocks]
    assert power == 7005
    assert bench.read(704, "WMaxLimPct") == 55
    for descriptor in (ours, ours_end, theirs, theirs_end):
        os.close(descriptor)


async def test_a_port_that_is_not_there_is_one_line(bench):
    server = RtuServer(context_of("/dev/no-such-line", bench))
    with pytest.raises(ConfigError, match=r"--rtu_port /dev/no-such-line: No such file or directory; give"):
        await server.bind()


def test_each_der_has_its_own_unit_id(make_bench):
    assert Bench(number=3).server.unit_id == 3
    assert Bench(number=300).server.unit_id == 247  # the last one that Modbus has


def test_an_unexpected_error_in_a_request_on_the_line_is_answered_with_a_device_failure(bench):
    context = context_of("/dev/line", bench)
    server = RtuServer(context)
    read = bench.unit.read
    bench.unit.read = lambda *_: 1 / 0
    assert server._line.receive(framed(1, "03 9c40 0002")) == framed(1, "83 04")
    bench.unit.read = read
    assert server._line.receive(framed(1, "03 9c40 0002")) == framed(1, "03 04 53756e53")
    assert context.fences.counts == {"modbus_request": 1}
