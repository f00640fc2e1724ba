import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dersim.csip.clock_sync import ClockSync

START_S = 1_800_000_000.0


def ask(sync: ClockSync, at_s: float, offset_s: float, there_s: float = 0.002, back_s: float = 0.002) -> bool:
    """One exchange with a server whose clock is `offset_s` ahead and truncates."""
    current_time = math.floor(at_s + there_s + offset_s)
    return sync.add_sample(current_time, at_s, at_s + there_s + back_s)


def test_without_a_sample_nothing_is_known():
    sync = ClockSync()
    assert not sync.known
    assert sync.bound_s == math.inf
    assert not sync.synchronised


def test_one_sample_is_half_a_second_off_at_the_most():
    sync = ClockSync()
    ask(sync, START_S, 0.9)
    assert sync.bound_s == pytest.approx(0.502)
    assert abs(sync.offset_s - 0.9) <= sync.bound_s


@given(
    offset_s=st.floats(-1e6, 1e6),
    phase_s=st.floats(0, 1),
    there_s=st.floats(0, 0.03),
    back_s=st.floats(0, 0.03),
)
def test_the_truth_is_always_within_the_bound_and_five_samples_do(offset_s, phase_s, there_s, back_s):
    sync = ClockSync()
    now_s = START_S + phase_s
    asked_at = []
    while not sync.synchronised:
        asked_at.append(now_s)
        ask(sync, now_s, offset_s, there_s, back_s)
        assert abs(sync.offset_s - offset_s) <= sync.bound_s + 1e-5
        now_s = sync.next_sample_s()
    assert sync.bound_s < 0.1
    assert len(asked_at) <= 6
    assert all(b - a >= 15 for a, b in itertools.pairwise(asked_at))
    assert now_s - asked_at[-1] >= 900


@given(
    offset_s=st.floats(-100, 100),
    drift=st.floats(-40e-6, 40e-6),
    delays=st.lists(st.floats(0, 0.2), min_size=40, max_size=40),
)
def test_drift_is_followed_for_hours(offset_s, drift, delays):
    sync = ClockSync()
    now_s = START_S
    for delay_s in delays:
        true_s = offset_s + drift * (now_s - START_S)
        assert not ask(sync, now_s, true_s, delay_s / 2, delay_s / 2)
        assert abs(sync.offset_s - true_s) <= sync.bound_s + 1e-4
        now_s = sync.next_sample_s()


@given(st.lists(st.tuples(st.floats(-40, 40), st.floats(0, 0.5)), min_size=1, max_size=20))
def test_server_time_never_runs_backwards_for_small_corrections(steps):
    """Whatever the server does within a minute, our reading of its clock only rises."""
    sync = ClockSync()
    now_s, seen_s, offset_s = START_S, -math.inf, 0.0
    for change_s, delay_s in steps:
        previous = sync.offset_s
        offset_s = max(min(offset_s + change_s, previous + 55), previous - 55)
        ask(sync, now_s, offset_s, delay_s, delay_s)
        for later_s in (2 * delay_s, 2 * delay_s + 1.0, 10.0):
            reading_s = sync.server_now_s(now_s + later_s)
            assert reading_s >= seen_s
            seen_s = reading_s
        now_s += 900


def test_a_small_step_back_stalls_and_then_runs_on():
    sync = ClockSync()
    ask(sync, START_S, 0.0)
    assert ask(sync, START_S + 900, -10.0)
    at_s = START_S + 900.004
    stalled_s = sync.server_now_s(at_s)
    assert sync.server_now_s(at_s + 5) == stalled_s
    assert sync.server_now_s(at_s + 30) == pytest.approx(at_s + 20, abs=1)


def test_a_large_step_back_jumps():
    sync = ClockSync()
    ask(sync, START_S, 0.0)
    assert ask(sync, START_S + 900, -3600.0)
    assert sync.server_now_s(START_S + 901) == pytest.approx(START_S + 901 - 3600, abs=1)
    assert sync.next_sample_s() < START_S + 900 + 20


def test_a_step_forward_jumps_at_once():
    sync = ClockSync()
    ask(sync, START_S, 0.0)
    assert ask(sync, START_S + 20, 90.0)
    assert sync.server_now_s(START_S + 21) == pytest.approx(START_S + 111, abs=1)


def test_a_slow_link_does_not_ask_every_15_seconds_for_ever():
    sync = ClockSync()
    now_s = START_S
    for _ in range(10):
        ask(sync, now_s, 0.3, 0.5, 0.5)
        now_s = sync.next_sample_s()
    assert sync.bound_s > 0.1
    assert sync.synchronised


def test_the_poll_rate_of_time_is_obeyed_where_it_is_longer():
    sync = ClockSync()
    for _ in range(6):
        ask(sync, max(sync.next_sample_s(), START_S), 0.3)
    last_s = sync.next_sample_s()
    assert sync.next_sample_s(3600) - last_s == pytest.approx(2700, abs=1.1)


def test_local_and_server_time_are_inverse():
    sync = ClockSync()
    ask(sync, START_S, 12.0)
    assert sync.local_s(sync.server_now_s(START_S + 5)) == pytest.approx(START_S + 5)
