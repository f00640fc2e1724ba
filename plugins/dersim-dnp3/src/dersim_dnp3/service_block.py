"""Service: start, stop, permissions, the switch, and the rules of entering it (BO 1 to 5, AO 6 to 17).

A permission to start that is withdrawn takes the machine out of service, as 703.ES of SunSpec does: it is
"permit service" of IEEE 1547-2018 4.10.3. Start and stop are the operator's, as 715.OpCtl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim.plugin import Switch, Timers, permit, update_settings
from dersim_dnp3.block import check_setting, kept, take
from dersim_dnp3.points import AO, BO, Function, Input, Output
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import DNP3, See

_START, _STOP, _MAY_START, _MAY_STOP, _SWITCH = ((BO, index) for index in range(1, 6))
_STOP_REVERTS, _SWITCH_REVERTS = (AO, 15), (AO, 17)
_ENERGIZE, _CONNECT = "opModEnergize", "opModConnect"
_DETAIL = "service"

#: Output -> setting.
_SETTINGS = {
    (AO, 6): "setESHighVolt",
    (AO, 7): "setESLowVolt",
    (AO, 8): "setESHighFreq",
    (AO, 9): "setESLowFreq",
    (AO, 10): "setESDelay",
    (AO, 11): "setESRandomDelay",
    (AO, 12): "setESRampTms",
}


class Service:
    """The block."""

    function: Function | None = None
    inputs: Sequence[Input] = ()

    def __init__(self, see: See, timers: Timers) -> None:
        self._see = see
        self._switch = Switch(see, timers)
        self._stop = timers.add(self._start_again)
        nominal = round(see.plate.frequency_hz * 1000)
        self.outputs: Sequence[Output] = (
            Output(BO, 1, "start"),
            Output(BO, 2, "stop"),
            Output(BO, 3, "permission to start", back=16),
            Output(BO, 4, "permission to stop", back=17),
            Output(BO, 5, "the switch is closed", back=23),
            Output(AO, 6, "enter service below", "% of setVRef", 0.01, 10000, 15000, 50),
            Output(AO, 7, "enter service above", "% of setVRef", 0.01, 0, 10000, 51),
            Output(AO, 8, "enter service below", "Hz", 0.001, nominal, 70000, 52),
            Output(AO, 9, "enter service above", "Hz", 0.001, 40000, nominal, 53),
            Output(AO, 10, "delay before service", "s", 1, 0, 86400, 54),
            Output(AO, 11, "random delay before service", "s", 1, 0, 86400, 55),
            Output(AO, 12, "ramp into service", "s", 1, 0, 86400, 56),
            Output(AO, 13, "time window of the stop, kept only", "s", back=57),
            Output(AO, 14, "ramp of the stop, kept only", "s", back=58),
            Output(AO, 15, "reversion of the stop, 0 none", "s", back=59),
            Output(AO, 16, "time window of the switch, kept only", "s", back=60),
            Output(AO, 17, "reversion of the open switch, 0 none", "s", back=61),
        )
        self._stored: dict[Address, float] = {(AO, index): 0.0 for index in range(13, 18)}
        self._may_stop = True

    def read(self, address: Address) -> float | bool | None:
        """What stands at an output now."""
        see = self._see
        if address in _SETTINGS:
            return see.settings[_SETTINGS[address]]
        if address in self._stored:
            return self._stored[address]
        return {
            _START: see.device.permitted,
            _STOP: not see.device.permitted,
            _MAY_START: see.setpoints.value(_ENERGIZE) is not False,
            _MAY_STOP: self._may_stop,
            _SWITCH: self._switch.closed,
        }[address]

    def check(self, address: Address, value: float) -> None:
        """Permissions, and the ranges of the settings."""
        if address in _SETTINGS:
            check_setting(self._see, _SETTINGS[address], value)
        elif value and address == _START and not self.read(_MAY_START):
            raise RefusalError(CommandStatus.BLOCKED, "start: there is no permission to start (BO 3)")
        elif value and address == _STOP and not self._may_stop:
            raise RefusalError(CommandStatus.BLOCKED, "stop: there is no permission to stop (BO 4)")
        elif address == _SWITCH and not self._switch.works:
            raise RefusalError(CommandStatus.NOT_SUPPORTED, "this machine has no switch to command")

    def write(self, address: Address, value: float) -> None:
        """Carry it out, or raise `RefusalError`."""
        self.check(address, value)
        see = self._see
        if address in _SETTINGS:
            update_settings(see, DNP3, {_SETTINGS[address]: value}, _DETAIL)
        elif address == _MAY_START:
            permit(see, DNP3, allowed=bool(value), detail=_DETAIL)
        elif address == _MAY_STOP:
            self._may_stop = bool(value)
        elif address == _SWITCH:
            self._move(closed=bool(value))
        elif address in (_START, _STOP):
            if value:
                self._command(start=address == _START)
        else:
            self._keep(address, value)
        see.touched()

    def checkpoint(self) -> dict[str, Any]:
        """What was written; the timers are kept with those of the others."""
        return {**kept(self._stored), "may_stop": self._may_stop}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take it over."""
        take(self._stored, document)
        self._may_stop = document["may_stop"]

    def _command(self, *, start: bool) -> None:
        self._see.device.command("start" if start else "stop")
        self._stop.start(0 if start else self._stored[_STOP_REVERTS])

    def _move(self, *, closed: bool) -> None:
        self._switch.move(DNP3, closed=closed, detail=_DETAIL, revert_s=self._stored[_SWITCH_REVERTS])

    def _keep(self, address: Address, value: float) -> None:
        """A time that is written while it counts begins anew."""
        self._stored[address] = value
        if address == _STOP_REVERTS and self._stop.running:
            self._stop.start(value)
        elif address == _SWITCH_REVERTS and self._switch.is_opened_by(_DETAIL):
            self._move(closed=False)

    def _start_again(self) -> None:
        """The time of a stop is over."""
        self._see.device.command("start")
        self._see.touched()
