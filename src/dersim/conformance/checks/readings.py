"""The metering mirror: its MirrorUsagePoint, ReadingTypes, and readings at postRate."""

from __future__ import annotations

import itertools
import math

from dersim.conformance.checks.finding import EDGE_S, failed, not_seen, passed
from dersim.conformance.checks.power import TOLERANCE
from dersim.conformance.evidence import NEAR_S, Evidence, Exchange
from dersim.conformance.procedure import Check, Finding
from dersim.conformance.stage import POLL_RATES

#: Unit of measure: its name.
UNITS = {38: "W", 63: "var", 33: "Hz", 29: "V"}
#: Units that only count up: Wh, varh, VAh.
_COUNTED = frozenset({72, 73, 71})


def mirror_posted(evidence: Evidence) -> Finding:
    """A MirrorUsagePoint of the device is posted, answered 201 with a Location."""
    posted = list(evidence.mirrors())
    good = [each for each, _ in posted if each.status in (201, 204) and each.location]
    if not good:
        return failed(f"{len(posted)} MirrorUsagePoints, none accepted", [each for each, _ in posted])
    return passed(f"{good[0].location}", good)


def kinds_posted(evidence: Evidence) -> Finding:
    """A MirrorMeterReading with its own mRID and ReadingType for W, var, Hz and V."""
    found: dict[str, Exchange] = {}
    for exchange, reading in evidence.meter_readings():
        name = UNITS.get(reading.ReadingType.uom or 0) if reading.ReadingType is not None else None
        if name is not None and exchange.status in (201, 204):
            found.setdefault(name, exchange)
    missing = [name for name in UNITS.values() if name not in found]
    if missing:
        return failed(f"no ReadingType of {', '.join(missing)}", found.values())
    return passed("W, var, Hz and V", found.values())


def mirror_fetched(evidence: Evidence) -> Finding:
    """The MirrorUsagePoint, or the list of them, is fetched: it has the postRate."""
    gets = [
        each
        for each in evidence.exchanges
        if each.method == "GET" and each.status == 200 and each.path.split("/")[1] == "mup"
    ]
    return passed(f"GET {gets[0].target}", gets) if gets else failed("no GET of a MirrorUsagePoint")


def agree_with_terminals(evidence: Evidence) -> Finding:
    """W and var that were metered are those of the terminals, sign and all."""
    if not evidence.samples:
        return not_seen("the terminals are not seen")
    rating = evidence.rating_w or 0.0
    metered = [each for each in evidence.metered() if each.p_w is not None and each.q_var is not None]
    if not metered:
        return failed("no W and var were metered")
    for each in metered[1:]:
        near = min(evidence.samples, key=lambda sample: abs(sample.time_s - each.time_s))
        if abs(near.time_s - each.time_s) > NEAR_S:
            continue  # the meter at the terminals was lost
        for name, one, other in (("W", each.p_w, near.p_w), ("var", each.q_var, near.q_var)):
            if abs((one or 0.0) - (other or 0.0)) > rating * TOLERANCE:
                return failed(f"metered {one:.0f} {name} where the terminals have {other:.0f}")
    return passed(f"{len(metered)} times W and var")


def posted_at_rate(evidence: Evidence) -> Finding:
    """Readings with values are posted at postRate, within 10 % and 2 s."""
    posts = [each for each, _ in evidence.meter_readings() if each.method == "POST"]
    times = sorted({each.time_s for each in posts})
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)][1:]
    wanted_s = max(1.0, POLL_RATES["mup"] * evidence.scale)
    wrong = [gap for gap in gaps if abs(gap - wanted_s) > wanted_s * 0.1 + EDGE_S]
    said = (
        f"{len(times)} posts, every {sorted(gaps)[len(gaps) // 2]:.1f} s" if gaps else f"{len(times)} posts"
    )
    if len(gaps) < 2 or wrong:
        return failed(f"{said}, where {wanted_s:g} s are advertised", posts)
    return passed(said, posts)


def posted_all_along(evidence: Evidence) -> Finding:
    """Between two posts of readings there is never more than postRate, with 10 % and 2 s."""
    posts = [each for each, _ in evidence.meter_readings() if each.status in (201, 204)]
    times = [*sorted({each.time_s for each in posts}), evidence.ended_s]
    widest_s = max((later - earlier for earlier, later in itertools.pairwise(times)), default=math.inf)
    wanted_s = max(1.0, POLL_RATES["mup"] * evidence.scale)
    said = f"{len(times) - 1} posts, at most {widest_s:.1f} s apart"
    return passed(said, posts) if widest_s <= wanted_s * 1.1 + EDGE_S else failed(said, posts)


def kinds_posted_again(evidence: Evidence) -> Finding:
    """Each ReadingType is posted, and accepted, for a second time."""
    times: dict[str, int] = {}
    for exchange, reading in evidence.meter_readings():
        if reading.ReadingType is not None and exchange.status in (201, 204):
            times[str(reading.mRID)] = times.get(str(reading.mRID), 0) + 1
    once = [mrid for mrid, count in times.items() if count < 2]
    said = f"{len(times)} quantities, {len(once)} of them posted with a ReadingType once only"
    return failed(said) if once or not times else passed(said)


def none_doubled(evidence: Evidence) -> Finding:
    """Of each quantity no reading comes twice, times rise, and counters never fall."""
    last: dict[str, tuple[int, int]] = {}
    counters: set[str] = set()
    found = 0
    for exchange, reading in evidence.meter_readings():
        mrid, value = str(reading.mRID), reading.Reading
        if reading.ReadingType is not None and reading.ReadingType.uom in _COUNTED:
            counters.add(mrid)
        if exchange.status not in (201, 204) or value is None or value.value is None:
            continue
        start = 0 if value.timePeriod is None else value.timePeriod.start
        before = last.get(mrid)
        if before is not None and start <= before[0]:
            return failed(f"{mrid}: a reading of {start} after one of {before[0]}", [exchange])
        if before is not None and mrid in counters and value.value < before[1]:
            return failed(f"{mrid}: the counter falls from {before[1]} to {value.value}", [exchange])
        last[mrid] = (start, value.value)
        found += 1
    return passed(f"{found} readings of {len(last)} quantities") if found else failed("no readings")


def mirrors_created(count: int) -> Check:
    """So many MirrorUsagePoints are created in all."""

    def check(evidence: Evidence) -> Finding:
        created = [each for each, _ in evidence.mirrors() if each.status == 201]
        said = f"{len(created)} MirrorUsagePoints created"
        return passed(said, created) if len(created) == count else failed(said, created)

    return check
