"""Which Responses the device must have posted, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dersim.conformance.checks.finding import EDGE_S, RESPONSE_S, failed, passed, warned
from dersim.conformance.evidence import Answered, Evidence
from dersim.conformance.procedure import Check, Finding

RECEIVED, STARTED, COMPLETED, CANCELLED, SUPERSEDED, OTHER_PROGRAM = 1, 2, 3, 6, 7, 14


def answered(name: str, *statuses: int, at: Mapping[int, float] | None = None) -> Check:
    """Exactly these Responses in this order, each accepted; `at`: status -> printed seconds after t0.

    Starts and ends without randomization are checked without `at`: 2 at the start, 3 at the end.
    """

    def check(evidence: Evidence) -> Finding:
        control = evidence.controls[name]
        posted = evidence.responses(name)
        said = _told(evidence, posted)
        exchanges = [each.exchange for each in posted]
        refused = [each for each in posted if not each.accepted]
        if refused:
            return failed(f"{name}: {said}; {len(refused)} were not answered 201", exchanges)
        if [each.status for each in posted] != list(statuses):
            return failed(f"{name}: {said} where {_listed(statuses)} are due", exchanges)
        due_s = {STARTED: float(control.start_s), COMPLETED: float(control.end_s)}
        if control.randomize_start_s or control.randomize_duration_s:
            due_s = {}
        due_s |= {status: evidence.t0_s + seconds * evidence.scale for status, seconds in (at or {}).items()}
        for each in posted:
            if each.status in due_s:
                late_s = each.exchange.time_s - due_s[each.status]
                if not -EDGE_S <= late_s <= RESPONSE_S:
                    side = "late" if late_s > 0 else "early"
                    return failed(f"{name}: {said}; {each.status} is {abs(late_s):.1f} s {side}", exchanges)
        return passed(f"{name}: {said}", exchanges)

    return check


def answered_first(name: str, *statuses: int) -> Check:
    """The Responses begin with these; whatever follows is left to other criteria."""

    def check(evidence: Evidence) -> Finding:
        posted = evidence.responses(name)
        said, exchanges = f"{name}: {_told(evidence, posted)}", [each.exchange for each in posted]
        first = [each.status for each in posted][: len(statuses)]
        return passed(said, exchanges) if first == list(statuses) else failed(said, exchanges)

    return check


def answered_in_order(name: str, *choices: tuple[int, ...]) -> Check:
    """One of these sequences of Responses and nothing else, whenever they came."""

    def check(evidence: Evidence) -> Finding:
        posted = evidence.responses(name)
        said, exchanges = f"{name}: {_told(evidence, posted)}", [each.exchange for each in posted]
        if tuple(each.status for each in posted if each.accepted) in choices:
            return passed(said, exchanges)
        return failed(f"{said} where {' or '.join(map(_listed, choices))} are due", exchanges)

    return check


def answered_within(name: str, statuses: tuple[int, ...], earliest: float, latest: float) -> Check:
    """The one Response with one of these statuses arrives within these printed seconds after t0."""

    def check(evidence: Evidence) -> Finding:
        posted = [each for each in evidence.responses(name) if each.status in statuses]
        exchanges = [each.exchange for each in posted]
        if len(posted) != 1:
            wanted = " or ".join(map(str, statuses))
            return failed(f"{name}: {len(posted)} Responses {wanted}, 1 is due", exchanges)
        at_s = posted[0].exchange.time_s - evidence.t0_s
        low_s, high_s = earliest * evidence.scale - EDGE_S, latest * evidence.scale + RESPONSE_S
        said = (
            f"{name}: {posted[0].status} at {at_s / evidence.scale:.1f} s, due {earliest:g} to {latest:g} s"
        )
        return passed(said, exchanges) if low_s <= at_s <= high_s else failed(said, exchanges)

    return check


def superseded(name: str, *before: int, literal: int = SUPERSEDED) -> Check:
    """The Responses `before`, then 7 or 14: no rule on the wire tells them apart; `literal` is printed."""

    def check(evidence: Evidence) -> Finding:
        posted = evidence.responses(name)
        said, exchanges = _told(evidence, posted), [each.exchange for each in posted]
        statuses = [each.status for each in posted]
        if statuses == [*before, literal]:
            return passed(f"{name}: {said}", exchanges)
        if statuses in ([*before, SUPERSEDED], [*before, OTHER_PROGRAM]):
            return warned(f"{name}: {said}; {literal} is printed", exchanges)
        return failed(f"{name}: {said} where {_listed([*before, literal])} are due", exchanges)

    return check


def never(name: str, *statuses: int) -> Check:
    """None of these Responses to the control."""

    def check(evidence: Evidence) -> Finding:
        wrong = [each for each in evidence.responses(name) if each.status in statuses]
        if wrong:
            return failed(f"{name}: {_told(evidence, wrong)}", [each.exchange for each in wrong])
        return passed(f"{name}: no {' or '.join(map(str, statuses))}")

    return check


def none_at_all(evidence: Evidence) -> Finding:
    """No Response to anything."""
    posted = evidence.responses()
    if posted:
        return failed(f"{len(posted)} Responses where none is due", [each.exchange for each in posted])
    return passed("no Response")


def _told(evidence: Evidence, posted: Iterable[Answered]) -> str:
    each_said = [f"{each.status} at {evidence.since_start(each.exchange.time_s):.1f} s" for each in posted]
    return f"Responses {', '.join(each_said)}" if each_said else "no Response"


def _listed(statuses: Iterable[int]) -> str:
    return ", ".join(map(str, statuses)) or "none"
