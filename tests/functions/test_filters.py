"""The open-loop lag: 90 % in the response time, at any tick, from wherever it starts."""

from __future__ import annotations

import math

import pytest

from dersim.functions.filters import Lag


@pytest.mark.parametrize("ticks", [1, 2, 5, 50, 977])
def test_90_percent_of_a_step_in_the_response_time_at_any_tick(ticks: int) -> None:
    lag = Lag()
    lag.start(0.0)
    lag.step(0.0, 1.0, 5.0)  # the input jumps now
    for _ in range(ticks):
        y = lag.step(5.0 / ticks, 1.0, 5.0)
    assert y == pytest.approx(0.9, abs=1e-12)


def test_the_first_input_is_where_it_starts() -> None:
    assert Lag().step(1.0, 7.0, 5.0) == 7.0


def test_no_response_time_follows_at_once() -> None:
    lag = Lag()
    lag.start(0.0)
    assert lag.step(0.1, 3.0, 0.0) == 3.0
    assert not lag.moving


def test_a_step_of_no_length_moves_nothing() -> None:
    lag = Lag()
    lag.start(2.0)
    assert lag.step(0.0, 9.0, 5.0) == 2.0
    assert lag.moving


def test_a_ramp_is_followed_alike_at_any_tick() -> None:
    def last(ticks: int) -> float:
        lag = Lag()
        lag.start(0.0)
        for k in range(1, ticks + 1):
            y = lag.step(10.0 / ticks, k / ticks, 4.0)
        return y

    assert last(1) == pytest.approx(last(1000), abs=1e-9)


def test_it_arrives_and_rests() -> None:
    lag = Lag()
    lag.start(0.0)
    for _ in range(200):
        lag.step(1.0, 5000.0, 5.0)
    assert lag.y == 5000.0
    assert not lag.moving


def test_the_factors_follow_a_changed_tick_and_response_time() -> None:
    lag = Lag()
    lag.start(0.0)
    lag.step(0.0, 1.0, 5.0)
    lag.step(1.0, 1.0, 5.0)
    lag.step(2.0, 1.0, 5.0)
    y = lag.step(3.0, 1.0, 10.0)
    expected = 1 - math.exp(-math.log(10) * (3 / 5 + 3 / 10))
    assert y == pytest.approx(expected, abs=1e-12)
