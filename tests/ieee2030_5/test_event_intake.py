"""What the server's word, the device and the user do to an event, and what people are shown of it."""

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
    mrid,
    one_program,
    phase,
    two_programs,
    why,
)

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import Phase, ProgramFeed

# ---- the server's word


def test_cancelled_with_randomization_stops_within_the_greater_bound() -> None:
    trace = one_program(Fixed(0.5))
    trace.control("P", "a", 0, 1000, randomizeStart=10, randomizeDuration=-60)
    trace.poll()
    trace.until(100)
    trace.status("P", "a", 3)
    trace.poll()
    trace.status("P", "a", 3)
    trace.poll()
    trace.until(900)
    assert trace.rules(PF)[-1] == (130, "default P")
    assert trace.told("a") == [1, 2, 6]


def test_the_random_delay_of_a_cancellation_does_not_begin_anew_with_every_poll() -> None:
    trace = one_program(Fixed(0.5))
    trace.control("P", "a", 0, 1000, randomizeStart=60)
    trace.poll()
    trace.until(100)
    for _ in range(5):
        trace.status("P", "a", 3)
        trace.poll()
        trace.until(trace.now + 10)
    assert "a:6@130" in trace.said


def test_superseded_by_the_server_waits_for_the_start_randomization_of_the_successor() -> None:
    trace = Trace(Fixed(0.5))
    trace.program("SY", 10, PF)
    trace.program("SP", 4, PF)
    trace.control("SY", "sy", 0, 300)
    trace.poll()
    trace.until(10)
    trace.control("SP", "sp", 90, 100, randomizeStart=40)
    trace.poll()
    trace.until(105)
    trace.status("SY", "sy", 4)
    trace.poll()
    trace.until(400)
    assert trace.rules(PF) == [(0, "sy"), (120, "sp"), (220, "default SP")]
    assert trace.told("sy") == [1, 2, 7]


@pytest.mark.parametrize(("status", "told"), [(2, [1, 6]), (3, [1, 6]), (6, [1, 6]), (4, [1, 7]), (5, [1])])
def test_status_before_the_start(status: int, told: list[int]) -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.status("P", "a", status)
    trace.poll()
    trace.until(400)
    assert trace.told("a") == told
    assert trace.rules(PF) == [(0, "default P")]


@pytest.mark.parametrize(("status", "last"), [(2, 6), (6, 6), (4, 7), (5, 3)])
def test_status_while_it_runs(status: int, last: int) -> None:
    trace = one_program()
    trace.control("P", "a", 0, 100)
    trace.poll()
    trace.until(50)
    trace.status("P", "a", status)
    trace.poll()
    assert trace.told("a") == [1, 2, last]
    assert trace.rules(PF) == [(0, "a"), (50, "default P")]


@pytest.mark.parametrize("status", [0, 1, 7, 99, 255])
def test_other_statuses_change_nothing(status: int) -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.status("P", "a", status)
    trace.poll()
    trace.until(150)
    trace.status("P", "a", status)
    trace.poll()
    trace.until(400)
    assert trace.said == ["a:1@0", "a:2@100", "a:3@200"]


def test_cancelled_after_it_ended_means_nothing() -> None:
    trace = one_program()
    trace.control("P", "a", 0, 100)
    trace.poll()
    trace.until(200)
    trace.status("P", "a", 2)
    trace.poll()
    trace.until(300)
    assert trace.told("a") == [1, 2, 3]


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_what_was_over_before_we_saw_it_is_passed_over_in_silence(status: int) -> None:
    trace = one_program()
    trace.control("P", "a", 0, 100)
    trace.status("P", "a", status)
    trace.poll()
    trace.until(200)
    assert trace.said == []
    assert trace.rules(PF) == [(0, "default P")]


@pytest.mark.parametrize(("removed", "told"), [("keep", [1, 2, 3]), ("cancel", [1, 2, 6])])
def test_vanished_and_back_again(removed: str, told: list[int]) -> None:
    trace = one_program(event_removed=removed)
    trace.control("P", "a", 0, 100)
    trace.poll()
    trace.until(50)
    held = trace.controls["P"].pop("a")
    trace.poll()
    trace.until(60)
    trace.controls["P"]["a"] = held
    trace.poll()
    trace.until(300)
    assert trace.told("a") == told


