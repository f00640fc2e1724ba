"""The seven certificate chains of the CSIP conformance test COMM-004.

A, B, C are good and of two, three and four certificates. In D, E and F the manufacturer's issuing CA (MICA)
carries something that IEEE 2030.5 forbids: a critical extendedKeyUsage, nameConstraints, policyMappings.
G is a device certificate that signed itself. The test procedure names no OIDs or values; ours are examples.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from dersim.pki.certificates import (
    Authority,
    make_authority,
    make_device,
    make_self_signed,
    new_key,
)
from dersim.pki.folder import SERVER_HOSTS, Pair
from dersim.pki.making import write_certificates, write_key


class Case(NamedTuple):
    """One sub-test: what is special about the chain, and whether the device under test must accept it."""

    title: str
    accept: bool


COMM_004 = {
    "A": Case("SERCA -> device", True),
    "B": Case("SERCA -> MICA -> device", True),
    "C": Case("SERCA -> MCA -> MICA -> device", True),
    "D": Case("MICA with a critical extendedKeyUsage", False),
    "E": Case("MICA with non-critical nameConstraints", False),
    "F": Case("MICA with non-critical policyMappings", False),
    "G": Case("self-signed device certificate", False),
}


def create_conformance_chains(folder: Path | str) -> dict[str, Pair]:
    """Write `cert_A.pem`, `key_A.pem` to `cert_G.pem`, `key_G.pem` and their `cert_root.pem` into `folder`.

    Returns the pairs by letter. Any of them serves as client or as server.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    root = make_authority("dersim COMM-004 SERCA", None)
    write_certificates(folder / "cert_root.pem", root.certificate)
    return {letter: _write(folder, letter, _issuer(letter, root)) for letter in COMM_004}


def _issuer(letter: str, root: Authority) -> Authority | None:
    match letter:
        case "A":
            return root
        case "C":
            return make_authority("dersim COMM-004 MICA C", make_authority("dersim COMM-004 MCA", root))
        case "G":
            return None
        case _:
            return make_authority(f"dersim COMM-004 MICA {letter}", root, _FLAWS.get(letter, ()))


_FLAWS: dict[str, tuple[tuple[x509.ExtensionType, bool], ...]] = {
    "D": ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), True),),
    "E": ((x509.NameConstraints(None, [x509.DNSName("excluded.invalid")]), False),),
    # SEQUENCE OF SEQUENCE { issuerDomainPolicy, subjectDomainPolicy }: device -> test certificate.
    "F": (
        (
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier("2.5.29.33"),
                bytes.fromhex("301a3018060a2b0601040182be1c0101060a2b0601040182be1c0201"),
            ),
            False,
        ),
    ),
}


def _write(folder: Path, letter: str, authority: Authority | None) -> Pair:
    pair = Pair(folder / f"cert_{letter}.pem", folder / f"key_{letter}.pem")
    key = new_key()
    serial = f"dersim-COMM-004{letter}"
    if authority is None:
        chain: tuple[x509.Certificate, ...] = (make_self_signed(key, serial),)
    else:
        chain = (make_device(authority, key.public_key(), serial, SERVER_HOSTS), *authority.chain)
    write_key(pair.key, key)
    write_certificates(pair.cert, *chain)
    return pair
