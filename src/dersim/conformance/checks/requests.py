"""How far requests are apart, and what comes after an answer that says wait."""

from __future__ import annotations

import itertools

from dersim.conformance.checks.finding import failed, passed
from dersim.conformance.evidence import Evidence
from dersim.conformance.procedure import Check, Finding

#: How far two requests may be nearer to each other than they must, s.
_EARLY_S = 1.0


def apart(path: str, seconds: float) -> Check:
    """Two GETs of the path that were answered 200 are so many printed seconds apart."""

    def check(evidence: Evidence) -> Finding:
        gets = evidence.gets(path)
        for earlier, later in itertools.pairwise(gets):
            gap_s = later.time_s - earlier.time_s
            if gap_s < seconds * evidence.scale - _EARLY_S:
                return failed(f"GET {path} again after {gap_s:.1f} s", [earlier, later])
        return passed(f"{len(gets)} GETs of {path}", gets)

    return check