def test_a_list_that_could_not_be_read_changes_nothing() -> None:
    trace = one_program(event_removed="cancel")
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.events.feed(T0 + 10, [ProgramFeed(trace.programs["P"], None, trace.defaults["P"])])
    trace.until(300)
    assert trace.told("a") == [1, 2, 3]


def test_content_changes_only_with_the_version() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.control("P", "a", 500, 100)
    trace.poll()
    assert trace.events.views()[0].start_s == T0 + 100
    trace.control("P", "a", 500, 100, version=1)
    trace.poll()
    trace.until(900)
    assert trace.said == ["a:1@0", "a:2@500", "a:3@600"]


def test_comms_loss_finishes_what_is_scheduled_and_returns_to_the_default() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.until(10_000)  # nothing is ever read again
    assert trace.rules(PF) == [(0, "default P"), (100, "a"), (200, "default P")]


# ---- what the device and the user say


def test_refused_modes_leave_the_rest() -> None:
    trace = one_program()
    trace.unsupported = {VV}
    trace.impossible = {MAX_W}
    trace.control("P", "a", 100, 100, PF, VV, MAX_W)
    trace.poll()
    trace.until(300)
    assert trace.told("a") == [1, 251, 253, 2, 3]
    assert trace.rules(VV) == [(0, None)]


def test_nothing_usable_never_starts_and_beats_nobody() -> None:
    trace = two_programs()
    trace.unsupported = {VV}
    trace.control("SP", "sp", 100, 100, VV)
    trace.control("SY", "sy", 100, 100, PF)
    trace.poll()
    trace.until(300)
    assert trace.told("sp") == [1, 251]
    assert trace.told("sy") == [1, 2, 3]


@pytest.mark.parametrize(
    ("required", "told"),
    [(None, []), (0, []), (1, [1]), (2, [2, 3]), (3, [1, 2, 3]), (4, []), (7, [1, 2, 3])],
)
def test_only_what_was_asked_for_is_said(required: int | None, told: list[int]) -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100, responseRequired=required)
    trace.control("P", "mute", 300, 100, replyTo=None)
    trace.poll()
    trace.until(500)
    assert trace.told("a") == told
    assert trace.told("mute") == []
    assert (300, "mute") in trace.rules(PF)


@pytest.mark.parametrize(
    ("out", "back", "told", "ruled"),
    [
        (50, None, [1, 4, 10], []),
        (50, 80, [1, 4, 5, 2, 3], [(100, 200)]),
        (50, 150, [1, 4, 5, 2, 9], [(150, 200)]),
        (150, None, [1, 2, 4, 8], [(100, 150)]),
        (150, 170, [1, 2, 4, 5, 9], [(100, 150), (170, 200)]),
    ],
)
def test_opting_out_and_in(
    out: float, back: float | None, told: list[int], ruled: list[tuple[float, float]]
) -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    trace.until(out)
    assert trace.events.opt_out(T0 + out, mrid("a"))
    trace.step()
    if back is not None:
        trace.until(back)
        assert trace.events.opt_in(T0 + back, mrid("a"))
        trace.step()
    trace.until(400)
    assert trace.told("a") == told
    expected: list[tuple[float, str | None]] = [(0, "default P")]
    for start, end in ruled:
        expected += [(start, "a"), (end, "default P")]
    assert trace.rules(PF) == expected


def test_opted_out_before_its_start_never_starts() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.control("P", "other", 120, 20, MAX_W)  # wakes the scheduler while the first would run
    trace.poll()
    trace.until(50)
    trace.events.opt_out(T0 + 50, mrid("a"))
    trace.until(400)
    assert trace.told("a") == [1, 4, 10]
    assert trace.rules(PF) == [(0, "default P")]


def test_changing_one_s_mind_is_told_once() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 100)
    trace.poll()
    for time in (110, 130, 150):
        trace.until(time)
        trace.events.opt_out(T0 + time, mrid("a"))
        trace.until(time + 10)
        trace.events.opt_in(T0 + time + 10, mrid("a"))
    trace.until(300)
    assert trace.told("a") == [1, 2, 4, 5, 9]


def test_returning_to_an_event_takes_the_mode_back_from_a_worse_one() -> None:
    trace = two_programs()
    trace.control("SP", "sp", 0, 300)
    trace.poll()
    trace.until(10)
    trace.events.opt_out(T0 + 10, mrid("sp"))
    trace.control("SY", "sy", 10, 200)
    trace.poll()
    trace.until(50)
    trace.events.opt_in(T0 + 50, mrid("sp"))
    trace.until(400)
    assert [name for _, name in trace.rules(PF)] == ["sp", "default SP", "sy", "sp", "default SP"]
    assert trace.told("sy") == [1, 2, 7]


