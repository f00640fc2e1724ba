"""OpenSSL's errors in plain language, with what to check."""

from __future__ import annotations

import re
import ssl

# RFC 5246 7.2.2. OpenSSL names an alert that came from the peer "SSLV3_ALERT_..." or "TLSV1_ALERT_...".
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)")
_ALERT_NUMBER = re.compile(r"alert number (\d+)")

#: What Python adds to OpenSSL's words: "[SSL: REASON] words (_ssl.c:1000)".
_PLACE = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")

_ALERT_ADVICE = {
    "bad_certificate": "it could not use our certificate or its chain",
    "unsupported_certificate": "it does not accept this kind of certificate",
    "certificate_revoked": "it considers our certificate revoked",
    "certificate_expired": "our certificate has expired, or its clock is wrong",
    "certificate_unknown": "it does not accept our certificate",
    "unknown_ca": "it does not know the CA that signed our certificate",
    "access_denied": "our certificate is valid, but not allowed there",
    "handshake_failure": "no common cipher suite, or it wants a certificate that we did not send",
    "protocol_version": "it does not speak TLS 1.2",
    "insufficient_security": "it wants stronger ciphers than IEEE 2030.5 names",
    "decrypt_error": "a signature did not verify; does our key belong to our certificate?",
}

_REASONS = {
    "WRONG_VERSION_NUMBER": "the peer does not answer in TLS; is this a plain HTTP port?",
    "HTTP_REQUEST": "the peer sent plain HTTP to a TLS port",
    "UNSUPPORTED_PROTOCOL": "the peer does not speak TLS 1.2, which IEEE 2030.5 requires",
    "NO_SHARED_CIPHER": "no common cipher suite; IEEE 2030.5 requires ECDHE-ECDSA-AES128-CCM8",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer sent no certificate, which IEEE 2030.5 requires",
    "NO_CIPHERS_AVAILABLE": "this build of OpenSSL offers none of the cipher suites of IEEE 2030.5",
    "UNEXPECTED_EOF_WHILE_READING": "the peer closed the connection during the handshake",
}


def explain(error: ssl.SSLError) -> str:
    """One line for an SSLError: the alert by its name in RFC 5246, or the cause, and what to check."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the peer's certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _REASONS["UNEXPECTED_EOF_WHILE_READING"]
    reason = error.reason or ""
    if match := _ALERT.fullmatch(reason):
        name = match[1].lower()
        return _with_advice(f"the peer refused with TLS alert {name}", _ALERT_ADVICE.get(name))
    if match := _ALERT_NUMBER.search(str(error)):
        return f"the peer refused with TLS alert number {match[1]}"
    if reason in _REASONS:
        return _REASONS[reason]
    return reason.replace("_", " ").lower() or _PLACE.sub("", str(error))


def _with_advice(text: str, advice: str | None) -> str:
    return f"{text}: {advice}" if advice else text
