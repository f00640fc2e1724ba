"""A utility, its DERs and a feeder in closed loop over IEEE 2030.5, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from dersim.plugin import CLEAR_DAY, ConfigError
from dersim.testing import World, WorldPlan, open_world
from dersim.utility.scenario.player import play
from dersim.utility.scenario.reader import read_scenario
from dersim_feeder.feeder import Feeder
from dersim_feeder.series import Series


class ClosedLoop(NamedTuple):
    """What runs. feeder: its last solution; series: its past, and what was curtailed."""

    world: World
    feeder: Feeder
    series: Series


@asynccontextmanager
async def closed_loop(
    scenario: Path, *, ders: int, start_s: float, tick_s: float = 1.0, seed: int = 7
) -> AsyncIterator[ClosedLoop]:
    """Run the scenario for DERs on the feeder of 30 customers, on a clear day in UTC, from start_s (UTC) on.

    tick_s: between two steps, at most; the feeder makes shorter ones while voltages move.
    """
    flags = ("--feeder", "bundled-30", "--dc_profile", str(CLEAR_DAY), "--wall_clock_timezone", "UTC")
    plan = WorldPlan(
        seed=seed,
        ders=ders,
        tick_s=tick_s,
        start_s=start_s,
        flags=flags,
        utility={"own_programs": False, "cycle": False},
    )
    async with open_world(plan) as world:
        services = world.simulators[0].simulator.services
        feeder, series = services.find(Feeder), services.find(Series)
        if feeder is None or series is None:
            raise ConfigError("dersim-feeder is not installed: pip install ./plugins/dersim-feeder")
        play(
            world.utility.head_end,
            read_scenario(scenario, lambda number: str(world.client(number).snapshot()["lfdi"])),
        )
        yield ClosedLoop(world, feeder, series)
