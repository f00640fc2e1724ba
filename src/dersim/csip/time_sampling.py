"""When to read each Time resource; passes the clock offsets on.

The spacing is `clock_sync`'s: at least 15 s, 15 minutes once the offset is known well. A walk, and an
EventStatus that contradicts the clock, ask for a sample as soon as the standard allows one: 15 s after the
last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from dersim.csip.causes import TIME_SAMPLE
from dersim.csip.clock_sync import SAMPLE_SPACING_S, ClockSync
from dersim.csip.clocks import Clocks
from dersim.csip.reader import Reader
from dersim.csip.schedule import Schedule
from dersim.ieee2030_5 import resources as r

if TYPE_CHECKING:
    from dersim.clock import SimClock

#: The item of the schedule.
TIME = "time"
#: What is due within this is asked together, s.
_TOGETHER_S = 1e-3


class TimeSampling:
    """Samples the Time resources in use. on_offsets: given {href: offset in s} after each sample."""

    def __init__(
        self,
        *,
        clock: SimClock,
        clocks: Clocks,
        schedule: Schedule,
        reader: Reader,
        on_offsets: Callable[[Mapping[str, float]], None],
    ) -> None:
        self._clock = clock
        self._clocks = clocks
        self._schedule = schedule
        self._reader = reader
        self._on_offsets = on_offsets
        self._due_s: dict[str, float] = {}

    async def use(self, hrefs: Iterable[str], *, resample: bool = False) -> None:
        """Use these Times from now on, the DeviceCapability's first; sample those that are new.

        resample: a walk: sample all, at once or as soon as the standard allows.
        """
        clocks, before = self._clocks, set(self._due_s)
        clocks.use(hrefs)
        for href in before - set(clocks.in_use):
            del self._due_s[href]
        for href in clocks.in_use:
            if resample or href not in before:
                self._due_s[href] = self._earliest_s(href)
        await self.poll()

    def sample_soon(self, href: str) -> None:
        """Something contradicts this clock: sample it as soon as the standard allows."""
        if href in self._due_s:
            self._due_s[href] = min(self._due_s[href], self._earliest_s(href))
            self._put_on_schedule()

    def _earliest_s(self, href: str) -> float:
        return max(self._clocks.of(href).sampled_s + SAMPLE_SPACING_S, self._clock.now_s())

    async def poll(self) -> None:
        """Ask the Times that are due; hand on what is known; say when the next is due."""
        now_s = self._clock.now_s()
        for href in [href for href, due_s in self._due_s.items() if due_s <= now_s + _TOGETHER_S]:
            await self._ask(href)
        if offsets := self._clocks.offsets_s():
            self._on_offsets(offsets)
        self._put_on_schedule()

    def _put_on_schedule(self) -> None:
        if self._due_s:
            self._schedule.set(TIME, min(self._due_s.values()))

    async def _ask(self, href: str) -> None:
        self._due_s[href] = self._clock.now_s() + self._reader.retry_s
        session, sync = self._reader.session, self._clocks.of(href)
        fetched = await self._reader.optional(
            "Time",
            href,
            lambda: session.fetch(href, r.Time, TIME_SAMPLE, level="Debug"),
            kept=None,
            gone=None,
        )
        if fetched is None:
            return
        time = fetched.resource
        if sync.add_sample(time.currentTime, fetched.sent_s, fetched.received_s):
            self._reader.say("Warning", f"the server's clock at {href} has jumped")
        self._reader.say("Info", f"Time {href}: quality {time.quality}, {describe(sync)}")
        self._due_s[href] = max(sync.next_sample_s(float(time.pollRate or 0)), self._clock.now_s() + 1.0)


def describe(sync: ClockSync) -> str:
    """The offset for the log."""
    return f"offset {sync.offset_s:+.3f} s within {sync.bound_s:.3f} s, {sync.samples} samples"
