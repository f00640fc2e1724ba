"""What a handshake shows in clear."""

from dersim.conformance.server.handshake import CCM_8, SECP256R1, TLS_12, flight


def record(*messages):
    body = b"".join(bytes([kind]) + len(data).to_bytes(3) + data for kind, data in messages)
    return b"\x16\x03\x03" + len(body).to_bytes(2) + body


HELLO = (2, b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\xae" + b"\x00" + bytes(4))
CHAIN = (11, (10).to_bytes(3) + (2).to_bytes(3) + b"ab" + (2).to_bytes(3) + b"cd")
KEYS = (12, b"\x03\x00\x17" + bytes(8))


def test_version_suite_curve_and_length_of_the_chain_are_read():
    found = flight(record(HELLO) + record(CHAIN, KEYS, (13, b"x"), (14, b"")))
    assert (found.version, found.cipher, found.curve) == (TLS_12, CCM_8, SECP256R1)
    assert found.chain == (b"ab", b"cd")
    assert found.messages == (
        "ServerHello",
        "Certificate",
        "ServerKeyExchange",
        "CertificateRequest",
        "ServerHelloDone",
    )


def test_what_follows_change_cipher_spec_is_not_read():
    assert flight(record((1, b"x")) + b"\x14\x03\x03\x00\x01\x01" + record(HELLO)).messages == (
        "ClientHello",
    )


def test_an_alert_has_no_messages():
    assert flight(b"\x15\x03\x03\x00\x02\x02\x28").messages == ()
