"""Logs trips, cessations and entering service of the DERs, with their alarms.

A function of stage ``protect`` may tell the cause of its trip, for which there is no alarm, as `cause`.

It runs after every step of the fleet, so it compares one word per DER and builds a state only after a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dersim.logbuffer import Level, LogBuffer

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.fleet import Fleet


class TripLog:
    """Logs each change of a DER's service under module AC."""

    def __init__(self, fleet: Fleet, log: LogBuffer) -> None:
        self._log = log
        self._devices = fleet.devices
        self._last = [device.service_word for device in fleet.devices]

    def look(self) -> None:
        """Log what has changed since the last call."""
        for index, device in enumerate(self._devices):
            word, last = device.service_word, self._last[index]
            if word != last:
                self._last[index] = word
                level, message = _told(device, word, last)
                self._log.log(level, "AC", message, device.number)


def _told(device: Device, word: str, last: str) -> tuple[Level, str]:
    state = device.state
    causes = [getattr(function, "cause", "") for function in device.functions.values()]
    alarms = (
        ", ".join(name for name in (*causes, *(alarm.name for alarm in state.alarms)) if name) or "no alarm"
    )
    volts = ", ".join(f"{v:.1f}" for v in state.voltage_ln_v if v) or "0"
    grid = f"{alarms}; {volts} V, {state.frequency_hz:.3f} Hz"
    if word in ("tripped", "ceased"):
        return "Warning", f"{word}: {grid}"
    return "Info", f"{word} (was {last}): {grid}"
