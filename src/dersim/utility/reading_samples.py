"""The newest values of one meter reading, for plots; older ones are in the state file alone."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import NamedTuple

from dersim.ieee2030_5 import resources as r

#: Values kept per meter reading: two hours at the usual postRate of 60 s.
KEPT = 120
#: So many more are let in before the oldest are dropped together.
_SLACK = 24
SAMPLE_BYTES = 16
MOST_SAMPLE_BYTES = (KEPT + _SLACK) * SAMPLE_BYTES
#: A device's clock that is further off is not believed.
_MOST_AHEAD_S, _MOST_BEHIND_S = 3_600, 7 * 86_400


class Series(NamedTuple):
    """Values over time. times_s: rising, UTC seconds since 1970."""

    times_s: array[float]
    values: array[float]


class Samples:
    """Values as they were sent, without the power of ten of their ReadingType."""

    __slots__ = ("_times_s", "_values")

    def __init__(self) -> None:
        self._times_s = array("d")
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._times_s)

    def add(self, reading: r.Reading, period: r.DateTimeInterval | None, received_s: float) -> None:
        """Add a Reading, at its own time or when it was received; one older than the newest is left out."""
        if reading.value is None:
            return
        own = reading.timePeriod or period
        time_s = received_s if own is None or own.start is None else float(own.start)
        if not -_MOST_BEHIND_S <= time_s - received_s <= _MOST_AHEAD_S:
            time_s = received_s
        times_s = self._times_s
        if times_s and time_s <= times_s[-1]:
            if time_s == times_s[-1]:
                self._values[-1] = reading.value
            return
        times_s.append(time_s)
        self._values.append(reading.value)
        if len(times_s) > KEPT + _SLACK:
            del times_s[:-KEPT], self._values[:-KEPT]

    def since(self, time_s: float) -> Series:
        """A copy of the values from then on, and of the one before, which still holds then."""
        first = max(0, bisect_right(self._times_s, time_s) - 1)
        return Series(self._times_s[first:], self._values[first:])
