"""The ticker: steps the whole fleet at every tick, then lets the clock run on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from dersim.clock import SimClock
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
        trip_log: TripLog,
        fences: Fences,
    ) -> None:
        self._fleet = fleet
        self._clock = clock
        self._step = step
        self._trip_log = trip_log
        self._fences = fences

    async def begin(self) -> None:
        """The first step, at the instant at which the clock has started."""
        await self._fleet.step(self._clock.now_s(), self._step)
        self._trip_log.look()

    async def run(self, next_s: float) -> None:
        """Step the fleet at every tick; after a late tick the clock has waited, so none is made up for.

        next_s: the instant of the first step.
        """
        clock = self._clock
        while True:
            clock.tick_done()
            next_s = max(next_s + clock.tick_s, clock.now_s())
            due_s = trio.current_time() + (next_s - clock.now_s()) / clock.rate
            await clock.sleep_until(next_s)
            await self._fleet.step(clock.now_s(), self._step)
            clock.lag_s = trio.current_time() - due_s
            with self._fences.around("trip_log", "Engine", "the log of trips"):
                self._trip_log.look()
