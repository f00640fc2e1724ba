"""The PV inverter at part load, against pvlib's formula, its start-up and what it draws at night."""

from __future__ import annotations

from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.hardware.nameplate import Nameplate, bundled, read_nameplate
from dersim.hardware.part_load import Flat, PvWatts
from dersim.hardware.pv import pv_array
from dersim.hardware.state import Alarm, InverterStatus
from dersim.plugin.builtin import make_device


def plate(profile: str = "10kW-3Phase", **points: Any) -> Nameplate:
    return read_nameplate(bundled(profile), **{f"dersim.{name}": value for name, value in points.items()})


def machine(profile: str = "10kW-3Phase", kind: str = "PV-3Phase", **points: Any) -> Device:
    device = make_device(nameplate=plate(profile, **points), device_type=kind, clock=ManualClock())
    device.settings.update({"setGradW": 0.0})
    device.step(0.0)
    return device


def pvlib_pvwatts(dc_w: float, rated_dc_w: float, nominal: float, reference: float = 0.9637) -> float:
    """As in pvlib.inverter.pvwatts 0.16.1, without numpy."""
    zeta = dc_w / rated_dc_w
    eta = nominal / reference * (-0.0162 * zeta - 0.0059 / zeta + 0.9858)
    return max(0.0, min(nominal * rated_dc_w, eta * dc_w))


@pytest.mark.parametrize("irradiance_w_m2", [5, 10, 20, 50, 99, 400, 1000])
def test_low_light_is_that_of_pvlib(irradiance_w_m2: float) -> None:
    device = machine(InverterCurve="pvwatts")
    device.inputs.set(irradiance_w_m2=irradiance_w_m2)
    dc_w = 10 * irradiance_w_m2 * (1 - 0.0035 * irradiance_w_m2 / (25 + 6.84))
    assert device.state.p_w == pytest.approx(pvlib_pvwatts(dc_w, 10_000 / 0.96, 0.96), abs=1e-6)


def test_the_bundled_nameplates_keep_their_efficiency() -> None:
    flat = machine()
    flat.inputs.set(irradiance_w_m2=20)
    assert flat.state.p_w == pytest.approx(200 * (1 - 0.0035 * 20 / 31.84) * 0.96)


@pytest.mark.parametrize("curve", [Flat(0.96), PvWatts(0.96, 10_000.0)])
@pytest.mark.parametrize("share", [0.0061, 0.01, 0.1, 0.5, 1.0, 1.4])
def test_dc_power_is_the_inverse(curve: Flat | PvWatts, share: float) -> None:
    assert curve.dc(curve.ac(10_000 * share)) == pytest.approx(10_000 * share)
    assert curve.dc(0.0) == 0.0


def test_the_curve_rises_and_meets_the_nominal_efficiency() -> None:
    curve = PvWatts(0.97, 10_000.0)
    powers = [curve.ac(10_000 * k / 100) for k in range(151)]
    assert powers == sorted(powers)
    assert powers[0] == 0.0
    assert powers[100] == pytest.approx(9700)


def test_the_inverter_wakes_and_sleeps_with_hysteresis() -> None:
    array = pv_array(plate(StartUpW=200, ShutDownW=100))
    for irradiance, awake in ((15, False), (21, True), (15, True), (9, False), (15, False), (21, True)):
        array.see(Conditions(irradiance_w_m2=irradiance), 1.0)
        assert (array.available_w > 0) is awake
        assert array.curve().mpp.p > 0
    array.see(Conditions(irradiance_w_m2=9.0), 1.0)
    assert array.dc(0.0).p == 0.0


@pytest.mark.parametrize("tick_s", [60.0, 3600.0])
def test_what_is_drawn_at_night_is_imported_energy(tick_s: float) -> None:
    device = machine(NightDrawW=12)
    device.inputs.set(irradiance_w_m2=0)
    exported = sum(device.state.exported_wh)
    for k in range(round(7200 / tick_s)):
        device.step((k + 1) * tick_s)
    state = device.state
    assert (state.p_w, state.q_var) == (-12.0, 0.0)
    assert sum(state.imported_wh) == pytest.approx(24.0)
    assert sum(state.exported_wh) == exported
    assert (state.pv.p_w, state.pv.taken_wh) == (0.0, 0.0)
    assert state.inverter_status is InverterStatus.SLEEPING
    assert Alarm.LOW_POWER_INPUT in state.alarms


def test_nothing_is_drawn_out_of_service_or_while_the_sun_is_curtailed() -> None:
    device = machine(NightDrawW=12)
    device.inputs.set(irradiance_w_m2=0)
    device.command("stop")
    assert device.state.p_w == 0.0
    device = machine(NightDrawW=12, modes={"opModMaxLimW": 0})
    assert device.state.p_w == 0.0


def test_the_morning_begins_from_the_draw_of_the_night() -> None:
    device = machine(NightDrawW=12)
    device.inputs.set(irradiance_w_m2=0)
    device.step(10.0)
    device.inputs.set(irradiance_w_m2=500)
    device.step(20.0)
    assert device.state.p_w == pytest.approx(5000 * (1 - 0.0035 * 500 / 31.84) * 0.96)


@pytest.mark.parametrize(
    ("profile", "kind"), [("10kW-3Phase", "PV-3Phase"), ("15kVA-Hybrid", "HybridDC-3Phase")]
)
def test_dc_energy_is_the_integral_of_dc_power(profile: str, kind: str) -> None:
    device = machine(profile, kind, InverterCurve="pvwatts")
    device.inputs.set(irradiance_w_m2=60)
    before_wh = device.state.pv.delivered_wh
    power_w = device.state.pv.p_w
    assert power_w > device.state.pv.ac_w / 0.96
    for k in range(60):
        device.step((k + 1) * 60.0)
    assert device.state.pv.delivered_wh - before_wh == pytest.approx(power_w, rel=1e-6)


@pytest.mark.parametrize(
    ("profile", "points", "said"),
    [
        ("10kW-3Phase", {"StartUpW": 50, "ShutDownW": 60}, "dersim.ShutDownW: 60 W is more than"),
        ("10kW-3Phase", {"InverterCurve": "cec"}, "dersim.InverterCurve: 'cec' is not one of flat, pvwatts"),
        ("15kWh-3Phase", {"NightDrawW": 5}, "dersim.NightDrawW: with a battery"),
    ],
)
def test_contradictions_are_refused(profile: str, points: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plate(profile, **points)
