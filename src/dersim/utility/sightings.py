"""When each device first read a list that has a control, or the control itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.program import Control, Program

#: Most sightings kept, of all controls together; those of the oldest control are dropped first.
KEPT = 200_000

_NONE: Mapping[str, float] = {}


class Sightings:
    """By control the LFDIs that have read it, each with the time, UTC seconds since 1970."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._count = 0
        self._by_mrid: dict[str, dict[str, float]] = {}

    def of(self, mrid: str) -> Mapping[str, float]:
        """Who has read the control of this mRID, and when first."""
        return self._by_mrid.get(mrid, _NONE)

    def note(self, device: EndDeviceRecord, program: Program, read: Iterable[Control], now_s: float) -> None:
        """The device has read these controls of a program; to be called where `is_new` says so."""
        for control in read:
            seen = self._by_mrid.setdefault(control.mrid, {})
            if device.lfdi not in seen:
                seen[device.lfdi] = now_s
                self._count += 1
        if all(device.lfdi in self.of(each.mrid) for each in program.controls.values()):
            device.controls_read[program.number] = program.last_control
        while self._count > self._kept:
            self._count -= len(self._by_mrid.pop(next(iter(self._by_mrid))))


def is_new(device: EndDeviceRecord, program: Program) -> bool:
    """Whether the program has controls that the device has not read yet."""
    return device.controls_read.get(program.number, 0) < program.last_control
