"""One OpenSSL context for many clients: each connects as itself."""

import gc
import os
import shutil
import ssl
import stat
import subprocess
import weakref
from pathlib import Path

import pytest
import trio
import trio.testing

from dersim import pki, tls
from dersim.ieee2030_5 import identity
from dersim.tls import client as client_module
from dersim.tls.secrets import KeyLog
from dersim.tls.stream import TlsStream

COUNT = 30


@pytest.fixture(scope="session")
def fleet_folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("fleet-pki"), COUNT)


@pytest.fixture
def server(fleet_folder):
    pair = fleet_folder / "cert_server.pem", fleet_folder / "key_server.pem"
    return tls.server_context(*pair, fleet_folder / "cert_root.pem")


def client_of(folder, number, contexts, **options):
    pair = folder / f"cert_{number}.pem", folder / f"key_{number}.pem"
    return tls.client_context(*pair, folder / "cert_root.pem", contexts=contexts, **options)


def lfdi_of(stream):
    return identity.lfdi(stream.getpeercert(True))


async def all_at_once(meet, clients, server):
    """A handshake of every client, all under way at the same time; the two streams of each."""
    met = {}

    async def one(client):
        met[client] = await meet(client, server)

    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(one, client)
    return met


async def test_thirty_clients_of_one_context_are_thirty_lfdis_and_resume_as_themselves(
    fleet_folder, server, meet
):
    contexts = tls.SharedContexts()
    clients = [client_of(fleet_folder, number, contexts) for number in range(1, COUNT + 1)]
    assert len({client.shared for client in clients}) == 1
    expected = {client: identity.lfdi(client.certificate_der) for client in clients}
    assert len(set(expected.values())) == COUNT

    for resumed in (False, True):
        met = await all_at_once(meet, reversed(clients) if resumed else clients, server)
        assert {client: lfdi_of(each.server) for client, each in met.items()} == expected
        assert [each.client.session_reused for each in met.values()] == [resumed] * COUNT


async def test_a_client_without_its_session_connects_in_full_as_itself(fleet_folder, server, meet):
    contexts = tls.SharedContexts()
    first, second = (client_of(fleet_folder, number, contexts) for number in (1, 2))
    for client in (first, second):
        await meet(client, server)
    first.forget_session("server.test:8443")
    met = await all_at_once(meet, (second, first), server)
    assert [met[client].client.session_reused for client in (first, second)] == [False, True]
    assert lfdi_of(met[first].server) == identity.lfdi(first.certificate_der)
    assert lfdi_of(met[second].server) == identity.lfdi(second.certificate_der)


async def test_a_handshake_under_way_keeps_its_pair_when_another_begins(fleet_folder, server):
    contexts = tls.SharedContexts()
    first, second = (client_of(fleet_folder, number, contexts) for number in (1, 2))
    ours, theirs = trio.testing.memory_stream_pair()
    seen = []

    async def serve():
        seen.append(lfdi_of(await tls.server_handshake(theirs, server)))

    async with trio.open_nursery() as nursery:
        stream = TlsStream(ours, first, server_hostname="server.test")
        second.load()
        nursery.start_soon(serve)
        await stream.do_handshake()
    assert seen == [identity.lfdi(first.certificate_der)]


def test_another_root_or_a_check_of_host_names_is_another_context(fleet_folder, folder):
    contexts = tls.SharedContexts()
    made = [
        client_of(fleet_folder, 1, contexts),
        client_of(fleet_folder, 2, contexts),
        client_of(fleet_folder, 3, contexts, check_hostname=True),
        client_of(folder, 1, contexts),
    ]
    assert len({each.shared for each in made}) == 3
    assert made[0].shared is made[1].shared
    assert [each.shared.check_hostname for each in made] == [False, False, True, False]


def test_a_context_that_no_client_uses_is_forgotten(fleet_folder):
    contexts = tls.SharedContexts()
    client = client_of(fleet_folder, 1, contexts)
    shared = weakref.ref(client.shared)
    del client
    gc.collect()
    assert shared() is None


async def test_the_files_are_read_only_once(fleet_folder, server, meet, tmp_path):
    for name in ("cert_1.pem", "key_1.pem", "cert_2.pem", "key_2.pem", "cert_root.pem"):
        (tmp_path / name).write_bytes((fleet_folder / name).read_bytes())
    contexts = tls.SharedContexts()
    first, second = (client_of(tmp_path, number, contexts) for number in (1, 2))
    for path in tmp_path.iterdir():
        path.unlink()
    for client in (first, second, first):
        met = await meet(client, server)
        assert lfdi_of(met.server) == identity.lfdi(client.certificate_der)


