import httpx
import pytest

from dersim import http11
from dersim.http11 import Response
from dersim.http11.transport import Transport


async def handler(request):
    if request.target == "/moved":
        return Response(301, (("location", "https://server.test:8443/dcap?l=255"),))
    told = f"{request.method} {request.target} {request.header('accept')} ".encode()
    return Response(200, (("content-type", "text/plain"),), told + request.body)


@pytest.fixture
def client(net, nursery, client_context, server_context):
    nursery.start_soon(lambda: http11.serve(handler, [net], tls=server_context))
    return httpx.AsyncClient(
        transport=Transport(tls=client_context, open_tcp=net.open_tcp), base_url="https://server.test:8443"
    )


async def test_httpx_requests_go_over_one_connection(client, net, autojump_clock):
    async with client:
        response = await client.get("/dcap?l=1", headers={"Accept": "application/sep+xml"})
        assert response.text == "GET /dcap?l=1 application/sep+xml "
        assert response.headers["content-type"] == "text/plain"
        assert (await client.post("/mup", content=b"<x/>")).text.endswith("<x/>")
        assert (await client.head("/dcap")).content == b""
        assert (await client.get("/moved", follow_redirects=True)).text.startswith("GET /dcap?l=255")
        assert net.opened == 1


async def test_failures_are_those_of_httpx_and_a_redirect_is_an_answer(
    client, net, server_context, autojump_clock
):
    async with client:
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("ftp://server.test/")
        response = await client.get("http://server.test:8443/a")  # plain to a TLS port
        assert (response.status_code, response.headers["location"]) == (301, "https://server.test:8443/a")
        with pytest.raises(httpx.LocalProtocolError):
            await client.get("/dcap", headers={"X": "a\nb"})


async def test_https_needs_a_context():
    async with httpx.AsyncClient(transport=Transport()) as client:
        with pytest.raises(httpx.UnsupportedProtocol, match="TLS context"):
            await client.get("https://server.test/")


async def test_a_closed_port_is_a_connect_error():
    (listener,) = await http11.bind("127.0.0.1", 0)
    _, port = http11.address([listener])
    await listener.aclose()
    async with httpx.AsyncClient(transport=Transport()) as client:
        with pytest.raises(httpx.ConnectError, match="connection refused"):
            await client.get(f"http://127.0.0.1:{port}/")
