"""A connection that ends: for good, at once, and with the answer in the peer's hands."""

import pytest
import trio
import trio.testing

from dersim.pages.streams import BoundedStream


@pytest.fixture
async def pair():
    """A BoundedStream on a real socket, and its peer."""
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    peer = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
    stream = await listener.accept()
    await listener.aclose()
    yield BoundedStream(stream, 20.0), peer
    await trio.aclose_forcefully(peer)
    await trio.aclose_forcefully(stream)


async def test_an_answer_that_overtakes_the_body_is_read_and_the_connection_ends(open_site):
    """hypercorn alone leaves such a connection open, with nobody to serve it."""
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        head = b"POST /api/dersim/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n"
        with trio.fail_after(10):
            await stream.send_all(head)
            answer = await stream.receive_some()
            for _ in range(20):
                await stream.send_all(b" " * 60_000)
            await stream.send_eof()
            while data := await stream.receive_some():
                answer += data
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"urn:dersim:problem:too-large" in answer
        await stream.aclose()


async def test_saying_goodbye_is_not_cut_short_by_a_cancellation(pair):
    stream, peer = pair
    with trio.CancelScope() as scope:
        scope.cancel()
        await stream.send_eof()
    with trio.fail_after(5):
        assert await peer.receive_some() == b""


async def test_after_the_goodbye_what_comes_is_thrown_away_and_the_peer_ends_it(pair):
    stream, peer = pair
    seen = []

    async def reader():
        seen.append(await stream.receive_some())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader)
        await stream.send_eof()
        nursery.start_soon(stream.aclose)
        await peer.send_all(b"more" * 1000)
        await peer.send_eof()
    assert b"".join(seen) == b""


async def test_an_abort_ends_what_is_being_sent_and_what_is_being_awaited(pair):
    stream, _ = pair
    async with trio.open_nursery() as nursery:

        async def send():
            with pytest.raises(trio.BrokenResourceError):
                await stream.send_all(b"x" * 100_000_000)

        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        stream.abort()


async def test_a_peer_that_takes_nothing_is_dropped(autojump_clock):
    left, _right = trio.testing.lockstep_stream_pair()
    left.socket = _Closable()
    stream = BoundedStream(left, 20.0)
    started = trio.current_time()
    with pytest.raises(trio.BrokenResourceError, match="does not read"):
        await stream.send_all(b"x")
    assert trio.current_time() - started == 20.0
    assert left.socket.closed


class _Closable:
    closed = False

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /api/dersim/over",
        b"POST /api/dersim/stop HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /api/dersim/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{",
    ],
)
async def test_a_request_that_never_ends_holds_neither_others_nor_the_stop(open_site, begun):
    with trio.fail_after(10):
        async with open_site() as site:
            held = [await trio.open_tcp_stream("127.0.0.1", site.port) for _ in range(20)]
            for stream in held:
                await stream.send_all(begun)
            assert (await site("GET", "/api/dersim/overview")).status == 200
            site.nursery.cancel_scope.cancel()
        for stream in held:
            await trio.aclose_forcefully(stream)
    assert not site.stopped.is_set()


async def test_an_answer_that_nobody_reads_holds_neither_others_nor_the_stop(open_site):
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with trio.fail_after(20):
        async with open_site() as site:
            sock = trio.socket.socket()
            sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
            await sock.connect(("127.0.0.1", site.port))
            stream = trio.SocketStream(sock)
            with trio.move_on_after(1):  # until neither side takes any more
                while True:
                    await stream.send_all(request)
            assert (await site("GET", "/api/dersim/overview")).status == 200
            site.nursery.cancel_scope.cancel()
        await trio.aclose_forcefully(stream)
