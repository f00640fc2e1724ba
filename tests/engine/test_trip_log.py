"""What an inverter does of itself stands in the log."""

from __future__ import annotations

from typing import Any

import pytest

from dersim.device import Device
from dersim.engine.trip_log import TripLog
from dersim.fleet import Fleet
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device


class _Clock:
    time_s = 0.0
    tick_s = 1.0

    def now_s(self) -> float:
        return self.time_s


@pytest.fixture
def told() -> tuple[Device, _Clock, TripLog, LogBuffer]:
    clock = _Clock()
    device = make_device(clock=clock)
    log = LogBuffer()
    return device, clock, TripLog(Fleet([device]), log), log


def run(device: Device, clock: _Clock, watch: TripLog, seconds: int) -> None:
    for _ in range(seconds):
        clock.time_s += 1
        device.step(clock.time_s)
        watch.look()


@pytest.mark.parametrize(
    ("points", "inputs", "cause"),
    [
        ({}, {"grid_lost": True}, "tripped: grid lost; "),
        ({"dersim.AngleJump": "trip"}, {"angle_deg": 30}, "tripped: jump of the phase angle; "),
        (
            {"dersim.RocofTrip": 4},
            {"frequency_hz": 58.6, "rocof_hz_s": 5},
            "tripped: frequency moves at -5 Hz/s; ",
        ),
    ],
)
def test_a_trip_without_an_alarm_has_its_cause(
    points: dict[str, Any], inputs: dict[str, Any], cause: str
) -> None:
    clock, log = _Clock(), LogBuffer()
    device = make_device(clock=clock, nameplate=read_nameplate(bundled("10kW-3Phase"), **points))
    watch = TripLog(Fleet([device]), log)
    device.step(0.0)
    device.inputs.set(**inputs)
    run(device, clock, watch, 2)
    device.inputs.set(grid_lost=False, frequency_hz=60)
    run(device, clock, watch, 302)
    trip, back = [entry.message for entry in log.entries(modules=["AC"])]
    assert trip.startswith(cause)
    assert back.startswith("entering service (was tripped): no alarm")


def test_a_trip_and_the_way_back_are_told_once_each(
    told: tuple[Device, _Clock, TripLog, LogBuffer],
) -> None:
    device, clock, watch, log = told
    run(device, clock, watch, 3)
    assert log.entries(modules=["AC"]) == []
    device.inputs.set(voltage_pu=1.25)
    run(device, clock, watch, 5)
    (trip,) = log.entries(modules=["AC"])
    assert (trip.level, trip.device) == ("Warning", 1)
    assert trip.message.startswith("tripped: OVER_VOLTAGE")
    device.inputs.set(voltage_pu=1.0)
    run(device, clock, watch, 700)
    messages = [entry.message.split(":")[0] for entry in log.entries(modules=["AC"])]
    assert messages == [
        "tripped",
        "entering service (was tripped)",
        "in service (was entering service)",
    ]


def test_what_the_operator_does_is_told_too(told: tuple[Device, _Clock, TripLog, LogBuffer]) -> None:
    device, clock, watch, log = told
    device.command("stop")
    run(device, clock, watch, 2)
    (entry,) = log.entries(modules=["AC"])
    assert (entry.level, entry.message.split(":")[0]) == ("Info", "out of service (was in service)")
