"""Ride-through timing: how long each magnitude is borne, over any history."""

from __future__ import annotations

import math

import pytest

from dersim.functions.excursion import Boundary, Excursion

STEPS = Boundary([(0.16, 120.0), (13.0, 120.0), (13.0, 110.0)])
SLOPE = Boundary([(1.0, 120.0), (11.0, 110.0)])


@pytest.mark.parametrize(
    ("magnitude", "seconds"),
    [(109.0, math.inf), (110.0, math.inf), (110.1, 13.0), (120.0, 13.0), (120.1, 0.16), (200.0, 0.16)],
)
def test_time_allowed_by_steps(magnitude: float, seconds: float) -> None:
    assert STEPS.allowed_s(magnitude) == seconds


@pytest.mark.parametrize(("magnitude", "seconds"), [(115.0, 6.0), (112.0, 9.0), (120.0, 1.0), (125.0, 1.0)])
def test_time_allowed_on_a_slope(magnitude: float, seconds: float) -> None:
    assert SLOPE.allowed_s(magnitude) == pytest.approx(seconds)


def test_a_sum_of_floats_trips_on_time() -> None:
    excursion = Excursion(STEPS)
    steps = 0
    while not excursion.step(0.1, 115.0):
        steps += 1
    assert steps == 129  # the 130th of 0.1 s


def test_the_horizon_is_what_is_left() -> None:
    excursion = Excursion(STEPS)
    excursion.step(4.0, 115.0)
    assert excursion.horizon_s(115.0) == pytest.approx(9.0)
    assert excursion.horizon_s(125.0) == pytest.approx(0.16)
    assert excursion.horizon_s(100.0) == math.inf


def test_coming_back_below_the_threshold_starts_afresh() -> None:
    excursion = Excursion(STEPS)
    excursion.step(12.9, 115.0)
    excursion.step(0.01, 110.0)
    assert not excursion.step(12.9, 115.0)


def test_a_swell_inside_an_excursion_keeps_the_longer_time() -> None:
    excursion = Excursion(STEPS)
    excursion.step(6.0, 115.0)
    excursion.step(0.1, 125.0)  # OV2, too short
    assert not excursion.step(6.8, 111.0)
    assert excursion.step(0.1, 111.0)  # 13 s over 110 % in all


def test_on_a_slope_each_level_has_its_own_time() -> None:
    excursion = Excursion(SLOPE)
    excursion.step(5.0, 112.0)  # allowed 9 s
    excursion.step(0.9, 119.0)  # allowed 2 s
    assert excursion.horizon_s(119.0) == pytest.approx(1.1)
    assert excursion.horizon_s(112.0) == pytest.approx(3.1)


def test_a_new_curve_keeps_the_time_that_runs() -> None:
    old = Excursion(STEPS)
    old.step(10.0, 115.0)
    new = Excursion(Boundary([(5.0, 110.0)]))
    new.take_times_from(old)
    assert new.horizon_s(115.0) == 0.0
