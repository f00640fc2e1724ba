"""Binding, and an end that comes whatever the peers do."""

import socket

import pytest
import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage

from dersim.errors import ConfigError
from dersim.pages.sockets import bind_socket, url_of
from dersim.web.frontend import WebFrontend


def test_a_busy_port_names_flag_and_remedy():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"--website_port: port {port} on .* is in use.*another"):
            bind_socket("--website_port", "127.0.0.1", port)


def test_an_address_that_is_not_ours_is_a_config_error():
    with pytest.raises(ConfigError, match=r"--website_port: cannot listen on 192\.0\.2\.1 port 80"):
        bind_socket("--website_port", "192.0.2.1", 80)


def test_port_0_tells_the_port():
    with bind_socket("--website_port", "127.0.0.1", 0) as listening:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_a_stop_before_it_has_begun_is_a_stop(open_site):
    with trio.fail_after(10):
        async with open_site() as site:
            site.nursery.cancel_scope.cancel()  # before `run` had its first turn


async def test_beyond_loopback_a_token_is_needed(make_context):
    frontend = WebFrontend("dashboard", make_context(), "--website", "0.0.0.0", 0)
    with pytest.raises(ConfigError, match=r"--website_ip 0\.0\.0\.0: .*--token auto"):
        await frontend.bind()


async def test_a_token_that_was_made_is_told_once_in_the_ready_line(make_context):
    context = make_context(token="auto")
    dashboard = WebFrontend("dashboard", context, "--website", "0.0.0.0", 0)
    ui = WebFrontend("csip_ui", context, "--csip_website", "0.0.0.0", 0)
    facts, ui_facts = await dashboard.bind(), await ui.bind()
    assert len(facts["token"]) >= 24
    assert set(ui_facts) == {"csip_ui"}
    assert context.options.token == facts["token"]
    await dashboard.aclose()
    await ui.aclose()


async def open_websocket(port, *, receive_buffer=None, target="/api/dersim/telemetry/ws", headers=()):
    """A WebSocket client: (stream, connection) after the accept."""
    sock = trio.socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await sock.connect(("127.0.0.1", port))
    stream = trio.SocketStream(sock)
    ws = WSConnection(ConnectionType.CLIENT)
    request = Request(host=f"127.0.0.1:{port}", target=target, extra_headers=list(headers))
    await stream.send_all(ws.send(request))
    return stream, ws


async def next_event(stream, ws):
    with trio.fail_after(5):
        while True:
            for event in ws.events():
                if not isinstance(event, Ping):
                    return event
            ws.receive_data(await stream.receive_some(65536) or None)


async def test_a_stop_says_goodbye_to_websockets(open_site):
    with trio.fail_after(5):
        async with open_site() as site:
            stream, ws = await open_websocket(site.port)
            assert isinstance(await next_event(stream, ws), AcceptConnection)
            assert isinstance(await next_event(stream, ws), TextMessage)
            site.nursery.cancel_scope.cancel()
    closing = await next_event(stream, ws)
    assert isinstance(closing, CloseConnection)
    assert closing.code == 1001
    await stream.aclose()


async def test_a_websocket_that_does_not_read_cannot_hold_the_program(open_site):
    """hypercorn alone hangs here for ever: it sends in a shielded scope without a deadline."""
    with trio.fail_after(5):
        async with open_site(count=200) as site:
            stream, ws = await open_websocket(site.port, receive_buffer=4096)
            assert isinstance(await next_event(stream, ws), AcceptConnection)
            # Its socket buffers are full when documents are dropped.
            while not await _stuck(site):
                site.context.fleet.step()
                await trio.testing.wait_all_tasks_blocked(0.001)
            site.nursery.cancel_scope.cancel()
    await stream.aclose()


async def _stuck(site):
    await trio.lowlevel.checkpoint()
    boxes = [box for boxes in site.frontend.telemetry._mailboxes.values() for box in boxes]
    return any(box.dropped > 20 for box in boxes)


