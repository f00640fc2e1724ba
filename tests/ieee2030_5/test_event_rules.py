"""Who wins and when: competition, time and cost, where the conformance records are silent."""

from __future__ import annotations

import random

import pytest
from tests.ieee2030_5.event_trace import (
    FIXED_W,
    MAX_W,
    PF,
    T0,
    VV,
    Fixed,
    Trace,
    one_program,
    two_programs,
    why,
)

# ---- who wins


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("seen_together", [False, True])
def test_a_replacement_within_the_same_second_is_never_lost(running: bool, seen_together: bool) -> None:
    trace = one_program()
    trace.control("P", "zz", 10, 300, creationTime=T0)  # the greater mRID is the older one
    if not seen_together or running:
        trace.poll()
    if running:
        trace.until(20)
    trace.control("P", "aa", 30, 300, creationTime=T0)
    if not seen_together:
        trace.poll()
    trace.status("P", "zz", 2)
    trace.poll()
    trace.until(trace.now + 600)
    assert trace.told("aa") == [1, 2, 3]
    assert 3 not in trace.told("zz")
    assert trace.rules(PF)[-2][1] == "aa"


def test_a_replacement_that_removes_the_first_from_the_list_takes_over() -> None:
    trace = one_program()
    trace.control("P", "zz", 0, 300, creationTime=T0)
    trace.poll()
    trace.until(5)
    del trace.controls["P"]["zz"]
    trace.control("P", "aa", 0, 300, creationTime=T0)
    trace.poll()
    assert trace.rules(PF) == [(0, "zz"), (5, "aa")]
    trace.until(600)
    assert trace.told("aa") == [1, 2, 3]


def test_later_creation_time_wins_within_a_program() -> None:
    trace = one_program()
    trace.control("P", "new", 100, 60, creationTime=T0 + 9)
    trace.control("P", "old", 100, 60, creationTime=T0 + 8)
    trace.poll()
    trace.until(300)
    assert trace.told("new") == [1, 2, 3]
    assert trace.told("old") == [1, 7]


def test_partial_overlap_leaves_the_loser_its_other_modes() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 60, 200, MAX_W, VV)
    trace.control("SP", "sp", 100, 60, MAX_W)
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == [1, 2, 3]
    assert trace.rules(VV) == [(0, None), (60, "sy"), (260, None)]
    assert trace.rules(MAX_W) == [(0, None), (100, "sp"), (160, None)]


def test_a_beaten_event_does_not_beat_others() -> None:
    trace = Trace()
    for name, primacy, start, duration in (("a", 1, 100, 50), ("b", 2, 140, 100), ("c", 3, 200, 50)):
        trace.program(name.upper(), primacy)
        trace.control(name.upper(), name, start, duration)
    trace.poll()
    trace.until(400)
    assert trace.told("b") == [1, 7]
    assert trace.told("a") == trace.told("c") == [1, 2, 3]


def test_what_lies_beyond_the_end_of_a_running_loser_is_free() -> None:
    trace = Trace()
    for name, primacy in (("A", 1), ("B", 2), ("C", 3)):
        trace.program(name, primacy)
    trace.control("B", "b", 0, 1000)
    trace.poll()
    trace.until(5)
    trace.control("A", "a", 100, 50)
    trace.control("C", "c", 200, 50)
    trace.poll()
    trace.until(400)
    assert trace.rules(PF) == [(0, "b"), (105, "a"), (155, None), (205, "c"), (255, None)]


def test_a_superseded_event_is_never_resumed() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 0, 300, responseRequired=0)
    trace.control("SP", "sp", 100, 100)
    trace.control("SP", "first", 0, 1, FIXED_W)
    trace.poll()
    trace.until(120)
    trace.status("SP", "sp", 2)
    trace.poll()
    trace.until(400)
    assert trace.rules(PF) == [(0, "default SP"), (100, "sp"), (120, "default SP")]


def test_a_running_loser_is_not_resumed_when_the_winner_is_cancelled() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 0, 300)
    trace.poll()
    trace.until(1)
    trace.control("SP", "sp", 99, 100)
    trace.poll()
    trace.until(120)
    trace.status("SP", "sp", 2)
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == [1, 2, 7]
    assert trace.rules(PF) == [(0, "sy"), (100, "sp"), (120, "default SP")]


