"""The checks that need no server: key, LFDI, chain, and the cipher suite of 2030.5."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Sequence

import trio
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki
from dersim.csip import credentials
from dersim.doctor.checking import Failed, Found, Skipped
from dersim.errors import CertificateError, ConfigError
from dersim.ieee2030_5 import identity
from dersim.plugin.services import CertificateFiles
from dersim.tls.files import check_pair, load_certificates

_CCM_8 = "ECDHE-ECDSA-AES128-CCM8"
_PLAIN = "--csip_enc is no: no certificate is used"


def _files(found: Found) -> CertificateFiles:
    if not found.config.origin.secure:
        raise Skipped(_PLAIN)
    try:
        return credentials.files(found.config, None)
    except (CertificateError, ConfigError) as error:
        raise Failed(str(error)) from None


async def check_key(found: Found) -> str:
    """The key belongs to the certificate, and both are as 2030.5 needs them."""
    await trio.lowlevel.checkpoint()
    files = _files(found)
    try:
        check_pair(files.cert, files.key)
    except CertificateError as error:
        raise Failed(f"{error} (--csip_cert, --csip_key)") from None
    return f"{files.key} is the key of {files.cert}"


async def check_identity(found: Found) -> str:
    """LFDI and SFDI, which the server must know."""
    await trio.lowlevel.checkpoint()
    try:
        certificate = load_certificates(_files(found).cert, "our certificate")[0]
    except CertificateError as error:
        raise Skipped(f"the certificate cannot be read: {error}") from None
    found.lfdi = identity.lfdi(certificate.public_bytes(Encoding.DER))
    return f"LFDI {found.lfdi}, SFDI {identity.format_sfdi(identity.sfdi(found.lfdi))}"


async def check_own_chain(found: Found) -> str:
    """Our chain leads to the root, has not expired, and holds nothing that 2030.5 forbids."""
    await trio.lowlevel.checkpoint()
    files = _files(found)
    try:
        chain = load_certificates(files.cert, "our certificate with its chain")
        roots = load_certificates(files.root, "the root certificate")
        described = pki.describe(files.cert)
    except CertificateError as error:
        raise Failed(f"{error} (--csip_cert, --csip_root_cert)") from None
    if described.refusals:
        raise Failed(f"{files.cert}: {described.refusals[0]}; ask its issuer for another certificate")
    now = datetime.datetime.fromtimestamp(found.now_s(), datetime.UTC)
    for number, certificate in enumerate(chain, 1):
        _check_dates(f"{files.cert}: certificate {number}", certificate, now)
    root = _issuer(chain[-1], roots)
    if root is None:
        raise Failed(
            f"{files.cert}: certificate {len(chain)}, issued by {_name(chain[-1].issuer)}, is not signed by "
            f"a CA of {files.root}; put the missing CA certificates behind it, or give the right "
            f"--csip_root_cert"
        )
    _check_dates(f"{files.root}: the root", root, now)
    return f"{len(chain)} certificate(s) of {files.cert} lead to {_name(root.subject)} of {files.root}"


def _check_dates(what: str, certificate: x509.Certificate, now: datetime.datetime) -> None:
    end, begin = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    if now > end:
        raise Failed(f"{what} expired on {end:%Y-%m-%d %H:%M} UTC; get a new one, or check this clock")
    if now < begin:
        raise Failed(f"{what} is not valid before {begin:%Y-%m-%d %H:%M} UTC; check this computer's clock")


def _issuer(last: x509.Certificate, roots: Sequence[x509.Certificate]) -> x509.Certificate | None:
    for root in roots:
        if root == last:
            return root
        try:
            last.verify_directly_issued_by(root)
        except (InvalidSignature, ValueError, TypeError):
            continue
        return root
    return None


def _name(name: x509.Name) -> str:
    return name.rfc4514_string() or "(empty subject)"


async def check_suite(_found: Found) -> str:
    """This OpenSSL can offer the one suite that every 2030.5 peer must have."""
    await trio.lowlevel.checkpoint()
    if not _found.config.origin.secure:
        raise Skipped(_PLAIN)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(f"{_CCM_8}:@SECLEVEL=0")
        offered = {suite["name"] for suite in context.get_ciphers()}
    except ssl.SSLError:
        offered = set()
    if _CCM_8 not in offered:
        raise Failed(
            f"{_CCM_8} is not in {ssl.OPENSSL_VERSION} of this Python; only servers that have GCM too can be "
            f"reached: use a Python with a full OpenSSL"
        )
    return f"{_CCM_8} is in {ssl.OPENSSL_VERSION}"
