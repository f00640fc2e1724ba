"""What InWRte, OutWRte, MinRsvPct and ChaGriSet let a battery do, with and without PV beside it."""

from __future__ import annotations

from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import FreqDroop, ModeValue
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

PLAIN = {"dersim.SelfDischargeW": 0.0}
#: The hybrid's PV power without a command, W.
SUN_W = 7005.0


def der(kind: str = "Batt", irradiance: float = 800.0, **points: Any) -> Device:
    profile = "15kVA-Hybrid" if kind.startswith("Hybrid") else "15kWh-3Phase"
    plate = read_nameplate(bundled(profile), **PLAIN | points)
    inputs = Inputs(Conditions(irradiance_w_m2=irradiance))
    device = make_device(device_type=kind, nameplate=plate, clock=ManualClock(), inputs=inputs)
    device.step(0.0)
    return device


def command(device: Device, ramp_s: float | None = None, **modes: ModeValue | None) -> None:
    changes = [SetpointChange(SetpointSource.REST, m, v, "", ramp_s=ramp_s) for m, v in modes.items()]
    assert all(not outcome.reason for outcome in device.setpoints.submit(*changes))


def run(device: Device, seconds: float, step_s: float = 1.0) -> None:
    clock: Any = device._clock
    end_s = clock.time_s + seconds
    while clock.time_s < end_s:
        clock.time_s = min(end_s, clock.time_s + step_s)
        device.step(clock.time_s)


def battery_w(device: Device) -> float:
    side = device.state.battery
    assert side is not None
    return side.ac_w


@pytest.mark.parametrize(
    ("modes", "power_w"),
    [
        ({}, 0),
        ({"InWRte": 100.0, "OutWRte": 100.0}, 0),
        ({"OutWRte": -50.0}, -5_000),
        ({"InWRte": -50.0}, 5_000),
        ({"InWRte": 20.0, "OutWRte": -50.0}, -2_000),  # they exclude each other: the nearer to 0
        ({"InWRte": -50.0, "OutWRte": 20.0}, 2_000),
        ({"InWRte": -50.0, "OutWRte": -50.0}, 0),
    ],
)
def test_negative_rates_force_the_other_direction(modes: dict[str, ModeValue], power_w: float) -> None:
    for kind, sun_w in (("Batt", 0.0), ("HybridDC-3Phase", SUN_W)):
        device = der(kind)
        command(device, **modes)
        run(device, 5)
        assert battery_w(device) == pytest.approx(power_w, abs=1)
        assert device.state.p_w == pytest.approx(sun_w + power_w, abs=1)


@pytest.mark.parametrize(
    ("modes", "target_w", "power_w"),
    [
        ({"InWRte": 30.0}, -8_000, -3_000),
        ({"InWRte": 30.0}, 8_000, 8_000),
        ({"OutWRte": 0.0}, 8_000, 0),
        ({"OutWRte": 0.0}, -8_000, -8_000),
        ({"OutWRte": -50.0}, 8_000, 0),  # a target rules over a forced power, within the limits
        ({"OutWRte": -50.0}, -8_000, -8_000),
    ],
)
def test_rates_limit_what_a_target_gets(modes: dict[str, ModeValue], target_w: float, power_w: float) -> None:
    device = der()
    command(device, **modes, opModTargetW=float(target_w))
    run(device, 5)
    assert device.state.p_w == pytest.approx(power_w, abs=1)
    command(device, **dict.fromkeys(modes))
    run(device, 5)
    assert device.state.p_w == pytest.approx(target_w, abs=1)


def test_a_curtailed_hybrid_charges_at_most_at_its_rate() -> None:
    device = der("HybridDC-3Phase")
    command(device, opModTargetW=2_000.0)
    run(device, 5)
    assert battery_w(device) == pytest.approx(-5_005, abs=1)
    command(device, InWRte=10.0)
    run(device, 5)
    assert battery_w(device) == pytest.approx(-1_000, abs=1)
    assert device.state.p_w == pytest.approx(2_000, abs=1)


def test_available_powers_follow_the_limits() -> None:
    device = der()
    command(device, InWRte=30.0, OutWRte=20.0)
    run(device, 2)
    assert (device.state.available_w, device.state.charge_available_w) == (2_000, 3_000)


@pytest.mark.parametrize("step_s", [1.0, 60.0])
def test_the_reserve_is_kept(step_s: float) -> None:
    device = der()
    command(device, MinRsvPct=40.0, opModTargetW=10_000.0)
    run(device, 3600, step_s)
    assert device.state.soc_pct == pytest.approx(40.0, abs=0.001)
    assert (device.state.p_w, device.state.available_w) == (0, 0)
    command(device, opModTargetW=-10_000.0)
    run(device, 60, step_s)
    assert device.state.p_w == pytest.approx(-10_000)
    command(device, opModTargetW=10_000.0, MinRsvPct=None)
    run(device, 3600, step_s)
    assert device.state.soc_pct == pytest.approx(5.0, abs=0.001)


def test_a_reserve_above_the_charge_ends_the_discharge_and_charges_nothing() -> None:
    device = der()
    command(device, opModTargetW=5_000.0)
    run(device, 5)
    command(device, MinRsvPct=80.0)
    run(device, 5)
    assert device.state.p_w == 0


