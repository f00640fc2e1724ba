"""Energy is the integral of ramps and lags, and the same at any tick: in the registers and in the battery."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.test_device_instants import OLRT_S, VOLT_VAR, ask, run_to

from dersim.device import Device, ManualClock
from dersim.hardware.course import Course
from dersim.modes import Curve, FreqDroop
from dersim.plugin.builtin import make_device

TICKS = pytest.mark.parametrize("tick_s", [0.2, 1.0, 7.0, 60.0])
#: Seconds of the lag's own time constant.
TAU_S = OLRT_S / math.log(10)


def machine(
    kind: str = "PV-3Phase", *, start: str = "in_service", **inputs: Any
) -> tuple[Device, ManualClock]:
    clock = ManualClock()
    device = make_device(device_type=kind, clock=clock, start=start)
    device.settings.update({"setGradW": 0.0})
    device.step(0.0)
    device.inputs.set(irradiance_w_m2=2000.0, **inputs)
    return device, clock


def exported_ws(device: Device) -> float:
    return sum(device.state.exported_wh) * 3600


@TICKS
@pytest.mark.parametrize("limit_pct", [100.0, 70.0])
def test_the_ramp_of_entering_service(tick_s: float, limit_pct: float) -> None:
    device, clock = machine(start="off")
    device.settings.update({"setESDelay": 30.0, "setESRampTms": 200.0})
    ask(device, "opModMaxLimW", limit_pct)
    run_to(device, clock, 230.0 + 30.0, tick_s)
    p, ramp_s = 100 * limit_pct, 2 * limit_pct
    assert device.state.p_w == pytest.approx(p)
    assert exported_ws(device) == pytest.approx(p * ramp_s / 2 + p * (230 - ramp_s), rel=1e-3)


@TICKS
def test_a_ramp_of_a_limit(tick_s: float) -> None:
    device, clock = machine()
    device.settings.update({"setGradW": 1.0})
    before = exported_ws(device)
    ask(device, "opModMaxLimW", 30.0)
    run_to(device, clock, 120.0, tick_s)
    assert exported_ws(device) - before == pytest.approx((10_000 + 3000) / 2 * 70 + 3000 * 50, rel=1e-3)


@TICKS
def test_the_lag_of_a_limit_by_voltage(tick_s: float) -> None:
    device, clock = machine()
    ask(device, "opModVoltWatt", Curve(((106.0, 100.0), (110.0, 20.0)), 1, OLRT_S))
    device.inputs.set(voltage_pu=1.09)
    run_to(device, clock, 60.0, tick_s)
    assert exported_ws(device) == pytest.approx(4000 * 60 + 6000 * TAU_S, rel=1e-4)


@TICKS
def test_the_lag_of_reactive_power(tick_s: float) -> None:
    device, clock = machine()
    ask(device, "opModMaxLimW", 50.0)
    ask(device, "opModVoltVar", VOLT_VAR)
    device.inputs.set(voltage_pu=1.05)
    run_to(device, clock, 60.0, tick_s)
    absorbed = sum(device.state.absorbed_varh) * 3600
    assert absorbed == pytest.approx(2200 * (60 - TAU_S), rel=1e-4)


@TICKS
def test_what_goes_out_and_what_comes_in_while_the_power_turns(tick_s: float) -> None:
    device, clock = machine("Batt")
    ask(device, "opModTargetW", 6000.0)
    device.settings.update({"setGradW": 1.0})
    soc_pct = device.state.soc_pct
    ask(device, "opModTargetW", -3000.0)
    run_to(device, clock, 120.0, tick_s)
    state = device.state
    out_ws, in_ws = 6000 * 60 / 2, 3000 * 30 / 2 + 3000 * 30
    assert sum(state.exported_wh) * 3600 == pytest.approx(out_ws, rel=1e-3)
    assert sum(state.imported_wh) * 3600 == pytest.approx(in_ws, rel=1e-3)
    plate = device.nameplate
    given_ws = out_ws / plate.discharge_efficiency + plate.self_discharge_w * 120
    kept_wh = (in_ws * plate.charge_efficiency - given_ws) / 3600
    assert soc_pct is not None
    assert state.soc_pct == pytest.approx(soc_pct + 100 * kept_wh / plate.rtgMaxWh, rel=1e-6)


@TICKS
def test_the_battery_of_a_hybrid_while_its_power_turns(tick_s: float) -> None:
    device, clock = machine("HybridDC-3Phase")
    device.inputs.set(irradiance_w_m2=400.0)
    plate, sun_w = device.nameplate, device.state.p_w
    ask(device, "opModTargetW", sun_w - 2000)
    device.settings.update({"setGradW": 1.0})
    rate_w_s = plate.rtgMaxW / 100
    before = device.state.soc_pct
    ask(device, "opModTargetW", sun_w + 2000)
    run_to(device, clock, 120.0, tick_s)
    turn_s = 2000 / rate_w_s
    in_ws, out_ws = 2000 * turn_s / 2, 2000 * turn_s / 2 + 2000 * (120 - 2 * turn_s)
    lost_ws = plate.self_discharge_w * 120
    kept_wh = (in_ws * plate.charge_efficiency - out_ws / plate.discharge_efficiency - lost_ws) / 3600
    assert before is not None
    assert device.state.soc_pct == pytest.approx(before + 100 * kept_wh / plate.rtgMaxWh, rel=1e-5)


@TICKS
def test_until_a_trip_the_power_follows_its_course_and_then_there_is_none(tick_s: float) -> None:
    """300 s at 61.5 Hz with the droop: the power falls by its lag, until the must-trip."""
    device, clock = machine()
    ask(device, "opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, OLRT_S))
    device.inputs.set(frequency_hz=61.5)
    run_to(device, clock, 420.0, tick_s)
    assert device.state.tripped
    fall_w = (1.5 - 0.036) / (60 * 0.05) * 10_000
    assert exported_ws(device) == pytest.approx((10_000 - fall_w) * 300 + fall_w * TAU_S, rel=1e-4)


@pytest.mark.parametrize("before_w", [-5e-324, -1e-310, -1e-300])
def test_a_power_that_begins_just_beside_0_is_counted_as_one_part(before_w: float) -> None:
    parts = Course(before_w, 1e5, 5e4).by_sign(10.0)
    assert sum(mean * part_s for mean, part_s in parts) == pytest.approx(5e5)
    assert sum(part_s for _, part_s in parts) == pytest.approx(10.0)
