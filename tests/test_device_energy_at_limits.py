"""Energy where a moving power meets a limit, turns, or follows a goal that moves: the same at any tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.test_device_instants import ask, run_to

from dersim.device import Device, ManualClock
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop
from dersim.plugin.builtin import DEVICE_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

FINE_S = 0.01


def reactive_power_at_its_limit() -> tuple[Device, ManualClock]:
    """100 % of setMaxW are asked for; setMaxVar is 44 %."""
    device, clock = machine("PV-3Phase")
    ask(device, "opModVoltVar", Curve(((102.0, 0.0), (104.0, -100.0)), 1, 40.0))
    device.inputs.set(voltage_pu=1.04)
    return device, clock


def a_falling_limit_that_meets_the_power() -> tuple[Device, ManualClock]:
    device, clock = machine("PV-3Phase")
    device.inputs.set(irradiance_w_m2=300.0)
    ask(device, "opModVoltWatt", Curve(((105.0, 100.0), (107.0, 5.0)), 1, 10.0))
    device.inputs.set(voltage_pu=1.07)
    return device, clock


def a_power_that_turns_by_the_droop() -> tuple[Device, ManualClock]:
    device, clock = machine("Batt-3Phase")
    ask(device, "opModTargetW", -1500.0)
    ask(device, "opModFreqDroop", FreqDroop(0.3, 0.3, 0.08, 0.08, 40.0))
    device.inputs.set(frequency_hz=58.0)
    return device, clock


def reactive_power_ramping_to_a_goal_that_ramps() -> tuple[Device, ManualClock]:
    device, clock = machine("PV-3Phase")
    ask(device, "opModMaxLimW", 10.0)
    device.settings.update({"setGradW": 1.0})
    ask(device, "opModMaxLimW", 100.0)
    pf = FixedPowerFactor(0.8, "absorb")
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModFixedPFInjectW", pf, ramp_s=120.0))
    return device, clock


def entering_service_up_to_a_limit() -> tuple[Device, ManualClock]:
    device, clock = machine("HybridDC-3Phase")
    device.settings.update({"setESDelay": 5.0, "setESRampTms": 300.0})
    ask(device, "opModMaxLimW", 3.0)
    device.command("stop")
    device.command("start")
    return device, clock


def a_rising_limit_that_meets_the_available_power() -> tuple[Device, ManualClock]:
    device, clock = machine("HybridDC-3Phase")
    device.inputs.set(irradiance_w_m2=30.0)
    ask(device, "opModMaxLimW", 0.0)
    device.settings.update({"setGradW": 1.0})
    ask(device, "opModMaxLimW", 100.0)
    return device, clock


def a_rising_target_that_meets_a_limit() -> tuple[Device, ManualClock]:
    device, clock = machine("Batt-3Phase")
    ask(device, "opModMaxLimW", 3.7)
    device.settings.update({"setGradW": 1.0})
    ask(device, "opModTargetW", 5000.0)
    return device, clock


def a_battery_ramping_to_a_limit() -> tuple[Device, ManualClock]:
    """The nameplate's own ramp of the battery."""
    clock = ManualClock()
    plate = replace(
        read_nameplate(bundled(find_type("HybridDC-3Phase", DEVICE_TYPES).profile)), battery_ramp_s=300.0
    )
    device = make_device(device_type="HybridDC-3Phase", nameplate=plate, clock=clock)
    device.settings.update({"setGradW": 0.0})
    device.inputs.set(irradiance_w_m2=40.0)
    device.step(0.0)
    ask(device, "opModFixedW", 66.0)
    ask(device, "opModMaxLimW", 3.3)
    return device, clock


def reactive_power_that_needs_more_active_power() -> tuple[Device, ManualClock]:
    """Below 5 % of setMaxW there is no Q, from 20 % on all (1547-2018 5.2)."""
    device, clock = machine("PV-3Phase")
    device.inputs.set(irradiance_w_m2=120.0)
    ask(device, "opModMaxLimW", 4.0)
    device.settings.update({"setGradW": 0.5})
    ask(device, "opModTargetVar", 4000.0)
    run_to(device, clock, 10.0, 1.0)
    ask(device, "opModMaxLimW", 100.0)
    return device, clock


