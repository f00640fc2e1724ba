import ssl

import pytest
import trio
import trio.testing

from dersim import pki, tls
from dersim.errors import CertificateError


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 2)


@pytest.fixture(scope="session")
def chains_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comm-004")
    pki.create_conformance_chains(folder)
    return folder


class Met:
    """What client and server make of one handshake over a memory stream: the stream or the exception."""

    client: trio.SSLStream | Exception
    server: trio.SSLStream | Exception


async def meet(client_side, server_side, *, endpoint="server.test:8443"):
    """A handshake between our contexts or plain ssl ones; then a byte each way, to have it all through."""
    ours, theirs = trio.testing.memory_stream_pair()
    met = Met()

    async def run(name, transport, shake):
        try:
            stream = await shake(transport)
            await stream.send_all(b"x")
            assert await stream.receive_some(1) in {b"x", b""}
            setattr(met, name, stream)
        except (CertificateError, ssl.SSLError, trio.BrokenResourceError, OSError) as error:
            setattr(met, name, error)
            await transport.aclose()

    async def as_client(transport):
        if isinstance(client_side, tls.ClientContext):
            return await tls.client_handshake(transport, client_side, "server.test", endpoint=endpoint)
        stream = trio.SSLStream(transport, client_side, server_hostname="server.test", https_compatible=True)
        await stream.do_handshake()
        return stream

    async def as_server(transport):
        if isinstance(server_side, tls.ServerContext):
            return await tls.server_handshake(transport, server_side)
        stream = trio.SSLStream(transport, server_side, server_side=True, https_compatible=True)
        await stream.do_handshake()
        return stream

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run, "client", ours, as_client)
            nursery.start_soon(run, "server", theirs, as_server)
    return met


@pytest.fixture(name="meet")
def meet_fixture():
    return meet


def plain_context(folder, side, *, cert="cert_server", key="key_server"):
    """A context of the standard library with nothing of ours, to be bent by a test."""
    context = ssl.SSLContext(side)
    context.check_hostname = False
    context.load_cert_chain(folder / f"{cert}.pem", folder / f"{key}.pem")
    context.load_verify_locations(folder / "cert_root.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0")
    return context


@pytest.fixture(name="plain_context")
def plain_context_fixture():
    return plain_context
