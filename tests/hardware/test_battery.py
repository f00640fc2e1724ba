"""Battery and hybrid: efficiencies, limits, taper, self-discharge."""

from __future__ import annotations

from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.hardware.battery import Battery
from dersim.hardware.hybrid import Hybrid
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import FreqDroop, ModeValue
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

NOW = Conditions()


def battery(**points: Any) -> Battery:
    plain = {"dersim.SelfDischargeW": 0.0, "dersim.SoCTaper": 0.0}
    return Battery(read_nameplate(bundled("15kWh-3Phase"), **plain | points))


def test_each_way_has_its_own_efficiency() -> None:
    cell = battery(**{"dersim.ChargeEfficiency": 0.9, "dersim.DischargeEfficiency": 0.8})
    cell.drew(-5000.0, 3600.0)
    assert cell.energy_wh == pytest.approx(7500 + 4500)
    cell.drew(4000.0, 3600.0)
    assert cell.energy_wh == pytest.approx(12000 - 5000)
    assert cell.dc(4000.0).p == pytest.approx(5000)
    assert cell.dc(-5000.0).p == pytest.approx(-4500)


def test_self_discharge_goes_on_at_rest() -> None:
    cell = battery(**{"dersim.SelfDischargeW": 30.0})
    cell.drew(0.0, 10 * 3600.0)
    assert cell.energy_wh == pytest.approx(7200)
    assert not cell.settled


@pytest.mark.parametrize("step_s", [1.0, 60.0, 3600.0])
def test_a_step_of_any_length_ends_at_the_limit_and_not_beyond(step_s: float) -> None:
    cell = battery()
    for _ in range(round(4 * 3600 / step_s)):
        cell.see(NOW, step_s)
        cell.drew(cell.available_w, step_s)
    assert cell.soc_pct == pytest.approx(5.0)
    assert cell.available_w == pytest.approx(0, abs=1e-6)
    for _ in range(round(4 * 3600 / step_s)):
        cell.see(NOW, step_s)
        cell.drew(-cell.charge_w, step_s)
    assert cell.soc_pct == pytest.approx(95.0)


@pytest.mark.parametrize(
    ("soc", "give", "take"),
    [(50, 10_000, 10_000), (7.5, 5_000, 10_000), (5, 0, 10_000), (92.5, 10_000, 5_000), (95, 10_000, 0)],
)
def test_the_taper_before_the_limits(soc: float, give: float, take: float) -> None:
    cell = battery(**{"dersim.SoCTaper": 5.0, "713.SoC": soc})
    cell.see(NOW, 0.0)
    assert (cell.available_w, cell.charge_w) == pytest.approx((give, take))


def run_until(cell: Battery, power: Any, step_s: float = 1.0) -> float:
    """Hours until the battery takes or gives nothing more."""
    for count in range(round(10 * 3600 / step_s)):
        cell.see(NOW, step_s)
        if power(cell) == 0:
            return count * step_s / 3600
        cell.drew(power(cell), step_s)
    raise AssertionError("it never ends")


@pytest.mark.parametrize("step_s", [1.0, 60.0])
def test_the_taper_ends_when_the_battery_is_full_or_empty(step_s: float) -> None:
    cell = Battery(read_nameplate(bundled("15kWh-3Phase")))
    assert run_until(cell, lambda it: -it.charge_w, step_s) < 1.2
    assert cell.soc_pct == pytest.approx(95.0)
    assert run_until(cell, lambda it: it.available_w, step_s) < 2.0
    assert cell.soc_pct == pytest.approx(5.0)


def test_a_full_battery_is_charged_again_after_half_a_percent() -> None:
    cell = battery(**{"dersim.SelfDischargeW": 100.0, "713.SoC": 95})
    minutes = 0
    cell.see(NOW, 60.0)
    while cell.charge_w == 0:
        cell.drew(0.0, 60.0)
        cell.see(NOW, 60.0)
        minutes += 1
    assert minutes == pytest.approx(45, abs=2)
    assert cell.soc_pct == pytest.approx(94.5, abs=0.02)


