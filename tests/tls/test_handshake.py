"""Who may meet whom: the CSIP conformance tests COMM-003 and COMM-004, and peers of other kinds."""

import re
import ssl

import pytest
import trio

from dersim import pki, tls
from dersim.errors import CertificateError

REFUSED = {
    "D": "marks extendedKeyUsage critical",
    "E": "has nameConstraints",
    "F": "has policyMappings",
    "G": "self-signed",
}


def client_of(folder, name="", root=None):
    return tls.client_context(
        folder / f"cert{name}.pem", folder / f"key{name}.pem", root or folder / "cert_root.pem"
    )


def server_of(folder, name="_server", root=None):
    return tls.server_context(
        folder / f"cert{name}.pem", folder / f"key{name}.pem", root or folder / "cert_root.pem"
    )


async def test_comm_003_both_sides_speak_tls_1_2_with_ccm_8(folder, meet):
    met = await meet(client_of(folder), server_of(folder))
    assert met.client.version() == "TLSv1.2"
    assert met.client.cipher()[0] == "ECDHE-ECDSA-AES128-CCM8"
    assert met.client.getpeercert(True) == server_of(folder).certificate_der
    assert met.server.getpeercert(True) == client_of(folder).certificate_der


@pytest.mark.parametrize("letter", pki.COMM_004)
async def test_comm_004_as_client(chains_folder, meet, plain_context, letter):
    """The peer is an OpenSSL server without any check of ours, which sends the chain in question."""
    peer = plain_context(chains_folder, ssl.PROTOCOL_TLS_SERVER, cert=f"cert_{letter}", key=f"key_{letter}")
    met = await meet(client_of(chains_folder, "_B"), peer)
    if pki.COMM_004[letter].accept:
        assert met.client.version() == "TLSv1.2"
        assert met.server.version() == "TLSv1.2"
    else:
        assert isinstance(met.client, CertificateError)
        assert REFUSED[letter] in str(met.client)
        assert "\n" not in str(met.client)


@pytest.mark.parametrize("letter", pki.COMM_004)
async def test_comm_004_as_server(chains_folder, meet, plain_context, letter):
    peer = plain_context(chains_folder, ssl.PROTOCOL_TLS_CLIENT, cert=f"cert_{letter}", key=f"key_{letter}")
    met = await meet(peer, server_of(chains_folder, "_B"))
    if pki.COMM_004[letter].accept:
        assert met.client.version() == "TLSv1.2"
        assert met.server.version() == "TLSv1.2"
    else:
        assert isinstance(met.server, CertificateError)
        assert REFUSED[letter] in str(met.server)


async def test_openssl_alone_would_accept_d_e_and_f(chains_folder, meet, plain_context):
    """The reason for a check of our own: if this fails, OpenSSL has become stricter."""
    for letter in "DEF":
        server = plain_context(
            chains_folder, ssl.PROTOCOL_TLS_SERVER, cert=f"cert_{letter}", key=f"key_{letter}"
        )
        client = plain_context(chains_folder, ssl.PROTOCOL_TLS_CLIENT, cert="cert_B", key="key_B")
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        met = await meet(client, server)
        assert met.client.version() == "TLSv1.2"


async def test_a_server_of_another_ca_is_refused_and_told_why(folder, chains_folder, meet):
    met = await meet(client_of(folder), server_of(chains_folder, "_B", folder / "cert_root.pem"))
    assert "the peer's certificate is refused" in str(met.client)
    assert "TLS alert unknown_ca" in str(met.server)


async def test_a_client_of_another_ca_is_refused_and_told_why(folder, chains_folder, meet):
    client = client_of(chains_folder, "_B", folder / "cert_root.pem")
    met = await meet(client, server_of(folder))
    assert "the peer's certificate is refused" in str(met.server)
    assert "TLS alert unknown_ca" in str(met.client)


async def test_a_client_without_a_certificate_is_refused(folder, meet):
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.verify_mode = ssl.CERT_NONE
    bare.maximum_version = ssl.TLSVersion.TLSv1_2
    bare.set_ciphers(tls.CIPHERS)
    met = await meet(bare, server_of(folder))
    assert "sent no certificate" in str(met.server)


@pytest.mark.parametrize("side", ["client", "server"])
async def test_a_peer_that_has_gcm_only_is_served(folder, meet, plain_context, side):
    protocol = ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT
    peer = plain_context(folder, protocol)
    peer.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    met = await (meet(client_of(folder), peer) if side == "server" else meet(peer, server_of(folder)))
    assert met.client.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert met.client.version() == "TLSv1.2"


@pytest.mark.parametrize("side", ["client", "server"])
async def test_a_peer_that_has_tls_1_3_only_is_refused(folder, meet, side):
    client, server = client_of(folder), server_of(folder)
    peer = server if side == "server" else client
    settings = getattr(peer, "shared", peer)
    settings.maximum_version = settings.minimum_version = ssl.TLSVersion.TLSv1_3
    met = await meet(client, server)
    ours = met.client if side == "server" else met.server
    assert isinstance(ours, CertificateError)
    assert "does not speak TLS 1.2" in str(ours)