def the_return_from_a_droop_to_a_target_that_ramps() -> tuple[Device, ManualClock]:
    device, clock = machine("Batt-3Phase")
    ask(device, "opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 40.0))
    device.settings.update({"setGradW": 0.5})
    ask(device, "opModTargetW", 5000.0)
    device.inputs.set(frequency_hz=60.6)
    run_to(device, clock, 30.0, 1.0)
    device.inputs.set(frequency_hz=60.0)
    return device, clock


def a_power_factor_that_turns_while_the_power_lags() -> tuple[Device, ManualClock]:
    """The tangent of a power factor is vertical at unity."""
    device, clock = machine("Batt-3Phase")
    turns = ("absorb", "inject", "absorb")
    curve = Curve(((20.0, 0.85), (40.0, 0.85), (80.0, 0.9)), 0, 0.0, excitations=turns)
    ask(device, "opModWattPF", curve)
    ask(device, "opModTargetW", 9500.0)
    ask(device, "opModFreqWatt", Curve(((60.0, 100.0), (60.5, 10.0)), 0, 25.0))
    device.inputs.set(frequency_hz=60.4)
    return device, clock


def a_share_of_the_var_that_the_circle_leaves() -> tuple[Device, ManualClock]:
    """Right after the full power that circle is vertical."""
    device, clock = machine("PV-3Phase")
    device.settings.update({"setGradW": 1.0})
    ask(device, "opModFixedVar", FixedVar(50.0, "statVarAvail"))
    ask(device, "opModMaxLimW", 90.0)
    return device, clock


def var_that_end_as_the_power_lags_to_nothing() -> tuple[Device, ManualClock]:
    device, clock = machine("PV-3Phase")
    ask(device, "opModTargetVar", -4400.0)
    run_to(device, clock, 10.0, 1.0)
    ask(device, "opModFreqWatt", Curve(((60.0, 100.0), (60.5, 0.0)), 0, 7.0))
    device.inputs.set(frequency_hz=61.0)
    return device, clock


def machine(kind: str) -> tuple[Device, ManualClock]:
    clock = ManualClock()
    device = make_device(device_type=kind, clock=clock)
    device.settings.update({"setGradW": 0.0})
    device.inputs.set(irradiance_w_m2=2000.0)
    device.step(0.0)
    return device, clock


def energies_ws(begin: Callable[[], tuple[Device, ManualClock]], tick_s: float) -> list[float]:
    """Exported, imported, injected and absorbed in 60 s."""
    device, clock = begin()

    def read() -> list[float]:
        s = device.state
        return [3600 * sum(x) for x in (s.exported_wh, s.imported_wh, s.injected_varh, s.absorbed_varh)]

    before = read()
    run_to(device, clock, clock.time_s + 60.0, tick_s)
    return [a - b for a, b in zip(read(), before, strict=True)]


CASES: list[Any] = [
    reactive_power_at_its_limit,
    a_falling_limit_that_meets_the_power,
    a_power_that_turns_by_the_droop,
    reactive_power_ramping_to_a_goal_that_ramps,
    entering_service_up_to_a_limit,
    a_rising_limit_that_meets_the_available_power,
    a_rising_target_that_meets_a_limit,
    a_battery_ramping_to_a_limit,
    reactive_power_that_needs_more_active_power,
    the_return_from_a_droop_to_a_target_that_ramps,
    a_power_factor_that_turns_while_the_power_lags,
    a_share_of_the_var_that_the_circle_leaves,
    var_that_end_as_the_power_lags_to_nothing,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_energy_is_the_same_at_any_tick(case: Callable[[], tuple[Device, ManualClock]]) -> None:
    fine = energies_ws(case, FINE_S)
    assert sum(fine) > 1000
    for tick_s in (1.0, 7.0, 10.0, 60.0):
        assert energies_ws(case, tick_s) == pytest.approx(fine, rel=1e-3, abs=10.0), tick_s


def test_a_hybrid_stores_the_same_at_any_tick_while_its_battery_tapers() -> None:
    def stored_wh(tick_s: float) -> float:
        clock = ManualClock()
        profile = find_type("HybridDC-3Phase", DEVICE_TYPES).profile
        plate = read_nameplate(bundled(profile), **{"713.SoC": 90.0})
        device = make_device(device_type="HybridDC-3Phase", nameplate=plate, clock=clock)
        device.step(0.0)
        ask(device, "opModTargetW", -10000.0)
        run_to(device, clock, 60.0, tick_s)
        return (device.state.soc_pct or 0.0) / 100 * device.settings.setMaxWh - 0.9 * device.settings.setMaxWh

    fine_wh = stored_wh(FINE_S)
    assert fine_wh > 100
    for tick_s in (1.0, 7.0, 60.0):
        assert stored_wh(tick_s) == pytest.approx(fine_wh, rel=1e-3), tick_s
