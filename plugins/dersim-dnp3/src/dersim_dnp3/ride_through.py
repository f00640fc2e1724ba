"""Trips and momentary cessation by voltage (BO 12) and trips by frequency (BO 13), each curve by its number.

They always act: with number 0 by the default of IEEE 1547-2018 for the machine's category. Switched off, they
have curves that no grid of ours reaches. Momentary cessation by frequency (AO 30, 31) is not in this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim.plugin import (
    Curve,
    ModeValue,
    Switched,
    check_local,
    default_ride_through,
    never_curve,
    submit_local,
)
from dersim_dnp3.block import kept, take
from dersim_dnp3.curve_forms import (
    HF_TRIP,
    HV_CESSATION,
    HV_TRIP,
    LF_TRIP,
    LV_CESSATION,
    LV_TRIP,
    Form,
)
from dersim_dnp3.curve_store import Use
from dersim_dnp3.measured_points import line_voltage, of_volts
from dersim_dnp3.mode_function import switches
from dersim_dnp3.points import AI, AO, BO, Function, Input, Output
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import DNP3, See

Places = Sequence[tuple[int, int, str, Form]]


class RideThrough:
    """The base. places: outputs that name a curve, with their inputs, names and forms."""

    function: Function
    places: Places = ()
    inputs: Sequence[Input] = ()

    def __init__(self, see: See) -> None:
        self.see = see
        block = self.function.block
        places = [each for each in self.places if see.supports(each[3].mode)]
        self._forms: dict[Address, Form] = {(AO, index): form for index, _, _, form in places}
        self._enable = (BO, self.function.enable)
        self.outputs = (
            switches(self.function),
            *(
                Output(AO, index, f"{name}: its curve, 0 the default", back=back, block=block)
                for index, back, name, _ in places
            ),
        )
        self._default = default_ride_through(see.plate)
        modes = [form.mode for form in self._forms.values()]
        self._off = {mode: never_curve(mode) if mode in self._default else None for mode in modes}
        self._switched = Switched(see, modes, block, self._off)
        self.stored = dict.fromkeys(self._forms, 0.0)
        self._numbers = {
            address: see.curves.add(
                Use(
                    form,
                    partial(self._named, address),
                    self._locks,
                    partial(self._foreign, address),
                )
            )
            for address, form in self._forms.items()
        }

    def _named(self, address: Address) -> int:
        return int(self.stored[address])

    def _locks(self) -> bool:
        return self._switched.acts

    def _foreign(self, address: Address) -> Curve | None:
        """What acts there and was not named here; the default where a curve is named that does not act."""
        mode, number = self._forms[address].mode, self._named(address)
        acting = self.see.setpoints.value(mode)
        if acting is None:
            return self._default.get(mode) if number else None
        if not isinstance(acting, Curve) or acting in (self._off[mode], self._wanted(address, number)):
            return None
        return acting

    def _wanted(self, address: Address, number: int) -> Curve | None:
        try:
            return self.see.curves.curve(number, self._forms[address]) if number else None
        except RefusalError:
            return None

    def read(self, address: Address) -> float | bool | None:
        """Whether they act, or the number of the curve that acts."""
        if address == self._enable:
            return self._switched.acts
        return self.stored[address] if self._foreign(address) is None else self._numbers[address]

    def _demand(self, address: Address, value: float) -> dict[str, ModeValue | None]:
        form = self._forms[address]
        return {form.mode: self.see.curves.curve(int(value), form) if value else None}

    def _all(self) -> dict[str, ModeValue | None]:
        wanted: dict[str, ModeValue | None] = {}
        for address, number in self.stored.items():
            wanted |= self._demand(address, number)
        return wanted

    def check(self, address: Address, value: float) -> None:
        """A curve that is named must be there; it must be whole while they act."""
        if address == self._enable:
            check_local(self.see, self._all() if value else {})
            return
        if value != int(value):
            raise RefusalError(CommandStatus.OUT_OF_RANGE, f"there is no curve {value:g}")
        if value:
            self.see.curves.check_named(int(value), self._forms[address])
        if self._switched.acts:
            check_local(self.see, self._demand(address, value))

    def checkpoint(self) -> dict[str, Any]:
        """The numbers that were written."""
        return kept(self.stored)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take them over."""
        take(self.stored, document)

    def write(self, address: Address, value: float) -> None:
        """Carry it out."""
        self.check(address, value)
        if address == self._enable:
            changes = self._switched.on(DNP3, self._all()) if value else self._switched.off(DNP3)
            submit_local(self.see, changes)
        else:
            if self._switched.acts:
                submit_local(self.see, self._switched.on(DNP3, self._demand(address, value)))
            self.stored[address] = value
        self.see.touched()


class VoltageRideThrough(RideThrough):
    """By voltage."""

    function = Function("voltage ride-through", 12, 64, 31)
    places = (
        (23, 73, "over-voltage trip", HV_TRIP),
        (24, 74, "under-voltage trip", LV_TRIP),
        (25, 75, "momentary cessation by over-voltage", HV_CESSATION),
        (26, 76, "momentary cessation by under-voltage", LV_CESSATION),
    )

    def __init__(self, see: See) -> None:
        super().__init__(see)
        block = self.function.block
        self.inputs = (
            Input(AI, 72, "voltage of the trips", line_voltage, "V", 0.1, 2, rating=of_volts, block=block),
        )


class FrequencyRideThrough(RideThrough):
    """By frequency."""

    function = Function("frequency ride-through", 13, 65, 32)
    places = (
        (28, 79, "over-frequency trip", HF_TRIP),
        (29, 80, "under-frequency trip", LF_TRIP),
    )
