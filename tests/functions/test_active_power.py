"""Limits and targets by command, Volt-Watt, Freq-Watt and droop: values, times, and how they meet."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dersim.modes import Curve, FreqDroop
from dersim.setpoint_sources import SetpointSource

VW = Curve(((106.0, 100.0), (110.0, 20.0)), 1, 10.0)
DROOP = FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)
GRAD = "setGradW"


@pytest.mark.parametrize(
    ("percent", "p"), [(100.0, 8000), (80.0, 8000), (79.0, 7900), (40.0, 4000), (0.0, 0)]
)
def test_max_lim_w_is_a_percent_of_set_max_w(rig: Any, percent: float, p: float) -> None:
    rig.ask("opModMaxLimW", percent)
    assert rig.p == pytest.approx(p)


def test_max_lim_w_follows_set_max_w(rig: Any) -> None:
    rig.ask("opModMaxLimW", 50.0)
    rig.device.settings.update({"setMaxW": 6000.0})
    assert rig.p == pytest.approx(3000)


def test_fixed_w_and_target_w_take_no_more_than_there_is(rig: Any) -> None:
    rig.ask("opModFixedW", 30.0)
    assert rig.p == pytest.approx(3000)
    rig.ask("opModTargetW", 2500.0)  # a target in watts rules over one in percent
    assert rig.p == pytest.approx(2500)
    rig.ask("opModTargetW", 9500.0)
    assert rig.p == pytest.approx(8000)


def test_a_storage_charges_on_a_negative_value(make_rig: Any) -> None:
    rig = make_rig(
        charge_w=6000.0, **{"713.WHRtg": 15_000, "702.WChaRteMaxRtg": 6_000, "702.VAChaRteMaxRtg": 6_000}
    )
    rig.ask("opModFixedW", -50.0)
    assert rig.p == pytest.approx(-3000)
    rig.ask("opModTargetW", -5500.0)
    assert rig.p == pytest.approx(-5500)
    rig.ask("opModMaxLimW", 0.0)  # limits generation only
    assert rig.p == pytest.approx(-5500)


def test_what_cannot_charge_refuses_to(rig: Any) -> None:
    assert "cannot" in rig.refused("opModFixedW", -1.0)
    assert "-1 W is outside 0 to 10000 W" in rig.refused("opModTargetW", -1.0)
    assert "101 is outside 0 to 100 % setMaxW" in rig.refused("opModMaxLimW", 101.0)


@pytest.mark.parametrize(
    ("v", "p"), [(1.0, 10_000), (1.06, 10_000), (1.08, 6_000), (1.095, 3_000), (1.0999, 2_020)]
)
def test_volt_watt_corner_points(make_rig: Any, v: float, p: float) -> None:
    rig = make_rig(sun_w=10_000)
    rig.ask("opModVoltWatt", VW)
    rig.grid(v)
    rig.go(120, dt_s=1.0)
    assert rig.p == pytest.approx(p, rel=1e-6)


def test_volt_watt_only_limits(rig: Any) -> None:
    rig.ask("opModVoltWatt", VW)
    rig.grid(1.066)  # 88 %, above what the sun gives
    rig.go(120, dt_s=1.0)
    assert rig.p == pytest.approx(8000)


def test_volt_watt_of_the_available_power(rig: Any) -> None:
    rig.ask("opModVoltWatt", VW._replace(y_ref_type=7))
    rig.grid(1.08)
    rig.go(120, dt_s=1.0)
    assert rig.p == pytest.approx(0.6 * 8000, rel=1e-6)


def test_volt_watt_reaches_90_percent_in_its_time(make_rig: Any) -> None:
    rig = make_rig(sun_w=10_000)
    rig.ask("opModVoltWatt", VW)
    rig.go(5)
    rig.grid(1.095)
    rig.go(10)
    assert rig.p == pytest.approx(10_000 - 0.9 * 7_000, rel=1e-9)


def test_volt_watt_taken_on_in_the_middle_sets_out_from_the_power_that_flows(rig: Any) -> None:
    rig.grid(1.095)
    rig.go(1)
    rig.ask("opModVoltWatt", VW)
    assert rig.p == 8000
    rig.go(10)
    assert rig.p == pytest.approx(8000 - 0.9 * 5000, rel=1e-9)


@pytest.mark.parametrize(("f", "p"), [(60.0, 8000), (60.5, 8000), (61.0, 4000), (61.19, 2480)])
def test_freq_watt_is_a_limit_over_frequency(rig: Any, f: float, p: float) -> None:
    rig.ask("opModFreqWatt", Curve(((60.5, 80.0), (61.5, 0.0)), 1, 0.0))
    rig.grid(f=f)
    rig.go(1)
    assert rig.p == pytest.approx(p)


@pytest.mark.parametrize(
    ("f", "p"),
    [
        (60.036, 8000),  # the edge of the dead-band belongs to it
        (60.336, 8000 - 10_000 * 0.3 / (60 * 0.05)),
        (61.1, 8000 - 10_000 * (1.1 - 0.036) / 3),
        (59.964, 8000),
        (59.5, 8000),  # PV has nothing to add
    ],
)
def test_droop_corner_points(rig: Any, f: float, p: float) -> None:
    rig.ask("opModFreqDroop", DROOP)
    rig.grid(f=f)
    rig.go(60)
    assert rig.p == pytest.approx(p, abs=0.1)


def test_droop_stops_at_its_least_power(rig: Any) -> None:
    rig.ask("opModFreqDroop", DROOP._replace(k_of=0.02, p_min_w=1500.0))
    rig.grid(f=61.15)
    rig.go(60)
    assert rig.p == pytest.approx(1500, abs=0.1)


def test_droop_uses_the_headroom_of_a_curtailment(rig: Any) -> None:
    rig.ask("opModMaxLimW", 50.0)
    rig.ask("opModFreqDroop", DROOP)
    rig.grid(f=59.664)  # 0.3 Hz below the dead-band: +10 %
    rig.go(60)
    assert rig.p == pytest.approx(6000, abs=0.1)
    rig.grid(f=60.0)
    rig.go(60)
    assert rig.p == pytest.approx(5000)


def test_droop_stays_below_volt_watt(rig: Any) -> None:
    rig.ask("opModMaxLimW", 30.0)
    rig.ask("opModVoltWatt", VW._replace(open_loop_s=0.0))
    rig.ask("opModFreqDroop", DROOP._replace(open_loop_s=0.0))
    rig.grid(v=1.095, f=59.364)  # droop wants 3 + 2 kW, Volt-Watt allows 3
    rig.go(1)
    assert rig.p == pytest.approx(3000)


def test_droop_keeps_the_power_before_the_event(rig: Any) -> None:
    rig.ask("opModFreqDroop", DROOP._replace(open_loop_s=0.0))
    rig.grid(f=60.186)  # -5 % of setMaxW
    rig.go(1)
    assert rig.p == pytest.approx(7500)
    rig.sun(9000)  # more sun in the middle of the event does not raise it
    rig.go(1)
    assert rig.p == pytest.approx(7500)
    rig.sun(6000)
    rig.go(1)
    assert rig.p == pytest.approx(6000)


@pytest.mark.parametrize("f", [60.186, 59.814])
def test_a_lower_limit_in_the_middle_of_the_event_is_obeyed(rig: Any, f: float) -> None:
    rig.ask("opModMaxLimW", 70.0)
    rig.ask("opModFreqDroop", DROOP._replace(open_loop_s=0.0))
    rig.grid(f=f)
    rig.go(1)
    share = 500 if f < 60 else -500
    assert rig.p == pytest.approx(7000 + share)
    rig.ask("opModMaxLimW", 20.0)
    rig.go(1)
    assert rig.p == pytest.approx(2000 + share)


def test_droop_reaches_90_percent_in_its_time_and_lets_go_at_the_end(rig: Any) -> None:
    rig.ask("opModFreqDroop", DROOP)
    rig.grid(f=60.336)
    rig.go(5)
    assert rig.p == pytest.approx(8000 - 0.9 * 1000, rel=1e-9)
    rig.go(60)
    rig.grid(f=60.0)
    rig.go(5)
    assert rig.p == pytest.approx(7000 + 0.9 * 1000, rel=1e-6)
    rig.go(60)
    assert rig.p == 8000


def test_of_different_limits_the_lowest_rules(rig: Any) -> None:
    rig.ask("opModMaxLimW", 50.0)
    rig.ask("opModVoltWatt", VW._replace(open_loop_s=0.0))
    rig.grid(1.08)
    rig.go(1)
    assert rig.p == pytest.approx(5000)
    rig.grid(1.095)
    rig.go(1)
    assert rig.p == pytest.approx(3000)


class TestRamp:
    """setGradW and rampTms: no jump that they forbid, and no slowing of what they do not concern."""

    def test_a_limit_is_reached_at_set_grad_w(self, rig: Any) -> None:
        rig.device.settings.update({GRAD: 10.0})  # 1 kW/s
        rig.ask("opModMaxLimW", 40.0)
        path = [p for p, _ in rig.go(6)]
        assert path[19] == pytest.approx(8000)  # the limit came down from 10 kW, the sun gives 8
        assert path[20] == pytest.approx(7900)
        assert path[39] == pytest.approx(6000)
        assert path[59] == pytest.approx(4000)
        assert rig.go(1)[-1][0] == pytest.approx(4000)

    def test_ramp_tms_takes_the_place_of_set_grad_w(self, rig: Any) -> None:
        rig.device.settings.update({GRAD: 100.0})
        rig.ask("rampTms", 20.0)
        rig.ask("opModMaxLimW", 40.0)
        path = [p for p, _ in rig.go(20)]
        assert path[99] == pytest.approx(7000)
        assert path[198] > 4000
        assert path[199] == pytest.approx(4000)

    def test_ramp_tms_ramps_reactive_power_too(self, rig: Any) -> None:
        rig.ask("rampTms", 10.0)
        rig.ask("opModTargetVar", 4000.0)
        path = [q for _, q in rig.go(11)]
        assert path[49] == pytest.approx(2000)
        assert path[99] == pytest.approx(4000)
        assert path[-1] == pytest.approx(4000)

    @pytest.mark.parametrize(
        ("mode", "values"),
        [
            ("opModMaxLimW", (40.0, 70.0, 10.0, None)),
            ("opModFixedW", (30.0, 75.0, None)),
            ("opModTargetW", (1000.0, 7000.0, None)),
            ("opModVoltWatt", (VW, None)),
            ("opModFreqDroop", (DROOP, None)),
            ("opModFreqWatt", (Curve(((59.0, 100.0), (60.5, 20.0)), 1, 30.0), None)),
        ],
    )
    def test_enable_change_and_disable_never_jump(self, rig: Any, mode: str, values: Any) -> None:
        rig.device.settings.update({GRAD: 5.0})
        rig.grid(v=1.09, f=60.4)
        rig.go(1)
        slowest_lag_s = 5.0
        per_step = max(500.0, 8000 * math.log(10) / slowest_lag_s) * 0.1 * 1.001
        for value in values:
            before = rig.p
            rig.ask(mode, value)
            assert rig.p == before
            bound = per_step if value is not None and mode in ("opModVoltWatt", "opModFreqDroop") else 50.1
            if mode == "opModFreqWatt" and value is not None:
                bound = 8000 * math.log(10) / 30.0 * 0.1 * 1.001
            for p, _ in rig.go(25):
                assert abs(p - before) <= bound
                before = p

    def test_a_removed_limit_lets_the_power_rise_by_the_ramp(self, rig: Any) -> None:
        rig.device.settings.update({GRAD: 10.0})
        rig.ask("opModMaxLimW", 20.0)
        rig.go(10)
        rig.ask("opModMaxLimW", None)
        assert rig.go(3)[-1][0] == pytest.approx(5000)
        assert rig.go(3)[-1][0] == pytest.approx(8000)

    def test_sun_and_volt_watt_are_not_slowed(self, rig: Any) -> None:
        rig.device.settings.update({GRAD: 1.0})
        rig.ask("opModVoltWatt", VW._replace(open_loop_s=0.5))
        rig.go(60)
        rig.sun(2000)
        rig.go(0.1)
        assert rig.p == 2000
        rig.sun(8000)
        rig.go(0.1)
        assert rig.p == 8000
        rig.grid(1.095)
        rig.go(2)
        assert rig.p == pytest.approx(3000, rel=0.01)

    def test_a_default_s_set_grad_w_governs_the_setting(self, rig: Any) -> None:
        before = rig.device.settings.changes
        rig.ask(GRAD, 20.0, SetpointSource.CSIP_DEFAULT)
        assert rig.device.settings.setGradW == 20.0
        assert rig.device.settings.changes == before + 1
        rig.ask("opModMaxLimW", 0.0)
        assert rig.go(2)[-1][0] == pytest.approx(6000)
        rig.ask(GRAD, None, SetpointSource.CSIP_DEFAULT)
        assert rig.device.settings.setGradW == 0.0


@pytest.mark.parametrize(
    ("f", "p"), [(59.9, 5000), (60.9, 5000), (59.0, 5000 + 10_000 * 0.5 / 3), (61.5, 4500)]
)
def test_each_side_of_the_droop_has_its_own_dead_band_and_slope(rig: Any, f: float, p: float) -> None:
    """0.5 Hz and 5 % below, 1 Hz and 100/6 % above: 0.5 Hz beyond is 1,667 W below and 500 W above."""
    rig.ask("opModMaxLimW", 50.0)
    rig.go(1)
    rig.ask("opModFreqDroop", FreqDroop(db_of_hz=1.0, db_uf_hz=0.5, k_of=1 / 6, k_uf=0.05, open_loop_s=0))
    rig.grid(f=f)
    rig.go(1)
    assert rig.p == pytest.approx(p)


@pytest.mark.parametrize(
    ("y_ref_type", "v", "p"),
    [
        (1, 1.025, 10_000 - 0.25 * 15_000),
        (1, 1.05, 2500),
        (1, 1.10, -5000),
        (7, 1.025, 7000 - 0.25 * 12_000),
        (7, 1.05, 1000),
        (7, 1.10, -5000),
    ],
)
def test_volt_watt_below_zero_is_of_the_charging_setting_and_a_line_in_watts(
    make_rig: Any, y_ref_type: int, v: float, p: float
) -> None:
    rig = make_rig(sun_w=7000, charge_w=8000, **{"713.WHRtg": 10_000})
    rig.device.settings.update({"setMaxChargeRateW": 5000.0})
    rig.ask("opModVoltWatt", Curve(((100.0, 100.0), (110.0, -100.0)), y_ref_type, 0.0))
    rig.grid(v)
    rig.go(1)
    assert rig.p == pytest.approx(p)


def test_percent_of_stat_w_avail_is_of_the_value_that_is_reported(make_rig: Any) -> None:
    rig = make_rig(sun_w=8000)
    rig.device.settings.update({"setMaxW": 5000.0})
    assert rig.device.state.available_w == 5000.0
    rig.ask("opModVoltWatt", Curve(((100.0, 50.0),), 7, 0.0))
    rig.go(1)
    assert rig.p == pytest.approx(2500.0)
