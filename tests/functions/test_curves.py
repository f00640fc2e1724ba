"""Piecewise-linear curves: corners, between, beyond, jumps."""

from __future__ import annotations

import pytest

from dersim.functions.curves import Line

CURVE = Line([(0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)])


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (0.5, 0.44),
        (0.92, 0.44),
        (0.95, 0.22),
        (0.98, 0.0),
        (1.0, 0.0),
        (1.02, 0.0),
        (1.05, -0.22),
        (1.08, -0.44),
        (2.0, -0.44),
    ],
)
def test_value(x: float, y: float) -> None:
    assert CURVE.at(x) == pytest.approx(y, abs=1e-12)


def test_two_points_with_one_x_jump() -> None:
    step = Line([(1.0, 0.0), (1.0, 5.0), (2.0, 5.0)])
    assert step.at(0.999) == 0.0
    assert step.at(1.0) == 5.0


def test_a_single_point_is_a_constant() -> None:
    assert Line([(1.0, 3.0)]).at(-7) == Line([(1.0, 3.0)]).at(7) == 3.0
