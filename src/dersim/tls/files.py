"""Certificate and key files, checked before OpenSSL reads them, for errors that name the file."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from dersim.errors import CertificateError

#: The largest file that is read; a certificate with its chain has a few kB.
MAX_FILE_BYTES = 4 << 20


class CheckedPair(NamedTuple):
    """A certificate, the CA certificates of its file, and its key, as they were read."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey

    def chain_pem(self) -> bytes:
        """The CA certificates, PEM."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in self.chain)

    def key_pem(self) -> bytes:
        """The private key, PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read(path: Path, what: str) -> bytes:
    """The bytes of a file; CertificateError says what the file should contain."""
    try:
        with path.open("rb") as file:  # not all of it: it may be a device without an end
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise CertificateError(f"{path}: no such file; {what} in PEM form is needed") from None
    except IsADirectoryError:
        raise CertificateError(f"{path}: is a folder; {what} in PEM form is needed") from None
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}; {what} is needed") from None
    if len(data) > MAX_FILE_BYTES:
        raise CertificateError(f"{path}: has more than {MAX_FILE_BYTES >> 20} MiB; {what} is needed")
    return data


def load_certificates(path: Path, what: str) -> list[x509.Certificate]:
    """All certificates of a PEM file, in file order; CertificateError if there is none."""
    data = read(path, what)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        if b"-----BEGIN CERTIFICATE-----" not in data:
            found = "a private key" if b"PRIVATE KEY-----" in data else "no PEM certificate"
            raise CertificateError(f"{path}: holds {found}; {what} in PEM form is needed") from None
        raise CertificateError(f"{path}: the certificate is damaged: {_first_line(error)}") from None


def check_pair(cert: Path, key: Path) -> CheckedPair:
    """What both files hold, after a check that `key` is the certificate's and both fit IEEE 2030.5."""
    chain = load_certificates(cert, "our certificate with its chain")
    leaf = chain[0]
    if is_reversed(chain):
        raise CertificateError(
            f"{cert}: the chain is in reverse order; put the device's certificate first, each CA after it"
        )
    public = _public_key(leaf, cert)
    private = _load_key(key)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise CertificateError(f"{cert}: the key is not an elliptic-curve one; IEEE 2030.5 needs P-256")
    if not isinstance(public.curve, ec.SECP256R1):
        raise CertificateError(f"{cert}: the key is on curve {public.curve.name}; IEEE 2030.5 needs P-256")
    if _encoded(private.public_key()) != _encoded(public):
        raise CertificateError(f"{key}: is not the key of the certificate in {cert}; give the pair's own key")
    return CheckedPair(leaf, tuple(chain[1:]), private)


def is_reversed(chain: list[x509.Certificate]) -> bool:
    """Whether some certificate comes after the one that issued it, instead of before."""
    pairs = list(itertools.pairwise(chain))
    is_rising = all(first.issuer == second.subject for first, second in pairs)
    return not is_rising and any(second.issuer == first.subject for first, second in pairs)


def _public_key(leaf: x509.Certificate, path: Path) -> object:
    try:
        return leaf.public_key()
    except (ValueError, TypeError) as error:  # an unknown curve or algorithm
        raise CertificateError(f"{path}: its key cannot be used: {_first_line(error)}") from None


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    data = read(path, "the private key of our certificate")
    try:
        key = load_pem_private_key(data, None)
    except TypeError:
        raise CertificateError(
            f"{path}: the key is encrypted; remove the passphrase (openssl pkey -in FILE -out NEW)"
        ) from None
    except ValueError as error:
        if b"PRIVATE KEY-----" not in data:
            raise CertificateError(f"{path}: holds no PEM private key; give the certificate's key") from None
        raise CertificateError(f"{path}: the private key is damaged: {_first_line(error)}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{path}: the key is not an elliptic-curve one; IEEE 2030.5 needs P-256")
    return key


def _encoded(public: object) -> bytes:
    assert isinstance(public, ec.EllipticCurvePublicKey)  # noqa: S101 - both callers have checked
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
