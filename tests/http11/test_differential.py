"""The reader in C against h11 alone, over mutated messages: both give the same verdict, word for word.

Whatever llhttp reads more leniently than h11 would show here. The suite runs a sample; the environment `slow`
of tox runs 100,000 in each direction.
"""

from __future__ import annotations

import random

import pytest
import trio
import trio.testing
from tests.http11.mutations import REQUESTS, RESPONSES, mutated, pieces

from dersim.errors import RemoteProtocolError
from dersim.http11 import Limits, Response, response_bytes, server_connection
from dersim.http11.ordinary import request_head, response_head
from dersim.http11.request_bytes import RequestWriter
from dersim.http11.response_reader import ClosedEarly, ResponseReader
from dersim.http11.server_connection import ServerConnection

SAMPLE, ALL = 1_000, 100_000
WRITER = RequestWriter("x.test")
MAX_BODY_BYTES = 50_000


def counts(sample, whole):
    return pytest.mark.parametrize("count", [sample, pytest.param(whole, marks=pytest.mark.slow)])


def response_verdict(request, parts):
    """What a client makes of a response in these parts, and then the end of the stream."""
    reader = ResponseReader(request, "x.test", MAX_BODY_BYTES)
    try:
        for number, part in enumerate(parts):
            if (response := reader.receive(part)) is not None:
                return response, reader.can_continue, number
        response = reader.receive(b"")
    except RemoteProtocolError as error:
        return str(error)
    except ClosedEarly:
        return "closed early"
    return response, reader.can_continue


@counts(SAMPLE, ALL)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_client_reads_every_response_as_h11_does(count, method):
    random_ = random.Random(f"responses {method} {count}")
    request = WRITER.outgoing(method, "/", (), b"")
    by_h11 = request._replace(is_plain=False)
    in_c = taken = 0
    for _ in range(count):
        parts = pieces(random_, mutated(random_, RESPONSES))
        if not parts:
            continue
        in_c += response_head(parts[0], 32 * 1024) is not None
        verdict = response_verdict(request, parts)
        taken += not isinstance(verdict, str)
        assert verdict == response_verdict(by_h11, parts), parts
    assert in_c > count / 20, "few of them were read in C"
    assert in_c < taken < count * 0.9, "all or none of them were HTTP"


class Replay(trio.abc.Stream):
    """A client that sends these parts and then ends its side."""

    def __init__(self, parts):
        self.parts = list(parts)
        self.sent = b""

    async def receive_some(self, max_bytes=None):
        return self.parts.pop(0) if self.parts else b""

    async def send_all(self, data):
        self.sent += data

    async def wait_send_all_might_not_block(self):
        pass

    async def aclose(self):
        pass


class Owner:
    is_stopping = False

    def __init__(self):
        self.lines = []

    def is_idle(self, key, scope):
        pass

    def is_busy(self, key):
        pass

    def log(self, line):
        self.lines.append(line)


async def request_verdict(parts):
    """The requests that the handler got, what the client was sent, and what was logged."""
    got = []

    async def handler(request):
        got.append(request)
        return Response(200, (("content-type", "text/plain"),), request.target.encode("latin-1"))

    stream, owner = Replay(parts), Owner()
    limits = Limits(target_bytes=500, body_bytes=5_000)
    await ServerConnection(stream, "peer", handler, limits, owner).run()
    return got, stream.sent, owner.lines


@counts(SAMPLE, ALL)
def test_a_server_reads_every_request_as_h11_does(count, monkeypatch):
    random_ = random.Random(f"requests {count}")
    monkeypatch.setattr(response_bytes, "_date", lambda: "Sat, 28 Nov 2026 19:20:41 GMT")
    in_c = taken = 0

    async def main():
        nonlocal in_c, taken
        for _ in range(count):
            parts = pieces(random_, mutated(random_, REQUESTS))
            if not parts:
                continue
            in_c += request_head(parts[0], 32 * 1024) is not None
            verdict = await request_verdict(parts)
            taken += bool(verdict[0])
            with monkeypatch.context() as patch:
                patch.setattr(server_connection, "request_head", lambda data, max_bytes: None)
                assert verdict == await request_verdict(parts), parts

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert in_c > count / 20, "few of them were read in C"
    assert in_c < taken < count * 0.9, "all or none of them were HTTP"
