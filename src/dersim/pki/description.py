"""The contents of a certificate file in the terms of IEEE 2030.5, for `dersim pki show` and the logs."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from dersim.ieee2030_5 import identity
from dersim.pki.certificates import HARDWARE_MODULE_NAME, NEVER, POLICY_TEST
from dersim.tls.chain import refusals_of_certificate, refusals_of_leaf
from dersim.tls.files import is_reversed, load_certificates

#: Device, MICA, MCA: what a chain of four leaves when the root is not sent.
_MOST_SENT = 3


class Description(NamedTuple):
    """A certificate file described.

    lfdi, sfdi: identify the first certificate (SFDI as an integer without leading zeros).
    subjects: of each certificate, first to last. refusals: why the chain check refuses the file.
    remarks: deviations from 2030.5 that are not refused, and other useful facts.
    """

    path: Path
    lfdi: str
    sfdi: int
    subjects: tuple[str, ...]
    not_after: datetime.datetime
    refusals: tuple[str, ...]
    remarks: tuple[str, ...]


def describe(file: Path | str) -> Description:
    """Describe a PEM certificate file; CertificateError if it cannot be read."""
    path = Path(file)
    chain = load_certificates(path, "a certificate")
    lfdi = identity.lfdi(chain[0].public_bytes(Encoding.DER))
    return Description(
        path,
        lfdi,
        identity.sfdi(lfdi),
        tuple(_title(certificate) for certificate in chain),
        chain[0].not_valid_after_utc,
        tuple(_refusals(chain)),
        tuple(_remarks(chain)),
    )


def _title(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "(empty subject)"


def _refusals(chain: list[x509.Certificate]) -> list[str]:
    leaf = chain[0].public_bytes(Encoding.DER)
    reasons = [f"certificate 1 {reason}" for reason in refusals_of_leaf(leaf, is_alone=True)]
    for index, certificate in enumerate(chain):
        der = certificate.public_bytes(Encoding.DER)
        reasons += [f"certificate {index + 1} {reason}" for reason in refusals_of_certificate(der)]
    if is_reversed(chain):
        return [
            *reasons,
            "the chain is in reverse order; put the device's certificate first, each CA after it",
        ]
    for index, (child, parent) in enumerate(itertools.pairwise(chain)):
        try:
            child.verify_directly_issued_by(parent)
        except (InvalidSignature, ValueError, TypeError) as error:
            reasons.append(f"certificate {index + 1} is not signed by the one after it: {error}")
    return reasons


def _remarks(chain: list[x509.Certificate]) -> list[str]:
    leaf, remarks = chain[0], []
    if leaf.not_valid_after_utc != NEVER:
        remarks.append(f"expires on {leaf.not_valid_after_utc:%Y-%m-%d}; IEEE 2030.5 wants 99991231235959Z")
    if leaf.issuer == leaf.subject:
        remarks.append("signs itself: a peer accepts it only where it is listed as trusted")
    elif len(chain) == 1:
        remarks.append("no issuing CA in the file: right only where the root itself has signed it")
    if len(chain) > _MOST_SENT:
        remarks.append(f"{len(chain)} certificates; IEEE 2030.5 has at most {_MOST_SENT} below the root")
    if leaf.subject.rdns:
        remarks.append("the subject is not empty, as that of a device certificate should be")
    if not _hardware_names(leaf):
        remarks.append("no hardwareModuleName in a subjectAltName, as a device certificate should have")
    if POLICY_TEST in _policies(leaf):
        remarks.append("a test certificate (policy 1.3.6.1.4.1.40732.2.1): for the lab only")
    return remarks


def _hardware_names(certificate: x509.Certificate) -> list[x509.OtherName]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        name for name in names.get_values_for_type(x509.OtherName) if name.type_id == HARDWARE_MODULE_NAME
    ]


def _policies(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return []
    return [policy.policy_identifier for policy in policies]
