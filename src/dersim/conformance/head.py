"""What a report says of its run, and of the device that was under test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography import x509

from dersim.conformance.evidence import Evidence
from dersim.ieee2030_5 import identity, judging
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition

#: Bodies that are looked at for the edition.
_MOST_JUDGED = 60


class RunHead(NamedTuple):
    """How a campaign was run. began_s, ended_s: UTC seconds of the real clock. command: as it was typed.

    server: the address of a server under test, None where a client is. power: where it was seen.
    """

    began_s: float
    ended_s: float
    command: str
    versions: str
    time: str
    scale: float
    client: str
    server: str | None = None
    power: str = "at the terminals"


class DeviceUnderTest(NamedTuple):
    """Who was tested, by what it has sent. sfdi: for people. chain: a line a certificate, its own first.

    edition: of IEEE 2030.5, by its bodies. software: what it tells of itself, None where it does not.
    """

    lfdi: str
    sfdi: str
    chain: tuple[str, ...]
    edition: str
    software: str | None


def device_under_test(evidences: Iterable[Evidence]) -> DeviceUnderTest:
    """What the runs have shown of the device."""
    runs = list(evidences)
    lfdi = next((each.lfdi for each in runs if each.lfdi), "")
    chains = [shake.chain for each in runs for shake in each.handshakes if shake.chain]
    longest: tuple[bytes, ...] = max(chains, key=len) if chains else ()
    return DeviceUnderTest(
        lfdi,
        identity.format_sfdi(identity.sfdi(lfdi)) if lfdi else "",
        tuple(certificate_line(each) for each in longest),
        _edition(runs),
        _software(runs),
    )


def certificate_line(der: bytes) -> str:
    """A certificate in a line: subject, issuer, serial number, validity, key."""
    try:
        found = x509.load_der_x509_certificate(der)
    except ValueError as error:
        return f"a certificate that cannot be read: {error}"
    subject, issuer = (each.rfc4514_string() or "(empty)" for each in (found.subject, found.issuer))
    key = getattr(getattr(found.public_key(), "curve", None), "name", "no curve")
    until = f"{found.not_valid_after_utc:%Y-%m-%d}"
    return f"subject {subject}; issuer {issuer}; serial {found.serial_number:x}; {key}; valid until {until}"


def _edition(runs: Sequence[Evidence]) -> str:
    """The editions whose schema all its bodies meet."""
    seen: dict[bytes, None] = {}
    for each in runs:
        seen |= dict.fromkeys(exchange.body for exchange in each.exchanges if exchange.body)
    left = set(Edition)
    for body in list(seen)[:_MOST_JUDGED]:
        found = set(judging.brief(body).editions)
        left &= found or left
    if not seen:
        return "not known: it has sent no body"
    names = " or ".join(f"IEEE 2030.5-{each.value}" for each in sorted(left, key=lambda one: one.value))
    return names or "bodies of both editions"


def _software(runs: Sequence[Evidence]) -> str | None:
    for each in runs:
        for _, told in each.posted(r.DeviceInformation):
            named = (
                ("model", told.mfModel),
                ("serial", told.mfSerNum),
                ("software", told.swVer),
                ("hardware", told.mfHwVer),
            )
            return ", ".join(f"{name} {value}" for name, value in named if value) or None
    agents = (exchange.header("user-agent") for each in runs for exchange in each.exchanges)
    return next((agent for agent in agents if agent), None)
