"""Which alarms are raised, and for how long one that is over is still shown."""

from __future__ import annotations

import pytest

from dersim.device import ManualClock
from dersim.grid.inputs import ALARMS
from dersim.hardware.alarm_hold import AlarmHold
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.state import Alarm, InverterStatus
from dersim.plugin.builtin import make_device

OV, UF = Alarm.OVER_VOLTAGE, Alarm.UNDER_FREQUENCY
NONE = Alarm(0)


def test_low_power_input_is_an_alarm_of_a_machine_without_storage() -> None:
    device = make_device(device_type="PV", clock=ManualClock())
    device.inputs.set(irradiance_w_m2=0.0)
    device.step(0.0)
    assert device.state.alarms == Alarm.LOW_POWER_INPUT
    assert device.state.inverter_status is InverterStatus.SLEEPING


@pytest.mark.parametrize("soc", [5.0, 50.0, 95.0])
def test_an_empty_battery_has_no_low_power_input(soc: float) -> None:
    plate = read_nameplate(bundled("15kWh-3Phase"), **{"713.SoC": soc})
    device = make_device(device_type="Batt", nameplate=plate, clock=ManualClock())
    device.step(0.0)
    assert (device.state.available_w == 0) is (soc == 5.0)
    assert device.state.alarms == NONE
    assert device.state.inverter_status is InverterStatus.STANDBY


def test_a_short_alarm_is_held_from_when_it_rises() -> None:
    held = AlarmHold(2.0)
    held.note(OV, 10.0)
    held.note(NONE, 10.2)
    assert [held.with_held(NONE, t) for t in (10.2, 11.9, 12.0)] == [OV, OV, NONE]


def test_an_alarm_that_lasts_does_not_prolong_its_hold() -> None:
    held = AlarmHold(2.0)
    for tenth in range(35):
        held.note(OV, 10.0 + tenth / 10)
    held.note(NONE, 13.5)
    assert held.with_held(NONE, 13.5) == NONE


def test_an_alarm_that_rises_later_does_not_prolong_another() -> None:
    held = AlarmHold(2.0)
    held.note(OV, 10.0)
    held.note(OV | UF, 11.0)
    held.note(NONE, 11.5)
    assert [held.with_held(NONE, t) for t in (11.9, 12.0, 12.9, 13.0)] == [OV | UF, UF, UF, NONE]


def test_an_alarm_that_rises_again_is_held_again() -> None:
    held = AlarmHold(2.0)
    held.note(OV, 10.0)
    held.note(NONE, 10.1)
    held.note(OV, 11.0)
    held.note(NONE, 11.1)
    assert held.with_held(NONE, 12.9) == OV
    held.forget()
    assert held.with_held(NONE, 11.2) == NONE


@pytest.mark.parametrize(
    ("setting", "volts", "v_pu", "alarm"),
    [
        ("setMaxV", 500.0, 1.06, Alarm.OVER_VOLTAGE),
        ("setMinV", 460.0, 0.94, Alarm.UNDER_VOLTAGE),
    ],
)
def test_a_short_voltage_outside_the_settings_is_shown_too(
    setting: str, volts: float, v_pu: float, alarm: Alarm
) -> None:
    clock = ManualClock()
    device = make_device(device_type="PV", clock=clock)
    device.step(0.0)
    device.settings.update({setting: volts})
    for clock.time_s, voltage in ((1.2, v_pu), (1.4, 1.0)):
        device.inputs.set(voltage_pu=voltage)
    device.step(2.0)
    assert device.state.alarms == alarm
    device.step(4.0)
    assert device.state.alarms == NONE


@pytest.mark.parametrize("name", ALARMS)
def test_an_input_raises_and_ends_the_alarm_of_its_name(name: str) -> None:
    clock = ManualClock()
    device = make_device(device_type="PV", clock=clock)
    device.step(0.0)
    watts = device.state.p_w
    device.inputs.set(**{name: True})
    assert device.state.alarms == Alarm[name.upper()]
    assert device.state.p_w == watts
    device.step(10.0)
    device.inputs.set(**{name: False})
    device.step(12.0)
    assert device.state.alarms == NONE
