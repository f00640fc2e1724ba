"""The checks of a certificate chain that IEEE 2030.5 requires and OpenSSL does not make.

OpenSSL builds the path from the peer's certificate to a trusted root and checks signatures, dates,
basicConstraints and keyUsage. It does *not* refuse what RFC 5280 allows and 2030.5 forbids. In any
certificate of the path that is:

* nameConstraints, critical or not (CSIP conformance test COMM-004E, requirement SEC.101);
* policyMappings, critical or not (COMM-004F, SEC.100);
* policyQualifiers in certificatePolicies;
* a critical extension that 2030.5 does not list, such as an extendedKeyUsage marked critical on a
  manufacturer's issuing CA (COMM-004D, SEC.069 and SEC.102).

A chain has at most four certificates: device, MICA, MCA, SERCA. The device's own certificate has a key on
P-256 and, unless it is trusted by itself, is no CA.

Host names are not checked: a DER's certificate has none. A peer is identified by its LFDI, the hash of the
whole certificate. The trust anchor itself is not checked: it is trusted because it is in our own file.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

#: The extensions that 2030.5 lists, the only ones that may be marked critical.
_MAY_BE_CRITICAL = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
_FORBIDDEN = {
    ExtensionOID.NAME_CONSTRAINTS: "nameConstraints",
    ExtensionOID.POLICY_MAPPINGS: "policyMappings",
}
_MOST_CERTIFICATES = 4
_NAMES = {
    ExtensionOID.EXTENDED_KEY_USAGE: "extendedKeyUsage",
    ExtensionOID.POLICY_CONSTRAINTS: "policyConstraints",
    ExtensionOID.INHIBIT_ANY_POLICY: "inhibitAnyPolicy",
}


def check_chain(chain: Sequence[bytes]) -> tuple[str, ...]:
    """The reasons why 2030.5 refuses this chain, one line each; empty if it does not.

    `chain` is DER, the peer's own certificate first, the trust anchor last, its signatures already verified.
    """
    if not chain:
        return ("the peer sent no certificate",)
    judged = chain[:-1] if len(chain) > 1 else chain
    reasons = [
        f"{_position(index)} {reason}"
        for index, der in enumerate(judged)
        for reason in refusals_of_certificate(der)
    ]
    reasons += [f"{_position(0)} {reason}" for reason in refusals_of_leaf(chain[0], is_alone=len(chain) == 1)]
    if len(chain) > _MOST_CERTIFICATES:
        reasons.append(f"it has {len(chain)} certificates; IEEE 2030.5 allows {_MOST_CERTIFICATES}")
    return tuple(reasons)


def refusals_of_leaf(der: bytes, *, is_alone: bool) -> list[str]:
    """Why 2030.5 refuses this certificate (DER) as a device's own. is_alone: it is the whole chain."""
    try:
        leaf = x509.load_der_x509_certificate(der)
        key, extensions = leaf.public_key(), leaf.extensions
    except (ValueError, TypeError, x509.DuplicateExtension):
        return []  # told as a certificate that cannot be read
    reasons = []
    if not isinstance(key, ec.EllipticCurvePublicKey):
        reasons.append("has a key that is not an elliptic-curve one; IEEE 2030.5 needs P-256")
    elif not isinstance(key.curve, ec.SECP256R1):
        reasons.append(f"has a key on curve {key.curve.name}; IEEE 2030.5 needs P-256")
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return reasons
    if basic.ca and not is_alone:
        reasons.append("is a CA certificate; a device's own certificate is needed")
    return reasons


def _position(index: int) -> str:
    return "the peer's own certificate" if index == 0 else f"CA certificate {index} above it"


# CA certificates are the same for a whole fleet, so that a server parses each only once.
@functools.lru_cache(maxsize=512)
def refusals_of_certificate(der: bytes) -> tuple[str, ...]:
    """The reasons why 2030.5 refuses this certificate (DER) in a path; empty if it does not."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()  # raises for a key that cannot be read
        extensions = list(certificate.extensions)
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        return (f"cannot be read: {error}",)
    reasons = []
    for extension in extensions:
        oid = extension.oid
        if oid in _FORBIDDEN:
            reasons.append(f"has {_FORBIDDEN[oid]}, which IEEE 2030.5 forbids")
        elif isinstance(extension.value, x509.CertificatePolicies) and _has_qualifiers(extension.value):
            reasons.append("has policyQualifiers, which IEEE 2030.5 forbids")
        elif extension.critical and oid not in _MAY_BE_CRITICAL:
            name = _NAMES.get(oid, f"extension {oid.dotted_string}")
            reasons.append(f"marks {name} critical, which IEEE 2030.5 does not allow")
    return tuple(reasons)


def _has_qualifiers(policies: x509.CertificatePolicies) -> bool:
    return any(policy.policy_qualifiers is not None for policy in policies)
