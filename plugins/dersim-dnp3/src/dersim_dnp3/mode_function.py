"""A function of the profile that is one or more modes of IEEE 2030.5: enable, set-points, ramp, reversion.

Enable 1 asks for what is set, enable 0 withdraws it for every local source. A set-point that is written while
the function is in force is asked for at once; else, and where only a DERControl has it on, it is checked and
kept. The time of the reversion begins anew with the enable and with each set-point; 0 is none. A time window
is kept and shown: this machine carries out commands at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from py1815.profile.model import Address

from dersim.plugin import InForce, ModeValue, Switched, check_local, submit_local
from dersim_dnp3.block import kept, take
from dersim_dnp3.points import AO, BO, Function, Input, Output
from dersim_dnp3.see import DNP3, See

Values = Mapping[Address, float]


def switches(function: Function) -> Output:
    """The enable output of a function."""
    name = f"{function.block}: in force"
    return Output(BO, function.enable, name, back=function.enabled, block=function.block)


def common(function: Function, first: int, first_back: int) -> tuple[Output, ...]:
    """Priority, time window, ramp and reversion, with which every function begins."""

    def output(offset: int, name: str, unit: str, high: float = 2**31 - 1) -> Output:
        name = f"{function.block}: {name}"
        return Output(AO, first + offset, name, unit, 1, 0, high, first_back + offset, function.block)

    return (
        output(0, "priority, kept only", "", 100),
        output(1, "time window, kept only", "s"),
        output(2, "ramp when it begins, 0 setGradW", "s"),
        output(3, "reversion, 0 none", "s"),
    )


class ModeFunction:
    """The base of these functions. `modes`: those that it asks for; `demand` and `show` translate."""

    function: Function
    modes: tuple[str, ...] = ()
    #: The first of the four common outputs.
    first = 0
    #: Outputs that are kept only: writing them asks for nothing.
    kept: frozenset[Address] = frozenset()

    def __init__(self, see: See, outputs: Sequence[Output], values: Values) -> None:
        self.see = see
        self.outputs = (switches(self.function), *outputs)
        self.inputs: Sequence[Input] = ()
        self._enable = (BO, self.function.enable)
        self._window = {(AO, self.first), (AO, self.first + 1)}
        self._ramp = (AO, self.first + 2)
        self._seconds = (AO, self.first + 3)
        self._switched = Switched(see, self.modes, self.function.block)
        self._values: tuple[object, dict[Address, float]] | None = None
        self.stored: dict[Address, float] = {each.address: 0.0 for each in outputs} | dict(values)

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """The modes that these values ask for; None: not this one."""
        raise NotImplementedError

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """A mode that acts, as outputs."""
        raise NotImplementedError

    def ramp_s(self, values: Values, modes: Mapping[str, ModeValue | None]) -> float | None:
        """The ramp to these modes, s; None: setGradW."""
        del modes
        return values[self._ramp] or None

    @property
    def in_force(self) -> bool:
        """Whether one of the modes acts, or waits for its turn, by whomever."""
        return self._switched.acts

    def values(self) -> Values:
        """What acts, and what was written of the rest."""
        stamp = self.see.stamp()
        if self._values is None or self._values[0] != stamp:
            self._values = stamp, self._read_values()
        return self._values[1]

    def _read_values(self) -> dict[Address, float]:
        values = dict(self.stored)
        # What is in force comes last: it says which unit counts.
        for held in sorted(self._switched.held, key=lambda each: not each.overridden_by):
            values |= self.show(held.mode, held.value)
        return values

    @property
    def _waiting(self) -> list[InForce]:
        """What local sources ask for below a DERControl."""
        waiting = self.see.setpoints.overridden()
        return [each for each in waiting if each.mode in self.modes and each.source.is_local]

    @property
    def _acts_at_once(self) -> bool:
        """Whether a set-point that is written asks for something: not where a DERControl alone has it on."""
        return self.in_force and (not self._switched.is_below_event or bool(self._waiting))

    def _asked_for(self) -> Values:
        """What a write changes: what acts; below a DERControl what waits, or its values would become ours."""
        if not self._switched.is_below_event:
            return self.values()
        values = dict(self.stored)
        for waiting in self._waiting:
            values |= self.show(waiting.mode, waiting.value)
        return values

    def read(self, address: Address) -> float | bool | None:
        """What stands at an output now."""
        return self.in_force if address == self._enable else self.values()[address]

    def check(self, address: Address, value: float) -> None:
        """Raise `RefusalError` for what the device would not take."""
        if address != self._enable:
            self._check({**self._asked_for(), address: value})
        elif value:
            self._check(self.stored)

    def _check(self, values: Values) -> None:
        check_local(self.see, self.demand(values))

    def write(self, address: Address, value: float) -> None:
        """Carry it out, or raise `RefusalError`."""
        if address == self._enable:
            self._switch(on=bool(value))
            return
        values = {**self._asked_for(), address: value}
        if address in self._window or address in self.kept or not self._acts_at_once:
            self._check(values)
        elif address not in (self._seconds, self._ramp) or self._is_ours:
            self._ask(values)
        self.stored[address] = value
        if self._acts_at_once and address not in self._window:
            self.stored |= {each: values[each] for each in self.stored}
        self.see.touched()

    def checkpoint(self) -> dict[str, Any]:
        """What was written, whether it acts or not."""
        return kept(self.stored)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take it over; what acts is in the checkpoint of the DER."""
        take(self.stored, document)

    def _switch(self, *, on: bool) -> None:
        if on:
            self._ask(self.stored)
        else:
            submit_local(self.see, self._switched.off(DNP3))
        self.see.touched()

    @property
    def _is_ours(self) -> bool:
        """Whether it is we who ask for it."""
        return bool(self._switched.own)

    def _ask(self, values: Values) -> None:
        wanted = self.demand(values)
        ramp_s = self.ramp_s(values, wanted)
        seconds = values[self._seconds]
        expires_s = self.see.now_s() + seconds if seconds else None
        changes = self._switched.on(DNP3, wanted, expires_s)
        submit_local(
            self.see, [each if each.value is None else each._replace(ramp_s=ramp_s) for each in changes]
        )
