"""What the models look at: one device, its time, and what is in force on it.

Everything that registers show is read from here at the moment of reading; nothing is kept beside the device
but what was written and is not in force. So 701.W, 103.W, the meter reading and the dashboard are one number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from dersim.setpoints import InForce, SetpointSource

if TYPE_CHECKING:
    from dersim.device import Device

#: The doors that speak for whoever stands at the machine; the latest of them rules.
LOCAL = (SetpointSource.MODBUS, SetpointSource.REST, SetpointSource.OPERATOR)


class View:
    """One device as the models see it.

    now_s: simulated time. say: logs (level, message). version: rises with every register that was written
    and with every timer, for what is stored here and not in the device.
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
        """A stored register changed."""
        self.version += 1

    def rules_stamp(self) -> object:
        """Changes with setpoints, settings and stored registers."""
        return (self.setpoints.changes, self.settings.changes, self.version)

    def state_stamp(self) -> object:
        """Changes with every step."""
        return self.device.state

    def supports(self, *modes: str) -> bool:
        """Whether the device obeys any of these modes."""
        return not self.setpoints.supported_modes.isdisjoint(modes)

    def wishes(self, mode: str, sources: Collection[SetpointSource]) -> list[InForce]:
        """What these sources ask for in a mode, acting or not."""
        held = (*self.setpoints.in_force(), *self.setpoints.overridden())
        return [item for item in held if item.mode == mode and item.source in sources]

    def standing(self, mode: str) -> InForce | None:
        """The setpoint that acts in this mode; failing that, a local one that waits, overridden."""
        for item in self.setpoints.in_force():
            if item.mode == mode:
                return item
        local = self.wishes(mode, LOCAL)
        return local[-1] if local else None

    def owns(self, mode: str, detail: str) -> bool:
        """Whether a register, by its name, asks for something in this mode, acting or not."""
        return any(item.detail == detail for item in self.wishes(mode, LOCAL))
