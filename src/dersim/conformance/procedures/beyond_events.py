"""X-003 to 006 and 014: what becomes of events that others overlap, follow or outnumber."""

from __future__ import annotations

from dersim.conformance.checks import answers, chains, wire
from dersim.conformance.checks.power import below, both, limit, limit_between, power_factor
from dersim.conformance.criteria import is_completed, rules
from dersim.conformance.evidence import Evidence
from dersim.conformance.fixtures import two_programs
from dersim.conformance.procedure import Criterion, Finding, Procedure
from dersim.conformance.stage import Stage

_SY_DEFAULT, _SP_DEFAULT = {"opModMaxLimW": 90}, {"opModMaxLimW": 80}
_SY_EVENT, _SP_EVENT = {"opModMaxLimW": 60}, {"opModMaxLimW": 40}
_POWER_FACTOR = {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"}}
_UNITY = {"opModFixedPFInjectW": {"pf": 1.0, "excitation": "inject"}}

#: CSIP asks a client to hold this many events.
_HELD = 24
_LINKS = tuple(f"link {number}" for number in range(1, 5))
#: How far each link of the chain may be drawn, printed seconds.
_DRAW = 20


def _cancelled_before_start(stage: Stage) -> None:
    two_programs(stage, _SY_DEFAULT, _SP_DEFAULT)
    stage.control("running", "SY", 60, 180, _SY_EVENT)
    stage.control("waiting", "SY", 280, 60, _SY_EVENT)


async def _threaten_both(stage: Stage) -> None:
    """Better controls are published for the one that runs and the one that waits, and cancelled again."""
    await stage.until(70)
    stage.control("first threat", "SP", 160, 40, _SP_EVENT)
    stage.control("second threat", "SP", 290, 30, _SP_EVENT)
    await stage.until(110)
    stage.cancel("first threat")
    stage.cancel("second threat")


def _primacies(stage: Stage) -> None:
    stage.register()
    stage.program("A", 10, default=_SY_DEFAULT)
    stage.program("B", 20, default=_SP_DEFAULT)
    stage.control("event of A", "A", 60, 180, _SY_EVENT)


async def _swap_primacies(stage: Stage) -> None:
    await stage.until(90)
    for name, primacy in (("A", 20), ("B", 10)):
        stage.head_end.update_program(stage.programs[name], name, primacy, stage.programs[name].order)
    await stage.until(120)
    stage.control("event of B", "B", 150, 60, _SP_EVENT)


def _ramps(stage: Stage) -> None:
    two_programs(stage, _SY_DEFAULT | _UNITY)
    stage.control("slow", "SY", 60, 120, {"opModMaxLimW": 40, "rampTms": 40})
    stage.control("quick", "SP", 60, 120, _POWER_FACTOR)


def _chain(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    for number, name in enumerate(_LINKS):
        stage.control(
            name,
            "SY",
            60 + 60 * number,
            60,
            _SP_EVENT if number % 2 else _SY_EVENT,
            randomize_start=_DRAW,
            randomize_duration=-_DRAW,
        )


def _many(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_SY_DEFAULT)
    for number in range(_HELD):
        stage.control(f"event {number + 1}", "SY", 180 + 15 * number, 15, _SY_EVENT)


async def _one_more(stage: Stage) -> None:
    await stage.until(65)
    stage.control("one more", "SY", 120, 40, _SP_EVENT)


def _as_told(evidence: Evidence) -> Finding:
    """The event that waits is not run where 7 or 14 was sent, else it is."""
    told = {each.status for each in evidence.responses("waiting")} & {7, 14}
    expected = limit(80) if told else limit(60)
    return rules("", expected, 280, 340).check(evidence)


_LINK_CRITERIA = tuple(
    each
    for number, name in enumerate(_LINKS)
    for each in (
        Criterion(f"{name}: Responses 1, 2 and 3", answers.answered_in_order(name, (1, 2, 3))),
        Criterion(
            f"{name} starts within its draws",
            answers.answered_within(name, (2,), 60 + 60 * number, 60 + 60 * number + _DRAW),
        ),
        Criterion(
            f"{name} ends within its draws",
            answers.answered_within(name, (3,), 120 + 60 * number - _DRAW, 120 + 60 * number + _DRAW),
        ),
    )
)

PROCEDURES = (
    Procedure(
        "X-003",
        "Superseding controls are cancelled before they start",
        _cancelled_before_start,
        (
            rules("the event that runs goes on", limit(60), 60, 240),
            is_completed("running"),
            Criterion(
                "the event that waits is run, or was told superseded",
                answers.answered_in_order("waiting", (1, 2, 3), (1, 7), (1, 14)),
            ),
            Criterion("it is run just where it was not told so", _as_told),
            *(
                Criterion(f"{name}: received, cancelled, never started", answers.never(name, 2, 3))
                for name in ("first threat", "second threat")
            ),
            rules("the default of SP rules at last", limit(80), 340, 370),
        ),
        lasts_s=370,
        stimuli=_threaten_both,
        required="",
        reading="A control that waits is told superseded as soon as the better one is known, and then it is "
        "not run (10.2.3.3), or it is told nothing and runs after all.",
    ),
    Procedure(
        "X-004",
        "The primacies of two programs are swapped while an event runs",
        _primacies,
        (
            rules("the event of A goes on", limit(60), 60, 150),
            rules("the event of B takes over", limit(40), 150, 210),
            rules("the default of B rules, and not the event of A,", limit(80), 210, 280),
            Criterion("event of A: Responses 1, 2 and 7", answers.superseded("event of A", 1, 2)),
            is_completed("event of B"),
        ),
        lasts_s=280,
        stimuli=_swap_primacies,
        required="",
        reading="A running event is not ended by the swap; what is published later wins by the new primacy.",
    ),
    Procedure(
        "X-005",
        "rampTms of one control beside another control",
        _ramps,
        (
            rules("P is on its way", limit_between(45, 78), 74, 92, settling_s=0),
            rules("P has arrived", limit(40), 104, 180, settling_s=0),
            rules("the power factor is not ramped", power_factor(0.9), 60, 180),
            rules("both defaults rule again", both(limit(90), power_factor(1.0)), 180, 240, settling_s=30),
            is_completed("slow"),
            is_completed("quick"),
        ),
        lasts_s=240,
        required="",
        reading="rampTms is that of its own control: 40 s for P, nothing for the power factor.",
    ),
    Procedure(
        "X-006",
        "A chain of randomized events",
        _chain,
        (
            *_LINK_CRITERIA,
            Criterion("they follow each other", chains.follow(*_LINKS)),
            rules("no default between them", below(60), 60 + _DRAW, 300 - _DRAW, settling_s=12),
        ),
        lasts_s=340,
        required="",
        reading="randomizeStart 20, randomizeDuration -20. Successive events meet (10.2.4.2), whatever was "
        "drawn. That a draw is kept cannot be seen; that each starts and ends once can.",
    ),
    Procedure(
        "X-014",
        "24 events, and one more before them",
        _many,
        (
            Criterion("the last one published is fetched", wire.in_full(wire.of_control("one more"))),
            rules("the 25th event is applied", limit(40), 120, 160),
            is_completed("one more"),
            *(is_completed(f"event {number + 1}") for number in range(_HELD)),
            *(
                Criterion(
                    f"event {number + 1} is read within two polls",
                    answers.answered_within(f"event {number + 1}", (1,), 0, 30),
                )
                for number in range(_HELD)
            ),
        ),
        lasts_s=560,
        stimuli=_one_more,
        required="",
        reading="CSIP asks for 24 events. The 25th is the first to start, so none may be dropped for it.",
    ),
)
