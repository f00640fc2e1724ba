"""Service: start, stop, permissions, the switch, and the rules of entering it (BO 1 to 5, AO 6 to 17).

A permission to start that is withdrawn takes the machine out of service, as 703.ES of SunSpec does: it is
"permit service" of IEEE 1547-2018 4.10.3. Start and stop are the operator's, as 715.OpCtl.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim_dnp3.block import RefusalError, check_setting, submit, update_settings
from dersim_dnp3.points import AO, BO, Function, Input, Output
from dersim_dnp3.see import See

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
    """The block. `ends_s`: when a stop reverts, simulated UTC; infinite for never."""

    function: Function | None = None
    inputs: Sequence[Input] = ()

    def __init__(self, see: See) -> None:
        self._see = see
        nominal = round(see.plate.frequency_hz * 1000)
        self.outputs = (
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
        self.ends_s = math.inf

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
            _SWITCH: see.setpoints.value(_CONNECT) is not False,
        }[address]

    def check(self, address: Address, value: float) -> None:
        """Permissions, and the ranges of the settings."""
        if address in _SETTINGS:
            check_setting(self._see, _SETTINGS[address], value)
        elif value and address == _START and not self.read(_MAY_START):
            raise RefusalError(CommandStatus.BLOCKED, "start: there is no permission to start (BO 3)")
        elif value and address == _STOP and not self._may_stop:
            raise RefusalError(CommandStatus.BLOCKED, "stop: there is no permission to stop (BO 4)")
        elif address == _SWITCH and not self._see.supports(_CONNECT):
            raise RefusalError(CommandStatus.NOT_SUPPORTED, "this machine has no switch to command")
        elif address == _MAY_START and not self._see.supports(_ENERGIZE):
            raise RefusalError(CommandStatus.NOT_SUPPORTED, "this machine has no permission of service")

    def write(self, address: Address, value: float) -> None:
        """Carry it out, or raise `RefusalError`."""
        self.check(address, value)
        see = self._see
        if address in _SETTINGS:
            update_settings(see, {_SETTINGS[address]: value})
        elif address == _MAY_START:
            submit(see, see.allowed(_ENERGIZE, _DETAIL, allow=bool(value)))
        elif address == _MAY_STOP:
            self._may_stop = bool(value)
        elif address == _SWITCH:
            self._switch(closed=bool(value))
        elif address in (_START, _STOP):
            if value:
                self._command(start=address == _START)
        else:
            self._keep(address, value)
        see.touched()

    def _command(self, *, start: bool) -> None:
        self._see.device.command("start" if start else "stop")
        seconds = self._stored[_STOP_REVERTS]
        self.ends_s = math.inf if start or not seconds else self._see.now_s() + seconds

    def _switch(self, *, closed: bool) -> None:
        seconds = self._stored[_SWITCH_REVERTS]
        ends_s = self._see.now_s() + seconds if seconds and not closed else None
        submit(self._see, self._see.allowed(_CONNECT, _DETAIL, expires_s=ends_s, allow=closed))

    def _keep(self, address: Address, value: float) -> None:
        """A time that is written while it counts begins anew."""
        self._stored[address] = value
        see = self._see
        if address == _STOP_REVERTS and self.ends_s < math.inf:
            self.ends_s = see.now_s() + value if value else math.inf
        elif address == _SWITCH_REVERTS and see.asks((_CONNECT,), _DETAIL) and not self.read(_SWITCH):
            self._switch(closed=False)

    def run_due(self, now_s: float) -> None:
        """End a stop whose time is over."""
        if now_s >= self.ends_s:
            self.ends_s = math.inf
            self._see.device.command("start")
            self._see.touched()
