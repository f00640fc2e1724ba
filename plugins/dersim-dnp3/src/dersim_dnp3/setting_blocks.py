"""Settings of the machine (AO 0 to 5, 600), and the thresholds of the meter's alarms (AO 449 to 460)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim.plugin import update_settings
from dersim_dnp3.block import Stored, check_setting
from dersim_dnp3.measured_points import power_factor
from dersim_dnp3.points import AO, BI, Function, Input, Output, Read
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import DNP3, See

_SIGN, _REFERENCE = (AO, 4), (AO, 5)
_SETTINGS = {(AO, 0): "setVRef", (AO, 1): "setVRefOfs"}


class MachineSettings:
    """Reference voltage, signs, references; what this machine has in one way only takes that value alone."""

    function: Function | None = None
    inputs: Sequence[Input] = ()

    def __init__(self, see: See) -> None:
        self._see = see
        volts = round(see.plate.rtgVNom * 10)
        hertz = round(see.plate.frequency_hz * 1000)
        self.outputs: Sequence[Output] = (
            Output(AO, 0, "reference voltage", "V", 0.1, volts // 2, volts * 3 // 2, 29),
            Output(AO, 1, "correction of the reference voltage", "V", 0.1, -volts // 2, volts // 2, 30),
            Output(AO, 2, "nominal frequency, of the nameplate", "Hz", 0.001, hertz, hertz, 31),
            Output(AO, 3, "part of a change that a response time reaches", "%", 0.1, 900, 900),
            Output(AO, 4, "sign of the power factor, 1 of P, 2 < 0 while var are injected", "", 1, 1, 2, 41),
            Output(
                AO, 5, "percent of var are of 1 setMaxW, 2 setMaxVar, 3 what is available", "", 1, 1, 3, 42
            ),
            Output(AO, 600, "energies are in Wh and varh (1)", "", 1, 1, 1, 622),
        )

    def read(self, address: Address) -> float | bool | None:
        """What stands at an output now."""
        see = self._see
        if address in _SETTINGS:
            return see.settings[_SETTINGS[address]]
        fixed = {(AO, 2): see.plate.frequency_hz, (AO, 3): 90.0, (AO, 600): 1.0}
        return {_SIGN: see.power_factor_sign, _REFERENCE: see.var_reference, **fixed}[address]

    def check(self, address: Address, value: float) -> None:
        """The ranges of the settings, and the values that there are."""
        if address in _SETTINGS:
            check_setting(self._see, _SETTINGS[address], value)
        elif address in (_SIGN, _REFERENCE):
            if value != int(value):
                raise RefusalError(CommandStatus.OUT_OF_RANGE, f"{value:g} is no value of this choice")
        elif value != self.read(address):
            raise RefusalError(CommandStatus.NOT_SUPPORTED, f"this machine has {self.read(address):g} alone")

    def write(self, address: Address, value: float) -> None:
        """Carry it out, or raise `RefusalError`."""
        self.check(address, value)
        if address in _SETTINGS:
            update_settings(self._see, DNP3, {_SETTINGS[address]: value}, "settings")
        elif address == _SIGN:
            self._see.power_factor_sign = value
        elif address == _REFERENCE:
            self._see.var_reference = value
        self._see.touched()

    def checkpoint(self) -> dict[str, Any]:
        """The choices; settings are in the checkpoint of the DER."""
        return {"sign": self._see.power_factor_sign, "reference": self._see.var_reference}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take them over."""
        self._see.power_factor_sign = document["sign"]
        self._see.var_reference = document["reference"]


class Thresholds(Stored):
    """When the meter's alarms, BI 94 to 105, are raised; a low one of 0 raises none."""

    def __init__(self, see: See) -> None:
        plate = see.plate
        volts = plate.v_ln_v
        measured: tuple[tuple[str, str, float, Read, float, float], ...] = (
            ("active power", "W", 1, lambda now: now.state.p_w, 1.1 * plate.rtgMaxW, 0.0),
            ("reactive power", "var", 1, lambda now: now.state.q_var, 1.1 * plate.rtgMaxVA, 0.0),
            ("power factor", "", 0.01, power_factor, 1.0, 0.0),
            *(
                (f"voltage of phase {'ABC'[k]}", "V", 0.1, _voltage(k), 1.1 * volts, 0.88 * volts)
                for k in range(3)
            ),
        )
        outputs, inputs, values = [], [], {}
        for position, (name, unit, multiplier, read, high, low) in enumerate(measured):
            for offset, (word, limit) in enumerate((("high", high), ("low", low))):
                place = 2 * position + offset
                lowest, highest = (-100, 100) if multiplier == 0.01 else (0, 2**31 - 1)
                outputs.append(
                    Output(
                        AO,
                        449 + place,
                        f"{name}: alarm when {word}",
                        unit,
                        multiplier,
                        lowest,
                        highest,
                        557 + place,
                        event_class=3,
                    )
                )
                values[AO, 449 + place] = limit
                inputs.append(
                    Input(
                        BI,
                        94 + place,
                        f"{name} too {word}",
                        self._alarm(read, (AO, 449 + place), high=not offset),
                        event_class=1,
                    )
                )
        super().__init__(outputs, values)
        self.inputs = inputs
        self._see = see

    def _alarm(self, read: Read, threshold: Address, *, high: bool) -> Callable[[See], bool | None]:
        def raised(see: See) -> bool | None:
            value = read(see)
            if value is None:
                return None
            limit = self.values[threshold]
            return value > limit if high else bool(limit) and value < limit

        return raised

    def write(self, address: Address, value: float) -> None:
        """Keep it."""
        super().write(address, value)
        self._see.touched()


def _voltage(phase: int) -> Read:
    return lambda see: see.state.voltage_ln_v[phase] if phase < see.phases else None
