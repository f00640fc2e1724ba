"""Reversion timers: a setpoint written by register reverts after a time (RvrtTms, RvrtRem; 704 to 712).

A timer (re)starts when its function is enabled, or its value or RvrtTms is written while it is enabled; it
stops when the function is disabled. RvrtTms 0 means none. At the end the *Rvrt values are applied.
Times are simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import trio

from dersim.kept import plain, value


class Timer:
    """One reversion timer; `fire` is called once when it expires."""

    def __init__(self, timers: Timers, fire: Callable[[], None]) -> None:
        self._timers = timers
        self.fire = fire
        self.ends_s = math.inf

    @property
    def running(self) -> bool:
        """Whether it is counting down."""
        return self.ends_s < math.inf

    def start(self, seconds: float) -> None:
        """Count down from now; 0 stops."""
        self.ends_s = self._timers.now_s() + seconds if seconds > 0 else math.inf
        self._timers.changed()

    def stop(self) -> None:
        """Stop without firing."""
        self.start(0)

    @property
    def remaining_s(self) -> float:
        """Whole seconds left, rounded up; 0 when stopped."""
        return math.ceil(max(0.0, self.ends_s - self._timers.now_s())) if self.running else 0


class Timers:
    """All timers of a device. fence: entered around each `fire`, so that a failing one ends by itself."""

    def __init__(
        self, now_s: Callable[[], float], fence: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self.now_s = now_s
        self._fence = fence
        self._timers: list[Timer] = []
        self._next_s = math.inf
        self._moved = trio.Event()

    def checkpoint(self) -> list[Any]:
        """When each timer ends, in the order in which they were made."""
        return [plain(timer.ends_s) for timer in self._timers]

    def restore(self, document: list[Any]) -> None:
        """Take over what `checkpoint` of an equal map gave; what ran out meanwhile fires next."""
        for timer, ends_s in zip(self._timers, document, strict=False):
            timer.ends_s = value(ends_s)
        self.changed()

    def add(self, fire: Callable[[], None]) -> Timer:
        """A new timer."""
        timer = Timer(self, fire)
        self._timers.append(timer)
        return timer

    def changed(self) -> None:
        """Wake `wait_changed`: a timer was started or stopped."""
        self._next_s = min((timer.ends_s for timer in self._timers), default=math.inf)
        self._moved.set()
        self._moved = trio.Event()

    def run_due(self) -> None:
        """Fire the expired timers, oldest first."""
        if self._next_s == math.inf:  # asked before every request
            return
        while self.now_s() >= self._next_s:
            due = min(self._timers, key=lambda timer: timer.ends_s)
            due.stop()
            with self._fence():
                due.fire()

    @property
    def next_s(self) -> float:
        """The time at which the next one expires, inf for none."""
        return self._next_s

    async def wait_changed(self) -> None:
        """Return when a timer was started or stopped."""
        await self._moved.wait()
