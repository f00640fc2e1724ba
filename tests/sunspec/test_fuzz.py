"""Frames that no sane client sends: each gets the right exception or ends its connection; the server goes on.

Half of them are read or write requests with one thing wrong, half are noise. A bounded sample runs every day;
DERSIM_FUZZ_FRAMES=100000 runs more (``tox -e fuzz``).
"""

import os
import random
import struct
import tracemalloc

from tests.sunspec.conftest import Bench

from dersim.errors import RemoteProtocolError
from dersim.sunspec.mbap import Stream
from dersim.sunspec.rtu_framing import Line

FRAMES = int(os.environ.get("DERSIM_FUZZ_FRAMES", "4000"))
EXCEPTIONS = {1, 2, 3, 4, 6, 11}
READ, ANSWER = bytes.fromhex("0001000000060103 9c40 0002"), bytes.fromhex("0001000000070103 04 53756e53")


def pdu(rng):
    """A request, often nearly right."""
    address = rng.choice((rng.randrange(39990, 42600), rng.randrange(65536)))
    count = rng.choice((1, 2, rng.randrange(1, 126), 0, 126, rng.randrange(65536)))
    match rng.randrange(8):
        case 0 | 1:
            return struct.pack(">BHH", rng.choice((3, 4)), address, count)
        case 2:
            return struct.pack(
                ">BHH", 6, address, rng.choice((0, 1, 2, 0xFFFF, 0x8000, rng.randrange(65536)))
            )
        case 3 | 4:
            n = rng.choice((1, 2, 3, rng.randrange(1, 124)))
            said = rng.choice((n, n, n, count)) & 0xFFFF
            size = rng.choice((2 * n, 2 * n, 2 * n, rng.randrange(256))) & 0xFF
            return struct.pack(">BHHB", 16, address, said, size) + rng.randbytes(2 * n)
        case 5:
            n = rng.randrange(1, 20)
            head = struct.pack(">BHHHHB", 23, address, count & 0x7F, address, n, 2 * n)
            return head + rng.randbytes(2 * n)
        case 6:
            return bytes((43, rng.choice((14, 13)), rng.randrange(6), rng.randrange(256)))
        case _:
            return rng.randbytes(rng.randrange(1, 254))


def frame(rng):
    body = pdu(rng)[:253]
    data = (
        struct.pack(">HHHB", rng.randrange(65536), 0, len(body) + 1, rng.choice((1, 1, 1, 0, 255, 9))) + body
    )
    match rng.randrange(12):
        case 0:
            at = rng.randrange(len(data))
            return data[:at] + rng.randbytes(1) + data[at + 1 :]
        case 1:
            return data[: rng.randrange(len(data))]
        case 2:
            return rng.randbytes(rng.randrange(1, 40))
        case _:
            return data


def check_answers(data):
    """Whole frames, each a normal answer or a listed exception."""
    at = 0
    while at < len(data):
        _, protocol, length, _, function = struct.unpack_from(">HHHBB", data, at)
        assert protocol == 0
        assert 2 <= length <= 254
        if function & 0x80:
            assert length == 3
            assert data[at + 8] in EXCEPTIONS
        at += 6 + length
    assert at == len(data)


def test_frames_at_random():
    bench, rng = Bench(), random.Random(FRAMES)
    stream = Stream(bench.service, bench.server.answers_to)
    closed = 0
    for number in range(FRAMES):
        try:
            check_answers(stream.receive(frame(rng)))
        except RemoteProtocolError:
            closed += 1
            stream = Stream(bench.service, bench.server.answers_to)
        if number % 50 == 0:
            bench.wait(1)
            fresh = Stream(bench.service, bench.server.answers_to)
            if bench.server.answers_to(1):
                assert fresh.receive(READ) == ANSWER
    assert closed < FRAMES / 3  # most were answered
    bench.wait(5)
    for block in bench.unit.blocks:
        assert len(block.data()) == 2 * block.length


def test_memory_stays_bounded():
    bench, rng = Bench(), random.Random(7)
    stream = Stream(bench.service, bench.server.answers_to)

    def many(count):
        nonlocal stream
        for _ in range(count):
            try:
                stream.receive(frame(rng))
            except RemoteProtocolError:
                stream = Stream(bench.service, bench.server.answers_to)
        bench.log._entries.clear()
        bench.device.setpoints._journal.clear()

    many(300)
    tracemalloc.start()
    many(300)
    before, _ = tracemalloc.get_traced_memory()
    many(1200)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 200_000


def test_bytes_at_random_on_the_serial_line():
    bench, rng = Bench(), random.Random(3)
    line = Line(lambda unit, body: bench.service.answer(body) if unit == 1 else None)
    for _ in range(FRAMES // 4):
        line.receive(frame(rng)[rng.randrange(8) :])
        if rng.random() < 0.3:
            line.silence()
    line.silence()
    assert not line.pending
