"""Findings in short, and the tolerances that no record prints."""

from __future__ import annotations

from collections.abc import Iterable

from dersim.conformance.evidence import Exchange
from dersim.conformance.procedure import Finding, Verdict

#: Our reading where the records print no tolerance, real seconds: of the edge of an event, of a Response
#: after its edge. How long a DER may take to reach a new power: printed seconds, at least
#: `Evidence.least_settling_s`.
EDGE_S = 2.0
RESPONSE_S = 10.0
SETTLING_S = 12.0


def passed(text: str, exchanges: Iterable[Exchange] = ()) -> Finding:
    """It holds."""
    return Finding(Verdict.PASS, text, numbers(exchanges))


def failed(text: str, exchanges: Iterable[Exchange] = ()) -> Finding:
    """It does not hold."""
    return Finding(Verdict.FAIL, text, numbers(exchanges))


def warned(text: str, exchanges: Iterable[Exchange] = ()) -> Finding:
    """It holds by the wider reading only."""
    return Finding(Verdict.WARN, text, numbers(exchanges))


def not_seen(text: str) -> Finding:
    """It could not be judged."""
    return Finding(Verdict.NOT_SEEN, text)


def numbers(exchanges: Iterable[Exchange]) -> tuple[int, ...]:
    """The numbers of exchanges, the first ten."""
    return tuple(each.number for each in exchanges)[:10]
