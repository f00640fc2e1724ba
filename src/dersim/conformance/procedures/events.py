"""BASIC-016 to 026: events of one and of two programs, apart and overlapping."""

from __future__ import annotations

from dersim.conformance.checks import answers, power, wire
from dersim.conformance.fixtures import two_programs
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage

SY_DEFAULT, SP_DEFAULT = {"opModMaxLimW": 90}, {"opModMaxLimW": 80}
SY_EVENT, SP_EVENT = {"opModMaxLimW": 60}, {"opModMaxLimW": 40}


def _basic_017(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10)
    stage.control("event", "SY", 120, 60, SY_EVENT)


def _basic_018(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=SY_DEFAULT)
    stage.control("event", "SY", 120, 60, SY_EVENT)


def _basic_021(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_DEFAULT)
    stage.control("SY event", "SY", 120, 120, SY_EVENT)
    stage.control("SP event", "SP", 180, 60, SP_EVENT)


def _read(*names: str) -> Criterion:
    return Criterion("lists, programs and defaults are fetched", wire.read(*names))


def _polled(*names: str) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(f"the DERControlList of {name} is polled", wire.polled(wire.of_program(name, "/derc")))
        for name in names
    )


def _looked(*controls: str) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(
            f"{name} is fetched by its own href before it is activated",
            wire.looked_before_start(name),
            printed_only=True,
        )
        for name in controls
    )


PROCEDURES = (
    Procedure(
        "BASIC-017",
        "One program without default, one event",
        _basic_017,
        (
            _read("SY"),
            *_polled("SY"),
            *_looked("event"),
            Criterion("the event is applied", power.seen(power.limit(60), 120, 180)),
            Criterion("Responses 1, 2, 3 in time", answers.answered("event", 1, 2, 3)),
        ),
        lasts_s=200,
    ),
    Procedure(
        "BASIC-018",
        "One program with a default, one event",
        _basic_018,
        (
            _read("SY"),
            *_polled("SY"),
            *_looked("event"),
            Criterion("the default rules before the event", power.seen(power.limit(90), 30, 120)),
            Criterion("the event is applied", power.seen(power.limit(60), 120, 180)),
            Criterion("the default rules after the event", power.seen(power.limit(90), 180, 220)),
            Criterion("Responses 1, 2, 3 in time", answers.answered("event", 1, 2, 3)),
        ),
        lasts_s=220,
    ),
    Procedure(
        "BASIC-021",
        "Overlapping events of one mode: SY first, SP has priority, both known ahead",
        _basic_021,
        (
            _read("SY", "SP"),
            *_polled("SY", "SP"),
            *_looked("SP event"),
            Criterion("the SP default rules until the SP event", power.seen(power.limit(80), 30, 180)),
            Criterion("the SP event is applied", power.seen(power.limit(40), 180, 240)),
            Criterion("the SP default rules afterwards", power.seen(power.limit(80), 240, 280)),
            Criterion("SY: Responses 1 and 7", answers.superseded("SY event", 1)),
            Criterion("SP: Responses 1, 2, 3 in time", answers.answered("SP event", 1, 2, 3)),
        ),
        lasts_s=280,
        reading="7 and 14 are both accepted for the superseded event: nothing on the wire tells them apart.",
    ),
)
