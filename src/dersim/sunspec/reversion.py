"""Reversion timers: what was set by register goes back by itself (RvrtTms, RvrtRem; 704 to 712).

A timer (re)starts when its function is enabled, or its value or RvrtTms is written while it is enabled; it
stops when the function is disabled. RvrtTms 0 means none. At the end the *Rvrt values are put in force.
Times are simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import trio


class Timer:
    """One reversion timer; `fire` is called once when it runs out."""

    def __init__(self, timers: Timers, fire: Callable[[], None]) -> None:
        self._timers = timers
        self.fire = fire
        self.ends_s = math.inf

    @property
    def running(self) -> bool:
        """Whether it counts."""
        return self.ends_s < math.inf

    def start(self, seconds: float) -> None:
        """Count down from now; 0 stops."""
        self.ends_s = self._timers.now_s() + seconds if seconds > 0 else math.inf
        self._timers.changed()

    def stop(self) -> None:
        """Count no more."""
        self.start(0)

    @property
    def remaining_s(self) -> float:
        """Whole seconds left, rounded up; 0 when it does not count."""
        return math.ceil(max(0.0, self.ends_s - self._timers.now_s())) if self.running else 0


class Timers:
    """All timers of a device."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self.now_s = now_s
        self._timers: list[Timer] = []
        self._next_s = math.inf
        self._moved = trio.Event()

    def add(self, fire: Callable[[], None]) -> Timer:
        """A new timer."""
        timer = Timer(self, fire)
        self._timers.append(timer)
        return timer

    def changed(self) -> None:
        """A timer was started or stopped."""
        self._next_s = min((timer.ends_s for timer in self._timers), default=math.inf)
        self._moved.set()
        self._moved = trio.Event()

    def run_due(self) -> None:
        """Fire what has run out, in the order of time."""
        if self._next_s == math.inf:  # asked before every request
            return
        while self.now_s() >= self._next_s:
            due = min(self._timers, key=lambda timer: timer.ends_s)
            due.stop()
            due.fire()

    @property
    def next_s(self) -> float:
        """When the next one runs out, inf for none."""
        return self._next_s

    async def wait_changed(self) -> None:
        """Return when a timer was started or stopped."""
        await self._moved.wait()