def test_a_full_battery_is_charged_again_after_any_discharge() -> None:
    cell = battery(**{"713.SoC": 95})
    cell.see(NOW, 1.0)
    assert cell.charge_w == 0
    cell.drew(100.0, 1.0)
    cell.see(NOW, 1.0)
    assert cell.charge_w > 0


def test_a_battery_that_is_empty_stops_and_its_limits_show() -> None:
    clock = ManualClock()
    device = make_device(device_type="Batt", clock=clock)
    device.step(0.0)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetW", 10_000.0))
    for _ in range(120):
        clock.time_s += 60
        device.step(clock.time_s)
    assert device.state.soc_pct == pytest.approx(5.0, abs=0.1)
    assert device.state.p_w == 0


def battery_device(kind: str = "Batt", **settings: float) -> Device:
    device = make_device(device_type=kind, clock=ManualClock())
    device.step(0.0)
    device.settings.update({"setGradW": 0.0} | settings)
    return device


def test_the_discharge_setting_limits_the_output() -> None:
    device = battery_device(setMaxDischargeRateW=2000.0)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetW", 10_000.0))
    assert device.state.p_w == 2000.0


@pytest.mark.parametrize(
    ("settings", "p_w"),
    [
        ({"setMaxChargeRateW": 2000.0}, -2000.0),
        ({"setMaxChargeRateVA": 3000.0}, -3000.0),
        ({"setMaxChargeRateVA": 0.0}, 0.0),
    ],
)
@pytest.mark.parametrize(
    ("mode", "value", "hz"),
    [("opModTargetW", -10_000.0, 60.0), ("opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.02, 0.0), 64.0)],
)
def test_charging_stays_within_its_settings(
    settings: dict[str, float], p_w: float, mode: str, value: ModeValue, hz: float
) -> None:
    device = battery_device(**settings)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, mode, value))
    device.inputs.set(frequency_hz=hz)
    assert device.state.p_w == p_w


def test_the_charging_of_a_hybrid_from_the_sun_stays_within_the_setting() -> None:
    device = battery_device("HybridDC-3Phase", setMaxChargeRateW=2000.0)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 0.0))
    before = device.state.soc_pct
    device.step(3600.0)
    after = device.state.soc_pct
    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(100 * 2000 * 0.96 / 15_000)


def test_a_smaller_capacity_is_full_earlier_and_more_than_it_is_not_lost() -> None:
    device = battery_device(setMaxWh=10_000.0)
    assert device.state.soc_pct == 75.0
    device.settings.update({"setMaxWh": 5_000.0})
    assert device.state.soc_pct == 100.0
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetW", -10_000.0))
    device.step(60.0)
    assert device.state.p_w == 0.0
    device.settings.update({"setMaxWh": 15_000.0})
    assert device.state.soc_pct == pytest.approx(50.0, abs=0.01)


def hybrid(**points: Any) -> Hybrid:
    return Hybrid(read_nameplate(bundled("15kVA-Hybrid"), **points))


def test_the_sun_goes_out_while_nobody_asks() -> None:
    both = hybrid()
    both.see(NOW, 1.0)
    assert both.rest_w == both.pv.available_w
    assert both.available_w == pytest.approx(both.pv.available_w + 10_000)
    both.drew(both.rest_w, 3600.0)
    assert both.soc_pct == pytest.approx(50.0)


def test_a_limit_sends_the_sun_into_the_battery() -> None:
    both = hybrid()
    both.see(NOW, 60.0)
    both.drew(2000.0, 60.0)
    assert both.soc_pct == pytest.approx(50 + 100 * (both.pv.available_w - 2000) * 0.96 / 60 / 15000)
    assert both.shares(2000.0)[0] == pytest.approx(both.pv.available_w)


def test_a_full_battery_leaves_the_sun_curtailed() -> None:
    both = hybrid(**{"713.SoC": 95})
    both.see(NOW, 60.0)
    both.drew(2000.0, 60.0)
    assert both.soc_pct == pytest.approx(95)
    assert both.shares(2000.0) == pytest.approx((2000, 0))


def test_charging_takes_the_sun_first() -> None:
    both = hybrid()
    both.see(NOW, 60.0)
    both.drew(-1000.0, 60.0)
    assert both.soc_pct == pytest.approx(50 + 100 * (both.pv.available_w + 1000) * 0.96 / 60 / 15000)
