"""The event rules where the conformance records are silent: edges, quirks, users, moving clocks."""

from __future__ import annotations

import random

import pytest
from tests.ieee2030_5.event_trace import FIXED_W, MAX_W, PF, T0, VV, Fixed, Trace, mrid, two_programs

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import Phase, ProgramFeed


def one_program(rng: random.Random | None = None, **settings: object) -> Trace:
    trace = Trace(rng, **settings)
    trace.program("P", 5, PF)
    return trace


def phase(trace: Trace, name: str) -> Phase:
    return next(view.phase for view in trace.events.views() if view.mrid == mrid(name))


def why(trace: Trace, name: str) -> str:
    return next(view.why for view in trace.events.views() if view.mrid == mrid(name))


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


def test_an_event_is_read_again_before_its_start_and_while_it_runs() -> None:
    trace = one_program()
    trace.control("P", "a", 100, 1000)
    trace.poll()
    trace.until(2000)
    assert trace.rereads == [(98, "a"), (400, "a"), (700, "a"), (1000, "a")]


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
