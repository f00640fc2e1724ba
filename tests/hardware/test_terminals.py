"""The voltages that functions and trips use: mean, lowest and highest of what the DER has."""

from __future__ import annotations

import cmath
import math

import pytest

from dersim.device import ManualClock
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.state import Alarm, Triple
from dersim.hardware.terminals import Terminals, line_to_line
from dersim.plugin.builtin import make_device


def measured(profile: str, *voltage_pu: float, **settings: float) -> Measured:
    plate = read_nameplate(bundled(profile))
    own = Settings(plate)
    own.update(settings)
    seen = Measured()
    Terminals(plate, own).measure((voltage_pu[0], voltage_pu[1], voltage_pu[2]), seen)
    return seen


@pytest.mark.parametrize(
    ("profile", "voltage_pu", "low_mean_high"),
    [
        ("10kW-1Phase", (0.9, 1.2, 0.3), (0.9, 0.9, 0.9)),
        ("10kW-2Phase", (0.9, 1.2, 0.3), (0.9, 1.05, 1.2)),
        ("10kW-2Phase", (1.2, 0.9, 0.3), (0.9, 1.05, 1.2)),
        ("10kW-2Phase", (1.0, 1.0, 0.3), (1.0, 1.0, 1.0)),
        ("10kW-3Phase", (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
        ("10kW-3Phase", (0.7, 1.0, 1.3), (0.7, 1.0, 1.3)),
    ],
)
def test_lowest_mean_and_highest(profile: str, voltage_pu: Triple, low_mean_high: Triple) -> None:
    seen = measured(profile, *voltage_pu)
    assert (seen.v_low_pu, seen.v_pu, seen.v_high_pu) == pytest.approx(low_mean_high)


def test_of_three_phases_the_mean_counts_for_functions_and_the_extremes_for_trips() -> None:
    seen = measured("10kW-3Phase", 0.7, 0.8, 1.0)
    assert seen.v_pu == pytest.approx(2.5 / 3)
    assert (seen.v_low_pu, seen.v_high_pu) == (0.7, 1.0)


def test_the_reference_and_its_offset_shift_all_three() -> None:
    seen = measured("10kW-3Phase", 1.0, 1.0, 1.0, setVRefOfs=4.8)
    assert (seen.v_pu, seen.v_low_pu, seen.v_high_pu) == pytest.approx((0.99, 0.99, 0.99))


@pytest.mark.parametrize("legs", [(1.0, 1.25), (1.25, 1.0)])
def test_one_leg_alone_trips_a_split_phase_machine_on_over_voltage(legs: tuple[float, float]) -> None:
    clock = ManualClock()
    device = make_device(device_type="PV-2Phase", clock=clock)
    device.step(0.0)
    device.inputs.set(voltage_pu=(*legs, 1.0))
    device.step(0.15)
    assert not device.state.tripped
    assert Alarm.OVER_VOLTAGE in device.state.alarms
    device.step(0.17)
    assert device.state.tripped


@pytest.mark.parametrize("legs", [(1.0, 0.7), (0.7, 1.0)])
def test_one_leg_alone_trips_a_split_phase_machine_on_under_voltage(legs: tuple[float, float]) -> None:
    device = make_device(device_type="PV-2Phase", clock=ManualClock())
    device.step(0.0)
    device.inputs.set(voltage_pu=(*legs, 1.0))
    device.step(20.9)
    assert not device.state.tripped
    device.step(21.1)
    assert device.state.tripped


def phasor(magnitude: float, degrees: float) -> complex:
    return cmath.rect(magnitude, math.radians(degrees))


@pytest.mark.parametrize("angle_deg", [(0.0, -30.0, 0.0), (10.0, -5.0, 20.0), (180.0, 60.0, -60.0)])
def test_line_to_line_voltages_are_those_of_the_phasors(angle_deg: Triple) -> None:
    volts = (250.0, 277.0, 290.0)
    a, b, c = (phasor(volts[k], -120 * k + angle_deg[k]) for k in range(3))
    expected = (abs(a - b), abs(b - c), abs(c - a))
    assert line_to_line(3, volts, angle_deg) == pytest.approx(expected, abs=1e-9)
    split = abs(phasor(250.0, angle_deg[0]) - phasor(277.0, 180 + angle_deg[1]))
    assert line_to_line(2, volts, angle_deg) == pytest.approx((split, 0, 0), abs=1e-9)


def test_equal_angles_are_nominal_ones() -> None:
    volts = (250.0, 277.0, 290.0)
    assert line_to_line(3, volts, (40.0, 40.0, 40.0)) == line_to_line(3, volts)


def test_a_phase_that_turns_changes_the_voltages_that_count_for_trips() -> None:
    device = make_device(clock=ManualClock())
    device.step(0.0)
    device.inputs.set(angle_deg=[0, -30, 0])
    assert device.state.voltage_ll_v == pytest.approx((535.4, 391.9, 480), abs=0.1)
    assert (device.seen.v_pu, device.seen.v_high_pu) == pytest.approx((1.0, 1.1154), abs=1e-4)
    assert device.seen.v_low_pu == pytest.approx(0.8165, abs=1e-4)


def test_a_leg_that_turns_lowers_the_voltage_of_a_split_phase_machine() -> None:
    device = make_device(device_type="PV-2Phase", clock=ManualClock())
    device.step(0.0)
    device.inputs.set(angle_deg=[0, 60, 0])
    assert device.state.voltage_ll_v[0] == pytest.approx(240 * math.cos(math.radians(30)))
    assert device.seen.v_low_pu == pytest.approx(math.cos(math.radians(30)))
