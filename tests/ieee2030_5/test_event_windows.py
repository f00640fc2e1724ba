"""Intervals that cannot be run, and what a set clock does to events (IEEE 2030.5-2018 9.2.3)."""

from __future__ import annotations

import pytest
from tests.ieee2030_5.event_trace import MAX_W, PF, Fixed, Trace, mrid, one_program, phase

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import Phase

FAR = 253_402_300_800  # the first second of the year 10000


@pytest.mark.parametrize(
    ("start", "duration"),
    [(1_800_000_000_000, 60), (FAR, 60), (-(2**63), 60), (1_700_000_100, 2**63 - 1), (1_700_000_100, FAR)],
)
def test_an_interval_beyond_any_calendar_is_answered_253_and_not_held(start: int, duration: int) -> None:
    trace = one_program()
    trace.control("P", "a", 0, 1, interval=r.DateTimeInterval(start=start, duration=duration))
    trace.control("P", "b", 0, 100)
    trace.poll()
    trace.until(300)
    assert trace.told("a") == [1, 253]
    assert trace.told("b") == [1, 2, 3]
    assert phase(trace, "a") is Phase.REJECTED


def test_a_new_version_beyond_any_calendar_is_answered_253() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 60)
    trace.poll()
    trace.control("P", "a", 100, 2**62, version=1)
    trace.poll()
    trace.until(300)
    assert trace.told("a") == [1, 253]


# ---- a jump of the server's clock: `set_clock` moves it against the scheduler's


def test_set_back_during_an_event_it_stops_and_runs_at_its_time() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 20)
    trace.poll()
    trace.until(110)
    trace.set_clock(-900)
    trace.until(2000)
    assert trace.rules(PF) == [
        (0, "default P"),
        (100, "a"),
        (110, "default P"),
        (1000, "a"),
        (1020, "default P"),
    ]
    assert trace.told("a") == [1, 2, 3]


def test_set_back_during_an_event_the_next_claim_takes_the_mode() -> None:
    trace = Trace()
    for name, primacy in (("GOOD", 1), ("BAD", 2)):
        trace.program(name, primacy)
    trace.control("GOOD", "good", 1000, 100)
    trace.control("BAD", "bad", 300, 200)
    trace.poll()
    trace.until(250)
    trace.set_clock(800)  # 1050 by the server
    trace.until(260)
    assert trace.rules(PF)[-1][1] == "good"
    trace.set_clock(-800 + 60)
    trace.until(3000)
    assert [name for _, name in trace.rules(PF)] == [None, "good", None, "good", None]
    assert trace.told("good") == [1, 2, 3]
    assert trace.told("bad") == [1, 254]  # its end was past at the first jump, and it had never begun


@pytest.mark.parametrize(("began", "told"), [(True, [1, 2, 3]), (False, [1, 254])])
def test_set_forward_past_the_end(began: bool, told: list[int]) -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.until(150 if began else 50)
    trace.set_clock(3600)
    assert trace.told("a") == told
    assert trace.rules(PF)[-1][1] == "default P"


def test_set_within_an_event_it_goes_on_and_its_end_moves() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 1000)
    trace.poll()
    trace.until(500)
    trace.set_clock(-300)
    trace.until(3000)
    assert trace.rules(PF) == [(0, "default P"), (100, "a"), (1400, "default P")]
    assert trace.told("a") == [1, 2, 3]


def test_set_forward_into_an_event_it_joins_midway() -> None:
    trace = one_program(Fixed(0.5))
    trace.control("P", "a", 1000, 1000, randomizeStart=60)
    trace.poll()
    trace.until(100)
    trace.set_clock(1400)  # 1500 by the server, 500 s of the event are left
    trace.until(3000)
    assert trace.rules(PF) == [(0, "default P"), (130, "a"), (600, "default P")]


def test_a_superseded_event_is_not_resumed_by_a_jump() -> None:
    trace = Trace()
    for name, primacy in (("GOOD", 1), ("BAD", 2)):
        trace.program(name, primacy)
    trace.control("BAD", "bad", 0, 3000, PF, MAX_W)
    trace.poll()
    trace.until(100)
    trace.control("GOOD", "good", 400, 100, PF)
    trace.poll()
    trace.until(550)
    trace.set_clock(-500)
    trace.until(6000)
    assert [name for _, name in trace.rules(PF)] == ["bad", "good", None, "good", None]
    assert trace.told("good") == [1, 2, 3]
    assert trace.told("bad") == [1, 2, 3]


@pytest.mark.parametrize("seconds", [-50, 50])
def test_a_small_correction_moves_what_is_to_come_and_never_stops_an_event(seconds: int) -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.control("P", "b", 300, 100)
    trace.poll()
    trace.until(110)
    trace.set_clock(seconds)
    trace.until(900)
    assert trace.rules(PF) == [
        (0, "default P"),
        (100, "a"),
        (200 - seconds, "default P"),
        (300 - seconds, "b"),
        (400 - seconds, "default P"),
    ]
    assert trace.told("a") == trace.told("b") == [1, 2, 3]


def test_response_times_never_run_back_by_less_than_a_minute() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 10)
    trace.poll()
    trace.until(109)
    trace.set_clock(-30)
    trace.until(900)
    assert trace.times == sorted(trace.times)


def test_programs_run_on_their_own_clocks() -> None:
    trace = Trace()
    trace.program("A", 1)
    trace.program("B", 2)
    trace.ahead["B"] = 40.0
    trace.control("A", "a", 100, 50, PF)
    trace.control("B", "b", 100, 50, MAX_W)
    trace.poll()
    trace.until(400)
    assert {"a:2@100", "a:3@150", "b:2@60", "b:3@110"} <= set(trace.said)
    view = next(view for view in trace.events.views() if view.mrid == mrid("b"))
    assert view.effective_start_s == view.start_s  # server time


def test_events_of_two_clocks_compete_on_one_time_axis() -> None:
    trace = Trace()
    trace.program("A", 1)
    trace.program("B", 2)
    trace.ahead["B"] = 40.0
    trace.control("A", "a", 100, 50)
    trace.control("B", "b", 145, 50)  # 105 to 155 by A's clock
    trace.control("B", "c", 190, 50)  # 150 to 200: right after a
    trace.poll()
    trace.until(400)
    assert trace.told("b") == [1, 7]
    assert trace.rules(PF) == [(0, None), (100, "a"), (150, "c"), (200, None)]
