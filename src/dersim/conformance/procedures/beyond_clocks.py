"""X-007 to 009: two clocks, a clock that is set back, and a walk soon after a sample of Time."""

from __future__ import annotations

from dersim.conformance.checks import answers, readings, requests, wire
from dersim.conformance.checks.finding import failed, passed
from dersim.conformance.checks.power import limit
from dersim.conformance.criteria import READ_BY, is_completed, rules
from dersim.conformance.evidence import Evidence
from dersim.conformance.procedure import Criterion, Finding, Procedure
from dersim.conformance.stage import Stage
from dersim.http11 import Request, Response
from dersim.utility import grouping
from dersim.utility.groups import TimeOf

_DEFAULT, _EVENT, _OTHER = {"opModMaxLimW": 90}, {"opModMaxLimW": 60}, {"opModMaxLimW": 40}
#: How far the Time of the assignment is ahead in X-007, and the server's is set back in X-008,
#: printed seconds.
_AHEAD, _BACK = 90, 900


def _two_times(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_DEFAULT)
    group = stage.group("Z", "non_topology")
    grouping.set_time(stage.head_end, group, TimeOf(offset_s=stage.whole(_AHEAD)))
    stage.assign(group)
    stage.program("Z", 4, group)
    stage.evidence.facts["time"] = group.time_href
    stage.control("by its own Time", "Z", 120 + _AHEAD, 60, _OTHER)
    stage.control("by the main Time", "SY", 240, 30, _EVENT)


def _time_fetched(evidence: Evidence) -> Finding:
    return wire.fetched(wire.at(evidence.facts["time"]))(evidence)


def _running(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_DEFAULT)
    stage.control("event", "SY", 30, 120, _EVENT)


async def _set_back(stage: Stage) -> None:
    await stage.until(40)
    stage.server_ahead_s = -stage.whole(_BACK)


def _over_once(evidence: Evidence) -> Finding:
    """After Response 3 the event is not applied again, and nothing more is said of it."""
    ended = [each for each in evidence.responses("event") if each.status == answers.COMPLETED]
    if len(ended) != 1:
        return failed(f"{len(ended)} Responses 3", [each.exchange for each in ended])
    at = evidence.since_start(ended[0].exchange.time_s)
    last = evidence.since_start(evidence.ended_s)
    found = rules("the default rules", limit(90), at, last).check(evidence)
    return found._replace(text=f"completed at {at:.0f} s; {found.text}")


def _walk_again(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_DEFAULT)
    stage.control("event", "SY", 150, 60, _EVENT)


async def _move_end_devices(stage: Stage) -> None:
    """Soon after a sample of Time all EndDevices have other hrefs: the tree has to be read again."""

    def rewrite(request: Request, response: Response) -> Response:
        facts, now_s = stage.evidence.facts, stage.clock.now_s()
        if "moved" not in facts and now_s >= stage.at(25) and request.target.startswith("/tm"):
            facts["moved"] = now_s
            stage.plant("moved", path="/edev*")
        return response

    stage.rewrites = rewrite
    await stage.until(25)


def _read_again(evidence: Evidence) -> Finding:
    """The assignments are fetched by their new href."""
    moved_s = evidence.facts.get("moved")
    if moved_s is None:
        return failed("no sample of Time was taken, so nothing was moved")
    path = f"/moved-1{evidence.device_href}/fsa"
    gets = evidence.gets(path)
    said = f"moved at {evidence.since_start(moved_s):.1f} s"
    if not gets:
        return failed(f"{said}, and never fetched again")
    return passed(f"{said}, found at {evidence.since_start(gets[0].time_s):.1f} s", gets[:1])


PROCEDURES = (
    Procedure(
        "X-007",
        "An assignment with a Time of its own",
        _two_times,
        (
            Criterion("the Time of the assignment is fetched", _time_fetched),
            rules("the default rules", limit(90), READ_BY, 120),
            rules("the event runs by the Time of its assignment", limit(40), 120, 180),
            rules("the default rules between them", limit(90), 180, 240),
            rules("the other event runs by the main Time", limit(60), 240, 270),
            Criterion(
                "by its own Time: Responses 1, 2 and 3",
                answers.answered_in_order("by its own Time", (1, 2, 3)),
            ),
            is_completed("by the main Time"),
        ),
        lasts_s=300,
        required="",
        reading="The Time of the assignment is 90 s ahead of that of the DeviceCapability (9.2.3).",
    ),
    Procedure(
        "X-008",
        "The server's clock is set back by 15 minutes while an event runs",
        _running,
        (
            Criterion("Responses 1, 2 and 3, once each", answers.answered_in_order("event", (1, 2, 3))),
            Criterion("it is not run again after its end", _over_once),
        ),
        lasts_s=150 + _BACK + 60,
        stimuli=_set_back,
        required="",
        reading="It may go on to its end by the old clock, or stop and run by the new one; it has one "
        "Response 2 and one 3 in both cases.",
    ),
    Procedure(
        "X-009",
        "The tree is read again within 15 s of a sample of Time",
        _walk_again,
        (
            Criterion("the assignments are found again", _read_again),
            Criterion("Time is not asked for within 15 s of a sample", requests.apart("/tm", 15)),
            Criterion("readings are posted all along", readings.posted_all_along),
            Criterion("no reading is posted twice, and counters rise", readings.none_doubled),
            Criterion("the MirrorUsagePoint is posted once", readings.mirrors_created(1)),
            rules("the default rules all along", limit(90), READ_BY, 150),
            rules("the event is applied", limit(60), 150, 210),
            is_completed("event"),
        ),
        lasts_s=240,
        stimuli=_move_end_devices,
        required="",
        reading="Every EndDevice gets another href just after a sample, and the old hrefs are 404.",
    ),
)