async def test_without_files_in_memory_a_private_file_serves_and_goes(
    fleet_folder, server, meet, monkeypatch, tmp_path
):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(client_module.tempfile, "tempdir", str(tmp_path))
    modes = []
    load_cert_chain = client_module.SharedContext.load_cert_chain

    def load(self, path):
        modes.append(stat.S_IMODE(Path(path).stat().st_mode))
        load_cert_chain(self, path)

    monkeypatch.setattr(client_module.SharedContext, "load_cert_chain", load)
    contexts = tls.SharedContexts()
    clients = [client_of(fleet_folder, number, contexts) for number in (1, 2)]
    met = await all_at_once(meet, clients, server)
    assert {lfdi_of(each.server) for each in met.values()} == {
        identity.lfdi(client.certificate_der) for client in clients
    }
    assert set(modes) == {0o600}
    assert list(tmp_path.iterdir()) == []


def test_a_pair_in_memory_leaves_no_open_file(fleet_folder):
    contexts = tls.SharedContexts()
    first, second = (client_of(fleet_folder, number, contexts) for number in (1, 2))
    before = len(list(Path("/dev/fd").iterdir()))
    for client in (first, second, first):
        client.load()
    assert len(list(Path("/dev/fd").iterdir())) == before


async def test_one_key_log_gets_the_secrets_of_all_clients_of_a_context(fleet_folder, server, meet):
    key_log = KeyLog()
    contexts = tls.SharedContexts()
    clients = [client_of(fleet_folder, number, contexts) for number in (1, 2, 3)]
    for client in clients:
        key_log.watch(client.shared)
    await all_at_once(meet, clients, server)
    assert len(key_log.read()) == len(clients)
    key_log.close()


async def test_a_connection_that_is_made_holds_no_pair_and_the_next_one_has_it(fleet_folder, server, meet):
    client = client_of(fleet_folder, 1, tls.SharedContexts())
    for resumed in (False, True):
        met = await meet(client, server)
        assert met.client._object.context is client.shared.without_pair
        assert met.client.session_reused is resumed
        assert lfdi_of(met.server) == identity.lfdi(client.certificate_der)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
async def test_a_server_that_renegotiates_gets_our_certificate(fleet_folder):
    """Some servers ask for the certificate only after the first handshake, as openssl does at its R."""
    contexts = tls.SharedContexts()
    client, other = (client_of(fleet_folder, number, contexts) for number in (1, 2))
    argv = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-msg", "-no_resumption_on_reneg"]
    for flag, name in (("-cert", "cert_server"), ("-key", "key_server"), ("-cert_chain", "cert_ca")):
        argv += [flag, str(fleet_folder / f"{name}.pem")]
    argv += ["-cipher", tls.CIPHERS]
    process = await trio.lowlevel.open_process(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = b""

    async def wait_for(words):
        nonlocal said
        while words not in said:
            said += await process.stdout.receive_some(4096)
        before, _, said = said.partition(words)
        return before

    try:
        with trio.fail_after(20):
            await wait_for(b"ACCEPT 127.0.0.1:")
            transport = await trio.open_tcp_stream("127.0.0.1", int(await wait_for(b"\n")))
            stream = await tls.client_handshake(transport, client, "x", endpoint="x")
            other.load()
            await stream.send_all(b"hello\n")
            assert b"CertificateRequest" not in await wait_for(b"hello\n")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.receive_some)
                await process.stdin.send_all(b"R\n")
                await wait_for(b"CertificateRequest")
                await wait_for(b", Certificate\n")
                message = await wait_for(b"<<<")
                await wait_for(b">>> TLS 1.2, Handshake [length 0010], Finished")
                nursery.cancel_scope.cancel()
            assert client.certificate_der in bytes.fromhex(message.decode())
            await stream.aclose()
    finally:
        process.kill()
        await process.wait()
        await trio.aclose_forcefully(process.stdin)
        await trio.aclose_forcefully(process.stdout)


async def test_the_session_is_copied_when_its_connection_ends_and_not_before(fleet_folder, server, meet):
    client = client_of(fleet_folder, 1, tls.SharedContexts())
    met = await meet(client, server)
    assert client._sessions == {"server.test:8443": met.client._object}
    await met.client.aclose()
    assert isinstance(client._sessions["server.test:8443"], ssl.SSLSession)
    again = await meet(client, server)
    assert again.client.session_reused
    assert lfdi_of(again.server) == identity.lfdi(client.certificate_der)
    await again.client.aclose()
    assert (await meet(client, server)).client.session_reused


async def test_a_session_that_was_forgotten_is_not_kept_when_its_connection_ends(fleet_folder, server, meet):
    client = client_of(fleet_folder, 1, tls.SharedContexts())
    met = await meet(client, server)
    client.forget_session("server.test:8443")
    await met.client.aclose()
    assert client.session("server.test:8443") is None
    assert not (await meet(client, server)).client.session_reused


def test_a_client_of_many_servers_keeps_a_session_of_each(folder):
    files = (folder / "cert_1.pem", folder / "key_1.pem", folder / "cert_root.pem")
    client = tls.client_context(*files, sessions=20)
    for number in range(25):
        client.keep_session(f"host{number}:443", object())
    assert list(client._sessions) == [f"host{number}:443" for number in range(5, 25)]
