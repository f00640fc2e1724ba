"""Secure SunSpec Modbus: TLS with certificates on both sides, and the role in the client's certificate.

The profile is Modbus/TCP Security with SunSpec's roles: TLS 1.2 (1.3 if asked for) with the ECDHE-ECDSA
suites on P-256, and the role as one UTF8String in extension 1.3.6.1.4.1.50316.802.1 of the client's
certificate. A certificate whose role is missing, unknown or not an UTF8String may connect but has no
rights: every request is answered with exception 1, as Modbus/TCP Security requires, and logged.
"""

from __future__ import annotations

import ssl

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from dersim.sunspec.rights import NOTHING, ROLES, Rights
from dersim.tls.mutual import CIPHERS, VERSIONS, TlsFiles, mutual_context

__all__ = ["CIPHERS", "VERSIONS", "rights_of", "server_context"]

ROLE_OID = ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
_UTF8_STRING = 0x0C


def server_context(
    cert: str, key: str, root_cert: str, *, ciphers: str = CIPHERS, version: str = "1.2"
) -> ssl.SSLContext:
    """The TLS context of the listener; every client needs a certificate under `root_cert`.

    ConfigError names the flag and the file that is bad.
    """
    return mutual_context(TlsFiles(cert, key, root_cert), "mb", ciphers=ciphers, version=version)


def rights_of(certificate_der: bytes) -> tuple[Rights, str]:
    """The rights of a client certificate, and why there are none."""
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        extension = certificate.extensions.get_extension_for_oid(ROLE_OID).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return NOTHING, "its certificate has no role extension, or not one"
    raw = extension.public_bytes()
    # One UTF8String with a length of one byte: roles are short words.
    if len(raw) < 2 or raw[0] != _UTF8_STRING or raw[1] != len(raw) - 2 or raw[1] > 0x7F:
        return NOTHING, "the role in its certificate is not one UTF8String"
    role = raw[2:].decode("utf-8", "replace")
    rights = ROLES.get(role)
    if rights is None:
        return NOTHING, f"its role {role!r} is not known; known are {', '.join(ROLES)}"
    return rights, ""
