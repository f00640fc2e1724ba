"""Certificates where the flags say plain HTTP and a link says https."""

import pytest
import trio

from dersim.errors import RemoteProtocolError
from dersim.http11 import Response


@pytest.fixture
def files(certificates, tmp_path):
    """The default certificate files, in the working folder."""
    for name, source in (("cert", "cert.pem"), ("key", "key.pem"), ("root", "cert_root.pem")):
        (tmp_path / f"{name}.pem").write_bytes((certificates / source).read_bytes())


async def test_a_redirect_from_http_to_https_is_followed_with_our_certificate(
    autojump_clock, world, files, certificates
):
    """The server answers in TLS from the second connection on."""
    client = await world.ready()
    connect, tls = world.server.open_tcp, world.server

    async def open_tcp(host, port):
        if port == 8444 and tls.tls is None:
            tls.use_tls(certificates)
            tls.hang_up()
            await trio.sleep(0.1)
        return await connect(host, port)

    client.presence.open_tcp = open_tcp
    world.server.answers["GET", "/dcap"] = [
        Response(301, (("location", "https://127.0.0.1:8444/dcap"),)),
    ]
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModMaxLimW") == 90
    assert world.logged("redirected to https://127.0.0.1:8444/dcap")


async def test_without_a_readable_certificate_one_line_says_so(autojump_clock, world):
    client = await world.ready()
    world.server.answers["GET", "/dcap"] = Response(301, (("location", "https://127.0.0.1:8444/dcap"),))
    world.begin()
    await trio.sleep(5)
    error = client.snapshot()["last_error"]
    assert "https://127.0.0.1:8444 needs TLS" in error
    assert "cert.pem" in error
    assert "--csip_cert" in error
    assert "\n" not in error


async def test_a_link_to_https_without_a_certificate_costs_that_link_only(autojump_clock, world):
    client = await world.ready()
    world.tree["/edev/1"].LogEventListLink.href = "https://127.0.0.1:8444/lel"
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert world.logged("LogEventList", "https://127.0.0.1:8444 needs TLS")
    assert not world.fences.counts


async def test_the_context_is_made_once_and_only_when_it_is_needed(world, files):
    client = world.make()
    await client.bind()
    made = client.identity().context
    assert made._made is None
    assert made() is made()


async def test_the_error_is_a_protocol_error_of_that_link(world):
    from dersim.csip.credentials import load
    from dersim.csip.links import Origin
    from dersim.csip.parts import _tls_context

    client = world.make()
    credentials = load(client.config, None, "serial")
    with pytest.raises(RemoteProtocolError, match="needs TLS"):
        _tls_context(credentials, Origin(True, "utility.test", 443))
