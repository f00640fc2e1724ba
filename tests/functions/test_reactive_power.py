"""Fixed var, target var, fixed power factor, Watt-Var, Watt-PF."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dersim.modes import Curve, FixedPowerFactor, FixedVar

WV = Curve(((20.0, 0.0), (50.0, 0.0), (100.0, -44.0)), 8, 0.0)
TAN_09 = math.sqrt(1 - 0.81) / 0.9


@pytest.mark.parametrize(
    ("percent", "ref", "q"),
    [
        (50.0, "setMaxVar", 2200),
        (-100.0, "setMaxVar", -4400),
        (10.0, "setMaxW", 1000),
        (-44.0, "setMaxW", -4400),
        (100.0, "setMaxW", 4400),  # the rating is the limit
        (50.0, "statVarAvail", 2200),
    ],
)
def test_fixed_var(rig: Any, percent: float, ref: Any, q: float) -> None:
    rig.ask("opModFixedVar", FixedVar(percent, ref))
    rig.go(10)
    assert rig.q == pytest.approx(q, abs=0.01)


@pytest.mark.parametrize(
    ("sun_w", "percent", "available"),
    [
        (1000.0, 50.0, 2200.0),
        (1000.0, 100.0, 2200.0),
        (1000.0, -50.0, 1250.0),
        (300.0, 50.0, 0.0),
        (9500.0, 50.0, math.sqrt(1e8 - 9500**2)),
        (9500.0, -100.0, 2500.0),
    ],
)
def test_percent_of_stat_var_avail_is_of_the_value_that_is_reported(
    make_rig: Any, sun_w: float, percent: float, available: float
) -> None:
    rig = make_rig(sun_w=sun_w, **{"702.VarMaxAbsRtg": 2500})
    state = rig.device.state
    told = state.var_inject_available if percent > 0 else state.var_absorb_available
    assert told == pytest.approx(available)
    flat = Curve(((0.0, percent),), 3, 0.0)
    for mode, value in {
        "opModFixedVar": FixedVar(percent, "statVarAvail"),
        "opModVoltVar": flat,
        "opModWattVar": flat,
    }.items():
        rig.ask(mode, value)
        rig.go(30)
        assert (rig.p, rig.q) == pytest.approx((sun_w, percent / 100 * available))
        rig.ask(mode, None)


def test_nothing_is_available_while_tripped(make_rig: Any) -> None:
    rig = make_rig(charge_w=5000.0, **{"713.WHRtg": 10_000})
    rig.grid(1.3)
    rig.go(0.2)
    state = rig.device.state
    assert state.tripped
    assert (state.available_w, state.charge_available_w) == (0.0, 0.0)
    assert (state.var_inject_available, state.var_absorb_available) == (0.0, 0.0)


@pytest.mark.parametrize(("excitation", "sign"), [("inject", 1), ("absorb", -1)])
def test_a_power_factor_below_the_setting_is_held_at_the_setting(
    make_rig: Any, excitation: Any, sign: float
) -> None:
    rig = make_rig(sun_w=8000.0)
    rig.ask("opModFixedPFInjectW", FixedPowerFactor(0.9, excitation))
    rig.device.settings.update({"setMinPFOverExcited": 0.95, "setMinPFUnderExcited": 0.95})
    rig.go(30)
    assert rig.q == pytest.approx(sign * 8000 * math.tan(math.acos(0.95)))


def test_fixed_var_at_the_va_limit_takes_from_the_power(make_rig: Any) -> None:
    rig = make_rig(sun_w=10_000)
    rig.ask("opModFixedVar", FixedVar(100.0, "setMaxVar"))
    rig.go(10)
    assert rig.q == pytest.approx(4400)
    assert rig.p == pytest.approx(math.sqrt(10_000**2 - 4400**2))


def test_target_var_and_its_range(rig: Any) -> None:
    rig.ask("opModTargetVar", -1234.0)
    rig.go(10)
    assert rig.q == pytest.approx(-1234)
    assert "4401 var is outside -4400 to 4400 var" in rig.refused("opModTargetVar", 4401.0)


@pytest.mark.parametrize(("excitation", "sign"), [("inject", 1), ("absorb", -1)])
def test_fixed_power_factor(rig: Any, excitation: Any, sign: int) -> None:
    rig.ask("opModFixedPFInjectW", FixedPowerFactor(0.9, excitation))
    rig.go(10)
    assert rig.q == pytest.approx(sign * 8000 * TAN_09)
    rig.sun(4000)
    rig.go(10)
    assert rig.q == pytest.approx(sign * 4000 * TAN_09)


def test_fixed_power_factor_holds_at_the_va_limit(make_rig: Any) -> None:
    rig = make_rig(sun_w=10_000, **{"702.VarMaxInjRtg": 6000})
    rig.ask("opModFixedPFInjectW", FixedPowerFactor(0.9, "inject"))
    rig.go(10)
    assert rig.p == pytest.approx(9000)
    assert rig.q == pytest.approx(10_000 * math.sqrt(1 - 0.81))


def test_beyond_the_var_rating_the_factor_is_not_held(make_rig: Any) -> None:
    rig = make_rig(sun_w=10_000)
    rig.ask("opModFixedPFInjectW", FixedPowerFactor(0.8, "inject"))
    rig.go(10)
    assert rig.q == pytest.approx(4400)
    assert rig.p == pytest.approx(math.sqrt(10_000**2 - 4400**2))


def test_the_two_power_factors_are_of_the_two_directions(make_rig: Any) -> None:
    rig = make_rig(
        charge_w=6000.0, **{"713.WHRtg": 15_000, "702.WChaRteMaxRtg": 6_000, "702.VAChaRteMaxRtg": 10_000}
    )
    rig.ask("opModFixedPFInjectW", FixedPowerFactor(0.9, "inject"))
    rig.ask("opModFixedPFAbsorbW", FixedPowerFactor(0.95, "absorb"))
    rig.ask("opModTargetW", 4000.0)
    rig.go(10)
    assert rig.q == pytest.approx(4000 * TAN_09)
    rig.ask("opModTargetW", -4000.0)
    rig.go(10)
    # The excitation is absolute: absorbing watts, it absorbs var.
    assert rig.q == pytest.approx(-4000 * math.sqrt(1 - 0.95**2) / 0.95)
    assert rig.device.setpoints.overridden() == []


def test_power_factor_ratings_are_kept(rig: Any) -> None:
    assert "0.79 is below the rating, 0.8" in rig.refused(
        "opModFixedPFInjectW", FixedPowerFactor(0.79, "inject")
    )


@pytest.mark.parametrize(("sun", "q"), [(2_100, 0), (5_000, 0), (7_500, -2_200), (8_000, -2_640)])
def test_watt_var_corner_points(make_rig: Any, sun: float, q: float) -> None:
    rig = make_rig(sun_w=sun)
    rig.ask("opModWattVar", WV)
    rig.go(1)
    assert rig.q == pytest.approx(q)
    assert rig.p == pytest.approx(sun)


def test_watt_var_at_the_va_limit_stays_on_its_curve(make_rig: Any) -> None:
    rig = make_rig(sun_w=10_000)
    rig.ask("opModWattVar", WV)
    rig.go(1)
    assert math.hypot(rig.p, rig.q) == pytest.approx(10_000)
    assert rig.q == pytest.approx(-4400 * (rig.p - 5000) / 5000, rel=1e-6)


def test_watt_var_is_mirrored_for_charging(make_rig: Any) -> None:
    rig = make_rig(
        charge_w=10_000.0,
        **{"713.WHRtg": 15_000, "702.WChaRteMaxRtg": 10_000, "702.VAChaRteMaxRtg": 12_000},
    )
    rig.ask("opModWattVar", WV)
    rig.ask("opModTargetW", -7500.0)
    rig.go(1)
    assert rig.q == pytest.approx(2200)


def test_watt_pf_passes_unity_between_the_excitations(make_rig: Any) -> None:
    curve = Curve(((20.0, 0.95), (60.0, 0.95)), 0, 0.0, excitations=("inject", "absorb"))
    for sun, pf, sign in ((3000, 0.975, 1), (4000, 1.0, 0), (5000, 0.975, -1), (9000, 0.95, -1)):
        rig = make_rig(sun_w=sun)
        rig.ask("opModWattPF", curve)
        rig.go(1)
        assert rig.q == pytest.approx(sign * sun * math.sqrt(1 - pf**2) / pf, abs=1e-6)


def test_watt_pf_needs_factors_that_the_machine_has(rig: Any) -> None:
    bad = Curve(((20.0, 0.95), (60.0, 0.7)), 0, 0.0, excitations=("inject", "absorb"))
    assert "point 2: power factor 0.7 is below the rating, 0.8" in rig.refused("opModWattPF", bad)
    assert "excitation" in rig.refused("opModWattPF", Curve(((20.0, 0.95), (60.0, 0.9)), 0, 0.0))


def test_changing_from_one_mode_to_another_does_not_jump(rig: Any) -> None:
    rig.ask("opModTargetVar", 4000.0)
    rig.go(10)
    rig.ask("opModTargetVar", None)
    rig.ask("opModWattVar", WV._replace(open_loop_s=5.0))
    before = rig.q
    assert before == pytest.approx(4000, abs=0.01)
    for _, q in rig.go(5):
        assert abs(q - before) <= 6640 * math.log(10) / 5 * 0.1 * 1.001
        before = q
    assert rig.q == pytest.approx(4000 - 0.9 * 6640, rel=1e-6)
