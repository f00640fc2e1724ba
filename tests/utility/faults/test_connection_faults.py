"""Faults of new connections, over TLS in memory."""

import time

import pytest
import trio

from dersim import http11, pki, tls
from dersim.errors import ConfigError, UtilityUnreachable
from dersim.memory_net import MemoryNet
from dersim.utility import certificates
from dersim.utility.config import UtilityConfig
from dersim.utility.faults.alerts import ALERTS
from dersim.utility.faults.plans import fault_from
from dersim.utility.server import UtilityServer


class Log:
    def log(self, level, module, message, device=0):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 0)


@pytest.fixture
def served(folder, nursery, autojump_clock):
    """A server with TLS and a function that makes a client's connection to it."""
    cert, key, root = certificates.of_folder(folder)
    net = MemoryNet()
    config = UtilityConfig(certificate=cert, key=key, root=root)
    server = UtilityServer(config, lambda: 1.7e9 + trio.current_time(), Log())
    nursery.start_soon(server.serve, [net])
    context = tls.client_context(folder / "cert.pem", folder / "key.pem", root)
    return server, http11.Endpoint("127.0.0.1", 8443, context, open_tcp=net.open_tcp)


def plant(server, kind, **members):
    return server.head_end.faults.plant(fault_from({"kind": kind, **members}))


async def fails(endpoint):
    with pytest.raises(UtilityUnreachable) as caught:
        await endpoint.connection().request("GET", "/dcap")
    return str(caught.value)


@pytest.mark.parametrize("alert", ALERTS)
async def test_each_alert_reaches_the_client_by_its_name(served, autojump_clock, alert):
    server, endpoint = served
    plant(server, "tls_alert", alert=alert, count=1)
    assert f"alert {alert}" in (await fails(endpoint)).replace("alert number 10", "alert unexpected_message")
    assert (await endpoint.connection().request("GET", "/dcap")).status == 200


@pytest.mark.parametrize(("which", "words"), [("other_ca", "certificate is refused"), ("expired", "expired")])
async def test_another_certificate_is_refused_by_the_client(served, autojump_clock, which, words):
    server, endpoint = served
    assert (await endpoint.connection().request("GET", "/dcap")).status == 200
    fault = plant(server, "certificate", which=which)
    assert words in await fails(endpoint)
    server.head_end.faults.remove(fault)
    assert (await endpoint.connection().request("GET", "/dcap")).status == 200


async def test_a_connection_that_is_accepted_and_left_silent(served, autojump_clock):
    server, endpoint = served
    plant(server, "no_handshake", duration_s=15)
    assert "no handshake within 10 s" in await fails(endpoint)
    await trio.sleep(10)
    assert (await endpoint.connection().request("GET", "/dcap")).status == 200


async def test_kept_connections_meet_the_fault_after_their_next_answer(served, autojump_clock):
    server, endpoint = served
    connection = endpoint.connection()
    await connection.request("GET", "/dcap")
    plant(server, "tls_alert")
    response = await connection.request("GET", "/dcap")
    assert response.header("connection") == "close"
    with pytest.raises(UtilityUnreachable, match="handshake_failure"):
        await connection.request("GET", "/dcap")


async def test_an_expired_certificate_needs_the_key_of_the_ca(folder, tmp_path):
    for name in ("cert_server.pem", "key_server.pem", "cert_root.pem"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    cert, key, root = certificates.of_folder(tmp_path)
    server = UtilityServer(UtilityConfig(certificate=cert, key=key, root=root), lambda: 1.7e9, Log())
    with pytest.raises(ConfigError, match="only a test PKI has the key of its CA"):
        plant(server, "certificate", which="expired")


@pytest.mark.parametrize("kind", ["reset", "tls_alert", "certificate"])
async def test_over_real_sockets_too(folder, nursery, kind):
    cert, key, root = certificates.of_folder(folder)
    config = UtilityConfig(port=0, admin_port=0, certificate=cert, key=key, root=root)
    server = UtilityServer(config, time.time, Log())
    await server.bind()
    nursery.start_soon(server.run)
    context = tls.client_context(folder / "cert.pem", folder / "key.pem", root)
    connection = http11.Endpoint("127.0.0.1", server.port, context).connection()
    plant(server, kind, count=2)  # a GET is tried once more on a new connection
    words = {"reset": "connection reset", "tls_alert": "handshake_failure", "certificate": "is refused"}[kind]
    with pytest.raises(UtilityUnreachable, match=words):
        await connection.request("GET", "/dcap")
    server.head_end.faults.remove(server.head_end.faults.find(1))
    assert (await connection.request("GET", "/dcap")).status == 200
    await connection.aclose()
