"""The timer of a ride-through curve.

A curve of 2030.5 is a line in the plane of time (x) and magnitude (y) that separates ride-through from trip:
(0.16 s, 120 %), (13 s, 120 %), (13 s, 110 %) allows 110 % for 13 s and 120 % for 0.16 s. For a magnitude L
above the end of the line the time allowed is the x where the line crosses L.

1547-2018 6.4.1 counts, for each threshold, the time for which it has been exceeded without a break. With a
sloped line every magnitude is a threshold. So the timer keeps a stack of (magnitude, seconds exceeded),
rising in magnitude: a higher magnitude opens an entry at zero; a lower one closes all entries above it and
takes the longest of their times, since it was exceeded during them too. The first entry that reaches its time
allowed trips.

For low voltage and low frequency the caller negates the magnitudes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Slack for sums of floating-point seconds, s.
_SLACK_S = 1e-9


class Boundary:
    """The line of one curve; a larger magnitude is worse (the caller negates low sides)."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._points = list(points)
        self.threshold = min(y for _, y in self._points)

    def allowed_s(self, magnitude: float) -> float:
        """Seconds for which a magnitude is allowed; inf at or below the threshold."""
        x0, y0 = self._points[0]
        if magnitude > y0:
            return x0
        for x1, y1 in self._points[1:]:
            if magnitude > y1:
                share = (y0 - magnitude) / (y0 - y1) if y0 > y1 else 0.0
                return x0 + share * (x1 - x0)
            x0, y0 = x1, y1
        return math.inf


class Excursion:
    """The stack of magnitudes and times for one boundary."""

    def __init__(self, boundary: Boundary) -> None:
        self.boundary = boundary
        self._open: list[list[float]] = []  # [magnitude, seconds exceeded, seconds allowed]

    def checkpoint(self) -> list[list[float]]:
        """The open entries."""
        return [list(entry[:2]) for entry in self._open]

    def restore(self, document: list[list[float]]) -> None:
        """Take over open entries; the time allowed is this boundary's."""
        self._open = [[level, past_s, self.boundary.allowed_s(level)] for level, past_s in document]

    @property
    def running(self) -> bool:
        """Whether the magnitude was beyond the threshold at the last step."""
        return bool(self._open)

    def take_times_from(self, other: Excursion) -> None:
        """Take over the elapsed times of the timer that this one replaces."""
        for magnitude, elapsed, _ in other._open:
            self._open.append([magnitude, elapsed, self.boundary.allowed_s(magnitude)])

    def _update(self, magnitude: float) -> None:
        inherited = 0.0
        while self._open and self._open[-1][0] >= magnitude:
            inherited = self._open.pop()[1]
        if magnitude > self.boundary.threshold:
            self._open.append([magnitude, inherited, self.boundary.allowed_s(magnitude)])
        elif self._open:
            self._open.clear()

    def horizon_s(self, magnitude: float) -> float:
        """Seconds until the trip if the magnitude stays."""
        if magnitude <= self.boundary.threshold:
            return math.inf
        self._update(magnitude)
        return max(0.0, min(allowed - elapsed for _, elapsed, allowed in self._open))

    def step(self, dt_s: float, magnitude: float) -> bool:
        """Count dt_s at this magnitude; True when the time allowed is reached."""
        if magnitude <= self.boundary.threshold:
            self._open.clear()
            return False
        self._update(magnitude)
        tripped = False
        for entry in self._open:
            entry[1] += dt_s
            tripped = tripped or entry[1] >= entry[2] - _SLACK_S
        return tripped

    def clear(self) -> None:
        """Reset all elapsed times."""
        self._open.clear()
