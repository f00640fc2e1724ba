"""One synchronous machine with inertia, a governor with droop, and a load with damping.

In per unit of the machine's rating S, w the deviation of the frequency over the nominal one::

    2 H dw/dt = p_m - p_e - D w            p_e: what load and DERs leave to the machine at nominal frequency
    T dp_m/dt = p_set - w / R - p_m        p_m within 0 and 1

So a step of -dP (W) has the initial RoCoF -dP f_0 / (2 H S) and ends at w = -dP / S / (1 / R + D).
"""

from __future__ import annotations

import math
from typing import NamedTuple

#: The longest step of integration, s; far below every time constant that is allowed.
_STEP_S = 0.005
#: How far the frequency may move, of nominal: a machine beyond has stalled or is off its governor.
MOST = 0.2


class MachineData(NamedTuple):
    """rating_va: S. inertia_s: H. droop: R, pu of frequency for pu of power. damping: D. governor_s: T."""

    rating_va: float
    nominal_hz: float = 60.0
    inertia_s: float = 4.0
    droop: float = 0.05
    damping: float = 1.0
    governor_s: float = 0.5


class Machine:
    """The state of a machine. It begins at nominal frequency and half of its rating."""

    KEPT = ("w", "mechanical", "_asked")

    def __init__(self, data: MachineData) -> None:
        self.data = data
        self.w = 0.0
        self.mechanical = self._set = self._asked = 0.5

    @property
    def frequency_hz(self) -> float:
        """Now."""
        return self.data.nominal_hz * (1 + self.w)

    @property
    def rocof_hz_s(self) -> float:
        """At which the frequency moves now."""
        return self.data.nominal_hz * self._slope(self.w, self.mechanical, self._asked)

    @property
    def stalled(self) -> bool:
        """Whether the frequency is as far from nominal as it may go."""
        return abs(self.w) >= MOST

    def run(self, dt_s: float, asked: float) -> None:
        """Advance dt_s; what load and DERs leave to it moves in a straight line to asked, pu of S.

        With dt_s = 0 it jumps.
        """
        steps = math.ceil(dt_s / _STEP_S)
        before = self._asked
        for step in range(steps):
            h, middle = dt_s / steps, before + (asked - before) * (step + 0.5) / steps
            # Second order: the slopes in the middle of the step.
            w, p = self.w, self.mechanical
            w_half = w + 0.5 * h * self._slope(w, p, middle)
            p_half = p + 0.5 * h * self._governed(w, p)
            self.w = max(-MOST, min(MOST, w + h * self._slope(w_half, p_half, middle)))
            self.mechanical = max(0.0, min(1.0, p + h * self._governed(w_half, p_half)))
        self._asked = asked

    def _slope(self, w: float, mechanical: float, asked: float) -> float:
        return (mechanical - asked - self.data.damping * w) / (2 * self.data.inertia_s)

    def _governed(self, w: float, mechanical: float) -> float:
        return (self._set - w / self.data.droop - mechanical) / self.data.governor_s
