"""One connection never ends another: uploads, peers that leave, too many connections, unexpected errors."""

import contextlib
import errno

import pytest
import trio
import trio.testing

from dersim.pages import serving

UPLOAD = b"POST /api/dersim/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n"


async def upload(port):
    """A large body in small pieces, for as long as the server takes them; the answer is left unread."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await stream.send_all(UPLOAD)
        for _ in range(400):
            await stream.send_all(b" " * 700)
            await trio.lowlevel.checkpoint()
    await trio.aclose_forcefully(stream)


async def test_uploads_in_small_pieces_over_and_over_end_nothing_but_themselves(open_site):
    async with open_site() as site:
        with trio.fail_after(50):
            for _ in range(5):
                async with trio.open_nursery() as uploads:
                    for _ in range(10):
                        uploads.start_soon(upload, site.port)
            assert (await site("GET", "/api/dersim/overview")).status == 200
        assert site.context.fences.counts == {}
        assert not site.context.log.entries(level="Warning")


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"])
async def test_a_connection_that_the_peer_has_closed_is_closed_at_once(open_site, monkeypatch, begun):
    ended, serve = trio.Event(), serving.WebServer._connection

    async def watched(server, stream):
        await serve(server, stream)
        ended.set()

    monkeypatch.setattr(serving.WebServer, "_connection", watched)
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        if begun:
            await stream.send_all(begun)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")
        assert not ended.is_set()
        await stream.aclose()
        with trio.fail_after(15):
            await ended.wait()


async def test_at_the_limit_the_connection_unused_for_longest_makes_room(open_site, monkeypatch):
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(serving, "IDLE_S", 0.0)
    async with open_site() as site:
        idle = [await trio.open_tcp_stream("127.0.0.1", site.port) for _ in range(3)]
        assert (await site("GET", "/api/dersim/overview")).status == 200
        with trio.fail_after(15):
            assert await idle[0].receive_some() == b""
        for stream in idle:
            await stream.aclose()


async def test_above_the_limit_a_connection_is_refused_while_all_others_are_in_use(open_site, monkeypatch):
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(serving, "IDLE_S", 1000.0)
    async with open_site() as site:
        used = [await trio.open_tcp_stream("127.0.0.1", site.port) for _ in range(3)]
        for _ in range(5):
            refused = await trio.open_tcp_stream("127.0.0.1", site.port)
            with trio.fail_after(15), contextlib.suppress(trio.BrokenResourceError):
                assert await refused.receive_some() == b""
            await refused.aclose()
        [warning] = site.context.log.entries(level="Warning")
        assert warning.message == "connections refused: 3 are in use, the most allowed"
        await used[0].send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await used[0].receive_some()).startswith(b"HTTP/1.1 200")
        for stream in used:
            await stream.aclose()


async def test_without_free_file_descriptors_the_idle_make_room_and_one_line_says_so(open_site, monkeypatch):
    accept, failures = trio.SocketListener.accept, iter(range(20))

    async def scarce(listener):
        if next(failures, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listener)

    monkeypatch.setattr(serving, "IDLE_S", 0.0)
    monkeypatch.setattr(serving, "ACCEPT_PAUSE_S", 0.0)
    async with open_site() as site:
        await trio.testing.wait_all_tasks_blocked()
        monkeypatch.setattr(trio.SocketListener, "accept", scarce)
        # The accept that waits already is the last to succeed.
        idle = await trio.open_tcp_stream("127.0.0.1", site.port)
        with trio.fail_after(15):
            assert await idle.receive_some() == b""
        await idle.aclose()
        assert (await site("GET", "/api/dersim/overview")).status == 200
        [warning] = site.context.log.entries(level="Warning")
        assert warning.message == "connections refused: Too many open files"


@pytest.fixture
def broken_protocol(monkeypatch):
    """hypercorn fails at a request for /boom, in the task that reads the connection."""
    create = serving.TCPServer._read_data

    async def read(connection):
        real = connection.stream.receive_some

        async def receive(most):
            data = await real(most)
            if b"/boom" in data:
                raise KeyError("boom")
            return data

        connection.stream.receive_some = receive
        await create(connection)

    monkeypatch.setattr(serving.TCPServer, "_read_data", read)


async def boom(site):
    stream = await trio.open_tcp_stream("127.0.0.1", site.port)
    async with stream:
        await stream.send_all(b"GET /boom HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with trio.fail_after(15):
            assert await stream.receive_some() == b""


async def test_an_unexpected_error_in_a_connection_ends_it_alone(open_site, broken_protocol):
    async with open_site() as site:
        other = await trio.open_tcp_stream("127.0.0.1", site.port)
        await boom(site)
        await other.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await other.receive_some()).startswith(b"HTTP/1.1 200")
        await other.aclose()
        assert site.context.fences.counts == {"web_connection": 1}
        [line] = site.context.log.entries(level="Error")
        assert line.message.startswith("connection of 127.0.0.1:")
        assert line.message.endswith("unexpected KeyError('boom')")
        metrics = (await site("GET", "/metrics")).body
        assert b'dersim_unexpected_errors_total{place="web_connection"} 1\n' in metrics


@pytest.mark.parametrize("target", ["/boom", "/api/dersim/inputs"])
async def test_under_fail_fast_an_unexpected_error_ends_the_site(
    open_site, broken_protocol, monkeypatch, target
):
    def broken(*_):
        raise KeyError("boom")

    monkeypatch.setattr("dersim.web.app.find_device", broken)
    with pytest.RaisesGroup(KeyError, flatten_subgroups=True):
        async with open_site(fail_fast=True) as site:
            with trio.fail_after(15):
                await ask_and_wait(site, target)


async def ask_and_wait(site, target):
    async with await trio.open_tcp_stream("127.0.0.1", site.port) as stream:
        await stream.send_all(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await trio.sleep_forever()