async def test_a_request_in_flight_at_the_stop_is_answered(open_site):
    """POST /stop itself is one."""
    async with open_site() as site:
        answer = await site("POST", "/api/dersim/stop")
        assert answer.status == 202
        assert site.stopped.is_set()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/dersim/commands?x=1", b"400"),
        ("/nothing", b"404"),
        ("/api/dersim/overview", b"405"),
        ("/api/dersim/csip/rediscover", b"202"),
    ],
)
async def test_an_early_answer_does_not_strand_the_next_request(open_site, target, status):
    """hypercorn alone answers before the body is in, and then never again on that connection."""
    body = b'{"command": "reset"}'
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        async with stream:
            for _ in range(3):
                await stream.send_all(head)
                await trio.testing.wait_all_tasks_blocked()
                await stream.send_all(body)
                with trio.fail_after(5):
                    answer = await stream.receive_some(65536)
                    assert answer.startswith(b"HTTP/1.1 " + status)
                    while b"}" not in answer:
                        answer += await stream.receive_some(65536)


UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/dersim/stop HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /api/dersim/stop HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"GET /api/dersim/ws/telemetry HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"GET /api/dersim/ws/telemetry HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        b"\xff\xff\xff\xff\xff",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 40,
        UPGRADE % b"/api/dersim/ws/telemetry" + b"\r\n" + b"\x81\x05hello",
        UPGRADE % b"/api/dersim/ws/telemetry" + b"\r\n" + b"\x88\x82\0\0\0\0\0\0",
        UPGRADE % b"/nothing/here" + b"\r\n" + b"\x81\x80\0\0\0\0",
        UPGRADE % b"/api/dersim/ws/telemetry" + b"Sec-WebSocket-Protocol: \xff\r\n\r\n",
        UPGRADE % b"/api/dersim/ws/telemetry" + b"Origin: http://[\r\n\r\n",
        b"POST /api/dersim/inputs HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[\r\n"
        b"Content-Length: 0\r\n\r\n",
    ],
)
async def test_abuse_does_not_end_the_server(open_site, raw):
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        async with stream:
            await stream.send_all(raw)
            await stream.send_eof()
            with trio.move_on_after(1):
                while await stream.receive_some():
                    pass
        assert (await site("GET", "/api/dersim/overview")).status == 200
        assert not site.stopped.is_set()
        assert not site.context.fences.counts  # what a peer does is not unexpected


@pytest.mark.parametrize("target", [b"/api/dersim/ws/telemetry", b"/nothing/here"])
async def test_frames_before_the_answer_to_an_upgrade_are_answered_400_and_the_end(open_site, target):
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        async with stream:
            await stream.send_all(UPGRADE % target + b"\r\n" + b"\x81\x05hello")
            with trio.fail_after(5):
                told = b"".join([chunk async for chunk in stream])
        assert told.startswith(b"HTTP/1.1 400 ")
        assert told.endswith(b"\r\n\r\n")
        assert not site.context.fences.counts


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", b"505"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
            b"200",
        ),
    ],
)
async def test_http_1_is_spoken_and_no_other(open_site, raw, status):
    async with open_site() as site:
        stream = await trio.open_tcp_stream("127.0.0.1", site.port)
        async with stream:
            await stream.send_all(raw)
            with trio.fail_after(5):
                told = b"".join([chunk async for chunk in stream])
        assert told.startswith(b"HTTP/1.1 " + status)
        assert not site.context.fences.counts


async def test_a_peer_that_resets_does_not_end_the_server(open_site):
    async with open_site() as site:
        for _ in range(3):
            stream, ws = await open_websocket(site.port)
            assert isinstance(await next_event(stream, ws), AcceptConnection)
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            stream.socket.close()
            site.context.fleet.step()
        while site.frontend.telemetry.listeners:
            site.context.fleet.step()
            await trio.testing.wait_all_tasks_blocked(0.001)
        assert (await site("GET", "/api/dersim/overview")).status == 200
