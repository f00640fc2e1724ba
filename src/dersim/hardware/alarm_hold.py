"""Alarms that rise and end between two ticks.

A dip of 0.2 s lies between two ticks, and readers look once a tick. So an alarm is shown for at least two
ticks, or for as long as it lasts.
"""

from __future__ import annotations

import math

from dersim.hardware.state import Alarm

_NONE = Alarm(0)


class AlarmHold:
    """Holds alarms for hold_s simulated seconds from when they rise."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._held = _NONE
        self._until_s = -math.inf

    def note(self, alarms: Alarm, now_s: float) -> None:
        """Record the alarms raised at now_s; only a new one starts the hold."""
        held = self.at(now_s)
        if alarms & ~held:
            self._held = alarms | held
            self._until_s = now_s + self._hold_s

    def at(self, now_s: float) -> Alarm:
        """The alarms still held at now_s."""
        return self._held if now_s < self._until_s else _NONE

    def forget(self) -> None:
        """Drop all held alarms."""
        self._held = _NONE
