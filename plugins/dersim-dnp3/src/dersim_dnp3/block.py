"""A block of points that a master commands.

A block holds what was written and does not act; what acts is read from the device, whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim_dnp3.points import Function, Input, Output, shown_address
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import See


class Block(Protocol):
    """Some outputs of one DER, with the inputs that belong to them.

    function: None for a block that cannot be switched on and off.
    """

    function: Function | None
    inputs: Sequence[Input]
    outputs: Sequence[Output]

    def read(self, address: Address) -> float | bool | None:
        """What stands at an output now."""
        ...

    def check(self, address: Address, value: float) -> None:
        """Raise `RefusalError` or `Refused` for a value that would not be taken; changes nothing."""
        ...

    def write(self, address: Address, value: float) -> None:
        """Carry it out, or raise `RefusalError` or `Refused`."""
        ...

    def checkpoint(self) -> dict[str, Any]:
        """What was written and is kept here, as JSON."""
        ...

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave; what is not there any more is left out."""
        ...


def kept(values: Mapping[Address, float]) -> dict[str, Any]:
    """Written values as JSON, by point."""
    return {shown_address(address): value for address, value in values.items()}


def take(values: dict[Address, float], document: Mapping[str, Any]) -> None:
    """Put what `kept` gave over the values of the points that are there."""
    values |= {address: document[name] for address in values if (name := shown_address(address)) in document}


def check_setting(see: See, name: str, value: float) -> None:
    """Raise `RefusalError` for a value that the setting does not take."""
    low, high = see.settings.allowed(name)
    if not low <= value <= high:
        reason = f"{name}: {value:g} is outside {low:g} to {high:g}"
        raise RefusalError(CommandStatus.OUT_OF_RANGE, reason)


class Stored:
    """Outputs that are kept and shown, and act on nothing by themselves."""

    function: Function | None = None
    inputs: Sequence[Input] = ()

    def __init__(
        self,
        outputs: Sequence[Output],
        values: Mapping[Address, float],
        only: Mapping[Address, Callable[[float], bool]] | None = None,
    ) -> None:
        self.outputs = outputs
        self.values = dict(values)
        self._only = only or {}

    def read(self, address: Address) -> float | bool | None:
        """What was written, or the value at first."""
        return self.values[address]

    def check(self, address: Address, value: float) -> None:
        """Refuse what is not among the values that this machine has."""
        if address in self._only and not self._only[address](value):
            raise RefusalError(CommandStatus.NOT_SUPPORTED, f"{value:g}: this machine has no such value")

    def write(self, address: Address, value: float) -> None:
        """Keep it."""
        self.check(address, value)
        self.values[address] = value

    def checkpoint(self) -> dict[str, Any]:
        """What was written."""
        return kept(self.values)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take it over."""
        take(self.values, document)
