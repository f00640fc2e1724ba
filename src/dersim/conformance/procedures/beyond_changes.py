"""X-016 to 019, 022, 024 to 027: events that change, vanish or come twice, and servers that go away."""

from __future__ import annotations

import re

from dersim.conformance.checks import answers
from dersim.conformance.checks.finding import EDGE_S, RESPONSE_S, failed
from dersim.conformance.checks.power import limit
from dersim.conformance.criteria import is_completed, rules
from dersim.conformance.evidence import Evidence
from dersim.conformance.fixtures import two_programs
from dersim.conformance.procedure import Criterion, Finding, Procedure
from dersim.conformance.stage import Stage
from dersim.http11 import Request, Response

_SY_DEFAULT, _SP_DEFAULT = {"opModMaxLimW": 90}, {"opModMaxLimW": 80}
_SY_EVENT, _SP_EVENT = {"opModMaxLimW": 60}, {"opModMaxLimW": 40}
_ONE_SET = Criterion("event: Responses 1, 2 and 3, once each", answers.answered_in_order("event", (1, 2, 3)))


def _one_event(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    stage.control("event", "SY", 60, 120, _SY_EVENT)


def _changed(stage: Stage, pattern: bytes, new: bytes, since: float = 0.0) -> None:
    """What the server answers from then on has this in place of that."""

    def rewrite(_: Request, response: Response) -> Response:
        if stage.clock.now_s() < stage.at(since):
            return response
        return response._replace(body=re.sub(pattern, new, response.body))

    stage.rewrites = rewrite


def _twice(stage: Stage) -> None:
    two_programs(stage, _SY_DEFAULT, _SP_DEFAULT)
    group = stage.group("Z", "non_topology")
    stage.assign(group)
    program = stage.programs["SP"]
    stage.head_end.assign_program(program, (*program.groups, group))
    stage.control("event", "SP", 60, 60, _SP_EVENT)
    twin = stage.control("twin", "SY", 60, 60, _SP_EVENT)
    _changed(stage, twin.mrid.encode(), stage.controls["event"].mrid.encode())


def _longer(stage: Stage) -> None:
    _one_event(stage)
    duration_s = stage.controls["event"].duration_s
    _changed(
        stage,
        b"<interval><duration>%d<" % duration_s,
        b"<interval><duration>%d<" % (duration_s + stage.whole(60)),
        since=90,
    )


def _ends(evidence: Evidence, name: str, choices: tuple[float, ...]) -> Finding:
    """Response 3 comes at one of these moments, and the power is that of the default after it."""
    ended = [each.exchange for each in evidence.responses(name) if each.status == answers.COMPLETED]
    if not ended:
        return failed(f"{name}: no Response 3")
    late = [ended[0].time_s - evidence.t0_s - choice * evidence.scale for choice in choices]
    good = [index for index, late_s in enumerate(late) if -EDGE_S <= late_s <= RESPONSE_S]
    at = evidence.since_start(ended[0].time_s)
    if not good:
        return failed(f"{name}: 3 at {at:.1f} s, where it ends at {' or '.join(map(str, choices))} s", ended)
    end = choices[good[0]]
    applied = rules("", limit(60), 60, end).check(evidence)
    return applied if applied.verdict != "pass" else rules("", limit(90), end, 280).check(evidence)


def _removed(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    stage.control("running", "SY", 60, 120, _SY_EVENT)
    stage.control("waiting", "SY", 220, 60, _SY_EVENT)


async def _withdraw(stage: Stage) -> None:
    await stage.until(90)
    for name in ("running", "waiting"):
        stage.head_end.withdraw(stage.controls[name])


def _kept_or_ended(name: str, since: float, removed: float, until: float) -> Criterion:
    """It runs to its end with 3, or ends with 6 or nothing within a minute of its removal."""

    def check(evidence: Evidence) -> Finding:
        statuses = [each.status for each in evidence.responses(name)]
        goes_on = answers.COMPLETED in statuses
        begin = since if goes_on else max(since, removed + 45)
        return rules("", limit(60 if goes_on else 90), begin, until).check(evidence)

    return Criterion(f"{name}: it is run just where it is reported completed", check)


async def _restart(stage: Stage) -> None:
    """The server is away for 20 s, and has other hrefs for everything then."""
    await stage.until(100)
    stage.plant("reset", at="request", duration_s=stage.whole(20))
    stage.plant("moved", path="*")


def _status_stays(stage: Stage) -> None:
    _one_event(stage)
    _changed(stage, rb"<currentStatus>\d</currentStatus>", b"<currentStatus>0</currentStatus>")


async def _go_away(stage: Stage) -> None:
    await stage.until(100)
    stage.plant("reset", at="request", duration_s=stage.whole(120))


def _refuses_at_first(stage: Stage) -> None:
    _one_event(stage)
    tried: dict[bytes, int] = {}

    def answer(request: Request) -> Response | None:
        if request.method != "POST" or b"DERControlResponse" not in request.body:
            return None
        found = re.search(rb"<status>\d+</status>", request.body)
        key = found[0] if found else b""
        tried[key] = tried.get(key, 0) + 1
        return Response(500) if tried[key] <= 2 else None

    stage.answers = answer


def _nowhere_to_reply(stage: Stage) -> None:
    _one_event(stage)
    _changed(stage, rb' replyTo="[^"]*"', b"")


def _unfit(stage: Stage) -> None:
    _one_event(stage)
    stage.control("over", "SY", 400, 60, _SP_EVENT)
    stage.control("of no length", "SY", 190, 60, _SP_EVENT)
    over, odd = stage.controls["over"], stage.controls["of no length"]

    def rewrite(_: Request, response: Response) -> Response:
        body = response.body.replace(b"<start>%d<" % over.start_s, b"<start>%d<" % (stage.t0_s - 3600))
        start = b"</duration><start>%d<" % odd.start_s
        body = body.replace(b"<duration>%d" % odd.duration_s + start, b"<duration>0" + start)
        return response._replace(body=body)

    stage.rewrites = rewrite


PROCEDURES = (
    Procedure(
        "X-016",
        "One event in two programs, and one program in two lists",
        _twice,
        (
            rules("the event is applied", limit(40), 60, 120),
            rules("the default of SP rules again", limit(80), 120, 160),
            _ONE_SET,
        ),
        lasts_s=160,
        required="",
        reading="An mRID is one event, whatever lists name it.",
    ),
    Procedure(
        "X-017",
        "An event is made longer while it runs",
        _longer,
        (
            _ONE_SET,
            Criterion(
                "it ends at its old end or its new one",
                lambda evidence: _ends(evidence, "event", (180, 240)),
            ),
        ),
        lasts_s=280,
        required="",
        reading="Without a new version an event does not change (2030.5 events are replaced); a client that "
        "follows the new end is accepted.",
    ),
    Procedure(
        "X-018",
        "Events vanish from their list",
        _removed,
        (
            Criterion(
                "running: Responses 1, 2, then 3, 6 or nothing",
                answers.answered_in_order("running", (1, 2, 3), (1, 2), (1, 2, 6)),
            ),
            Criterion(
                "waiting: run, or not started",
                answers.answered_in_order("waiting", (1, 2, 3), (1,), (1, 6)),
            ),
            _kept_or_ended("running", 60, 90, 180),
            _kept_or_ended("waiting", 220, 90, 280),
        ),
        lasts_s=320,
        stimuli=_withdraw,
        required="",
        reading="In 2018 they go on, in 2023 they are cancelled; both are accepted.",
    ),
    Procedure(
        "X-019",
        "The server restarts while an event runs",
        _one_event,
        (
            rules("the event is applied all along", limit(60), 60, 180),
            rules("the default rules again", limit(90), 180, 220),
            _ONE_SET,
            Criterion("event: 3 at its end", answers.answered_within("event", (3,), 180, 180)),
        ),
        lasts_s=220,
        stimuli=_restart,
        required="",
        reading="It is away for 20 s and then has other hrefs for everything; mRIDs stay.",
    ),
    Procedure(
        "X-022",
        "The EventStatus stays Scheduled",
        _status_stays,
        (
            rules("the event is applied", limit(60), 60, 180),
            rules("the default rules again", limit(90), 180, 220),
            is_completed("event"),
        ),
        lasts_s=220,
        required="",
        reading="The interval decides; a status of 0 or 1 adds nothing to it.",
    ),
    Procedure(
        "X-024",
        "The server is away for two minutes while an event ends",
        _one_event,
        (
            rules("the event is applied all along", limit(60), 60, 180),
            rules("the default rules again", limit(90), 180, 280),
            _ONE_SET,
        ),
        lasts_s=330,
        stimuli=_go_away,
        required="",
        reading="What is scheduled is carried out (CSIP G12); Response 3 comes when the server is back.",
    ),
    Procedure(
        "X-025",
        "Responses are answered 500 twice",
        _refuses_at_first,
        (rules("the event is applied", limit(60), 60, 180), _ONE_SET),
        lasts_s=260,
        required="",
        reading="Each is sent again until it is accepted, in order.",
    ),
    Procedure(
        "X-026",
        "responseRequired without replyTo",
        _nowhere_to_reply,
        (
            rules("the event is applied", limit(60), 60, 180),
            rules("the default rules again", limit(90), 180, 220),
            Criterion("no Response is sent", answers.none_at_all),
        ),
        lasts_s=220,
        required="",
        reading="There is nowhere to send one; the event is run all the same.",
    ),
    Procedure(
        "X-027",
        "Events that are over, or have no length, beside a good one",
        _unfit,
        (
            rules("the good event is applied", limit(60), 60, 180),
            rules("the default rules after it", limit(90), 180, 250),
            _ONE_SET,
            *(
                Criterion(f"{name}: never started or completed", answers.never(name, 2, 3))
                for name in ("over", "of no length")
            ),
        ),
        lasts_s=250,
        required="",
        reading="Which Response they get is left to the device: 254 is printed for one that is over.",
    ),
)
