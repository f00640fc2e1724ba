"""Volt-Var: corners, references, response, saturation under both priorities, Vref."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dersim.modes import Curve

B = ((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0))


def curve(y_ref_type: int = 8, olrt: float | None = 5.0, points: Any = B, **more: Any) -> Curve:
    return Curve(points, y_ref_type, olrt, **more)


@pytest.mark.parametrize(
    ("v", "q"),
    [
        (0.89, 4400),
        (0.92, 4400),
        (0.95, 2200),
        (0.98, 0),
        (1.0, 0),
        (1.02, 0),
        (1.05, -2200),
        (1.08, -4400),
        (1.09, -4400),
    ],
)
def test_corner_points(rig: Any, v: float, q: float) -> None:
    rig.ask("opModVoltVar", curve())
    rig.grid(v)
    rig.go(60)
    assert rig.q == pytest.approx(q, abs=0.01)


@pytest.mark.parametrize(("y_ref", "q"), [(1, 10_000 * 0.2), (2, 4_400 * 0.2), (3, 4_400 * 0.2), (8, 2_000)])
def test_what_the_percent_is_of(rig: Any, y_ref: int, q: float) -> None:
    rig.ask("opModVoltVar", curve(y_ref, 0, ((90, 20), (110, 20))))
    rig.go(1)
    assert rig.q == pytest.approx(q)


def test_of_the_var_available_beside_the_power(make_rig: Any) -> None:
    rig = make_rig(sun_w=9_800)
    rig.ask("opModVoltVar", curve(3, 0, ((90, 100), (110, 100))))
    rig.go(1)
    assert rig.q == pytest.approx(math.sqrt(10_000**2 - 9_800**2))
    assert rig.p == pytest.approx(9_800)


def test_90_percent_in_the_open_loop_time(rig: Any) -> None:
    rig.ask("opModVoltVar", curve())
    rig.go(60)
    rig.grid(1.08)
    rig.go(5)
    assert rig.q == pytest.approx(-0.9 * 4400, rel=1e-9)


def test_enable_change_and_disable_move_by_the_lag_only(rig: Any) -> None:
    rig.grid(1.08)
    steepest = 4400 * math.log(10) / 5 * 0.1 * 1.001
    for value in (curve(), curve(points=((92.0, 20.0), (108.0, -20.0))), None):
        before = rig.q
        rig.ask("opModVoltVar", value)
        assert rig.q == before
        for (_, q), (_, after) in zip([(0, before), *(path := rig.go(20))], path, strict=False):
            assert abs(after - q) <= steepest
    rig.go(40)
    assert rig.q == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("priority", "p", "q"), [("reactive", 8000.0, 6000.0), ("active", None, 4400.0)])
def test_saturation_at_the_va_limit(make_rig: Any, priority: str, p: float | None, q: float) -> None:
    points = {"702.VarMaxInjRtg": 6000, "702.VarMaxAbsRtg": 6000, "dersim.Priority": priority}
    rig = make_rig(sun_w=10_000, **points)
    rig.ask("opModVoltVar", curve(2, 0, ((92, 100), (108, -100))))
    rig.grid(0.92)
    rig.go(1)
    assert rig.q == pytest.approx(q)
    assert rig.p == pytest.approx(math.sqrt(10_000**2 - q**2) if p is None else p)


def test_little_power_makes_little_var(make_rig: Any) -> None:
    rig = make_rig(sun_w=1_000)  # 10 %: half of the wedge from 0 to 20 %
    rig.ask("opModVoltVar", curve(2, 0, ((92, 100), (108, -100))))
    rig.grid(0.92)
    rig.go(1)
    assert rig.q == pytest.approx(2200)
    rig.sun(400)  # below 5 %: none
    rig.go(1)
    assert rig.q == 0


def test_v_ref_of_the_curve_stretches_it(rig: Any) -> None:
    rig.ask("opModVoltVar", curve(olrt=0, v_ref=103.0))
    rig.grid(1.05 * 1.03)
    rig.go(0.1)
    assert rig.q == pytest.approx(-2200)
    rig.grid(1.02 * 1.03)
    rig.go(0.1)
    assert rig.q == pytest.approx(0, abs=1e-6)


def test_set_v_ref_and_its_offset_move_the_effective_voltage(rig: Any) -> None:
    rig.device.settings.update({"setVRef": 470.0, "setVRefOfs": 5.0})
    rig.ask("opModVoltVar", curve(olrt=0))
    rig.grid(1.0)  # (480 - 5) / 470 = 1.0106, inside the dead-band
    rig.go(0.1)
    assert rig.q == 0
    rig.grid(1.04)  # (499.2 - 5) / 470 = 1.0515
    rig.go(0.1)
    assert rig.q == pytest.approx(-4400 * ((499.2 - 5) / 470 - 1.02) / 0.06, rel=1e-9)


def test_autonomous_v_ref_forgets_the_level_with_its_time_constant(rig: Any) -> None:
    rig.ask("opModVoltVar", curve(olrt=0, autonomous_v_ref=True, autonomous_v_ref_s=300.0))
    rig.go(1)
    rig.grid(1.05)
    rig.go(0.1)
    assert rig.q == pytest.approx(-4400 * 0.5, rel=0.01)
    rig.go(300 - 0.1, dt_s=1.0)
    left = 0.05 * math.exp(-1)  # of the step of 0.05, below the dead-band of 0.02
    assert left < 0.02
    assert rig.q == 0


def test_autonomous_v_ref_stays_within_95_to_105_percent(rig: Any) -> None:
    rig.ask("opModVoltVar", curve(olrt=0, autonomous_v_ref=True, autonomous_v_ref_s=300.0))
    rig.grid(1.09)
    rig.go(6000, dt_s=10.0)
    assert rig.q == pytest.approx(-4400 * (1.04 - 1.02) / 0.06, rel=1e-3)


def test_what_it_refuses(rig: Any) -> None:
    assert "x falls" in rig.refused("opModVoltVar", curve(points=((98, 0), (92, 44))))
    assert "point 1: y 120 is outside -100 to 100 %" in rig.refused(
        "opModVoltVar", curve(points=((92, 120), (108, 0)))
    )
    assert "y_ref_type 7" in rig.refused("opModVoltVar", curve(7))
    assert "open_loop_s 100" in rig.refused("opModVoltVar", curve(olrt=100.0))
    assert "kind curve" in rig.refused("opModVoltVar", 3.0)


@pytest.mark.parametrize(("v", "q"), [(0.91, 3000), (1.09, -4400)])
def test_each_side_is_a_percentage_of_its_own_limit(rig: Any, v: float, q: float) -> None:
    rig.device.settings.update({"setMaxVar": 3000.0})
    rig.ask("opModVoltVar", curve(2, 0, ((92, 100), (98, 0), (102, 0), (108, -100))))
    rig.grid(v)
    rig.go(1)
    assert rig.q == pytest.approx(q)
