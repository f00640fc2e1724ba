"""What an inverter does of itself stands in the log."""

from __future__ import annotations

import pytest

from dersim.device import Device
from dersim.engine.trip_log import TripLog
from dersim.fleet import Fleet
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
