"""The TLS alerts of RFC 5246 7.2 that a server may send in place of its handshake."""

from __future__ import annotations

ALERTS = {
    "unexpected_message": 10,
    "bad_record_mac": 20,
    "handshake_failure": 40,
    "bad_certificate": 42,
    "unsupported_certificate": 43,
    "certificate_revoked": 44,
    "certificate_expired": 45,
    "certificate_unknown": 46,
    "illegal_parameter": 47,
    "unknown_ca": 48,
    "access_denied": 49,
    "decode_error": 50,
    "decrypt_error": 51,
    "protocol_version": 70,
    "insufficient_security": 71,
    "internal_error": 80,
}
_FATAL = 2


def record(name: str) -> bytes:
    """The TLS 1.2 record of a fatal alert."""
    return bytes([0x15, 3, 3, 0, 2, _FATAL, ALERTS[name]])