def test_device_category() -> None:
    trace = one_program(device_category=1 << 21)
    trace.control("P", "ev", 0, 100, deviceCategory=1 << 16)
    trace.control("P", "pv", 200, 100, deviceCategory=1 << 21 | 1 << 23)
    trace.poll()
    trace.until(400)
    assert trace.told("ev") == []
    assert trace.rules(PF) == [(0, "default P"), (200, "pv"), (300, "default P")]
    assert phase(trace, "ev") is Phase.IGNORED


def test_defaults_are_taken_mode_by_mode() -> None:
    trace = Trace()
    trace.program("GOOD", 1, PF)
    trace.program("BAD", 9, PF, FIXED_W)
    trace.poll()
    assert trace.ruled == [(0, {PF: "default GOOD", FIXED_W: "default BAD"})]


# ---- what people and the client are shown


def test_the_reasons_are_told() -> None:
    trace = two_programs()
    trace.control("SY", "sy", 0, 300)
    trace.poll()
    trace.until(5)
    trace.control("SP", "sp", 95, 100)
    trace.poll()
    assert "passes to" in why(trace, "sy")
    assert "primacy 4 goes before 10" in why(trace, "sy")
    assert why(trace, "sp").startswith("waits for its start")
    trace.until(120)
    assert f"taken by {mrid('sp')}" in why(trace, "sy")
    assert why(trace, "sp") == f"in force for {PF}"
    view = next(view for view in trace.events.views() if view.mrid == mrid("sp"))
    assert (view.status, view.status_text, view.primacy) == (1, "Active", 4)
    assert (view.effective_start_s, view.effective_end_s) == (T0 + 100, T0 + 200)


def rereads(seed: int) -> list[float]:
    trace = one_program(rng=random.Random(seed))
    trace.control("P", "a", 100, 1000)
    trace.poll()
    trace.until(2000)
    assert {mrid for _, mrid in trace.rereads} == {"a"}
    return [at_s for at_s, _ in trace.rereads]


def test_an_event_is_read_again_before_its_start_and_while_it_runs() -> None:
    lead, first, second, third, *_ = rereads(1)
    assert lead == 98
    assert 250 <= first < 400
    assert (second - first, third - second) == pytest.approx((300, 300))


def test_a_fleet_does_not_read_a_running_event_again_in_step() -> None:
    firsts = sorted(rereads(seed)[1] for seed in range(20))
    assert len(set(firsts)) == 20
    assert firsts[-1] - firsts[0] > 100


def test_a_fleet_does_not_read_again_in_step_after_a_pause() -> None:
    instants = []
    for seed in range(10):
        trace = one_program(rng=random.Random(seed))
        trace.control("P", "a", 0, 10_000)
        trace.poll()
        trace.until(50)
        trace.rereads.clear()
        trace.now = 2000.0  # nothing was called meanwhile
        trace.until(2400)
        instants.append([at_s for at_s, _ in trace.rereads])
    assert all(late == 2000 and next_s <= 2300 for late, next_s, *_ in instants)
    assert len({next_s for _, next_s, *_ in instants}) == 10


def test_an_answer_that_says_cancelled_just_before_the_start_is_heeded() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 1000)
    trace.poll()
    trace.until(99)
    trace.status("P", "a", 2)
    trace.events.update(T0 + 99, trace.controls["P"]["a"])
    trace.until(200)
    assert trace.told("a") == [1, 6]


def test_a_stranger_s_control_is_ignored() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 1000)
    trace.events.update(T0, trace.controls["P"]["a"])
    assert trace.step() is None
    assert isinstance(trace.controls["P"]["a"], r.DERControl)


def test_a_new_version_that_is_over_takes_no_mode_from_the_next_event() -> None:
    trace = two_programs()
    trace.control("SP", "sp", 0, 1000)
    trace.control("SY", "sy", 2000, 100)
    trace.poll()
    trace.until(150)
    trace.control("SP", "sp", -150, 100, version=1)
    trace.control("SY", "sy", -60, 300, version=1)
    trace.poll()
    trace.until(900)
    assert trace.told("sp") == [1, 2, 3]
    assert trace.told("sy") == [1, 2, 3]
