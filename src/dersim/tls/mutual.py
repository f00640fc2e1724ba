"""TLS with certificates on both sides for protocols without rules of their own: Modbus, DNP3 (IEC 62351-3).

IEEE 2030.5's own rules (CCM, its chain) are in `context.py`.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from dersim.errors import CertificateError, ConfigError
from dersim.tls.files import load_certificates, read
from dersim.tls.reasons import explain

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
VERSIONS = {
    "1.2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "1.3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
    "1.2+1.3": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
}


class TlsFiles(NamedTuple):
    """Paths of PEM files: our certificate with its chain, its key, and the CA of the clients."""

    cert: str
    key: str
    root_cert: str


def mutual_context(
    files: TlsFiles, prefix: str, *, ciphers: str = CIPHERS, version: str = "1.2"
) -> ssl.SSLContext:
    """The TLS context of a listener; every client needs a certificate under `files.root_cert`.

    prefix: of the flags, e.g. "mb" for --mb_cert. ciphers: of TLS 1.2. version: as in `VERSIONS`.
    ConfigError names the flag and the file that is bad.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = VERSIONS[version]
    context.verify_mode = ssl.CERT_REQUIRED
    # A chain of trust may be given without its root: the sub-CA that signed the clients is enough.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.options |= ssl.OP_NO_RENEGOTIATION
    for name, path in files._asdict().items():
        flag = f"--{prefix}_{name}"
        if not path:
            raise ConfigError(f"{flag}: --{prefix}_enc yes needs a PEM file here (TLS is mutual)")
        if not Path(path).is_file():
            raise ConfigError(f"{flag} {path}: no such file; give a PEM file")
    _check_files(files, prefix)
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        raise ConfigError(
            f"--{prefix}_ciphers {ciphers}: OpenSSL knows none of these; give a list as for openssl ciphers"
        ) from None
    _load(context, files, prefix)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles, prefix: str) -> None:
    cert, key, root_cert = files
    try:
        context.load_cert_chain(cert, key, password=lambda: "")  # or OpenSSL would ask on the terminal
    except (ssl.SSLError, OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"--{prefix}_key {key}: is not the key of the certificate in {cert}; give the pair's own key"
            ) from None
        raise ConfigError(
            f"--{prefix}_cert {cert}, --{prefix}_key {key}: {_words(error)}; "
            "give a PEM pair without a passphrase"
        ) from None
    try:
        context.load_verify_locations(root_cert)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"--{prefix}_root_cert {root_cert}: {_words(error)}; give CA certificates in PEM"
        ) from None


def _check_files(files: TlsFiles, prefix: str) -> None:
    """Name the file that is not of its kind: OpenSSL does not."""
    for name, path, what in (
        ("cert", files.cert, "our certificate with its chain"),
        ("root_cert", files.root_cert, "a CA certificate"),
    ):
        try:
            load_certificates(Path(path), what)
        except CertificateError as error:
            raise ConfigError(f"--{prefix}_{name} {error}") from None
    if b"PRIVATE KEY-----" not in read(Path(files.key), "the certificate's key"):
        raise ConfigError(f"--{prefix}_key {files.key}: holds no PEM private key; give the certificate's key")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return explain(error)
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
