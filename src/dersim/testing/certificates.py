"""The test PKI of a test session."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki
from dersim.ieee2030_5 import identity
from dersim.tls.files import load_certificates


class Certificate(NamedTuple):
    """PEM files: a certificate with its chain, and its key. lfdi: 40 digits, upper case; sfdi: a number."""

    cert: Path
    key: Path
    lfdi: str
    sfdi: int


class TestCertificates:
    """A root, a pair for the server, and one for each DER."""

    __test__ = False  # no class of tests

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def root(self) -> Path:
        """The root that all sides trust."""
        return self.folder / "cert_root.pem"

    @property
    def server(self) -> Certificate:
        """For a server at localhost, 127.0.0.1 and ::1."""
        return _read(pki.ensure_server(self.folder))

    def device(self, number: int = 1) -> Certificate:
        """Of a DER; `der` is DER 1."""
        return _read(pki.ensure_device(self.folder, number))


def _read(pair: pki.Pair) -> Certificate:
    leaf = load_certificates(pair.cert, "a certificate of the test PKI")[0]
    lfdi = identity.lfdi(leaf.public_bytes(Encoding.DER))
    return Certificate(pair.cert, pair.key, lfdi, identity.sfdi(lfdi))
