"""CORE-003 to 023: polling, time, EndDevice, assignments, programs, settings, randomization, Responses."""

from __future__ import annotations

from typing import Any

from dersim.conformance.checks import answers, documents, wire
from dersim.conformance.checks.power import limit, power_factor
from dersim.conformance.criteria import READ_BY, is_completed, is_looked_at, is_polled, is_read, rules
from dersim.conformance.fixtures import LEVELS, three_end_devices, topology
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import POLL_RATES, Stage

DEFAULT = {"opModMaxLimW": 90}
#: A curve of ten points: neutral at nominal voltage, so that only the reading of it is asked for.
TEN_POINTS = [
    [88, 30],
    [90, 25],
    [92, 20],
    [94, 10],
    [96, 0],
    [104, 0],
    [105, -10],
    [106, -20],
    [108, -25],
    [110, -30],
]
FOUR_POINTS = [[92, 30], [96, 0], [104, 0], [108, -30]]
#: The levels in order of primacy, the best first.
_NAMES = tuple(name for name, _, _ in LEVELS)


def _curve(points: list[list[int]]) -> dict[str, Any]:
    return {"opModVoltVar": {"curve": points, "open_loop_s": 5}}


def _walk(*below: str) -> Criterion:
    places = (wire.at("/dcap"), wire.at("/edev"), wire.of_device("/rg"), wire.of_device("/fsa"))
    return Criterion("the walk to its assignments", wire.fetched(*places, *map(wire.of_device, below)))


_OWN_DEVICE = Criterion("its EndDevice is fetched", wire.in_full(wire.of_device()))


def _core_003(stage: Stage) -> None:
    stage.register()
    topology(stage, DEFAULT)


def _core_005(stage: Stage) -> None:
    stage.register()


def _core_009(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10)


def _seven_programs(stage: Stage) -> None:
    three_end_devices(stage)
    for name, _, primacy in LEVELS:
        stage.program(name, primacy, default=DEFAULT if name == "SP" else None)


def _core_011(stage: Stage) -> None:
    three_end_devices(stage)
    groups = [stage.group(f"Z{number}", "non_topology") for number in range(1, 15)]
    for group in groups:
        stage.assign(group)
    # The greatest mRID is listed first. It has no DERProgramList; the next ones have.
    first, second, third, *_ = sorted(groups, key=lambda group: group.mrid, reverse=True)
    stage.evidence.facts["without list"] = first.name
    stage.program("best", 3, second, DEFAULT)
    stage.program("worse", 8, second)
    stage.program("other", 9, third)
    stage.control("event", "best", 90, 30, {"opModMaxLimW": 50})


def _core_012(stage: Stage) -> None:
    _seven_programs(stage)
    stage.control("event", "SY", 180, 120, {"opModMaxLimW": 60, **_curve(TEN_POINTS)})
    stage.evidence.facts["curves"] = {"SY": 1}


