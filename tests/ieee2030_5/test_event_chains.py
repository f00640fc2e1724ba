"""Successive events meet: no gap, no overlap, whatever was drawn, for chains of any length."""

from __future__ import annotations

import itertools
import random

import pytest
from tests.ieee2030_5.event_trace import FIXED_W, MAX_W, PF, T0, VV, Fixed, Trace, mrid, one_program, phase


class Drawn(random.Random):
    """Draws given per event, in the order in which the events are read: (start, duration)."""

    def __init__(self, *pairs: tuple[float, float]) -> None:
        super().__init__(0)
        self.values = [value for pair in pairs for value in (*pair, 0.0)]

    def random(self) -> float:
        return self.values.pop(0)


def chain(trace: Trace, *events: tuple[int, int, int, int]) -> list[str]:
    """One program with events (start, duration, randomizeStart, randomizeDuration); their names."""
    for number, (start, duration, start_bound, duration_bound) in enumerate(events):
        bounds = {"randomizeStart": start_bound, "randomizeDuration": duration_bound}
        trace.control("P", f"n{number}", start, duration, **bounds)
    trace.poll()
    return [f"n{number}" for number in range(len(events))]


def assert_unbroken(trace: Trace, names: list[str]) -> None:
    """Each event runs once, 3 of each comes at the instant of 2 of the next and before it."""
    assert [name for _, name in trace.rules(PF)][-len(names) - 1 : -1] == names
    assert all(trace.told(name) == [1, 2, 3] for name in names)
    for earlier, later in itertools.pairwise(names):
        edges = [entry for entry in trace.said if entry.split("@")[0] in (f"{earlier}:3", f"{later}:2")]
        assert [entry.split("@")[0] for entry in edges] == [f"{earlier}:3", f"{later}:2"]
        assert len({entry.split("@")[1] for entry in edges}) == 1


@pytest.mark.parametrize("seed", range(40))
def test_three_with_different_bounds_meet_whatever_was_drawn(seed: int) -> None:
    trace = one_program(random.Random(seed))
    names = chain(trace, (300, 60, 30, 30), (360, 60, 30, 30), (420, 30, -15, -15))
    trace.until(900)
    assert_unbroken(trace, names)


def test_the_third_of_a_chain_begins_when_the_second_ends_not_when_the_first_does() -> None:
    trace = one_program(Drawn((0.9, 0.9), (0.2, 0.1), (0.5, 0.5)))
    names = chain(trace, (300, 60, 30, 30), (360, 60, 30, 30), (420, 30, -15, -15))
    trace.until(900)
    assert_unbroken(trace, names)


@pytest.mark.parametrize("seed", range(20))
def test_chains_of_any_length_and_any_bounds_meet(seed: int) -> None:
    rng = random.Random(seed)
    trace = one_program(rng)
    start, events = 4000, []
    for _ in range(12):
        duration = rng.randint(1, 400)
        events.append((start, duration, rng.randint(-3600, 3600), rng.randint(-3600, 3600)))
        start += duration
    names = chain(trace, *events)
    trace.until(20_000)
    assert_unbroken(trace, names)


def test_the_later_begins_at_the_drawn_end_of_the_earlier() -> None:
    trace = one_program(Fixed(1.0))
    chain(trace, (100, 100, 0, 30), (200, 100, 20, 0))
    trace.until(900)
    assert trace.rules(PF)[1:3] == [(100, "n0"), (230, "n1")]


def test_the_later_never_begins_before_its_own_earliest_start() -> None:
    trace = one_program(Fixed(1.0))
    chain(trace, (100, 100, 0, -30), (200, 100, -10, 0))
    trace.until(900)
    assert trace.rules(PF)[1:3] == [(100, "n0"), (190, "n1")]


def test_a_draw_takes_no_more_than_a_third_of_the_next_event() -> None:
    trace = one_program(Fixed(1.0))
    chain(trace, (100, 100, 0, 3600), (200, 30, 0, 0))
    trace.until(900)
    assert {"n0:3@210", "n1:2@210", "n1:3@230"} <= set(trace.said)


def test_two_predecessors_on_two_modes_end_together_where_the_next_begins() -> None:
    trace = one_program(Fixed(1.0))
    trace.control("P", "pf", 100, 100, PF, randomizeDuration=20)
    trace.control("P", "max", 150, 50, MAX_W, randomizeDuration=-10)
    trace.control("P", "both", 200, 100, PF, MAX_W)
    trace.poll()
    trace.until(900)
    assert {"pf:3@220", "max:3@220", "both:2@220", "both:3@300"} <= set(trace.said)


def test_one_that_arrives_late_takes_over_where_the_running_one_ends() -> None:
    trace = one_program(Fixed(1.0))
    chain(trace, (0, 100, 0, 30))
    trace.until(110)
    trace.control("P", "late", -10, 100, PF, creationTime=T0 - 50)
    trace.poll()
    trace.until(900)
    assert trace.rules(PF) == [(0, "n0"), (130, "late"), (200, "default P")]


