"""The server's TLS context, what both sides' have in common, and the check of the peer's chain in them.

The chain is checked at the end of `SSLObject.do_handshake`, before anyone can send or read a byte. A client
that refuses the chain fails the handshake. A server completes it and keeps the reason in `refusal`, so that
the client can be told by HTTP: TLS has no alert for it once the handshake is done.

A resumed session has the peer's own certificate but no chain, so the chain cannot be checked again:

* a client keeps a session only after a full handshake that passed (`handshake.client_handshake`);
* a server sends its ticket before it can check the chain. It therefore remembers the digests of the leaf
  certificates that passed a full handshake, and refuses to resume a session of any other.

Sessions are kept with their certificate: no session outlives it.
"""

from __future__ import annotations

import hashlib
import ssl
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from dersim.errors import CertificateError, ConfigError
from dersim.tls import files
from dersim.tls.chain import check_chain
from dersim.tls.reasons import explain

#: 2030.5 requires CCM-8; some servers have GCM instead. OpenSSL rates CCM-8 at 64 bits and from 3.2 on offers
#: it at security level 0 only.
CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
_CURVE = "prime256v1"  # secp256r1, P-256
_ENCODING_DER = 2  # of `_ssl`, X509_FILETYPE_ASN1
_REFUSED = "the peer's certificate chain is refused"
_UNKNOWN_SESSION = "it resumes a session of a certificate that no full handshake has accepted"
_ACCEPTED = 20_000


class HandshakeFailure(ssl.SSLError):
    """A failed handshake: the reason in one line, and the TLS alert that is still to be sent."""

    def __init__(self, why: str, alert: bytes = b"") -> None:
        super().__init__(why)
        self.why = why
        self.alert = alert


class _CheckedObject(ssl.SSLObject):
    """An SSLObject whose handshake ends with the check of the peer's chain."""

    outgoing: ssl.MemoryBIO
    #: On a server: why the client's chain is refused, "" if it is not.
    refusal = ""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            # What is left to be sent is the TLS alert.
            raise HandshakeFailure(explain(error), self.outgoing.read()) from error
        context = self.context
        leaf = self.getpeercert(binary_form=True) or b""
        if self.session_reused:
            if isinstance(context, ServerContext) and not context.accepts(leaf):
                raise HandshakeFailure(f"{_REFUSED}: {_UNKNOWN_SESSION}")
        elif reasons := check_chain(self.verified_chain()):
            why = f"{_REFUSED}: {reasons[0]}"
            if not isinstance(context, ServerContext):
                raise HandshakeFailure(why)
            self.refusal = why
        elif isinstance(context, ServerContext):
            context.accept(leaf)

    def verified_chain(self) -> list[bytes]:
        """The chain as it was verified, DER, the peer's own certificate first, the trust anchor last."""
        if sys.version_info >= (3, 13):
            return list(self.get_verified_chain())
        # Python 3.11 and 3.12 have the function without a public name (gh-109109 gave it one in 3.13).
        inner: Any = self._sslobj  # type: ignore[attr-defined, unused-ignore]
        return [certificate.public_bytes(_ENCODING_DER) for certificate in inner.get_verified_chain()]


class CheckedContext(ssl.SSLContext):
    """A context whose objects check the peer's chain; for both sides."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any) -> Any:
        """As in ssl.SSLContext; the object keeps `outgoing`, from which its alerts are read."""
        wrapped = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        assert isinstance(wrapped, _CheckedObject)  # noqa: S101 - `_set_up` has seen to it
        wrapped.outgoing = outgoing
        return wrapped


class ServerContext(CheckedContext):
    """A server's context, with the digests of the client certificates that passed a full handshake."""

    certificate_der: bytes

    def __init__(self, _protocol: int) -> None:
        self._accepted: OrderedDict[bytes, None] = OrderedDict()

    def accept(self, leaf: bytes) -> None:
        """Remember a leaf certificate (DER) whose chain has passed the check."""
        digest = hashlib.sha256(leaf).digest()
        self._accepted[digest] = None
        self._accepted.move_to_end(digest)
        if len(self._accepted) > _ACCEPTED:
            self._accepted.popitem(last=False)

    def accepts(self, leaf: bytes) -> bool:
        """Whether `leaf` (DER) has passed a full handshake."""
        return hashlib.sha256(leaf).digest() in self._accepted


def server_context(cert: Path | str, key: Path | str, root: Path | str) -> ServerContext:
    """A server's TLS context from PEM files; every client needs a certificate under one of `root`.

    CertificateError names the bad file.
    """
    cert, key, root = Path(cert), Path(key), Path(root)
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    prepare(context)
    context.certificate_der = files.check_pair(cert, key).leaf.public_bytes(Encoding.DER)
    files.load_certificates(root, "the CA certificates that we trust")
    try:
        context.load_cert_chain(cert, key)
        context.load_verify_locations(root)
    except (ssl.SSLError, OSError) as error:
        reason = explain(error) if isinstance(error, ssl.SSLError) else error.strerror
        raise CertificateError(f"{cert}, {key}, {root}: OpenSSL refuses them: {reason}") from None
    # No renegotiation: it costs the server more than the client.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def prepare(context: CheckedContext) -> None:
    """Set what IEEE 2030.5 requires of either side; ConfigError where OpenSSL cannot do it."""
    context.sslobject_class = _CheckedObject
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    # Certificates in the field break details of RFC 5280 (a SAN that is not critical under an empty subject).
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        context.set_ciphers(CIPHERS)
        context.set_ecdh_curve(_CURVE)
    except ssl.SSLError:
        raise ConfigError(
            f"this Python's {ssl.OPENSSL_VERSION} does not have the cipher suites of IEEE 2030.5 "
            "(ECDHE-ECDSA-AES128-CCM8); use a Python with a full OpenSSL"
        ) from None
