"""Due times of all requests of a DER, in one table instead of a task per resource.

A DER polls about ten resources. A task for each would wake ten times as often and need ten stacks. So one
task sleeps until the next item is due, and does the items that are due shortly after it as well. Times are
simulated; the sleep is real, and ends early when an item is added.
"""

from __future__ import annotations

from collections.abc import Hashable

import trio

from dersim.clock import SimClock

#: Items that are due this soon after the first are done with it, s.
TOGETHER_S = 0.5
#: The shortest real sleep, s: where the physics hold the clock back, "almost due" may last.
_SHORTEST_SLEEP_S = 0.002


class Schedule:
    """Items by key, each with the simulated time at which it is due."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._due_s: dict[Hashable, float] = {}
        self._held: dict[Hashable, Hashable] | None = None
        self._woken = trio.Event()

    def set(self, key: Hashable, due_s: float) -> None:
        """Add an item, or change its time."""
        self._due_s[key] = due_s
        self._woken.set()

    def set_earlier(self, key: Hashable, due_s: float) -> None:
        """Add an item, or make it due earlier, never later."""
        if due_s < self._due_s.get(key, float("inf")):
            self.set(key, due_s)

    def begin(self, key: Hashable) -> float:
        """An item is done now, even if another one that was due with it has asked for it once more.

        Returns the time.
        """
        now_s = self._clock.now_s()
        if self._due_s.get(key, float("inf")) <= now_s:
            del self._due_s[key]
        return now_s

    def drop(self, key: Hashable) -> None:
        """Remove an item, if it is there."""
        self._due_s.pop(key, None)

    def hold(self, key: Hashable, until: Hashable) -> None:
        """Put an item off until another one is done: see `release`. Not until itself."""
        if key == until:
            return
        self.drop(key)
        self._held = {**(self._held or {}), key: until}

    def release(self, until: Hashable, due_s: float) -> None:
        """An item is done: what was put off until then is due at `due_s`."""
        for key in [key for key, other in (self._held or {}).items() if other == until]:
            self._held = {each: other for each, other in (self._held or {}).items() if each != key} or None
            self.set_earlier(key, due_s)

    def clear(self) -> None:
        """Remove all items."""
        self._due_s.clear()
        self._held = None

    def keys(self) -> frozenset[Hashable]:
        """The keys of all items."""
        return frozenset(self._due_s)

    @property
    def next_due_s(self) -> float:
        """When the next item is due, infinite where there is none."""
        return min(self._due_s.values(), default=float("inf"))

    def wake(self) -> None:
        """End the sleep of `wait` without an item."""
        self._woken.set()

    async def wait(self) -> None:
        """Sleep until an item is due, or `wake`."""
        left_s = self.next_due_s - self._clock.now_s()
        if left_s > 0:
            self._woken = trio.Event()
            with trio.move_on_after(max(left_s / self._clock.rate, _SHORTEST_SLEEP_S)):
                await self._woken.wait()
        await trio.lowlevel.checkpoint()

    def take_due(self, punctual: frozenset[Hashable] = frozenset()) -> list[Hashable]:
        """Remove and return what is due, in order; items not in `punctual` up to TOGETHER_S early."""
        now_s = self._clock.now_s()
        if self.next_due_s > now_s:
            return []
        due = [
            (due_s, position, key)
            for position, (key, due_s) in enumerate(self._due_s.items())
            if due_s <= (now_s if key in punctual else now_s + TOGETHER_S)
        ]
        keys = [key for _, _, key in sorted(due)]
        for key in keys:
            del self._due_s[key]
        return keys