def test_a_takeover_with_a_late_draw_leaves_no_gap_after_the_running_one() -> None:
    trace = one_program(Fixed(1.0))
    chain(trace, (0, 100, 0, 0))
    trace.until(10)
    trace.control("P", "better", 80, 100, PF, randomizeStart=60)
    trace.poll()
    trace.until(900)
    assert trace.rules(PF)[:2] == [(0, "n0"), (100, "better")]


# ---- what is in force takes part in the competition


def test_an_event_in_force_early_beats_a_worse_one_that_arrives() -> None:
    trace = Trace(Fixed(0.6))
    trace.program("BAD", 5, PF)
    trace.program("GOOD", 3)
    trace.control("GOOD", "good", 124, 40, randomizeStart=-10)
    trace.poll()
    trace.until(120)
    assert phase(trace, "good").value == "active"  # since 118
    trace.control("BAD", "bad", 62 - 120, 60)
    trace.poll()
    trace.until(400)
    assert trace.told("bad") == [1, 7]
    assert trace.rules(PF) == [(0, "default BAD"), (118, "good"), (158, "default BAD")]


def test_an_event_in_force_early_passes_its_mode_to_a_better_one() -> None:
    trace = Trace(Fixed(0.6))
    trace.program("BAD", 5, PF)
    trace.program("GOOD", 3)
    trace.control("BAD", "bad", 124, 40, randomizeStart=-10)
    trace.poll()
    trace.until(120)
    trace.control("GOOD", "good", 62 - 120, 60)
    trace.poll()
    trace.until(400)
    assert trace.told("bad") == [1, 2, 7]
    assert trace.told("good") == [1, 2, 3]
    assert trace.rules(PF) == [(0, "default BAD"), (118, "bad"), (120, "good"), (122, "default BAD")]


# ---- what was lost stays lost


def test_a_winner_does_not_take_the_modes_that_it_has_lost() -> None:
    trace = Trace()
    for name, primacy in (("BEST", 1), ("MID", 2), ("LAST", 3)):
        trace.program(name, primacy)
    trace.control("MID", "mid", 0, 400, PF, MAX_W)
    trace.poll()
    trace.until(10)
    trace.control("BEST", "best", 90, 50, PF)
    trace.control("LAST", "last", 190, 50, PF, FIXED_W)
    trace.poll()
    trace.until(600)
    assert trace.told("last") == [1, 2, 3]  # mid has lost PF for good: last has no rival there
    assert trace.rules(PF) == [(0, "mid"), (100, "best"), (150, None), (200, "last"), (250, None)]
    assert trace.rules(MAX_W) == [(0, "mid"), (400, None)]


def test_a_winner_that_begins_takes_only_the_modes_that_are_its_own() -> None:
    trace = Trace()
    for name, primacy in (("A", 1), ("B", 2), ("C", 3)):
        trace.program(name, primacy)
    trace.control("C", "c", 0, 400, VV)
    trace.control("A", "a", 0, 200, PF)
    trace.control("B", "b", 100, 200, PF, VV)
    trace.poll()
    trace.until(600)
    assert trace.rules(PF) == [(0, "a"), (200, None)]  # b was beaten there, for its whole period
    assert trace.rules(VV) == [(0, None), (100, "b"), (300, None)]
    view = next(view for view in trace.events.views() if view.mrid == mrid("b"))
    assert set(view.modes) == {PF, VV}


def test_an_active_event_shows_what_it_still_rules() -> None:
    trace = Trace()
    for name, primacy in (("GOOD", 1), ("BAD", 2)):
        trace.program(name, primacy)
    trace.control("BAD", "bad", 0, 400, PF, MAX_W)
    trace.poll()
    trace.until(10)
    trace.control("GOOD", "good", 90, 100, PF)
    trace.poll()
    trace.until(120)
    shown = {view.mrid: set(view.modes) for view in trace.events.views()}
    assert shown == {mrid("bad"): {MAX_W}, mrid("good"): {PF}}


def test_a_mode_that_falls_to_a_running_event_ends_the_random_tail_of_the_one_before() -> None:
    trace = one_program(Fixed(1.0))
    trace.control("P", "first", 0, 100, PF, randomizeDuration=90)
    trace.control("P", "both", 100, 200, PF, MAX_W, creationTime=T0 - 9)
    trace.control("P", "better", 100, 200, PF, randomizeStart=-1, responseRequired=1)
    trace.poll()
    trace.until(120)
    assert trace.rules(MAX_W) == [(0, None), (100, "both")]
    trace.status("P", "better", 2)
    trace.poll()
    trace.until(600)
    assert trace.rules(PF) == [(0, "first"), (120, "both"), (300, "default P")]
    assert {"first:3@120", "both:3@300"} <= set(trace.said)


def test_a_new_version_in_the_future_does_not_start_at_once() -> None:
    trace = one_program(Fixed(0.5))
    trace.control("P", "a", -20, 100, randomizeStart=60)
    trace.poll()
    trace.control("P", "a", 300, 100, version=1, randomizeStart=60)
    trace.poll()
    trace.until(900)
    assert trace.rules(PF) == [(0, "default P"), (330, "a"), (430, "default P")]
