"""The server's clock as the controls see it: from the Time resources that were asked."""

from __future__ import annotations

import trio

from dersim.clock import SimClock
from dersim.csip.clock_sync import ClockSync

#: The shortest real sleep, s, where the physics hold the clock back just before an event.
_SHORTEST_SLEEP_S = 0.002


class Clocks:
    """The servers' Time resources that were asked, and the one that rules our events."""

    def __init__(self, clock: SimClock) -> None:
        self.ruling: ClockSync | None = None
        self.ruling_href: str | None = None
        self.rate_s = 0.0
        self._by_href: dict[str, ClockSync] = {}
        self._clock = clock

    def of(self, href: str) -> ClockSync:
        """The offset to this Time resource."""
        return self._by_href.setdefault(href, ClockSync())

    def server_now_s(self) -> float:
        """The server's time as far as it is known; before that, ours."""
        now_s = self._clock.now_s()
        return now_s if self.ruling is None else self.ruling.server_now_s(now_s)

    # The clock that `Controls` goes by: the server's, which stands still rather than step back.

    def now_s(self) -> float:
        """As `server_now_s`."""
        return self.server_now_s()

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until the server's time is `when_s`; who changes the offset in between wakes the sleeper."""
        while (left_s := when_s - self.server_now_s()) > 0:  # noqa: ASYNC110 - time is what we wait for
            await trio.sleep(max(left_s / self._clock.rate, _SHORTEST_SLEEP_S))
        await trio.lowlevel.checkpoint()
