"""The event rules against the records of the CSIP conformance procedures that exercise events.

Each record is a trace: programs and controls are published at their times, the scheduler is stepped at its
own wake-ups only, and what it said and what ruled is compared whole.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.ieee2030_5.event_trace import FIXED_W, MAX_W, PF, T0, VV, Fixed, Trace, two_programs

from dersim.ieee2030_5.event_types import Phase, ProgramFeed


def test_basic_016_only_the_better_default_rules_and_nothing_is_said() -> None:
    trace = two_programs()
    trace.poll()
    trace.until(600)
    assert trace.ruled == [(0, {PF: "default SP"})]
    assert trace.said == []


def test_basic_017_one_program_without_default() -> None:
    trace = Trace()
    trace.program("SY", 10)
    trace.control("SY", "a", 120, 60)
    trace.poll()
    trace.until(300)
    assert trace.said == ["a:1@0", "a:2@120", "a:3@180"]
    assert trace.rules(PF) == [(0, None), (120, "a"), (180, None)]
    assert trace.rereads == [(118, "a")]  # by its own href, before its effective start


def test_basic_019_default_in_the_gap() -> None:
    trace = Trace()
    trace.program("SY", 10, PF)
    trace.control("SY", "a", 120, 60)
    trace.control("SY", "b", 240, 60)
    trace.poll()
    trace.until(400)
    assert trace.said == ["a:1@0", "b:1@0", "a:2@120", "a:3@180", "b:2@240", "b:3@300"]
    default = "default SY"
    assert trace.rules(PF) == [(0, default), (120, "a"), (180, default), (240, "b"), (300, default)]


def test_basic_020_the_better_default_rules_after_either_event() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 120, 60)
    trace.control("SP", "sp", 240, 60)
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == trace.told("sp") == [1, 2, 3]
    default = "default SP"
    assert trace.rules(PF) == [(0, default), (120, "sy"), (180, default), (240, "sp"), (300, default)]


@pytest.mark.parametrize(
    ("sy", "sp"), [((120, 120), (180, 60)), ((180, 120), (120, 120))], ids=["BASIC-021", "BASIC-022"]
)
@pytest.mark.parametrize("order", [("SY", "SP"), ("SP", "SY")], ids=["sy first", "sp first"])
def test_overlap_known_ahead(sy: tuple[int, int], sp: tuple[int, int], order: tuple[str, str]) -> None:
    trace = two_programs()
    for program in order:
        trace.control(program, program.lower(), *(sy if program == "SY" else sp))
        trace.poll()
    trace.until(400)
    assert trace.told("sy") == [1, 7]
    assert "sy:7@0" in trace.said
    assert trace.told("sp") == [1, 2, 3]
    assert trace.rules(PF) == [(0, "default SP"), (sp[0], "sp"), (sum(sp), "default SP")]
    assert {name for _, name in trace.rereads} == {"sy", "sp"}  # the procedures want a GET of both


def test_basic_023_a_running_loser_goes_on_until_the_winner_starts() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 60, 240)
    trace.poll()
    trace.until(70)
    trace.control("SP", "sp", 50, 120)
    trace.poll()
    trace.until(400)
    assert trace.said == ["sy:1@0", "sy:2@60", "sp:1@70", "sy:7@120", "sp:2@120", "sp:3@240"]
    default = "default SP"
    assert trace.rules(PF) == [(0, default), (60, "sy"), (120, "sp"), (240, default)]


@pytest.mark.parametrize(
    ("sy", "sp"),
    [((120, 120), (180, 60)), ((180, 120), (120, 120)), ((60, 240), (120, 120))],
    ids=["BASIC-024", "BASIC-025", "BASIC-026"],
)
def test_independent_modes_do_not_compete(sy: tuple[int, int], sp: tuple[int, int]) -> None:
    trace = two_programs(PF, FIXED_W)
    trace.control("SY", "sy", *sy, PF)
    trace.control("SP", "sp", *sp, FIXED_W)
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == trace.told("sp") == [1, 2, 3]
    assert trace.rules(PF) == [(0, "default SY"), (sy[0], "sy"), (sum(sy), "default SY")]
    assert trace.rules(FIXED_W) == [(0, "default SP"), (sp[0], "sp"), (sum(sp), "default SP")]


def test_basic_015_twenty_four_events_and_their_cancellation() -> None:
    trace = Trace()
    trace.program("SP", 4, PF)
    trace.program("TF", 5, PF)
    for n in range(1, 25):
        trace.control("SP", f"n{n}", 120 * n, 60)
    trace.control("TF", "tf", 120, 60)
    trace.poll()
    trace.until(190)
    for n in range(2, 25):
        trace.status("SP", f"n{n}", 2)
    trace.poll()
    trace.until(3600)
    assert trace.told("n1") == [1, 2, 3]
    assert trace.told("tf") == [1, 7]
    assert all(trace.told(f"n{n}") == [1, 6] for n in range(2, 25))
    assert trace.rules(PF) == [(0, "default SP"), (120, "n1"), (180, "default SP")]


def test_all_twenty_four_run_when_nobody_cancels() -> None:
    trace = Trace()
    trace.program("SP", 4, PF)
    for n in range(1, 25):
        trace.control("SP", f"n{n}", 120 * n, 60)
    trace.poll()
    trace.until(3600)
    assert all(trace.told(f"n{n}") == [1, 2, 3] for n in range(1, 25))


def test_core_013_ten_programs() -> None:
    trace = Trace()
    for n in range(1, 11):
        trace.program(f"P{n}", n, *([PF] if n == 3 else []))
        trace.control(f"P{n}", f"n{n}", 60 * n, 30)
    trace.poll()
    trace.until(900)
    expected: list[tuple[float, str]] = [(0, "default P3")]
    for n in range(1, 11):
        expected += [(60 * n, f"n{n}"), (60 * n + 30, "default P3")]
    assert trace.rules(PF) == expected


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 0.999])
def test_core_021_randomization(fraction: float) -> None:
    trace = Trace(Fixed(fraction))
    for name, primacy, start, duration, bound in (
        ("a", 9, 180, 120, 0),
        ("b", 5, 360, 60, 30),
        ("c", 1, 540, 180, -30),
    ):
        trace.program(name.upper(), primacy)
        trace.control(name.upper(), name, start, duration, randomizeStart=bound, randomizeDuration=bound)
    trace.poll()
    trace.until(900)
    when = {name: time for time, name in trace.rules(PF) if name}
    ends = {entry.split(":")[0]: float(entry.split("@")[1]) for entry in trace.said if ":3@" in entry}
    assert (when["a"], ends["a"]) == (180, 300)
    assert when["b"] == pytest.approx(360 + 30 * fraction, abs=1e-3)
    assert ends["b"] == pytest.approx(when["b"] + 60 + 30 * fraction, abs=1e-3)
    assert when["c"] == pytest.approx(540 - 30 * fraction, abs=1e-3)
    assert ends["c"] == pytest.approx(when["c"] + 180 - 30 * fraction, abs=1e-3)


def test_core_022_cancelled_while_it_runs() -> None:
    trace = Trace()
    for name, primacy, start, duration, mode in (
        ("a", 9, 180, 120, PF),
        ("b", 5, 360, 60, VV),
        ("c", 1, 540, 180, VV),
    ):
        trace.program(name.upper(), primacy, mode)
        trace.control(name.upper(), name, start, duration, mode)
    trace.poll()
    trace.until(200)
    trace.status("A", "a", 1)
    trace.poll()
    trace.until(230)
    trace.status("A", "a", 2)
    trace.poll()
    trace.until(900)
    assert trace.told("a") == [1, 2, 6]
    assert trace.told("b") == trace.told("c") == [1, 2, 3]
    assert trace.rules(PF) == [(0, "default A"), (180, "a"), (230, "default A")]


@pytest.mark.parametrize(("setting", "status"), [(7, 7), (14, 14), ("by_program", 14)])
def test_core_023_three_at_once(setting: Any, status: int) -> None:
    trace = Trace(superseded=setting)
    for name, primacy, modes in (("a", 1, (MAX_W, VV)), ("b", 2, (MAX_W,)), ("c", 3, (MAX_W, VV))):
        trace.program(name.upper(), primacy, *modes)
        trace.control(name.upper(), name, 120, 60, *modes)
    trace.poll()
    trace.until(300)
    assert trace.told("a") == [1, 2, 3]
    assert trace.told("b") == trace.told("c") == [1, status]
    assert trace.rules(MAX_W) == trace.rules(VV) == [(0, "default A"), (120, "a"), (180, "default A")]


@pytest.mark.parametrize(
    ("sy", "tfa", "late", "status"),
    [
        ((120, 120), (180, 60), False, 14),
        ((180, 120), (120, 120), False, 14),
        ((60, 240), (120, 120), True, 7),
    ],
    ids=["AGG-007", "AGG-008", "AGG-009"],
)
def test_aggregator_wants_14_only_for_what_never_ran(
    sy: tuple[int, int], tfa: tuple[int, int], late: bool, status: int
) -> None:
    trace = Trace(superseded="by_program")
    trace.program("SY", 10, PF)
    trace.program("TFA", 5, PF)
    trace.control("SY", "sy", *sy)
    trace.poll()
    if late:
        trace.until(100)
    trace.control("TFA", "tfa", tfa[0] - trace.now, tfa[1])
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == ([1, 2, 7] if late else [1, status])
    assert trace.told("tfa") == [1, 2, 3]
    assert trace.rules(PF)[-1] == (sum(tfa), "default TFA")


def test_basic_003_another_group_takes_its_events_away() -> None:
    trace = Trace()
    trace.program("D1", 5, PF)
    trace.control("D1", "old", 900, 300)
    trace.poll()
    trace.until(60)
    del trace.programs["D1"]
    trace.program("D2", 5, PF)
    trace.control("D2", "new", 180, 120)
    trace.poll()
    trace.until(2000)
    assert trace.rules(PF) == [(0, "default D1"), (60, "default D2"), (240, "new"), (360, "default D2")]
    assert trace.told("old") == [1, 6]
    assert trace.told("new") == [1, 2, 3]


def test_maint_005_primacy_swap_swaps_the_defaults() -> None:
    trace = Trace()
    trace.program("TFA", 1, PF)
    trace.program("SGA", 2, PF)
    trace.poll()
    trace.until(60)
    trace.program("TFA", 2, PF)
    trace.program("SGA", 1, PF)
    trace.poll()
    assert trace.rules(PF) == [(0, "default TFA"), (60, "default SGA")]


def test_fifteen_fsas_lead_to_the_same_programs_by_several_ways() -> None:
    trace = Trace()
    for n in range(15):
        trace.program(f"P{n}", n, PF)
    trace.control("P0", "a", 60, 60)
    trace.control("P14", "b", 180, 60)
    feeds = [
        ProgramFeed(trace.programs[name], tuple(trace.controls[name].values()), trace.defaults[name])
        for name in trace.programs
    ]
    trace.events.feed(T0, feeds + feeds[::-1])
    trace.until(400)
    assert len(trace.events.programs) == 15
    assert trace.told("a") == trace.told("b") == [1, 2, 3]
    phases = {bytes.fromhex(view.mrid).rstrip(b"\0").decode(): view.phase for view in trace.events.views()}
    assert phases == {"a": Phase.COMPLETED, "b": Phase.COMPLETED}