def test_a_running_loser_goes_on_when_the_winner_is_cancelled_before_its_start() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 0, 300)
    trace.poll()
    trace.until(1)
    trace.control("SP", "sp", 99, 100)
    trace.poll()
    trace.until(50)
    trace.status("SP", "sp", 2)
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == [1, 2, 3]
    assert trace.rules(PF) == [(0, "sy"), (300, "default SP")]


@pytest.mark.parametrize(("required", "comes_back"), [(7, False), (1, True)])
def test_a_scheduled_loser_comes_back_only_if_it_was_not_told(required: int, comes_back: bool) -> None:
    trace = two_programs()
    trace.control("SY", "sy", 100, 100, responseRequired=required)
    trace.control("SP", "sp", 150, 100)
    trace.poll()
    trace.until(50)
    trace.status("SP", "sp", 2)
    trace.poll()
    trace.until(400)
    assert trace.told("sy") == ([1] if comes_back else [1, 7])
    assert trace.rules(PF) == (
        [(0, "default SP"), (100, "sy"), (200, "default SP")] if comes_back else [(0, "default SP")]
    )


def test_primacy_change_spares_the_running_event_its_supersession() -> None:
    trace = Trace()
    trace.program("A", 5)
    trace.program("B", 2)
    trace.control("A", "a", 0, 300)
    trace.poll()
    trace.until(10)
    trace.control("B", "b", 90, 100)
    trace.poll()
    trace.until(50)
    trace.program("A", 1)
    trace.poll()
    trace.until(400)
    assert trace.rules(PF) == [(0, "a"), (300, None)]
    assert trace.told("a") == [1, 2, 3]
    assert trace.told("b") == [1, 7]


def test_primacy_change_lets_the_next_event_take_over_from_the_running_one() -> None:
    trace = Trace()
    trace.program("A", 1)
    trace.program("B", 2)
    trace.control("A", "a", 0, 300)
    trace.poll()
    trace.until(50)
    trace.program("A", 3)
    trace.control("B", "b", 50, 100)
    trace.poll()
    trace.until(400)
    assert trace.rules(PF) == [(0, "a"), (100, "b"), (200, None)]
    assert trace.told("a") == [1, 2, 7]


# ---- time


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.999])
@pytest.mark.parametrize(("first", "second"), [(30, 0), (0, 30), (-30, 0), (0, -30), (30, -30), (-30, 30)])
def test_back_to_back_events_meet(fraction: float, first: int, second: int) -> None:
    trace = one_program(Fixed(fraction))
    trace.control("P", "a", 100, 100, randomizeStart=first, randomizeDuration=first)
    trace.control("P", "b", 200, 100, randomizeStart=second, randomizeDuration=second)
    trace.poll()
    trace.until(600)
    assert [name for _, name in trace.rules(PF)] == ["default P", "a", "b", "default P"]
    start = next(time for time, name in trace.rules(PF) if name == "b")
    assert start >= 200 + fraction * min(second, 0) - 1e-3
    assert trace.told("a") == trace.told("b") == [1, 2, 3]
    instants = [entry.split("@")[1] for entry in trace.said if entry[:3] in ("a:3", "b:2")]
    assert instants[0] == instants[1]


def test_randomization_greater_than_the_durations_loses_no_event() -> None:
    for seed in range(50):
        trace = one_program(random.Random(seed))
        for n in range(6):
            trace.control("P", f"n{n}", 60 * n, 60, randomizeStart=(-1) ** n * 3600, randomizeDuration=3600)
        trace.poll()
        trace.until(20_000)
        assert all(trace.told(f"n{n}") in ([1, 2, 3], [254]) for n in range(6))


def test_joining_midway_keeps_the_specified_end() -> None:
    trace = one_program(Fixed(0.5))
    trace.control("P", "a", -40, 100, randomizeStart=20)
    trace.poll()
    trace.until(300)
    assert trace.rules(PF) == [(0, "default P"), (10, "a"), (60, "default P")]
    assert "received after its start" not in why(trace, "a")  # it is over


def test_joining_midway_randomizes_what_remains_of_the_duration() -> None:
    trace = one_program(Fixed(0.5))
    trace.control("P", "a", -40, 100, randomizeStart=20, randomizeDuration=-3600)
    trace.poll()
    trace.until(300)
    assert trace.rules(PF) == [(0, "default P"), (10, "a"), (35, "default P")]


