"""What is to be asked next, and when: one short table instead of a task per resource.

A DER polls about ten resources. A task for each would wake ten times as often and cost ten stacks; so one
task sleeps until the next item is due, and takes with it what would be due at once anyhow. Times are
simulated; only the sleep is real, and ends early when something is put in front.
"""

from __future__ import annotations

from collections.abc import Hashable

import trio

from dersim.clock import SimClock

#: Items due within this of the first go along with it, s.
TOGETHER_S = 0.5
#: The shortest real sleep, s: where the physics hold the clock back, "almost due" may last.
_SHORTEST_SLEEP_S = 0.002


class Schedule:
    """Items by key, each with the simulated time at which it is due."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._due_s: dict[Hashable, float] = {}
        self._woken = trio.Event()

    def set(self, key: Hashable, due_s: float) -> None:
        """Put an item on, or move it."""
        self._due_s[key] = due_s
        self._woken.set()

    def set_earlier(self, key: Hashable, due_s: float) -> None:
        """Put an item on, or move it forward, never back."""
        if due_s < self._due_s.get(key, float("inf")):
            self.set(key, due_s)

    def drop(self, key: Hashable) -> None:
        """Take an item off, if it is on."""
        self._due_s.pop(key, None)

    def clear(self) -> None:
        """Take everything off."""
        self._due_s.clear()

    def keys(self) -> frozenset[Hashable]:
        """What is on."""
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
        """Take off what is due, in order; those not `punctual` a little before their time."""
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