def _core_013(stage: Stage) -> None:
    stage.register()
    for number in range(1, 11):
        default = {"opModFixedPFInjectW": {"pf": 0.98, "excitation": "inject"}} if number == 1 else None
        stage.program(f"program {number}", number, default=default)
        event = {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"}}
        stage.control(f"event {number}", f"program {number}", 60 * number, 30, event)


def _core_021(stage: Stage) -> None:
    stage.register()
    for name, primacy in (("first", 9), ("second", 6), ("third", 3)):
        stage.program(name, primacy, default=DEFAULT if name == "third" else None)
    stage.control("event 1", "first", 180, 120, {"opModMaxLimW": 60})
    stage.control(
        "event 2", "second", 360, 60, _curve(FOUR_POINTS), randomize_start=30, randomize_duration=30
    )
    stage.control(
        "event 3", "third", 540, 180, _curve(FOUR_POINTS[:3]), randomize_start=-30, randomize_duration=-30
    )


def _core_022(stage: Stage) -> None:
    stage.register()
    for name, primacy in (("first", 9), ("second", 6), ("third", 3)):
        stage.program(name, primacy, default=DEFAULT if name == "third" else None)
    stage.control("event 1", "first", 180, 120, {"opModMaxLimW": 60})
    stage.control("event 2", "second", 360, 60, _curve(TEN_POINTS))
    stage.control("event 3", "third", 540, 180, _curve(TEN_POINTS))


async def _cancel_the_first(stage: Stage) -> None:
    await stage.until(240)
    stage.cancel("event 1")


def _core_023(stage: Stage) -> None:
    three_end_devices(stage)
    outside = stage.group("Group-Z", "non_topology")
    stage.assign(outside)
    stage.program("Z", 20, outside)
    for number, (name, _, _) in enumerate(reversed(LEVELS), 1):
        stage.program(name, number, default=DEFAULT if number == 7 else None)
    both_modes = {"opModMaxLimW": 40, **_curve(TEN_POINTS)}
    stage.control("winner", _NAMES[-1], 120, 60, both_modes)
    stage.control("second", _NAMES[-2], 120, 60, {"opModMaxLimW": 50})
    stage.control("third", _NAMES[-3], 120, 60, both_modes | {"opModMaxLimW": 60})


PROCEDURES = (
    Procedure(
        "CORE-003",
        "Polling",
        _core_003,
        (
            _walk(),
            is_read("SP"),
            *(
                Criterion(f"{name} is polled at its pollRate", wire.polled_at(place, name, POLL_RATES[rate]))
                for name, place, rate in (
                    ("DeviceCapability", wire.at("/dcap"), "dcap"),
                    ("EndDeviceList", wire.at("/edev"), "edev"),
                    ("FunctionSetAssignmentsList", wire.of_device("/fsa"), "fsa"),
                    ("DERProgramList", wire.list_of("SP"), "derp"),
                )
            ),
        ),
        lasts_s=420,
        least_scale=0.35,
        reading="A rate is kept when the usual gap is within 10 % and a second of it.",
    ),
    Procedure(
        "CORE-005",
        "Time",
        _core_005,
        (
            Criterion("Time is fetched", wire.fetched(wire.at("/dcap"), wire.at("/tm"))),
            Criterion("its clock follows the server's", documents.clock_follows),
        ),
        lasts_s=90,
        clock_offset_s=7_200,
        reading="The server's clock is two hours ahead; readingTime of DERStatus shows the device's.",
    ),
    Procedure(
        "CORE-009",
        "EndDevice",
        _core_009,
        (
            _walk("/der"),
            _OWN_DEVICE,
            Criterion("the DER's documents are PUT", documents.documents_put),
            Criterion("what was PUT is fetched again", documents.fetched_again, printed_only=True),
        ),
        lasts_s=60,
        reading="One of the four documents is enough; fewer than four are a warning.",
    ),
    Procedure(
        "CORE-010",
        "Function set assignments of seven levels",
        _seven_programs,
        (
            _walk(),
            Criterion("all seven DERPrograms are fetched", wire.in_full(*map(wire.of_program, _NAMES))),
            Criterion("the DERProgramList is fetched", wire.fetched(wire.list_of("SP"))),
        ),
        lasts_s=120,
    ),
    Procedure(
        "CORE-011",
        "Fifteen function set assignments",
        _core_011,
        (
            _walk(),
            _OWN_DEVICE,
            is_read("best"),
            *is_polled("best"),
            rules("the event of the best program is applied", limit(50), 90, 120),
            is_completed("event"),
        ),
        lasts_s=150,
        reading="The assignment of the greatest mRID has no DERProgramList; the next has the best program.",
    ),
    Procedure(
        "CORE-012",
        "Programs and controls",
        _core_012,
        (
            _walk(),
            is_read("SP", "SY"),
            *is_polled("SY"),
            Criterion("the curve of ten points is fetched", wire.curves_fetched("SY")),
            rules("the default rules", limit(90), READ_BY, 180),
            rules("the control is applied", limit(60), 180, 300),
            rules("the default rules again", limit(90), 300, 340),
        ),
        lasts_s=340,
    ),
    Procedure(
        "CORE-013",
        "Ten programs",
        _core_013,
        (
            is_read(*(f"program {number}" for number in range(1, 11))),
            rules("the default rules", power_factor(0.98), READ_BY, 60),
            *(
                rules(f"event {number} is applied", power_factor(0.9), 60 * number, 60 * number + 30)
                for number in range(1, 11)
            ),
            *(
                rules("the default rules", power_factor(0.98), 60 * number + 30, 60 * number + 60)
                for number in range(1, 11)
            ),
            *(is_completed(f"event {number}") for number in range(1, 11)),
        ),
        lasts_s=670,
    ),
    Procedure(
        "CORE-014",
        "DER settings of a generating device",
        _core_009,
        (
            Criterion("DERList, DERCapability and DERSettings", documents.capability_and_settings_put),
            Criterion("ratings and settings fit each other", documents.settings_fit),
            Criterion("what was PUT is fetched again", documents.fetched_again, printed_only=True),
        ),
        lasts_s=60,
    ),
    Procedure(
        "CORE-021",
        "Randomized events",
        _core_021,
        (
            is_read("first", "second", "third"),
            Criterion("the curves are fetched", wire.curves_fetched("second", 1)),
            rules("the default rules", limit(90), READ_BY, 180),
            rules("event 1 is applied", limit(60), 180, 300),
            is_completed("event 1"),
            Criterion("event 2: Responses in order", answers.answered("event 2", 1, 2, 3)),
            Criterion("event 2 starts in its window", answers.answered_within("event 2", (2,), 360, 390)),
            Criterion("event 2 ends in its window", answers.answered_within("event 2", (3,), 420, 480)),
            Criterion("event 3: Responses in order", answers.answered("event 3", 1, 2, 3)),
            Criterion("event 3 starts in its window", answers.answered_within("event 3", (2,), 510, 540)),
            Criterion("event 3 ends in its window", answers.answered_within("event 3", (3,), 660, 720)),
        ),
        lasts_s=760,
        reading="A positive randomizeStart is later, a negative one earlier (2030.5 10.2.4.2).",
    ),
    Procedure(
        "CORE-022",
        "Responses",
        _core_022,
        (
            is_read("first", "second", "third"),
            *is_looked_at("event 1", "event 2", "event 3"),
            rules("the default rules", limit(90), READ_BY, 180),
            rules("event 1 is applied", limit(60), 180, 240),
            rules("the default rules after the cancellation", limit(90), 260, 360),
            Criterion("event 1: Responses 1, 2, 6", answers.answered("event 1", 1, 2, 6, at={2: 180})),
            is_completed("event 2"),
            is_completed("event 3"),
        ),
        lasts_s=760,
        stimuli=_cancel_the_first,
    ),
    Procedure(
        "CORE-023",
        "Superseding events",
        _core_023,
        (
            is_read(_NAMES[-1], _NAMES[-2], _NAMES[-3]),
            *is_looked_at("winner"),
            Criterion("the curve of ten points is fetched", wire.curves_fetched(_NAMES[-1], 1)),
            rules("the default rules", limit(90), READ_BY, 120),
            rules("the winner is applied", limit(40), 120, 180),
            is_completed("winner"),
            Criterion("second: 1, then 7 or 14", answers.superseded("second", 1)),
            Criterion("third: 1, then 7 or 14", answers.superseded("third", 1)),
        ),
        lasts_s=220,
        required="",
        reading="The first program has the best primacy here, as the steps name its control as the winner.",
    ),
)  # fmt: skip
