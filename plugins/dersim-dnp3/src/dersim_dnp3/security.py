"""TLS of the outstation (IEC 62351-3): certificates on both sides, and which of the masters' are let in."""

from __future__ import annotations

import hashlib
import ssl
from argparse import Namespace

import trio
from cryptography import x509
from cryptography.x509.oid import NameOID

from dersim.plugin import TlsFiles, explain_tls, mutual_tls_context


def tls_context(options: Namespace) -> ssl.SSLContext:
    """The context of the listener; ConfigError names the flag and the file that is bad."""
    files = TlsFiles(options.dnp3_cert, options.dnp3_key, options.dnp3_root_cert)
    return mutual_tls_context(files, "dnp3", version=options.dnp3_tls_version)


def reason_of(error: trio.BrokenResourceError) -> str:
    """Why a handshake failed, in words."""
    cause = error.__cause__
    return explain_tls(cause) if isinstance(cause, ssl.SSLError) else "the connection broke"


class Peers:
    """The masters' certificates that are let in, by a name or by SHA-256; none given: all of the CA."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    def objection(self, certificate_der: bytes) -> str:
        """Why this one is not, or ""."""
        if not self._allowed:
            return ""
        names = {hashlib.sha256(certificate_der).hexdigest(), *_names(certificate_der)}
        if names & self._allowed:
            return ""
        return f"its certificate ({', '.join(sorted(names))}) is not one of --dnp3_peers"


def _names(certificate_der: bytes) -> set[str]:
    """The common name and the DNS names, in small letters."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    names = {
        str(each.value).lower() for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    }
    try:
        other = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    return names | {name.lower() for name in other.get_values_for_type(x509.DNSName)}
