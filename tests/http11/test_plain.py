"""Plain HTTP on the TLS port."""

import pytest

from dersim import http11
from dersim.http11 import Response


@pytest.fixture
def net_with_tls(net, nursery, server_context):
    async def handler(request):
        return Response(200, (), request.target.encode())

    nursery.start_soon(lambda: http11.serve(handler, [net], tls=server_context))
    return net


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_plain_http_is_sent_to_https(net_with_tls, autojump_clock, method):
    response = await net_with_tls.endpoint().connection().request(method, "/edev?s=0&l=3")
    assert response.status == 301
    assert response.header("location") == "https://server.test:8443/edev?s=0&l=3"
    assert response.header("connection") == "close"


@pytest.mark.parametrize("host", ["", "a b", "evil.test/x", "a:1234567"])
async def test_a_host_that_cannot_be_used_is_400_in_words(net_with_tls, autojump_clock, host):
    client = await net_with_tls.open_tcp("", 0)
    await client.send_all(f"GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    data = b""
    while more := await client.receive_some():
        data += more
    assert data.startswith(b"HTTP/1.1 400")
    assert b"speaks TLS" in data


async def test_tls_on_the_same_port_goes_on(net_with_tls, client_context, autojump_clock):
    connection = net_with_tls.endpoint(client_context).connection()
    assert (await connection.request("GET", "/tm")).body == b"/tm"


async def test_what_is_neither_is_closed(net_with_tls, autojump_clock):
    client = await net_with_tls.open_tcp("", 0)
    await client.send_all(b"\x00\x01\x02")
    while await client.receive_some():
        pass
