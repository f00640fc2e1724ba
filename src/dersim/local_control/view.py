"""What registers and points read from: one device, its time, and the setpoints in force.

They are read from the device at the moment of a request. Only values that were written and are not in force
are stored separately. So 701.W, 103.W, the meter reading and the dashboard show the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dersim.setpoint_sources import Rank, SetpointSource
from dersim.setpoints import InForce

if TYPE_CHECKING:
    from dersim.device import Device


class View:
    """One device as a local protocol sees it.

    now_s: simulated time. say: logs (level, message). version: counts changes of what is stored here and not
    in the device: written registers and timers.
    """

    def __init__(
        self,
        device: Device,
        now_s: Callable[[], float],
        say: Callable[[str, str], object] = lambda _level, _message: None,
    ) -> None:
        self.say = say
        self.device = device
        self.plate = device.nameplate
        self.settings = device.settings
        self.setpoints = device.setpoints
        self.now_s = now_s
        self.version = 0

    def touched(self) -> None:
        """Count a change of a stored register."""
        self.version += 1

    def rules_stamp(self) -> object:
        """Changes with setpoints, settings and stored registers."""
        return (self.setpoints.changes, self.settings.changes, self.version)

    def state_stamp(self) -> object:
        """Changes with every step, and with the operator's stop, which may change nothing in the state."""
        return (self.device.state, self.device.permitted)

    def supports(self, *modes: str) -> bool:
        """Whether the device supports any of these modes."""
        return not self.setpoints.supported_modes.isdisjoint(modes)

    def requests(self, mode: str, *ranks: Rank) -> list[InForce]:
        """The setpoints of sources of these ranks for a mode, in force or overridden."""
        held = (*self.setpoints.in_force(), *self.setpoints.overridden())
        return [item for item in held if item.mode == mode and item.source.rank in ranks]

    def in_force_or_waiting(self, mode: str) -> InForce | None:
        """The setpoint in force for this mode, else the latest local one, or the nameplate's, that waits."""
        for item in self.setpoints.in_force():
            if item.mode == mode:
                return item
        waiting = self.requests(mode, Rank.LOCAL, Rank.NAMEPLATE)
        local = [item for item in waiting if item.source.is_local]
        return next(reversed(local or waiting), None)

    @staticmethod
    def is_of(item: InForce, detail: str) -> bool:
        """Whether a setpoint is this register's, by its name: written there, or in force by the nameplate."""
        return item.source is SetpointSource.NAMEPLATE or (item.source.is_local and item.detail == detail)

    def owns(self, mode: str, detail: str) -> bool:
        """Whether this register (by name) has a setpoint for the mode, in force or overridden."""
        return any(item.detail == detail for item in self.requests(mode, Rank.LOCAL))
