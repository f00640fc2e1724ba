"""Simulated time: advanced by the ticker, read by everything else.

Physics, profiles, ramps, event times and the companion server's Time are in simulated time: seconds since
1970 UTC, as a float. Deadlines of sockets, back-off and shutdown are in real time and do not use this clock.

Between two ticks the clock runs at `rate`, so that an event can begin in mid-tick, but at most 1.5 ticks
ahead of the last step; with a grid behind the fleet, at most to the next step. If the computer is too slow,
simulated time waits for the steps, and `effective_rate` shows it.
"""

from __future__ import annotations

import math
import time

import trio


class SimClock:
    """The simulated time of one process.

    start_s: the first instant, seconds since 1970 UTC; None: the computer's clock at `start`.
    rate: simulated seconds per real second. tick_s: simulated seconds between two ticks, at the most.
    lag_s: real seconds from when the last step was due until it was done, which the ticker measures.
    """

    def __init__(self, *, start_s: float | None = None, rate: float = 1.0, tick_s: float = 1.0) -> None:
        self.rate = rate
        self.tick_s = tick_s
        self.lag_s = 0.0
        self._start_s = start_s
        self._anchor_s = math.nan
        self._anchor_real_s = math.nan
        self._limit_s = math.inf
        self._made_up = False
        #: Who sleeps, and until when.
        self._asleep: dict[object, float] = {}
        self._first_s = math.nan
        self._first_real_s = math.nan

    def start(self, *, held: bool = False) -> None:
        """Start the clock; called once, inside trio.run, before anything reads it.

        held: it waits at its first instant for `tick_done`.
        """
        self._first_s = self._anchor_s = time.time() if self._start_s is None else self._start_s
        self._first_real_s = self._anchor_real_s = trio.current_time()
        self._limit_s = self._anchor_s + (0.0 if held else self.tick_s)

    @property
    def started(self) -> bool:
        """Whether `start` was called."""
        return not math.isnan(self._anchor_s)

    @property
    def start_s(self) -> float:
        """The first instant; NaN before `start`."""
        return self._first_s

    def now_s(self) -> float:
        """The simulated time, seconds since 1970 UTC; before `start`, the time at which it would start."""
        anchor_s = self._anchor_s
        if math.isnan(anchor_s):
            return time.time() if self._start_s is None else self._start_s
        return min(self._limit_s, self._running_s())

    def _running_s(self) -> float:
        return self._anchor_s + (trio.current_time() - self._anchor_real_s) * self.rate

    def tick_done(self, next_s: float | None = None) -> None:
        """All DERs are stepped to `now_s`: the clock may run on. Called by the ticker only.

        next_s: the instant of the next step, at which the clock waits; None: it waits 1.5 ticks from now.
        What it has waited at `next_s` is made up for, up to a tick.
        """
        now, real = self.now_s(), trio.current_time()
        self._made_up = next_s is not None
        waited_s = self._waited_s()
        self._anchor_s, self._anchor_real_s = now, real - waited_s / self.rate
        self._limit_s = now + self.tick_s * 1.5 if next_s is None else next_s

    def _waited_s(self) -> float:
        """By how much the clock will go forward at once when the step is done; simulated s."""
        return min(self._running_s() - self.now_s(), self.tick_s) if self._made_up else 0.0

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until the simulated time is at or after `when_s`."""
        mark = object()
        self._asleep[mark] = when_s
        try:
            # Where the clock waits for the steps a round ends too soon, and the next one follows.
            while (left_s := when_s - self.now_s()) > 0:  # noqa: ASYNC110 - no event comes at that time
                await trio.sleep(max((left_s - self._waited_s()) / self.rate, 0.0005))
            await trio.lowlevel.checkpoint()
        finally:
            del self._asleep[mark]

    async def wait_woken(self) -> None:
        """Return once nobody sleeps any more who waits for now or an earlier time.

        While the clock waits for a step, so that what begins at its instant has begun before it.
        """
        now = self.now_s()
        while self._asleep and min(self._asleep.values()) <= now:  # noqa: ASYNC110 - as in `sleep_until`
            await trio.sleep(0.0002)

    async def sleep(self, seconds: float) -> None:
        """Sleep so many simulated seconds."""
        await self.sleep_until(self.now_s() + seconds)

    @property
    def effective_rate(self) -> float:
        """Simulated seconds per real second, measured since the start."""
        real_s = trio.current_time() - self._first_real_s
        return self.rate if real_s < self.tick_s else (self.now_s() - self._first_s) / real_s
