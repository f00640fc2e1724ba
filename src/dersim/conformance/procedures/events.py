"""BASIC-016 to 026: events of one and of two programs, apart and overlapping."""

from __future__ import annotations

from collections.abc import Mapping

from dersim.conformance.checks import answers
from dersim.conformance.checks.power import both, limit, power_factor
from dersim.conformance.criteria import READ_BY, is_completed, is_looked_at, is_polled, is_read, rules
from dersim.conformance.fixtures import two_programs
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage

#: Similar events: one mode. Each program has a limit of its own, so that the power tells which one rules.
SY_DEFAULT, SP_DEFAULT = {"opModMaxLimW": 90}, {"opModMaxLimW": 80}
SY_EVENT, SP_EVENT = {"opModMaxLimW": 60}, {"opModMaxLimW": 40}
#: Independent events: SY limits the active power, SP sets the power factor.
SP_PF_DEFAULT = {"opModFixedPFInjectW": {"pf": 0.98, "excitation": "inject"}}
SP_PF_EVENT = {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"}}

_SEVEN_OR_FOURTEEN = (
    "7 and 14 are both accepted for the superseded event, 14 with a warning: nothing on the wire tells "
    "them apart."
)


def _one_program(stage: Stage, default: Mapping[str, object] | None = None) -> None:
    stage.register()
    stage.program("SY", 10, default=default)


def _basic_016(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_DEFAULT)


def _basic_017(stage: Stage) -> None:
    _one_program(stage)
    stage.control("event", "SY", 120, 60, SY_EVENT)


def _basic_018(stage: Stage) -> None:
    _one_program(stage, SY_DEFAULT)
    stage.control("event", "SY", 120, 60, SY_EVENT)


def _basic_019(stage: Stage) -> None:
    _one_program(stage, SY_DEFAULT)
    stage.control("first", "SY", 120, 60, SY_EVENT)
    stage.control("second", "SY", 240, 60, SP_EVENT)


def _basic_020(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_DEFAULT)
    stage.control("SY event", "SY", 120, 60, SY_EVENT)
    stage.control("SP event", "SP", 240, 60, SP_EVENT)


def _basic_021(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_DEFAULT)
    stage.control("SY event", "SY", 120, 120, SY_EVENT)
    stage.control("SP event", "SP", 180, 60, SP_EVENT)


def _basic_022(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_DEFAULT)
    stage.control("SY event", "SY", 180, 120, SY_EVENT)
    stage.control("SP event", "SP", 120, 120, SP_EVENT)


def _basic_023(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_DEFAULT)
    stage.control("SY event", "SY", 60, 240, SY_EVENT)


async def _similar_event_later(stage: Stage) -> None:
    await stage.until(65)
    stage.control("SP event", "SP", 120, 120, SP_EVENT)


def _independent(stage: Stage) -> None:
    two_programs(stage, SY_DEFAULT, SP_PF_DEFAULT)


def _basic_024(stage: Stage) -> None:
    _independent(stage)
    stage.control("SY event", "SY", 120, 120, SY_EVENT)
    stage.control("SP event", "SP", 180, 60, SP_PF_EVENT)


def _basic_025(stage: Stage) -> None:
    _independent(stage)
    stage.control("SY event", "SY", 180, 120, SY_EVENT)
    stage.control("SP event", "SP", 120, 120, SP_PF_EVENT)


def _basic_026(stage: Stage) -> None:
    _independent(stage)
    stage.control("SY event", "SY", 60, 240, SY_EVENT)


async def _independent_event_later(stage: Stage) -> None:
    await stage.until(65)
    stage.control("SP event", "SP", 120, 120, SP_PF_EVENT)


_DEFAULTS = both(limit(90), power_factor(0.98))
_SY_ONLY = both(limit(60), power_factor(0.98))
_SP_ONLY = both(limit(90), power_factor(0.9))
_BOTH = both(limit(60), power_factor(0.9))
_NO_SUPERSEDING = tuple(
    Criterion(f"{name}: no Response 7 or 14", answers.never(name, 7, 14)) for name in ("SY event", "SP event")
)

PROCEDURES = (
    Procedure(
        "BASIC-016",
        "Two programs with defaults, no event",
        _basic_016,
        (
            is_read("SY", "SP"),
            rules("the default of SP rules", limit(80), READ_BY, 120),
            Criterion("no Response", answers.none_at_all),
        ),
        lasts_s=120,
    ),
    Procedure(
        "BASIC-017",
        "One program without default, one event",
        _basic_017,
        (
            is_read("SY"),
            *is_polled("SY"),
            *is_looked_at("event"),
            rules("the event is applied", limit(60), 120, 180),
            is_completed("event"),
        ),
        lasts_s=200,
    ),
    Procedure(
        "BASIC-018",
        "One program with a default, one event",
        _basic_018,
        (
            is_read("SY"),
            *is_polled("SY"),
            *is_looked_at("event"),
            rules("the default rules", limit(90), READ_BY, 120),
            rules("the event is applied", limit(60), 120, 180),
            rules("the default rules again", limit(90), 180, 220),
            is_completed("event"),
        ),
        lasts_s=220,
    ),
    Procedure(
        "BASIC-019",
        "One program with a default, two events apart",
        _basic_019,
        (
            is_read("SY"),
            *is_polled("SY"),
            *is_looked_at("first", "second"),
            rules("the default rules", limit(90), READ_BY, 120),
            rules("the first event is applied", limit(60), 120, 180),
            rules("the default rules between them", limit(90), 180, 240),
            rules("the second event is applied", limit(40), 240, 300),
            rules("the default rules again", limit(90), 300, 340),
            is_completed("first"),
            is_completed("second"),
        ),
        lasts_s=340,
    ),
    Procedure(
        "BASIC-020",
        "Two programs with defaults, two events apart",
        _basic_020,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SY event", "SP event"),
            rules("the default of SP rules", limit(80), READ_BY, 120),
            rules("the event of SY is applied", limit(60), 120, 180),
            rules("the default of SP rules between them", limit(80), 180, 240),
            rules("the event of SP is applied", limit(40), 240, 300),
            rules("the default of SP rules again", limit(80), 300, 340),
            is_completed("SY event"),
            is_completed("SP event"),
        ),
        lasts_s=340,
    ),
    Procedure(
        "BASIC-021",
        "Overlapping events of one mode, both known ahead: SY first, SP has priority",
        _basic_021,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SP event"),
            rules("the default of SP rules, not the event of SY,", limit(80), READ_BY, 180),
            rules("the event of SP is applied", limit(40), 180, 240),
            rules("the default of SP rules again", limit(80), 240, 280),
            Criterion("SY event: Responses 1 and 7", answers.superseded("SY event", 1)),
            is_completed("SP event"),
        ),
        lasts_s=280,
        reading=_SEVEN_OR_FOURTEEN,
    ),
    Procedure(
        "BASIC-022",
        "Overlapping events of one mode, both known ahead: SP first, SY would last longer",
        _basic_022,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SP event"),
            rules("the default of SP rules", limit(80), READ_BY, 120),
            rules("the event of SP is applied", limit(40), 120, 240),
            rules("the default of SP rules, not the event of SY,", limit(80), 240, 320),
            Criterion("SY event: Responses 1 and 7", answers.superseded("SY event", 1)),
            is_completed("SP event"),
        ),
        lasts_s=320,
        reading=_SEVEN_OR_FOURTEEN,
    ),
    Procedure(
        "BASIC-023",
        "Overlapping events of one mode: SP is published after SY has started",
        _basic_023,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SY event", "SP event"),
            rules("the default of SP rules", limit(80), READ_BY, 60),
            rules("the event of SY is applied", limit(60), 60, 120),
            rules("the event of SP is applied", limit(40), 120, 240),
            rules("the default of SP rules, not the event of SY,", limit(80), 240, 320),
            Criterion("SY event: Responses 1, 2 and 7", answers.superseded("SY event", 1, 2)),
            Criterion(
                "SY event: superseded at the start of SP",
                answers.answered_within("SY event", (7, 14), 120, 120),
            ),
            is_completed("SP event"),
        ),
        lasts_s=320,
        stimuli=_similar_event_later,
        reading=f"{_SEVEN_OR_FOURTEEN} The later event starts two minutes after t0.",
    ),
    Procedure(
        "BASIC-024",
        "Overlapping events of different modes, both known ahead: SY first",
        _basic_024,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SY event", "SP event"),
            rules("both defaults rule", _DEFAULTS, READ_BY, 120),
            rules("the event of SY beside the default of SP", _SY_ONLY, 120, 180),
            rules("both events are applied", _BOTH, 180, 240),
            rules("both defaults rule again", _DEFAULTS, 240, 280),
            is_completed("SY event"),
            is_completed("SP event"),
            *_NO_SUPERSEDING,
        ),
        lasts_s=280,
    ),
    Procedure(
        "BASIC-025",
        "Overlapping events of different modes, both known ahead: SP first",
        _basic_025,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SY event", "SP event"),
            rules("both defaults rule", _DEFAULTS, READ_BY, 120),
            rules("the event of SP beside the default of SY", _SP_ONLY, 120, 180),
            rules("both events are applied", _BOTH, 180, 240),
            rules("the event of SY goes on", _SY_ONLY, 240, 300),
            rules("both defaults rule again", _DEFAULTS, 300, 340),
            is_completed("SY event"),
            is_completed("SP event"),
            *_NO_SUPERSEDING,
        ),
        lasts_s=340,
    ),
    Procedure(
        "BASIC-026",
        "Overlapping events of different modes: SP is published after SY has started",
        _basic_026,
        (
            is_read("SY", "SP"),
            *is_polled("SY", "SP"),
            *is_looked_at("SY event", "SP event"),
            rules("both defaults rule", _DEFAULTS, READ_BY, 60),
            rules("the event of SY beside the default of SP", _SY_ONLY, 60, 120),
            rules("both events are applied", _BOTH, 120, 240),
            rules("the event of SY goes on", _SY_ONLY, 240, 300),
            rules("both defaults rule again", _DEFAULTS, 300, 340),
            is_completed("SY event"),
            is_completed("SP event"),
            *_NO_SUPERSEDING,
        ),
        lasts_s=340,
        stimuli=_independent_event_later,
        reading="The later event starts two minutes after t0.",
    ),
)
