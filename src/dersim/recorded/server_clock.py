"""The clock of a recorded server, for a Time resource that a replay answers at another instant.

A Time read later than in the record must go on, or the client would take the server's clock for one that was
set back, and would do all that follows from that. A recorded answer T to what was asked `at`, there `until`,
says that the clock was ahead by T - until to T + 1 - at; several together say it better.
"""

from __future__ import annotations

import math
import re

_TIMES = re.compile(rb"(<(?:\w+:)?(?:currentTime|localTime)>)(\d+)")
_TIME = re.compile(rb"<(?:\w+:)?Time[\s>]")
_CURRENT = re.compile(rb"<(?:\w+:)?currentTime>(\d+)")


def is_time(answer: bytes) -> bool:
    """Whether a body is a Time."""
    return _TIME.search(answer[:200]) is not None


class ServerClock:
    """How far the clock of one Time resource is ahead of the time since the start of the run, s."""

    def __init__(self) -> None:
        self._low_s, self._high_s = -math.inf, math.inf

    def take(self, answer: bytes, at_s: float, until_s: float) -> None:
        """A recorded answer; what contradicts those before is a clock that was set."""
        if (told_s := _told_s(answer)) is None:
            return
        low_s, high_s = told_s - until_s, told_s + 1 - at_s
        if low_s > self._high_s or high_s < self._low_s:
            self._low_s, self._high_s = low_s, high_s
        self._low_s, self._high_s = max(low_s, self._low_s), min(high_s, self._high_s)

    def at(self, answer: bytes, now_s: float) -> bytes:
        """The answer as it would be now; one that is no Time as it is."""
        told_s = _told_s(answer)
        if told_s is None or not math.isfinite(self._low_s):
            return answer
        ahead_s = math.floor(now_s + (self._low_s + self._high_s) / 2) - told_s
        return _TIMES.sub(lambda found: b"%s%d" % (found[1], int(found[2]) + ahead_s), answer)


def _told_s(answer: bytes) -> int | None:
    found = _CURRENT.search(answer) if is_time(answer) else None
    return None if found is None else int(found[1])
