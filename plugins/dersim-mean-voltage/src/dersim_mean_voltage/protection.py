"""The control function: a moving mean of 600 s, worked out every 3 s.

The mean is the root of the mean of squares, as EN 50549-1 asks for. It is kept as 200 slots of 3 s.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from dersim.plugin import NOTHING, Demand, Measured, ModeValue, Nameplate, Settings

MODE = "setMeanHighVolt"
DEFAULT_PERCENT = 110.0
SLOT_S, SLOTS = 3.0, 200
_TRIP = Demand(trip=True)
_SLACK = 1e-9


class MeanVoltage:
    """The protection of one DER.

    settled: the whole window has the present voltage. cause: of its trip, for the log.
    """

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        del nameplate, settings  # the limit is in percent of the voltage that trips see
        self.settled = False
        self.cause = ""
        self._limit = (DEFAULT_PERCENT / 100) ** 2
        self._slots: deque[float] = deque(maxlen=SLOTS)
        #: The slot that is being filled: its integral so far and its seconds.
        self._sum = self._filled_s = 0.0
        self._highest = self._mean = 0.0
        self._last, self._same_s = math.nan, 0.0

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the setting."""
        del seen
        percent = modes.get(MODE, DEFAULT_PERCENT)
        self._limit = (float(percent) / 100) ** 2 if isinstance(percent, int | float) else math.inf

    @property
    def mean_pu(self) -> float:
        """The mean as it was worked out last, per unit of setVRef."""
        return math.sqrt(self._mean)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Count dt_s at the present voltage; trip while the mean is above the setting."""
        square = seen.v_high_pu * seen.v_high_pu
        if not self._slots:
            self._fill(square)
        self._same_s = self._same_s + dt_s if square == self._last else dt_s
        self._last = square
        if self._same_s >= SLOT_S * (SLOTS + 1):
            self._fill(square)
        else:
            self._count(dt_s, square)
        self.settled = self._same_s >= SLOT_S * (SLOTS + 1)
        trips = self._mean > self._limit + _SLACK
        self.cause = f"ten-minute mean {100 * self.mean_pu:.1f} %" if trips else ""
        return _TRIP if trips else NOTHING

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until the next mean, while some voltage in the window is above the setting."""
        if self.settled or max(self._highest, self._last, seen.v_high_pu**2) <= self._limit:
            return math.inf
        return SLOT_S - self._filled_s

    def _count(self, dt_s: float, square: float) -> None:
        while dt_s > 0:
            piece_s = min(dt_s, SLOT_S - self._filled_s)
            self._sum += square * piece_s
            self._filled_s += piece_s
            dt_s -= piece_s
            if self._filled_s >= SLOT_S - _SLACK:
                self._slots.append(self._sum / self._filled_s)
                self._sum = self._filled_s = 0.0
                self._highest = max(self._slots)
                self._mean = sum(self._slots) / SLOTS

    def _fill(self, square: float) -> None:
        self._slots.extend([square] * SLOTS)
        self._sum = self._filled_s = 0.0
        self._highest = self._mean = square
