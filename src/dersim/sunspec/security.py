"""Secure SunSpec Modbus: TLS with certificates on both sides, and the role in the client's certificate.

The profile is Modbus/TCP Security with SunSpec's roles: TLS 1.2 (1.3 if asked for) with the ECDHE-ECDSA
suites on P-256, and the role as one UTF8String in extension 1.3.6.1.4.1.50316.802.1 of the client's
certificate. A certificate whose role is missing, unknown or not an UTF8String may connect but has no
rights: every request is answered with exception 1, as Modbus/TCP Security requires, and logged.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from dersim.errors import CertificateError, ConfigError
from dersim.sunspec.rights import NOTHING, ROLES, Rights
from dersim.tls.files import load_certificates, read
from dersim.tls.reasons import explain

ROLE_OID = ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
_UTF8_STRING = 0x0C
CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
VERSIONS = {
    "1.2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "1.3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
    "1.2+1.3": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
}


def server_context(
    cert: str, key: str, root_cert: str, *, ciphers: str = CIPHERS, version: str = "1.2"
) -> ssl.SSLContext:
    """The TLS context of the listener; every client needs a certificate under `root_cert`.

    ConfigError names the flag and the file that is bad.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = VERSIONS[version]
    context.verify_mode = ssl.CERT_REQUIRED
    # A chain of trust may be given without its root: the sub-CA that signed the clients is enough.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.options |= ssl.OP_NO_RENEGOTIATION
    for flag, path in (("--mb_cert", cert), ("--mb_key", key), ("--mb_root_cert", root_cert)):
        if not path:
            raise ConfigError(f"{flag}: --mb_enc yes needs a PEM file here (Secure SunSpec is mutual TLS)")
        if not Path(path).is_file():
            raise ConfigError(f"{flag} {path}: no such file; give a PEM file")
    _check_files(Path(cert), Path(key), Path(root_cert))
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        raise ConfigError(
            f"--mb_ciphers {ciphers}: OpenSSL knows none of these; give a list as for openssl ciphers"
        ) from None
    try:
        context.load_cert_chain(cert, key, password=lambda: "")  # or OpenSSL would ask on the terminal
    except (ssl.SSLError, OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"--mb_key {key}: is not the key of the certificate in {cert}; give the pair's own key"
            ) from None
        raise ConfigError(
            f"--mb_cert {cert}, --mb_key {key}: {_words(error)}; give a PEM pair without a passphrase"
        ) from None
    try:
        context.load_verify_locations(root_cert)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"--mb_root_cert {root_cert}: {_words(error)}; give CA certificates in PEM"
        ) from None
    return context


def _check_files(cert: Path, key: Path, root_cert: Path) -> None:
    """Name the file that is not of its kind: OpenSSL does not."""
    for flag, path, what in (
        ("--mb_cert", cert, "our certificate with its chain"),
        ("--mb_root_cert", root_cert, "a CA certificate"),
    ):
        try:
            load_certificates(path, what)
        except CertificateError as error:
            raise ConfigError(f"{flag} {error}") from None
    if b"PRIVATE KEY-----" not in read(key, "the certificate's key"):
        raise ConfigError(f"--mb_key {key}: holds no PEM private key; give the certificate's key")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return explain(error)
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


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
