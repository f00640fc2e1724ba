"""The ramp of a battery's own power, from its nameplate."""

from __future__ import annotations

import pytest

from dersim.device import Device, ManualClock
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def device(kind: str, profile: str) -> Device:
    plate = read_nameplate(bundled(profile), **{"dersim.BatteryRampTms": 50, "dersim.SoCTaper": 0})
    made = make_device(nameplate=plate, device_type=kind, clock=ManualClock())
    made.step(0.0)
    made.settings.update({"setGradW": 0.0, "setESDelay": 0.0, "setESRampTms": 0.0})
    return made


def ask(made: Device, mode: str, value: float) -> None:
    made.setpoints.submit(SetpointChange(SetpointSource.REST, mode, value))


def go(made: Device, seconds: float) -> float:
    made.step(made.state.time_s + seconds)
    return made.state.p_w


@pytest.mark.parametrize("steps", [1, 20])
def test_the_power_goes_from_0_to_full_in_the_time_of_the_nameplate(steps: int) -> None:
    battery = device("Batt", "15kWh-3Phase")
    ask(battery, "opModTargetW", 10_000.0)
    assert battery.state.p_w == 0.0
    for _ in range(steps):
        go(battery, 20.0 / steps)
    assert battery.state.p_w == pytest.approx(4000.0)
    assert go(battery, 30.0) == pytest.approx(10_000.0)
    ask(battery, "opModTargetW", -5000.0)
    assert go(battery, 60.0) == pytest.approx(-2000.0)


def test_after_a_stop_it_starts_from_0() -> None:
    battery = device("Batt", "15kWh-3Phase")
    ask(battery, "opModTargetW", 10_000.0)
    go(battery, 50.0)
    battery.command("stop")
    go(battery, 10.0)
    battery.command("start")
    assert battery.state.p_w == 0.0
    assert go(battery, 10.0) == pytest.approx(2000.0)


def test_the_sun_of_a_hybrid_does_not_ramp() -> None:
    hybrid = device("HybridDC-3Phase", "15kVA-Hybrid")
    sun_w = hybrid.state.p_w
    assert sun_w > 5000
    ask(hybrid, "opModTargetW", 10_000.0)
    assert go(hybrid, 5.0) == pytest.approx(sun_w + 1500.0)
    hybrid.inputs.set(irradiance_w_m2=0.0)
    # 15 kW in 50 s: the battery has reached 3 kW, whatever the sun does.
    assert go(hybrid, 5.0) == pytest.approx(3000.0)
