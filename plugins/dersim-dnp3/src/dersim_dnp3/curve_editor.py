"""The window on the curves: a selector (AO 244), and the fields and points of the curve that it shows.

The profile has room for a hundred points; a mode takes ten, so ten are served. They make no events: they
change by what a master itself writes, and a master that wants them reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from py1815.control import CommandStatus
from py1815.profile.model import Address

from dersim_dnp3.curve_forms import POINTS
from dersim_dnp3.points import AO, BI, HIGHEST, LOWEST, Function, Input, Output
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import See

_SELECTOR, _SELECTED = 244, 328
_FIELDS = (("type", 20), ("number of points", POINTS), ("unit of x", 255), ("unit of y", 255))


class CurveEditor:
    """Its points; make it after the functions that name curves."""

    function: Function | None = None

    def __init__(self, see: See) -> None:
        self._see = see
        self._curves = see.curves
        names = [(f"curve: {name}", 0.0, float(high)) for name, high in _FIELDS]
        names += [
            (f"curve: {axis} of point {point}", LOWEST, HIGHEST)
            for point in range(1, POINTS + 1)
            for axis in "xy"
        ]
        cells = [
            Output(AO, _SELECTOR + 1 + place, name, "", 1, low, high, _SELECTED + 1 + place, event_class=0)
            for place, (name, low, high) in enumerate(names)
        ]
        selector = Output(AO, _SELECTOR, "curve that is shown", "", 1, 1, HIGHEST, _SELECTED)
        self.outputs: Sequence[Output] = (selector, *cells)
        self.inputs: Sequence[Input] = (
            Input(BI, 107, "the curve that is shown is named by a function", self._named, event_class=1),
        )

    def _named(self, _see: See) -> bool:
        return self._curves.is_named(self._curves.selected)

    def read(self, address: Address) -> float | bool | None:
        """The number of the curve, or a cell of it."""
        place = address[1] - _SELECTOR - 1
        return self._curves.selected if place < 0 else self._curves.cells(self._curves.selected)[place]

    def check(self, address: Address, value: float) -> None:
        """Only curves that are there; nothing of one that is used."""
        place = address[1] - _SELECTOR - 1
        if place >= 0:
            self._curves.check_write(place, value)
        elif value != int(value) or not 1 <= value <= self._curves.count:
            raise RefusalError(CommandStatus.OUT_OF_RANGE, f"there is no curve {value:g}")

    def checkpoint(self) -> dict[str, Any]:
        """The curves."""
        return self._curves.checkpoint()

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take them over."""
        self._curves.restore(document)

    def write(self, address: Address, value: float) -> None:
        """Keep it: a curve acts when a function takes it over."""
        self.check(address, value)
        place = address[1] - _SELECTOR - 1
        if place < 0:
            self._curves.selected = int(value)
        else:
            self._curves.write(place, value)
        self._see.touched()
