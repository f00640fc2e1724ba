"""1,000 DERs on the feeder bundled-1000, with Volt-Var in force and a sun that moves; no front-end.

CPU of a simulated second at tick 1 s; the longest that the event loop was held; a whole day at tick 60 s. It
needs the plug-in dersim-feeder installed.
"""

from __future__ import annotations

import importlib.util
import io
import math
import time
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import trio
from tests.bench.measure import Result, at_most

import dersim.grid
from dersim.clock import SimClock
from dersim.engine.simulator import Simulator
from dersim.fleet import Fleet
from dersim.fleet_plan import plan_of_flags
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import read_profile
from dersim.logbuffer import LogBuffer
from dersim.modes import Curve
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import GridType
from dersim.plugin.registry import Registry
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

COUNT = 1_000
CLEAR_DAY = Path(dersim.grid.__file__).parent / "data" / "clear-day.csv"
MIDNIGHT_S = datetime(2024, 3, 20, tzinfo=UTC).timestamp()
VOLT_VAR = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 2, 5.0)


class Longest(trio.abc.Instrument):
    """The longest step of any task, CPU s of the loop's thread: so long was the event loop held."""

    def __init__(self) -> None:
        self.held_s, self._begun_s = 0.0, math.inf

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._begun_s = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.held_s = max(self.held_s, time.thread_time() - self._begun_s)


class Run:
    """A simulator of the fleet, as fast as it goes. start_s: simulated UTC."""

    def __init__(self, tick_s: float, start_s: float) -> None:
        from dersim_feeder.grid import FeederGrid

        self.clock = SimClock(start_s=start_s, tick_s=tick_s, rate=1e9)
        weather = read_profile(CLEAR_DAY, "weather")
        weather.begin(start_s)
        devices = [
            make_device(
                number,
                clock=self.clock,
                inputs=Inputs(Conditions(), weather=weather.shifted(number / 10), start_s=start_s),
            )
            for number in range(1, COUNT + 1)
        ]
        registry = Registry()
        registry.grids.add("feeder", GridType("feeder", FeederGrid), "feeder")
        options = Namespace(
            feeder="bundled-1000", feeder_map=None, seed=1, wall_clock_timezone=UTC, fail_fast=True,
            rate_override=False, ramp=50.0, count=COUNT, first=1,
        )  # fmt: skip
        options.plan = plan_of_flags(options)
        self.fleet = Fleet(devices)
        self.simulator = Simulator(
            options=options, registry=registry, fleet=self.fleet, clock=self.clock,
            log=LogBuffer(stream=io.StringIO()),
        )  # fmt: skip

    async def measure(self, warm_s: float, seconds: float) -> tuple[float, float, float]:
        """CPU s, real s and the longest hold of the loop, s, of so many simulated seconds."""
        ready = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.simulator.run, lambda line: ready.set())
            await ready.wait()
            for device in self.fleet.devices:
                device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModVoltVar", VOLT_VAR))
            start_s = await self._at(self.clock.now_s() + warm_s)
            longest = Longest()
            trio.lowlevel.add_instrument(longest)
            cpu_s, real_s = time.process_time(), time.perf_counter()
            end_s = await self._at(start_s + seconds)
            spent = time.process_time() - cpu_s, time.perf_counter() - real_s
            trio.lowlevel.remove_instrument(longest)
            assert end_s - start_s < seconds + 2 * self.clock.tick_s
            self.simulator.stop()
        return *spent, longest.held_s

    async def _at(self, when_s: float) -> float:
        while self.clock.now_s() < when_s:
            await self.fleet.wait_step()
        return self.clock.now_s()


def run() -> Iterator[Result]:
    """The three figures; none where the plug-in is not installed."""
    if importlib.util.find_spec("dersim_feeder") is None:
        return
    cpu_s, _, held_s = trio.run(Run(1.0, MIDNIGHT_S + 9 * 3600).measure, 10.0, 120.0)
    yield at_most("feeder, 1,000 DERs: CPU of a simulated second", cpu_s / 120 * 1000, 250.0, "ms")
    yield at_most("feeder, 1,000 DERs: the event loop held at the longest", held_s * 1000, 20.0, "ms")
    _, real_s, held_s = trio.run(Run(60.0, MIDNIGHT_S).measure, 60.0, 86_400.0)
    yield at_most("feeder, 1,000 DERs: a day at tick 60 s", real_s, 180.0, "s")
    yield at_most("feeder, the same day: the event loop held at the longest", held_s * 1000, 20.0, "ms")
