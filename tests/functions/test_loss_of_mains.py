"""Anti-islanding, jumps of the phase angle and a fast frequency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import read_profile
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.plugin.builtin import make_device


def machine(profile: str = "10kW-3Phase", inputs: Inputs | None = None, **points: Any) -> Device:
    plate = read_nameplate(bundled(profile), **points)
    device = make_device(clock=ManualClock(), nameplate=plate, inputs=inputs)
    device.step(0.0)
    return device


def run_to(device: Device, end_s: float) -> None:
    device._clock.time_s = end_s  # type: ignore[attr-defined]  # the ManualClock of `machine`
    device.step(end_s)


def test_an_island_is_left_at_the_time_of_the_nameplate() -> None:
    device = machine(**{"dersim.IslandTripTms": 1.5})
    device.inputs.set(grid_lost=True)
    run_to(device, 1.499)
    assert not device.state.tripped
    run_to(device, 50.0)
    assert device.state.tripped
    assert sum(device.state.exported_wh) == pytest.approx(device_wh(1.5), rel=1e-3)


def device_wh(seconds: float) -> float:
    device = machine()
    run_to(device, seconds)
    return sum(device.state.exported_wh)


def test_disabled_it_goes_on_until_it_is_enabled() -> None:
    device = machine()
    device.settings.enable_anti_islanding(False)
    device.inputs.set(grid_lost=True)
    run_to(device, 10.0)
    assert not device.state.tripped
    device.settings.enable_anti_islanding(True)
    run_to(device, 10.9)
    assert not device.state.tripped
    run_to(device, 11.0)
    assert device.state.tripped


def test_a_short_loss_is_forgotten() -> None:
    device = machine()
    for start_s in (0.0, 2.0):
        device.inputs.set(grid_lost=True)
        run_to(device, start_s + 0.9)
        device.inputs.set(grid_lost=False)
        run_to(device, start_s + 2.0)
    assert not device.state.tripped


def test_no_service_is_entered_into_an_island() -> None:
    device = machine()
    device.command("stop")
    device.inputs.set(grid_lost=True)
    device.command("start")
    run_to(device, 1000.0)
    assert device.service_word == "out of service"
    assert not device.state.tripped
    device.inputs.set(grid_lost=False)
    run_to(device, 1299.0)
    assert device.service_word == "out of service"
    run_to(device, 1301.0)
    assert device.service_word == "entering service"


@pytest.mark.parametrize(
    ("profile", "angle_deg", "tripped"),
    [
        ("10kW-3Phase", 20, False),
        ("10kW-3Phase", 20.1, True),
        ("10kW-3Phase", [60, 0, 0], False),
        ("10kW-3Phase", [0, 0, -60.1], True),
        ("10kW-3Phase", [40, -40, 0], False),
        ("10kW-3Phase", [40, 40, 0], True),
        ("10kW-1Phase", 60, False),
        ("10kW-1Phase", -60.1, True),
        ("10kW-1Phase", [0, 90, 90], False),
        ("10kW-2Phase", 60, False),
        ("10kW-2Phase", [0, 61, 0], True),
    ],
)
def test_a_jump_beyond_ride_through_trips_where_the_nameplate_says_so(
    profile: str, angle_deg: float | list[float], tripped: bool
) -> None:
    for reaction in ("trip", "ride"):
        device = machine(profile, **{"dersim.AngleJump": reaction})
        device.inputs.set(angle_deg=angle_deg)
        assert device.state.tripped is (tripped and reaction == "trip")


def test_the_jump_counts_not_the_angle() -> None:
    device = machine(inputs=Inputs(Conditions(angle_deg=(90.0, 90.0, 90.0))), **{"dersim.AngleJump": "trip"})
    for angle in (105, 120, 135, 150, 165, 180, -165):
        device.inputs.set(angle_deg=angle)
    run_to(device, 10.0)
    assert not device.state.tripped
    device.inputs.set(angle_deg=-140)
    assert device.state.tripped


def test_a_jump_of_a_grid_profile_has_its_instant(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("t_s,angle_deg\n0,0\n3.6,30\n9,0\n")
    inputs = Inputs(Conditions(), grid=read_profile(path, "grid"))
    device = machine(inputs=inputs, **{"dersim.AngleJump": "trip"})
    run_to(device, 8.0)
    assert device.state.tripped
    assert sum(device.state.exported_wh) == pytest.approx(device_wh(3.6))


def test_a_fast_frequency_trips_after_a_tenth_of_a_second() -> None:
    device = machine(**{"dersim.RocofTrip": 4.0})
    device.inputs.set(frequency_hz=59.0, rocof_hz_s=4.0)
    run_to(device, 1.0)
    device.inputs.set(frequency_hz=60.5, rocof_hz_s=4.1)
    run_to(device, 1.099)
    assert not device.state.tripped
    run_to(device, 1.3)
    assert device.state.tripped


def test_a_short_rate_is_averaged_out() -> None:
    device = machine(**{"dersim.RocofTrip": 4.0})
    device.inputs.set(frequency_hz=59.5, rocof_hz_s=10.0)
    run_to(device, 5.0)
    assert not device.state.tripped


@pytest.mark.parametrize(("category", "lowest"), [(0, 0.5), (1, 2.0), (2, 3.0)])
def test_no_trip_may_be_set_within_ride_through(category: int, lowest: float) -> None:
    machine(**{"702.AbnOpCatRtg": category, "dersim.RocofTrip": lowest})
    with pytest.raises(
        ConfigError, match=rf"dersim.RocofTrip: {lowest - 0.1:g} Hz/s is below {lowest:g} Hz/s"
    ):
        machine(**{"702.AbnOpCatRtg": category, "dersim.RocofTrip": lowest - 0.1})