async def test_a_peer_without_our_ciphers_is_refused(folder, meet, plain_context):
    peer = plain_context(folder, ssl.PROTOCOL_TLS_CLIENT)
    peer.maximum_version = ssl.TLSVersion.TLSv1_2
    peer.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    met = await meet(peer, server_of(folder))
    assert "no common cipher suite" in str(met.server)


async def test_a_peer_on_another_curve_only_is_refused(folder, meet, plain_context):
    peer = plain_context(folder, ssl.PROTOCOL_TLS_CLIENT)
    peer.maximum_version = ssl.TLSVersion.TLSv1_2
    peer.set_ecdh_curve("secp384r1")
    met = await meet(peer, server_of(folder))
    assert isinstance(met.server, CertificateError)


def test_both_sides_agree_on_p_256_only(folder, plain_context):
    """Named curve 23 (RFC 8422), though OpenSSL would rather take X25519."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_of(folder).wrap_bio(to_client, to_server, server_side=False)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    # ClientHello, extension supported_groups: a list of one.
    assert b"\x00\x0a\x00\x04\x00\x02\x00\x17" in to_server.read()

    any_curve = plain_context(folder, ssl.PROTOCOL_TLS_CLIENT)
    any_curve.maximum_version = ssl.TLSVersion.TLSv1_2
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        any_curve.wrap_bio(to_client, to_server).do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        server_of(folder).wrap_bio(to_server, to_client, server_side=True).do_handshake()
    # ServerKeyExchange (12): curve type 3, a named curve.
    assert re.search(rb"\x0c\x00..\x03\x00\x17\x41\x04", to_client.read(), re.DOTALL)


@pytest.mark.parametrize(
    ("host", "is_met"), [("localhost", True), ("127.0.0.1", True), ("other.test", False)]
)
async def test_host_names_are_checked_where_asked_for(folder, host, is_met):
    context = tls.client_context(
        folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem", check_hostname=True
    )
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:

        async def serve():
            try:
                await tls.server_handshake(theirs, server_of(folder))
            except CertificateError:
                assert not is_met

        nursery.start_soon(serve)
        if is_met:
            await tls.client_handshake(ours, context, host, endpoint=host)
        else:
            with pytest.raises(CertificateError, match=r"other\.test"):
                await tls.client_handshake(ours, context, host, endpoint=host)


# --- resumption ----------------------------------------


async def test_the_second_handshake_is_resumed(folder, meet):
    client, server = client_of(folder), server_of(folder)
    first = await meet(client, server)
    second = await meet(client, server)
    assert (first.client.session_reused, second.client.session_reused) == (False, True)
    assert second.server.session_reused
    assert second.server.getpeercert(True) == client.certificate_der


async def test_sessions_belong_to_their_endpoint(folder, meet):
    client, server = client_of(folder), server_of(folder)
    await meet(client, server)
    other = await meet(client, server, endpoint="other.test:8443")
    assert not other.client.session_reused


async def test_no_session_outlives_its_certificate(folder, meet):
    server = server_of(folder)
    await meet(client_of(folder), server)
    swapped = await meet(client_of(folder, "_1"), server)
    assert not swapped.client.session_reused
    assert swapped.server.getpeercert(True) == client_of(folder, "_1").certificate_der


async def test_a_client_keeps_no_session_of_a_refused_chain(chains_folder, meet, plain_context):
    peer = plain_context(chains_folder, ssl.PROTOCOL_TLS_SERVER, cert="cert_E", key="key_E")
    client = client_of(chains_folder, "_B")
    for _ in range(2):
        met = await meet(client, peer)
        assert isinstance(met.client, CertificateError)
        assert client.session("server.test:8443") is None


async def test_a_server_resumes_no_session_of_a_refused_chain(chains_folder):
    """The ticket is out before the chain is judged: the attacker keeps it and comes back with it."""
    server = server_of(chains_folder, "_B")
    attacker = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    attacker.check_hostname = False
    attacker.load_cert_chain(chains_folder / "cert_E.pem", chains_folder / "key_E.pem")
    attacker.load_verify_locations(chains_folder / "cert_root.pem")
    attacker.maximum_version = ssl.TLSVersion.TLSv1_2
    attacker.set_ciphers(tls.CIPHERS)

    session = _handshake_in_lock_step(attacker, server, None)
    assert session is not None
    with pytest.raises(ssl.SSLError, match="no full handshake has accepted"):
        _handshake_in_lock_step(attacker, server, session, raise_refusal=True)


def _handshake_in_lock_step(client, server, session, *, raise_refusal=False):
    """A handshake without Trio, in which the client gets all that the server has written, refused or not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    a = client.wrap_bio(to_client, to_server, server_side=False)
    b = server.wrap_bio(to_server, to_client, server_side=True)
    if session is not None:
        a.session = session
    done = set()
    for _ in range(10):
        for name, side in (("client", a), ("server", b)):
            if name not in done:
                try:
                    side.do_handshake()
                    done.add(name)
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError:
                    done.add(name)
                    if raise_refusal:
                        raise
    return a.session
