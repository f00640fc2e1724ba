"""In and out of service where two things meet: a changed curve, a trip while out, cessation before a trip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dersim.device import ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import read_profile
from dersim.hardware.state import InverterStatus
from dersim.modes import Curve
from dersim.plugin.builtin import make_device


def under_voltage(seconds: float) -> Curve:
    """88 % for so many seconds."""
    return Curve(((0.5, 50.0), (seconds, 50.0), (seconds, 88.0)), 4)


@pytest.mark.parametrize(("new_s", "trips_after_s"), [(15.0, 5.0), (30.0, 20.0), (8.0, 0.0)])
def test_a_trip_timer_that_runs_keeps_its_time_when_the_curve_changes(
    rig: Any, new_s: float, trips_after_s: float
) -> None:
    rig.ask("opModLVRTMustTrip", under_voltage(25.0))
    rig.grid(0.8)
    rig.go(10)
    rig.ask("opModLVRTMustTrip", under_voltage(new_s))
    if trips_after_s:
        rig.go(trips_after_s - 0.2)
        assert not rig.device.state.tripped
    rig.go(0.4)
    assert rig.device.state.tripped


def test_a_trip_timer_starts_from_zero_after_the_voltage_was_good(rig: Any) -> None:
    rig.ask("opModLVRTMustTrip", under_voltage(25.0))
    rig.grid(0.8)
    rig.go(20)
    rig.grid(1.0)
    rig.go(0.1)
    rig.ask("opModLVRTMustTrip", under_voltage(24.0))
    rig.grid(0.8)
    rig.go(23.8)
    assert not rig.device.state.tripped
    rig.go(0.4)
    assert rig.device.state.tripped


def test_a_trip_while_out_of_service_is_a_trip(rig: Any) -> None:
    rig.ask("opModConnect", False)
    rig.go(1)
    assert rig.device.state.inverter_status is InverterStatus.OFF
    rig.grid(1.25)
    rig.go(1)
    state = rig.device.state
    assert state.tripped
    assert state.connection.fault
    assert state.inverter_status is InverterStatus.FAULT
    rig.grid(1.0)
    rig.ask("opModConnect", None)
    rig.go(1)
    assert rig.device.state.tripped  # until service is entered


@pytest.mark.parametrize(("va", "draws"), [(499e3, True), (500e3, False), (600e3, False)])
def test_the_random_delay_of_entering_service_is_for_machines_below_500_kva(
    make_rig: Any, va: float, draws: bool
) -> None:
    rig = make_rig(start="off", **{"702.VAMaxRtg": va, "702.AMaxRtg": 2000})
    rig.device.settings.update({"setESDelay": 10.0, "setESRandomDelay": 1000.0})
    extra_s = rig.device.enter_service_s - 10.0
    assert 0.0 <= extra_s <= 1000.0
    assert (extra_s > 0.0) is draws


def test_no_energy_flows_in_the_piece_of_a_step_that_ends_cessation_by_a_trip(tmp_path: Path) -> None:
    """At 0.3 pu from second 10 on: cessation at once, the trip 2 s later, both within one tick."""
    (tmp_path / "grid.csv").write_text("t_s,voltage_pu\n0,1\n10,0.3\n100,0.3\n")
    grid = read_profile(tmp_path / "grid.csv", "grid")
    device = make_device(clock=ManualClock(), inputs=Inputs(Conditions(), grid=grid))
    device.step(0.0)
    device.step(9.0)
    assert device.state.p_w > 1000
    device.step(10.0)
    before = sum(device.state.exported_wh)
    device.step(40.0)
    assert device.state.tripped
    assert sum(device.state.exported_wh) == before


def test_until_a_trip_without_cessation_the_power_flows(tmp_path: Path) -> None:
    (tmp_path / "grid.csv").write_text("t_s,voltage_pu\n0,1\n10,0.8\n100,0.8\n")
    grid = read_profile(tmp_path / "grid.csv", "grid")
    device = make_device(clock=ManualClock(), inputs=Inputs(Conditions(), grid=grid))
    device.step(0.0)
    device.step(10.0)
    before, p_w = sum(device.state.exported_wh), device.state.p_w
    device.step(70.0)
    assert device.state.tripped
    assert sum(device.state.exported_wh) - before == pytest.approx(p_w * 21 / 3600)
