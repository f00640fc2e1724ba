"""Bytes instead of a response, and a gate instead of the TLS handshake."""

import math

import pytest
import trio

from dersim import http11
from dersim.errors import UtilityUnreachable
from dersim.http11 import SILENCE, Raw, Response


@pytest.fixture
def serve(net, nursery):
    def start(handler=None, **options):
        nursery.start_soon(lambda: http11.serve(handler, [net], **options))
        return net

    return start


async def answer_plainly(request):
    return Response(200, (), b"well")


async def test_raw_bytes_are_sent_as_they_are_and_end_the_connection(serve, autojump_clock):
    async def handler(request):
        return Raw(((b"HTTP/1.1 2", 5.0), (b"00 OK\r\n\r\n", 0)))

    client = await serve(handler).open_tcp("", 0)
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    began = trio.current_time()
    assert await client.receive_some() == b"HTTP/1.1 2"
    assert await client.receive_some() == b"00 OK\r\n\r\n"
    assert trio.current_time() - began == 5
    assert await client.receive_some() == b""


async def test_silence_lasts_until_the_client_closes(serve, autojump_clock, nursery):
    asked = []

    async def handler(request):
        asked.append(request.target)
        return SILENCE if len(asked) == 1 else Response(200)

    net = serve(handler)
    connection = net.endpoint().connection()
    with pytest.raises(UtilityUnreachable, match="silent for 10 s"):
        await connection.request("GET", "/a")
    assert (await connection.request("GET", "/b")).status == 200
    assert asked == ["/a", "/b"]


async def test_a_stop_ends_silence_at_once(net, autojump_clock):
    async def handler(request):
        return Raw(((b"HTTP/1.1 200 OK\r\n", math.inf),))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(http11.serve, handler, [net])
        client = await net.open_tcp("", 0)
        await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.receive_some()
        began = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() == began


async def test_the_gate_sends_an_alert_instead_of_a_handshake(
    serve, client_context, server_context, autojump_clock
):
    alerts = [Raw(((bytes([0x15, 3, 3, 0, 2, 2, 49]), 1.0),))]
    net = serve(answer_plainly, tls=server_context, gate=lambda: alerts.pop() if alerts else None)
    connection = net.endpoint(client_context).connection()
    with pytest.raises(UtilityUnreachable, match="TLS alert access_denied"):
        await connection.request("GET", "/")
    assert (await connection.request("GET", "/")).body == b"well"


async def test_a_reset_is_a_reset_for_the_client(nursery):
    async def handler(request):
        return Raw(((b"HTTP/1.1 200 OK\r\n", 0),), reset=True)

    listeners = await http11.bind("127.0.0.1", 0)
    nursery.start_soon(http11.serve, handler, listeners)
    connection = http11.Endpoint(*http11.address(listeners)).connection()
    with pytest.raises(UtilityUnreachable, match="connection reset by peer"):
        await connection.request("POST", "/")
