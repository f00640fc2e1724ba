"""A frequency that moves in a straight line to a target, and how far apart the steps along it are."""

from __future__ import annotations

import math

#: The largest change of frequency within one piece of a step, Hz.
_PIECE_HZ = 0.01


def next_piece_s(now_s: float, until_s: float, rocof_hz_s: float) -> float:
    """The end of a piece that begins at now_s while the frequency moves at rocof_hz_s, at most until_s."""
    return min(until_s, now_s + _PIECE_HZ / abs(rocof_hz_s)) if rocof_hz_s else until_s


class FrequencyRamp:
    """From start_hz at start_s to target_hz, at rate_hz_s > 0; at `end_s` it is there."""

    def __init__(self, start_s: float, start_hz: float, target_hz: float, rate_hz_s: float) -> None:
        self.start_s = start_s
        self.start_hz = start_hz
        self.target_hz = target_hz
        self.end_s = start_s + abs(target_hz - start_hz) / rate_hz_s
        self._slope_hz_s = math.copysign(rate_hz_s, target_hz - start_hz)

    @property
    def course(self) -> tuple[float, float, float, float]:
        """start_s, start_hz, target_hz and rate_hz_s."""
        return self.start_s, self.start_hz, self.target_hz, abs(self._slope_hz_s)

    def at(self, now_s: float) -> float:
        """The frequency at now_s, Hz."""
        if now_s >= self.end_s:
            return self.target_hz
        return self.start_hz + self._slope_hz_s * max(0.0, now_s - self.start_s)

    def rocof_hz_s(self, now_s: float) -> float:
        """The rate from now_s on, Hz/s; 0 once the target is reached."""
        return self._slope_hz_s if now_s < self.end_s else 0.0

    def next_step_s(self, now_s: float) -> float:
        """The end of the next piece after now_s; inf once the target is reached."""
        return next_piece_s(now_s, self.end_s, self._slope_hz_s) if now_s < self.end_s else math.inf
