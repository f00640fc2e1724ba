"""Open-loop response: a first-order lag between a reference and an output.

1547-2018 defines the open-loop response time as the time to 90 % of the final change after a step of the
input. For a first-order lag y' = (u - y) / T that is T * ln 10, so T = olrt / 2.3026.

Between two steps the reference is taken as a straight line from its last value to the new one, and the lag is
solved exactly for that line. So a moving sampled voltage gets no half-tick of extra delay, at any tick
length. Where a reference jumps at a known instant (a setpoint begins), the device makes a step of zero length
there, which moves the start of the line and not y.
"""

from __future__ import annotations

import math

_LN_10 = math.log(10)
#: Square of the distance from the reference, relative to it or absolute, at which the lag has arrived.
_ARRIVED_2 = 1e-9**2


class Lag:
    """A first-order lag. `y` is the output; None until the first step, which starts it at the input.

    before, mean: the output at the start of the last step and its mean. moving: not at its input yet.
    olrt_s: the open-loop response time of the last step.
    """

    KEPT = ("y", "_u", "moving", "before", "mean", "olrt_s")
    __slots__ = (
        "_dt_s",
        "_of_u",
        "_of_u_before",
        "_of_y",
        "_per_a",
        "_u",
        "before",
        "mean",
        "moving",
        "olrt_s",
        "y",
    )

    def __init__(self) -> None:
        self.y: float | None = None
        self._u = 0.0
        self.moving = False
        self.before = self.mean = math.nan
        # Factors of the last dt_s and response time, mostly the same in the next step.
        self._dt_s = math.nan
        self.olrt_s = self._of_y = self._of_u_before = self._of_u = self._per_a = 0.0

    def start(self, y: float | None, u: float | None = None) -> None:
        """Set the output to y and the last reference to u (default y); y None: start at the next input."""
        self.y = y
        self._u = (y if u is None else u) or 0.0
        self.moving = True
        self.before = math.nan

    def shift(self, by: float) -> None:
        """Move output and reference together, for a change that the lag does not delay."""
        if self.y is not None:
            self.y += by
            self._u += by

    def step(self, dt_s: float, u: float, olrt_s: float) -> float:
        """Advance dt_s (s) towards u with open-loop response time olrt_s (s, to 90 %)."""
        y = self.y
        if dt_s != self._dt_s or y is None or olrt_s != self.olrt_s:
            if y is None or olrt_s <= 0.0 or dt_s <= 0.0:
                return self._stay(dt_s, u, olrt_s)
            self._dt_s, self.olrt_s = dt_s, olrt_s
            a = dt_s * _LN_10 / olrt_s
            self._of_y = e = math.exp(-a)
            self._per_a = 1.0 / a
            k = (1.0 - e) / a
            self._of_u_before, self._of_u = k - e, 1.0 - k
        u_before, self._u = self._u, u
        self.before = before = y
        y = y * self._of_y + u_before * self._of_u_before + u * self._of_u
        # From T y' = u - y: the mean of y is that of u less T times the change of y over dt.
        self.mean = (u_before + u) * 0.5 - (y - before) * self._per_a
        if u == u_before:
            distance = u - y
            if distance * distance <= _ARRIVED_2 * (1.0 + u * u):
                self.y = u
                self.moving = False
                return u
        self.moving = True
        self.y = y
        return y

    def step_shifted(self, by: float, dt_s: float, u: float, olrt_s: float) -> float:
        """As `step`, with output and reference moved by `by` in a straight line over dt_s."""
        before = self.y
        self.shift(by)
        y = self.step(dt_s, u, olrt_s)
        if before is not None:
            self.before = before
            self.mean -= by * 0.5
        return y

    def _stay(self, dt_s: float, u: float, olrt_s: float) -> float:
        """The first step, one without a response time, or one of zero length."""
        y = self.y
        self._dt_s = math.nan  # equal to no dt_s
        if y is None or olrt_s <= 0.0:
            self.before = before = u if y is None else y
            self.mean = (before + u) * 0.5
            self.y = self._u = u
            self.moving = False
            return u
        self.moving = self.moving or u != y
        self.olrt_s = olrt_s
        self._u = u
        return y
