"""Lines of the log that a peer can cause as often as it likes: some a minute, and how many more came."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

INTERVAL_S = 60.0
#: Lines in an interval: enough for each of a small fleet whose certificates are wrong.
MOST = 30


class Flood:
    """Passes on `MOST` lines a minute; of the others the number is told before the next line that passes.

    now_s: real time, as that of the log.
    """

    __slots__ = ("_began_s", "_count", "_now_s", "_tell")

    def __init__(self, tell: Callable[[str], object], now_s: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._now_s = now_s
        self._began_s = -math.inf
        self._count = 0

    def line(self, text: str) -> None:
        """Tell it, unless there were too many."""
        now_s = self._now_s()
        if now_s - self._began_s >= INTERVAL_S:
            if (left_out := self._count - MOST) > 0:
                self._tell(f"{left_out} more such lines were left out in {now_s - self._began_s:.0f} s")
            self._began_s, self._count = now_s, 0
        self._count += 1
        if self._count < MOST:
            self._tell(text)
        elif self._count == MOST:
            self._tell(f"{text}; more such lines are counted for {INTERVAL_S:g} s")
