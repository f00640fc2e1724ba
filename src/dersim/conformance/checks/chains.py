"""How events follow one another."""

from __future__ import annotations

import itertools

from dersim.conformance.checks.answers import COMPLETED, STARTED
from dersim.conformance.checks.finding import EDGE_S, failed, passed, warned
from dersim.conformance.evidence import Answered, Evidence
from dersim.conformance.procedure import Check, Finding


def follow(*names: str) -> Check:
    """Each event starts as the one before it ends: never before, and after a gap with a warning only."""

    def check(evidence: Evidence) -> Finding:
        widest_s = 0.0
        for earlier, later in itertools.pairwise(names):
            end, start = _when(evidence, earlier, COMPLETED), _when(evidence, later, STARTED)
            if end is None or start is None:
                return failed(f"{earlier} has not ended, or {later} has not started")
            gap_s = start.exchange.time_s - end.exchange.time_s
            if gap_s < -EDGE_S:
                return failed(
                    f"{later} has started {-gap_s:.1f} s before the end of {earlier}",
                    [end.exchange, start.exchange],
                )
            widest_s = max(widest_s, gap_s)
        said = f"the widest gap is {widest_s:.1f} s"
        return passed(said) if widest_s <= EDGE_S else warned(said)

    return check


def _when(evidence: Evidence, name: str, status: int) -> Answered | None:
    return next((each for each in evidence.responses(name) if each.status == status), None)
