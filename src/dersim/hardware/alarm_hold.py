"""Alarms that came and went between two looks.

A dip of a fifth of a second lies between two ticks; whoever reads states once a tick would never know. So an
alarm, once raised, is shown for two ticks at least; one that lasts longer is shown for as long as it lasts.
"""

from __future__ import annotations

import math

from dersim.hardware.state import Alarm

_NONE = Alarm(0)


class AlarmHold:
    """Holds alarms for hold_s simulated seconds from when they were raised."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._held = _NONE
        self._until_s = -math.inf

    def note(self, alarms: Alarm, now_s: float) -> None:
        """These alarms are raised at now_s."""
        held = self.at(now_s)
        if alarms & ~held:
            self._held = alarms | held
            self._until_s = now_s + self._hold_s

    def at(self, now_s: float) -> Alarm:
        """What is still to be shown at now_s."""
        return self._held if now_s < self._until_s else _NONE

    def forget(self) -> None:
        """Show nothing that is over."""
        self._held = _NONE
