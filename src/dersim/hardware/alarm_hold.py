"""Alarms that rise and end between two ticks.

A dip of 0.2 s lies between two ticks, and readers look once a tick. So an alarm is shown for at least two
ticks, or for as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.hardware.state import Alarm

_NONE = Alarm(0)


class AlarmHold:
    """Holds each alarm for hold_s simulated seconds from when it rises."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._last = _NONE
        self._until_s: dict[Alarm, float] = {}

    def checkpoint(self) -> dict[str, Any]:
        """The alarms of the last step, and those held with the end of each."""
        until_s = {str(int(alarm)): end_s for alarm, end_s in self._until_s.items()}
        return {"last": int(self._last), "until_s": until_s}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave."""
        self._last = Alarm(document["last"])
        self._until_s = {Alarm(int(bit)): end_s for bit, end_s in document["until_s"].items()}

    def note(self, alarms: Alarm, now_s: float) -> None:
        """Record the alarms present at now_s. One that lasts does not prolong its hold, nor another's."""
        if alarms == self._last:
            return
        for alarm in alarms & ~self._last:
            self._until_s[alarm] = now_s + self._hold_s
        self._last = alarms

    def with_held(self, alarms: Alarm, now_s: float) -> Alarm:
        """These alarms and those still held at now_s."""
        if not self._until_s:
            return alarms
        self._until_s = {alarm: until_s for alarm, until_s in self._until_s.items() if now_s < until_s}
        for alarm in self._until_s:
            alarms |= alarm
        return alarms

    def forget(self) -> None:
        """Drop all held alarms."""
        self._until_s = {}
