"""The curves that masters write, which functions name them, and what acts and is none of them.

A write to a curve acts on nothing: the curve is taken over when a function that names it is switched on, or
when a function that is on is pointed at it. From then on it is locked. So no half curve ever acts.

What acts in a function and was asked for by another protocol, or by no one, has a number above those of the
written curves: it can be read there, and not written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from py1815.control import CommandStatus

from dersim.plugin import Curve
from dersim_dnp3.curve_forms import FIELDS, POINTS, TYPE, Form, cells_of, curve_of
from dersim_dnp3.refusal import RefusalError

#: Curves that can be written, numbered from 1.
WRITTEN = 10


class Use(NamedTuple):
    """A place in a function that names a curve.

    named: the number that was written there. locks: whether the function is on. acting: the curve that acts
    and is not the named one.
    """

    form: Form
    named: Callable[[], int]
    locks: Callable[[], bool]
    acting: Callable[[], Curve | None]


class CurveStore:
    """The curves of one DER."""

    def __init__(self) -> None:
        self.selected = 1
        self._written = [[0.0] * (FIELDS + 2 * POINTS) for _ in range(WRITTEN)]
        self._uses: list[Use] = []

    @property
    def count(self) -> int:
        """The highest number."""
        return WRITTEN + len(self._uses)

    def add(self, use: Use) -> int:
        """The number at which what acts there is shown."""
        self._uses.append(use)
        return self.count

    def cells(self, number: int) -> list[float]:
        """The fields and points of a curve; of what acts by others, those of now."""
        if number <= WRITTEN:
            return self._written[number - 1]
        form, _, _, acting = self._uses[number - WRITTEN - 1]
        curve = acting()
        return [0.0] * (FIELDS + 2 * POINTS) if curve is None else cells_of(form, curve)

    def curve(self, number: int, form: Form) -> Curve:
        """A curve as a mode takes it; `RefusalError` for one that is not there, or of another form."""
        if number > WRITTEN:
            acting = self._uses[number - WRITTEN - 1].acting() if number <= self.count else None
            if acting is not None and self._uses[number - WRITTEN - 1].form is form:
                return acting
        self.check_named(number, form)
        return curve_of(form, self._written[number - 1])

    def checkpoint(self) -> dict[str, Any]:
        """The written curves that have something in them, and which one is shown."""
        curves = {str(n): cells for n, cells in enumerate(self._written, 1) if any(cells)}
        return {"selected": self.selected, "curves": curves}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take them over."""
        self.selected = min(document["selected"], self.count)
        for number, cells in document["curves"].items():
            self._written[int(number) - 1] = list(cells)

    def is_named(self, number: int) -> bool:
        """Whether a function names it."""
        if number > WRITTEN:
            return self._uses[number - WRITTEN - 1].acting() is not None
        return any(use.named() == number for use in self._uses)

    def check_named(self, number: int, form: Form) -> None:
        """Raise `RefusalError` for a number that a function may not name; it need not be complete yet."""
        if not 1 <= number <= self.count:
            raise RefusalError(CommandStatus.OUT_OF_RANGE, f"there is no curve {number}")
        if number > WRITTEN:
            reason = f"curve {number} shows what others ask for; write one of 1 to {WRITTEN}"
            raise RefusalError(CommandStatus.NOT_SUPPORTED, reason)
        kind = self._written[number - 1][TYPE]
        if round(kind) != form.type:
            reason = f"curve {number} has the type {kind:g}, not {form.type}"
            raise RefusalError(CommandStatus.NOT_SUPPORTED, reason)

    def check_write(self, place: int, value: float) -> None:
        """Raise `RefusalError` for a cell of the selected curve that cannot be written."""
        number = self.selected
        if number > WRITTEN:
            raise RefusalError(CommandStatus.AUTOMATION_INHIBIT, f"curve {number} can only be read")
        users = [use for use in self._uses if use.named() == number]
        if any(use.locks() for use in users):
            reason = f"curve {number} is used by a function that is on"
            raise RefusalError(CommandStatus.AUTOMATION_INHIBIT, reason)
        if place < FIELDS and value != int(value):
            raise RefusalError(CommandStatus.OUT_OF_RANGE, f"{value:g} is no whole number")
        if place == TYPE and any(use.form.type != value for use in users):
            reason = f"curve {number} is named by a function of another type"
            raise RefusalError(CommandStatus.NOT_SUPPORTED, reason)

    def write(self, place: int, value: float) -> None:
        """Write a cell of the selected curve; `RefusalError` as `check_write`."""
        self.check_write(place, value)
        self._written[self.selected - 1][place] = value
