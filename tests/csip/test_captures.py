"""What real servers have said, through the client's own reader: nothing is raised but the named errors."""

import io
import re
from pathlib import Path

import pytest
import trio
import trio.testing

from dersim.clock import SimClock
from dersim.csip.links import Origin
from dersim.csip.session import CodecSettings, Counters, RequestRefused, Session
from dersim.errors import RemoteProtocolError
from dersim.exchanges.conversation import Conversation
from dersim.http11 import Connection
from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import LogBuffer

CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "data" / "captures"
FILES = sorted(CAPTURES.glob("*/*.http"))


@pytest.fixture
def replies():
    if not FILES:
        pytest.skip("the recorded exchanges are not beside this checkout (../shared/data/captures)")
    return [(path, *split(path.read_bytes())) for path in FILES]


def split(recorded: bytes) -> tuple[str, bytes]:
    """The request's method and target, and the response as it was on the wire."""
    request, _, response = recorded.partition(b"### RESPONSE")
    found = re.search(rb"^([A-Z]+) (\S+) HTTP", request, re.MULTILINE)
    assert found is not None
    response = response.lstrip(b"\r\n")
    head, _, body = response.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = [
        line
        for line in head.split(b"\n")
        if not line.lower().startswith((b"content-length", b"transfer-encoding", b"connection", b"date"))
    ]
    body = body.rstrip(b"\n")
    lines += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return f"{found[1].decode()} {found[2].decode()}", b"\r\n".join(lines) + b"\r\n\r\n" + body


async def test_every_recorded_answer_is_read_or_refused_in_one_line(autojump_clock, nursery, replies):
    clock = SimClock(start_s=1_800_000_000.0)
    clock.start()
    log = LogBuffer(stream=io.StringIO())
    read, refused = 0, []
    for _, request, wire in replies:
        method, target = request.split(" ", 1)
        session = session_for(nursery, wire, clock, log)
        try:
            if method == "GET":
                await session.fetch(target, r.Resource, "replay")
            else:
                await session.send(method, target, b"<x/>" if method != "HEAD" else b"", "replayed", "replay")
            read += 1
        except RemoteProtocolError as error:
            refused.append(error)
        await session.aclose()
    assert read >= len(replies) * 0.6
    assert all("\n" not in str(error) for error in refused)
    assert sum(isinstance(error, RequestRefused) and error.status >= 400 for error in refused) >= 5


def session_for(nursery, wire, clock, log):
    async def answer(stream):
        await stream.receive_some(65536)
        await stream.send_all(wire)
        await stream.aclose()

    async def open_stream():
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(answer, theirs)
        await trio.lowlevel.checkpoint()
        return ours

    return Session(
        Origin(True, "127.0.0.1", 8443),
        lambda origin: Connection(open_stream, "127.0.0.1:8443"),
        clock,
        codec=CodecSettings(Edition.E2023),
        counters=Counters(),
        conversation=Conversation(),
        say=lambda level, message: log.log(level, "CSIP", message),
        device=1,
    )
