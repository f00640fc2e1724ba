"""Frames that a master should never send: none wedges the outstation, breaks it, or moves the DER."""

from __future__ import annotations

import random
import struct

import pytest
from dersim_dnp3.conversation import Conversation
from dersim_dnp3.decoding import lines_of
from dersim_dnp3.masters import FirstFrame
from one_der import OneDer
from py1815.application import all_objects_header, build_request, class_header
from py1815.control import AnalogOutput, ControlRelayOutputBlock, encode_control
from py1815.link import START, build

_MASTER, _OUTSTATION, _FROM_MASTER = 4, 1, 0xC4
_POLL = build_request(1, sequence=0, body=b"".join(class_header(each) for each in (1, 2, 3, 0)))
#: No control may come through by chance: those below are all refused.
_UNKNOWN_POINTS = (7777, 40000, 65535)


def framed(
    fragment: bytes, transport: int = 0xC0, source: int = _MASTER, destination: int = _OUTSTATION
) -> bytes:
    """A fragment in one segment and one frame."""
    return build(_FROM_MASTER, destination, source, bytes([transport]) + fragment[:249])


def controls(rng: random.Random) -> bytes:
    """Commands of points that are not there, of odd kinds."""
    index = struct.pack("<H", rng.choice(_UNKNOWN_POINTS))
    if rng.random() < 0.5:
        block = ControlRelayOutputBlock(rng.randrange(256), count=rng.randrange(256))
        return b"\x0c\x01\x28\x01\x00" + index + encode_control(block)
    variation = rng.choice((1, 2))
    return (
        bytes([41, variation, 0x28, 1, 0])
        + index
        + encode_control(AnalogOutput(rng.randrange(30000), variation))
    )


def request(rng: random.Random) -> bytes:
    """A request that may be right."""
    function = rng.choice(
        (1, 1, 1, 2, 3, 4, 5, 6, 7, 9, 13, 20, 21, 22, 23, 24, 32, 0, 129, 130, rng.randrange(256))
    )
    body = rng.choice(
        (
            lambda: b"".join(class_header(rng.randrange(4)) for _ in range(rng.randrange(5))),
            lambda: all_objects_header(rng.randrange(256), rng.randrange(12)),
            lambda: (
                bytes([rng.choice((1, 10, 20, 21, 30, 40)), 0, 1])
                + struct.pack("<HH", rng.randrange(700), rng.randrange(66000) % 65536)
            ),
            lambda: controls(rng),
            lambda: rng.randbytes(rng.randrange(40)),
            lambda: b"\x32\x01\x07\x01" + rng.randbytes(6),
            lambda: b"\x50\x01\x00\x07\x07\x00",
        )
    )()
    control = 0xC0 | rng.randrange(16) if rng.random() < 0.8 else rng.randrange(256)
    return bytes([control, function]) + body


def octets(rng: random.Random) -> bytes:
    """Octets of one kind of trouble."""
    good = framed(request(rng))
    kind = rng.randrange(9)
    if kind == 0:  # a bad CRC
        place = rng.randrange(len(good))
        return good[:place] + bytes([good[place] ^ 1 << rng.randrange(8)]) + good[place + 1 :]
    if kind == 1:  # cut
        return good[: rng.randrange(len(good))]
    if kind == 2:  # a length that is not true, with a right CRC of the header
        return build(_FROM_MASTER, _OUTSTATION, _MASTER, rng.randbytes(rng.randrange(250)))[
            : rng.randrange(10, 300)
        ]
    if kind == 3:  # a segment out of order
        return framed(request(rng), transport=rng.randrange(256))
    if kind == 4:  # of and for others, broadcasts included
        return framed(request(rng), source=rng.randrange(65536), destination=rng.choice((1, 2, 65533, 65535)))
    if kind == 5:
        return rng.randbytes(rng.randrange(60))
    if kind == 6:
        return START * rng.randrange(20) + good
    if kind == 7:  # another function of the link
        return build(rng.randrange(256), _OUTSTATION, _MASTER, b"")
    return good


def fuzz(frames: int, seed: int) -> None:
    rng = random.Random(seed)
    der = OneDer()
    conversation, first = Conversation(), FirstFrame(_OUTSTATION)
    in_force = der.device.setpoints.in_force()
    for number in range(frames):
        sent = octets(rng)
        first.feed(sent)
        conversation.add(0.0, 1, 1, _MASTER, "in", sent)
        answer = der.master.receive(sent)
        conversation.add(0.0, 1, 1, _MASTER, "out", answer)
        if number % 500 == 499:
            der.clock.time_s += 60  # what waited for a confirmation has waited long enough
            der.master.session.connection_reset()
            poll = der.master.receive(framed(bytes([0xC0 | number % 16]) + _POLL[1:]))
            assert len(poll) > 1000, (seed, number)
            lines_of(conversation.of(1)[-1000:])
    assert der.device.setpoints.in_force() == in_force
    assert der.unforeseen == []
    assert len(first._held) <= 292


def test_a_sample_of_frames():
    fuzz(1500, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_thousand_frames(seed):
    fuzz(10_000, seed)
