"""The ticker: steps the whole fleet at every tick, then lets the clock run on.

With a grid behind the fleet the clock waits at the instant of each step until the grid is settled, and a tick
is cut in as many equal steps as the grid asks for. Readers wake once per tick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from dersim.clock import SimClock
from dersim.engine.grids import Grids
from dersim.engine.trip_log import TripLog
from dersim.fences import Fences

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.fleet import Fleet


class Ticker:
    """Steps a fleet by its clock. step: steps one DER, and does not raise."""

    def __init__(
        self,
        fleet: Fleet,
        clock: SimClock,
        step: Callable[[Device, float], None],
        grids: Grids,
        trip_log: TripLog,
        fences: Fences,
    ) -> None:
        self._fleet = fleet
        self._clock = clock
        self._step = step
        self._grids = grids
        self._trip_log = trip_log
        self._fences = fences

    async def begin(self) -> None:
        """The first step, at the instant at which the clock has started."""
        now_s = self._clock.now_s()
        if self._grids:
            await self._settled(now_s, last_step=True)
        else:
            await self._fleet.step(now_s, self._step)
        self._trip_log.look()

    async def run(self, next_s: float) -> None:
        """Step the fleet at every tick. next_s: the instant of the first step."""
        tick = self._settled_tick if self._grids else self._tick
        while True:
            next_s = await tick(next_s)
            with self._fences.around("trip_log", "Engine", "the log of trips"):
                self._trip_log.look()

    async def _tick(self, next_s: float) -> float:
        """After a late tick the clock has waited, so none is made up for."""
        clock = self._clock
        clock.tick_done()
        next_s = max(next_s + clock.tick_s, clock.now_s())
        due_s = trio.current_time() + (next_s - clock.now_s()) / clock.rate
        await clock.sleep_until(next_s)
        await self._fleet.step(clock.now_s(), self._step)
        clock.lag_s = trio.current_time() - due_s
        return next_s

    async def _settled_tick(self, begun_s: float) -> float:
        """Steps of equal length, which may change after each of them."""
        clock, now_s = self._clock, begun_s
        end_s = begun_s + clock.tick_s
        while now_s < end_s:
            steps = self._grids.steps_of(end_s - now_s)
            now_s = end_s if steps == 1 else now_s + (end_s - now_s) / steps
            clock.tick_done(now_s)
            due_s = trio.current_time() + (now_s - clock.now_s()) / clock.rate
            await clock.sleep_until(now_s)
            await clock.wait_woken()  # what begins at this instant begins before the step
            await self._settled(now_s, last_step=now_s == end_s)
            clock.lag_s = trio.current_time() - due_s
        return end_s

    async def _settled(self, now_s: float, *, last_step: bool) -> None:
        await self._fleet.advance(now_s, self._step)
        await self._grids.settle(now_s, last_step=last_step)
        if last_step:
            await self._fleet.tell()
