"""How far requests are apart, and what comes after an answer that says wait."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

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


class Asked(NamedTuple):
    """An answer that asked the client to wait. asked_s, within_s: real seconds, see `waits_kept`."""

    time_s: float
    path: str
    text: str
    asked_s: float
    within_s: float


def waits_kept(evidence: Evidence) -> Finding:
    """After each answer of `facts["waits"]` the path is left alone for `asked_s`, and for `within_s` more."""
    said = []
    for asked in evidence.facts["waits"]:
        again = [
            each for each in evidence.exchanges if each.path == asked.path and each.time_s > asked.time_s
        ]
        after_s = again[0].time_s - asked.time_s if again else math.inf
        if not max(asked.asked_s, 1) - _EARLY_S <= after_s <= asked.asked_s + asked.within_s:
            what = f"again after {after_s:.1f} s" if again else "never again"
            return failed(f"{asked.text}: {what}", again[:1])
        said.append(f"{after_s:.0f} s")
    return passed(f"again after {', '.join(said)}") if said else failed("nothing was asked for")


def with_query(beginning: str, query: str) -> Check:
    """Every request whose path begins so has this in its query, and there is one."""

    def check(evidence: Evidence) -> Finding:
        found = [each for each in evidence.exchanges if each.path.upper().startswith(beginning.upper())]
        wrong = [
            each
            for each in found
            if not each.path.startswith(beginning) or query not in each.query.split("&")
        ]
        if wrong or not found:
            return failed(f"{wrong[0].method} {wrong[0].target}" if wrong else "no request", wrong)
        return passed(f"{len(found)} requests, first {found[0].target}", found)

    return check


def sent_on(*statuses: int) -> Check:
    """Each request that was answered so is sent to the Location next, with its method and body."""

    def check(evidence: Evidence) -> Finding:
        found = [each for each in evidence.exchanges if each.status in statuses]
        for each in found:
            same = [
                later
                for later in evidence.exchanges[each.number + 1 :]
                if (later.method, later.target, later.body) == (each.method, each.location, each.body)
            ]
            if not same:
                return failed(f"{each.method} {each.target}, {each.status}: not sent on", [each])
        missing = [status for status in statuses if status not in {each.status for each in found}]
        if missing:
            return failed(f"nothing was answered {', '.join(map(str, missing))}")
        return passed(f"{len(found)} requests were sent on", found)

    return check
