"""DERs and a feeder in closed loop, stepped as dersim's ticker does, without a clock that runs."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from dersim_feeder.feeder import Feeder
from dersim_feeder.grid import FeederGrid

from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer
from dersim.plugin import (
    Curve,
    GridNotSolved,
    ManualClock,
    Route,
    SetpointChange,
    SetpointSource,
    Verdict,
    make_device,
)

NOON_S = datetime(2024, 3, 20, 12, tzinfo=UTC).timestamp()
CATEGORY_B = Curve(((92.0, 100.0), (98.0, 0.0), (102.0, 0.0), (108.0, -100.0)), 2, 5.0)


class Loop:
    """A fleet behind a feeder. unsolved: what was said of steps without a solution."""

    def __init__(
        self,
        feeder: str,
        kinds: list[str],
        *,
        tick_s: float = 1.0,
        start_s: float = NOON_S,
        **options: object,
    ) -> None:
        self.clock = ManualClock(start_s, tick_s)
        self.fleet = Fleet(
            [make_device(number, device_type=kind, clock=self.clock) for number, kind in enumerate(kinds, 1)]
        )
        for device in self.fleet.devices:
            device.inputs.offer_grid(["voltage_pu"])
        self.log = LogBuffer()
        self.unsolved: list[str] = []
        self.routes: list[Route] = []
        flags = {"feeder": feeder, "feeder_map": None, "seed": 1, "wall_clock_timezone": UTC} | options
        self.context = Namespace(
            options=Namespace(**flags),
            fleet=self.fleet,
            clock=Namespace(now_s=self.clock.now_s),
            log=self.log,
            offer=lambda kind, service: None,
            add_routes=lambda *routes: self.routes.extend(routes),
            metrics={},
        )
        self.grid = FeederGrid(self.context)
        self.steps = 0

    @property
    def feeder(self) -> Feeder:
        return self.grid.feeder

    async def run(self, seconds: float, look: Callable[[], object] = lambda: None) -> None:
        """Step by ticks; `look` is called after each."""
        end_s = self.clock.time_s + seconds
        while self.clock.time_s < end_s - 1e-9:
            tick_end_s = min(self.clock.time_s + self.clock.tick_s, end_s)
            while self.clock.time_s < tick_end_s - 1e-9:
                left_s = tick_end_s - self.clock.time_s
                await self.step(left_s / max(1, math.ceil(left_s / self.grid.longest_step_s - 1e-9)))
            look()

    async def step(self, seconds: float = 0.0) -> None:
        self.steps += 1
        self.clock.time_s += seconds
        for device in self.fleet.devices:
            device.step(self.clock.time_s)
        try:
            settled = await self.grid.settle(self.fleet.outputs(self.clock.time_s, last_step=True))
        except GridNotSolved as error:
            self.unsolved.append(str(error))
        else:
            await self.fleet.meet(settled)

    def order(self, mode: str, value: object) -> None:
        """Give a setpoint to every DER."""
        for device in self.fleet.devices:
            [outcome] = device.setpoints.submit(SetpointChange(SetpointSource.CSIP, mode, value))
            assert outcome.verdict is Verdict.ACCEPTED, outcome.reason

    def weather(self, **values: float) -> None:
        for device in self.fleet.devices:
            device.inputs.set(**values)

    def voltages(self) -> np.ndarray:
        """The first phase of each DER, as it measures it."""
        return np.array([device.inputs.constants.voltage_pu[0] for device in self.fleet.devices])

    def logged(self, level: str) -> list[str]:
        return [entry.message for entry in self.log.entries() if entry.level == level]


@pytest.fixture
def loop() -> Callable[..., Loop]:
    return Loop


@pytest.fixture
def category_b() -> Curve:
    """The Volt-Var curve of category B."""
    return CATEGORY_B
