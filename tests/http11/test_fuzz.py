"""Bytes that no sane peer sends: the client raises what it says it raises, the server goes on."""

import functools

import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from dersim import http11
from dersim.errors import RemoteProtocolError, UtilityUnreachable
from dersim.http11 import Response

RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/sep+xml\r\nContent-Length: 4\r\n\r\n<a/>",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\n\r\nnothing here",
]
REQUESTS = [
    b"GET /dcap HTTP/1.1\r\nHost: x\r\nAccept: application/sep+xml\r\n\r\n",
    b"POST /mup HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n<a/>",
    b"PUT /edev/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
]


def mutated(samples):
    """One of `samples` with a piece replaced by other bytes, or any bytes at all."""

    @st.composite
    def draw_one(draw):
        sample = draw(st.sampled_from(samples))
        start = draw(st.integers(0, len(sample)))
        end = draw(st.integers(start, min(len(sample), start + 12)))
        return sample[:start] + draw(st.binary(max_size=12)) + sample[end:]

    return draw_one() | st.binary(max_size=200)


@settings(deadline=None, max_examples=100)
@given(answer=mutated(RESPONSES), piece=st.integers(1, 64))
def test_any_response_is_a_response_or_one_of_two_errors(answer, piece):
    async def main():
        ours, theirs = trio.testing.memory_stream_pair()

        async def open_stream():
            return ours

        connection = http11.Connection(open_stream, "x.test")
        for start in range(0, len(answer), piece):
            await theirs.send_all(answer[start : start + piece])
        await theirs.send_stream.aclose()
        try:
            response = await connection.request("GET", "/")
        except (RemoteProtocolError, UtilityUnreachable) as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
        else:
            assert 200 <= response.status <= 999
            assert response.body in answer or b"chunked" in answer.lower()
        await connection.aclose()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@settings(deadline=None, max_examples=100)
@given(sent=mutated(REQUESTS), is_closed=st.booleans())
def test_any_request_leaves_the_server_serving(net_class, sent, is_closed):
    async def handler(request):
        return Response(200, body=request.body)

    async def main():
        net = net_class()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(functools.partial(http11.serve, handler, [net]))
            bad = await net.open_tcp("", 0)
            await bad.send_all(sent)
            if is_closed:
                await bad.send_stream.aclose()
            while await bad.receive_some():
                pass
            good = net.endpoint().connection()
            assert (await good.request("POST", "/", body=b"still here")).body == b"still here"
            await good.aclose()
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