def test_a_draw_is_kept_over_polls_that_bring_new_objects() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100, randomizeStart=60)
    trace.poll()
    first = trace.step()
    for _ in range(5):
        trace.status("P", "a", 0)
        trace.poll()
    assert trace.step() == first


def test_expired_on_arrival_is_said_once_and_alone() -> None:
    trace = one_program()
    trace.control("P", "a", -200, 100)
    trace.poll()
    trace.status("P", "a", 1)
    trace.poll()
    trace.until(100)
    assert trace.said == ["a:254@0"]
    assert trace.rules(PF) == [(0, "default P")]


def test_a_clock_that_leaps_over_an_event_does_not_pretend_to_have_run_it() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.control("P", "b", 300, 100)
    trace.poll()
    trace.now = 350
    trace.step()
    trace.now = 340  # and back a little
    trace.poll()
    trace.until(500)
    assert trace.told("a") == [1, 10]
    assert trace.told("b") == [1, 2, 3]


def test_no_duration_is_impossible() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 0)
    trace.poll()
    trace.until(500)
    assert trace.said == ["a:1@0", "a:253@0"]


def test_randomization_makes_no_overlap_across_a_gap() -> None:
    trace = one_program(Fixed(1.0))
    trace.control("P", "a", 100, 100, randomizeDuration=30)
    trace.control("P", "b", 210, 100)
    trace.poll()
    trace.until(600)
    assert {"a:3@230", "b:2@230", "b:3@310"} <= set(trace.said)


def test_joining_midway_does_not_push_an_early_start_past_its_specified_start() -> None:
    trace = one_program(Fixed(0.9))
    trace.control("P", "a", 5, 100, randomizeStart=-60)
    trace.poll()
    trace.until(300)
    assert trace.rules(PF) == [(0, "default P"), (5, "a"), (105, "default P")]


# ---- cost


def work(programs: int) -> int:
    trace = Trace()
    for n in range(programs):
        trace.program(f"P{n}", n % 50, PF)
        trace.control(f"P{n}", f"{n}a", 100 + 60 * n, 60)
        trace.control(f"P{n}", f"{n}b", 100 + 60 * n, 60)
    trace.poll()
    return trace.events.claims


def test_the_work_grows_with_the_number_of_events() -> None:
    assert work(100) == 2 * work(50)
    assert work(200) <= 3 * 400  # a few looks at each event, not each at each


def test_an_unchanged_feed_costs_no_work() -> None:
    trace = Trace()
    for n in range(200):
        trace.program(f"P{n}", n, PF)
        trace.control(f"P{n}", f"{n}a", 100 + 60 * n, 60)
    trace.poll()
    before = trace.events.claims
    for _ in range(10):
        trace.poll()
    assert trace.events.claims == before


def test_a_thousand_overlapping_events_are_survived() -> None:
    rng = random.Random(7)
    trace = Trace(rng)
    for n in range(20):
        trace.program(f"P{n}", n % 5, PF)
    for n in range(1000):
        modes = rng.sample([PF, FIXED_W, MAX_W, VV], rng.randint(1, 4))
        bound = rng.randint(-3600, 3600)
        trace.control(
            f"P{n % 20}", f"e{n}", rng.randint(-300, 5000), rng.randint(0, 900), *modes, randomizeStart=bound
        )
    trace.poll()
    trace.until(30_000)
    assert not [view for view in trace.events.views() if view.phase.live]
    assert trace.ruled[-1][1] == {PF: "default P5"}


def test_a_mode_that_falls_to_a_running_winner_is_lost_for_good() -> None:
    trace = Trace()
    for name, primacy in (("BEST", 1), ("MID", 2), ("LAST", 3)):
        trace.program(name, primacy)
    trace.control("MID", "mid", 0, 100, PF, MAX_W)
    trace.control("BEST", "best", 50, 100, MAX_W)  # mid is beaten there, for its whole period
    trace.control("LAST", "last", 0, 200, MAX_W, VV)
    trace.poll()
    trace.until(20)
    trace.status("BEST", "best", 2)
    trace.poll()
    trace.until(400)
    assert trace.rules(MAX_W) == [(0, None), (20, "mid"), (100, None)]
    assert trace.told("last") == [1, 2, 3]
