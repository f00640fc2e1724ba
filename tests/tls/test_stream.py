"""The encrypted stream after its handshake: bytes both ways, ends of all kinds, a peer that is trio's own."""

import ssl

import pytest
import trio

from dersim import tls
from dersim.tls.stream import TlsStream


@pytest.fixture
async def pair(folder, meet):
    """Our client and our server, met."""
    client = tls.client_context(folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem")
    server = tls.server_context(
        folder / "cert_server.pem", folder / "key_server.pem", folder / "cert_root.pem"
    )
    met = await meet(client, server)
    return met.client, met.server


async def receive_all(stream, count):
    received = b""
    while len(received) < count:
        received += await stream.receive_some(5000)
    return received


@pytest.mark.parametrize("size", [1, 16_384, 16_385, 300_000])
async def test_what_is_sent_comes_out_whole(pair, size):
    client, server = pair
    message = bytes(index % 251 for index in range(size))
    for sender, receiver in ((client, server), (server, client)):
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(sender.send_all, message)
                assert await receive_all(receiver, size) == message


async def test_what_came_in_one_record_may_be_taken_in_pieces(pair):
    client, server = pair
    await client.send_all(b"abcdef")
    assert await server.receive_some(2) == b"ab"
    assert server.pending() == 4
    assert await server.receive_some(100) == b"cdef"
    assert server.pending() == 0


async def test_nothing_to_send_is_not_an_end(pair):
    client, server = pair
    await client.send_all(b"")
    await client.send_all(b"x")
    assert await server.receive_some() == b"x"


async def test_the_end_stays_the_end(pair):
    client, server = pair
    await server.aclose()
    assert await client.receive_some() == b""
    assert await client.receive_some() == b""


async def test_bytes_before_the_end_are_not_lost(pair):
    client, server = pair
    await server.send_all(b"last words")
    await server.aclose()
    assert await client.receive_some(4) == b"last"
    assert await client.receive_some() == b" words"
    assert await client.receive_some() == b""


async def test_an_announced_end_is_one_too(folder, meet, plain_context):
    """A peer that sends its close_notify."""
    client = tls.client_context(folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem")
    met = await meet(client, plain_context(folder, ssl.PROTOCOL_TLS_SERVER))
    assert isinstance(met.client, TlsStream)
    met.server._https_compatible = False
    await met.server.aclose()
    assert await met.client.receive_some() == b""


async def test_garbage_breaks_the_stream(pair):
    client, server = pair
    await server.transport.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(trio.BrokenResourceError) as caught:
        await client.receive_some()
    assert isinstance(caught.value.__cause__, ssl.SSLError)


async def test_a_record_that_was_tampered_with_breaks_the_stream(pair):
    client, server = pair
    server._object.write(b"open the breaker")
    record = bytearray(server._outgoing.read())
    record[-1] ^= 1
    await server.transport.send_all(record)
    with pytest.raises(trio.BrokenResourceError):
        await client.receive_some()


async def test_openssl_gets_a_long_message_in_pieces_that_keep_its_buffers_small(pair):
    client, server = pair
    largest = 0
    for stream in (client, server):
        incoming, written = stream._incoming, stream._incoming.write

        class Watched:
            def __getattr__(self, name, incoming=incoming):
                return getattr(incoming, name)

            def write(self, data, written=written):
                nonlocal largest
                largest = max(largest, len(data))
                return written(data)

        stream._incoming = Watched()
    message = bytes(range(256)) * 40
    for sender, receiver in ((client, server), (server, client)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sender.send_all, message)
            assert await receive_all(receiver, len(message)) == message
        assert receiver.pending() == 0
    assert largest == 2048


async def test_a_long_message_is_one_write_to_the_transport(pair):
    client, server = pair
    writes = []
    send_all = client.transport.send_all

    async def watched(data):
        writes.append(len(data))
        await send_all(data)

    client.transport.send_all = watched
    await client.send_all(bytes(9_000))
    assert len(writes) == 1
    assert len(await receive_all(server, 9_000)) == 9_000
    assert 9_000 < writes[0] < 9_400
