import ssl

import pytest
import trio
import trio.testing

from dersim import tls
from dersim.errors import CertificateError

# RFC 5246 7.2: number, name, as a fatal alert record from the peer.
ALERTS = {
    10: "unexpected_message",
    20: "bad_record_mac",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
}


async def refused_with(folder, answer):
    context = tls.client_context(folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem")
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(answer)
    await theirs.send_stream.aclose()
    with pytest.raises(CertificateError) as caught:
        await tls.client_handshake(ours, context, "x.test", endpoint="x")
    assert isinstance(caught.value.__cause__, ssl.SSLError)
    return str(caught.value)


@pytest.mark.parametrize("number", ALERTS)
async def test_alerts_are_told_by_name(folder, number):
    told = await refused_with(folder, bytes([21, 3, 3, 0, 2, 2, number]))
    assert f"TLS alert {ALERTS[number]}" in told


async def test_a_plain_http_server_is_recognised(folder):
    assert "plain HTTP port" in await refused_with(folder, b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def test_a_close_is_told(folder):
    assert "closed the connection during the handshake" in await refused_with(folder, b"")