def test_pv_alone_charges_where_the_grid_must_not() -> None:
    alone, hybrid, night = der(), der("HybridDC-3Phase"), der("HybridDC-3Phase", irradiance=0.0)
    for device in (alone, hybrid, night):
        command(device, ChaGriSet=False, OutWRte=-90.0)
        run(device, 5)
    assert (battery_w(alone), battery_w(night)) == (0, 0)
    assert battery_w(hybrid) == pytest.approx(-SUN_W, abs=1)
    assert hybrid.state.p_w == pytest.approx(0, abs=1)
    assert [each.state.charge_available_w for each in (alone, hybrid)] == [0, 0]
    command(hybrid, ChaGriSet=True)
    run(hybrid, 5)
    assert hybrid.state.p_w == pytest.approx(SUN_W - 9_000, abs=1)


def test_a_rate_follows_setMaxChargeRateW() -> None:
    device = der()
    command(device, OutWRte=-50.0)
    device.settings.update({"setMaxChargeRateW": 4_000.0})
    run(device, 5)
    assert device.state.p_w == pytest.approx(-2_000)


def test_a_limit_moves_in_its_ramp_time() -> None:
    device = der()
    command(device, OutWRte=0.0)
    run(device, 2)
    command(device, ramp_s=20.0, OutWRte=-50.0)
    powers = []
    for _ in range(5):
        run(device, 5)
        powers.append(round(device.state.p_w))
    assert powers == [-1_250, -2_500, -3_750, -5_000, -5_000]


def test_limits_move_at_setGradW() -> None:
    device = der()
    device.settings.update({"setGradW": 0.0})
    command(device, opModTargetW=5_000.0)
    run(device, 2)
    device.settings.update({"setGradW": 1.0})  # 100 W/s
    command(device, OutWRte=0.0)
    powers = []
    for _ in range(6):
        run(device, 10)
        powers.append(round(device.state.p_w))
    assert powers == [4_000, 3_000, 2_000, 1_000, 0, 0]
    command(device, OutWRte=None)
    run(device, 10)
    assert device.state.p_w == pytest.approx(1_000)


def test_without_a_gradient_a_limit_acts_in_the_instant_of_the_change() -> None:
    device = der()
    device.settings.update({"setGradW": 0.0})
    command(device, opModTargetW=5_000.0)
    assert device.state.p_w == 5_000
    command(device, OutWRte=20.0)
    assert device.state.p_w == 2_000


@pytest.mark.parametrize("step_s", [1.0, 5.0])
def test_a_forced_power_is_reached_at_setGradW(step_s: float) -> None:
    for kind, sun_w in (("Batt", 0.0), ("HybridDC-3Phase", SUN_W)):
        device = der(kind)
        device.settings.update({"setGradW": 1.0})
        rate_w_s = device.settings.setMaxW / 100
        run(device, 200)
        command(device, OutWRte=-50.0)
        run(device, 10, step_s)
        assert device.state.p_w == pytest.approx(sun_w - 10 * rate_w_s, abs=1)
        run(device, 60, step_s)
        assert battery_w(device) == pytest.approx(-5_000, abs=1)


def test_without_a_command_a_setting_acts_at_once() -> None:
    device = der()
    device.settings.update({"setGradW": 1.0})
    command(device, opModTargetW=-5_000.0)
    run(device, 200)
    device.settings.update({"setMaxChargeRateW": 2_000.0})
    run(device, 1)
    assert device.state.p_w == pytest.approx(-2_000)


def test_a_frequency_response_rules_over_a_forced_charge() -> None:
    device = der()
    command(device, InWRte=100.0, OutWRte=100.0)
    command(device, opModFreqDroop=FreqDroop(0.036, 0.036, 0.05, 0.05, 0.0))
    run(device, 2)
    device.inputs.set(frequency_hz=60.6)
    run(device, 10)
    assert device.state.p_w < -1_000
    command(device, InWRte=0.0)
    run(device, 5)
    assert device.state.p_w == 0


def test_a_device_without_a_battery_has_no_such_modes() -> None:
    assert not {"InWRte", "OutWRte", "MinRsvPct", "ChaGriSet"} & make_device().setpoints.supported_modes


@pytest.mark.parametrize("most_w", [0.0, 1e-300])
def test_a_limit_moves_at_once_where_the_rate_of_the_machine_is_0(most_w: float) -> None:
    device = der()
    device.settings.update({"setMaxW": most_w, "setGradW": 1e-300})
    command(device, InWRte=10.0)
    command(device, OutWRte=20.0)
    run(device, 10.0)
    assert device.state.p_w == pytest.approx(0.0, abs=1e-6)
    device.settings.update({"setMaxW": 10_000.0, "setGradW": 100.0})
    run(device, 10.0)


@pytest.mark.parametrize("most_w", [0.0, 5e-324])
def test_a_machine_that_may_give_nothing_enters_service(most_w: float) -> None:
    device = der("PV", irradiance=800.0)
    device.settings.update({"setMaxW": most_w, "setESDelay": 0.0, "setESRampTms": 300.0, "setSoftGradW": 2.0})
    device.command("stop")
    run(device, 2.0)
    device.command("start")
    run(device, 10.0)
    assert device.state.p_w == pytest.approx(0.0, abs=1e-6)
