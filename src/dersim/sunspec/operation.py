"""715, DER control: heartbeats, reset of alarms, and the operator's commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.local_control.permission import permit
from dersim.local_control.submitting import allow, submit
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Model, Values

_STOP, _START, _ENTER_STANDBY, _EXIT_STANDBY = range(4)
_REMOTE = 0
_WRAP_S = 1_000_000


class Operation(Model):
    """The registers of 715. Stop and start are the operator's; standby is opModEnergize, as in 703.ES.

    The end of standby does not start a machine that was stopped; a start ends standby.
    """

    KEPT = ("_controller_beat",)

    model_id = 715

    def __init__(self, view: View) -> None:
        self.view = view
        self._controller_beat = 0

    def stamp(self) -> object:
        """Changes with setpoints and with every step, which moves the heartbeat."""
        return (self.view.rules_stamp(), self.view.state_stamp())

    def values(self) -> Values:
        """The heartbeats and the state of the commands."""
        state = _EXIT_STANDBY if self.view.setpoints.value("opModEnergize") is not False else _ENTER_STANDBY
        running = self.view.device.permitted
        return {
            "LocRemCtl": _REMOTE,
            "DERHb": int(self.view.device.state.time_s) % _WRAP_S,
            "ControllerHb": self._controller_beat,
            "AlarmReset": 0,
            "OpCtl": _STOP if not running else (_START if state == _EXIT_STANDBY else state),
        }

    def writable(self, path: str) -> bool:
        """The points that the definition marks RW."""
        return path in ("ControllerHb", "AlarmReset", "OpCtl")

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Carry out the commands; keep the controller's heartbeat."""
        self._controller_beat = changes.get("ControllerHb", self._controller_beat)
        if changes.get("AlarmReset"):
            self.view.device.command("reset")
        command = changes.get("OpCtl")
        if command == _STOP:
            self.view.device.command("stop")
        elif command == _START:
            submit(self.view, allow(self.view, source, "opModEnergize", "715.OpCtl", allowed=True))
            self.view.device.command("start")
        elif command == _ENTER_STANDBY:
            permit(self.view, source, allowed=False, detail="715.OpCtl")
        elif command == _EXIT_STANDBY:
            submit(self.view, allow(self.view, source, "opModEnergize", "715.OpCtl", allowed=True))
        self.view.touched()
