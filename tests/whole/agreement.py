"""A table of values that tell the same thing, and the comparison of its places with the exact value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.whole.places import Look, Told


def same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Place:
    """Where a value is told, e.g. `701.W`; the forms are those of `Look.tell`.

    {n}, {x} and {i} are the phase, 1, A or 0, and {m} and {y} the one after it. of: the row's value as it is
    told here. take: what of this place is compared. note: for the page.
    """

    where: str
    of: Callable[[Any], Any] = same
    take: Callable[[Any], Any] = same
    note: str = ""

    @property
    def shown(self) -> str:
        """As the page shows it."""
        return f"{self.where} {self.note}".strip()

    @property
    def column(self) -> int:
        """The column of the page: SunSpec, 2030.5, mirror, REST."""
        if self.where[0].isdigit() and not self.where.startswith(("2018 ", "2023 ")):
            return 0
        if "DER" in self.where.split(".")[0]:
            return 1
        return 2 if self.where.startswith("mirror ") else 3


@dataclass(frozen=True)
class Row:
    """One quantity. truth: its exact value, None without one; with `phases` it takes the phase too."""

    quantity: str
    truth: Callable[..., Any]
    places: tuple[Place, ...]
    phases: bool = False

    def truths(self, look: Look) -> Iterable[tuple[Any, Mapping[str, object]]]:
        """The value, and what stands for the names in braces, of each phase, or of the whole."""
        if not self.phases:
            yield self.truth(look), {}
            return
        for i in range(look.plate.phases):
            after = (i + 1) % 3
            yield self.truth(look, i), {"i": i, "n": i + 1, "m": after + 1, "x": "ABC"[i], "y": "ABC"[after]}


def row(quantity: str, truth: Callable[..., Any], *places: Place | str, phases: bool = False) -> Row:
    """A row; a text among the places names several that tell the value as it is, with commas."""
    found: list[Place] = []
    for each in places:
        found += [each] if isinstance(each, Place) else map(Place, each.split(", "))
    return Row(quantity, truth, tuple(found), phases)


def disagreements(look: Look, rows: Iterable[Row], met: set[str] | None = None) -> list[str]:
    """Every place that tells something else than the state; `met` collects the places that were compared."""
    found = []
    for line in rows:
        for truth, names in line.truths(look):
            if truth is None:
                continue
            for place in line.places:
                where = place.where.format_map(names)
                wanted = place.of(truth)
                told = look.tell(where)
                if told and met is not None:
                    met.add(place.shown)
                found += [
                    f"{line.quantity}: {where} tells {each.value!r}, not {wanted!r} ({truth!r})"
                    for each in told
                    if not _agrees(each, wanted, place.take)
                ]
    return found


def _agrees(told: Told, wanted: Any, take: Callable[[Any], Any]) -> bool:
    if isinstance(wanted, frozenset):
        return take(told.value) in wanted
    value = take(told.value)
    if isinstance(wanted, float) and isinstance(value, float | int):
        return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=told.resolution + 1e-9)
    return bool(value == wanted)
