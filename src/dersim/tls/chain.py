"""The checks of a certificate chain that IEEE 2030.5 requires and OpenSSL does not make.

OpenSSL builds the path from the peer's certificate to a trusted root and checks signatures, dates,
basicConstraints and keyUsage. It does *not* refuse three things that 2030.5 forbids in any certificate of the
path, because plain RFC 5280 allows them:

* nameConstraints, critical or not (CSIP conformance test COMM-004E, requirement SEC.101);
* policyMappings, critical or not (COMM-004F, SEC.100);
* a critical extension that 2030.5 does not list, such as an extendedKeyUsage marked critical on a
  manufacturer's issuing CA (COMM-004D, SEC.069 and SEC.102).

Host names are not checked: a DER's certificate has none. A peer is identified by its LFDI, the hash of the
whole certificate. The trust anchor itself is not checked: it is trusted because it is in our own file.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from cryptography import x509
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
    return tuple(
        f"{_position(index)} {reason}"
        for index, der in enumerate(judged)
        for reason in refusals_of_certificate(der)
    )


def _position(index: int) -> str:
    return "the peer's own certificate" if index == 0 else f"CA certificate {index} above it"


# CA certificates are the same for a whole fleet, so that a server parses each only once.
@functools.lru_cache(maxsize=512)
def refusals_of_certificate(der: bytes) -> tuple[str, ...]:
    """The reasons why 2030.5 refuses this certificate (DER) in a path; empty if it does not."""
    try:
        extensions = list(x509.load_der_x509_certificate(der).extensions)
    except (ValueError, x509.DuplicateExtension) as error:
        return (f"cannot be read: {error}",)
    reasons = []
    for extension in extensions:
        oid = extension.oid
        if oid in _FORBIDDEN:
            reasons.append(f"has {_FORBIDDEN[oid]}, which IEEE 2030.5 forbids")
        elif extension.critical and oid not in _MAY_BE_CRITICAL:
            name = _NAMES.get(oid, f"extension {oid.dotted_string}")
            reasons.append(f"marks {name} critical, which IEEE 2030.5 does not allow")
    return tuple(reasons)
