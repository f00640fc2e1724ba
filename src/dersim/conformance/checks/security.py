"""TLS: what was negotiated, and whether a wrong chain was refused."""

from __future__ import annotations

from dersim.conformance.checks.finding import failed, passed
from dersim.conformance.evidence import Evidence
from dersim.conformance.procedure import Finding

CIPHER = "ECDHE-ECDSA-AES128-CCM8"


def csip_session(evidence: Evidence) -> Finding:
    """TLS 1.2 with the suite of CSIP, 0xC0AE."""
    good = [each for each in evidence.handshakes if each.error is None]
    if not good:
        errors = [each.error for each in evidence.handshakes if each.error]
        return failed(f"no TLS session{f': {errors[-1]}' if errors else ''}")
    first = good[0]
    said = f"{first.version} with {first.cipher}"
    return passed(said) if (first.version, first.cipher) == ("TLSv1.2", CIPHER) else failed(said)


def refused(evidence: Evidence) -> Finding:
    """The device ends the connection: a TLS alert, a disconnect or nothing sent; no request goes out."""
    if evidence.exchanges:
        first = evidence.exchanges[0]
        return failed(f"{first.method} {first.target} was sent to a server with this chain", [first])
    if not evidence.handshakes:
        return failed("the device has not tried to connect")
    return passed(f"no request; {evidence.handshakes[0].error or 'it closed the connection'}")


def tried_once(evidence: Evidence) -> Finding:
    """The device has connected, whatever came of it."""
    return (
        passed(f"{len(evidence.handshakes)} connections") if evidence.handshakes else failed("no connection")
    )
