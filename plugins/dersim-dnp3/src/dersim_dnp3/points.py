"""What a point is: its place, its words, its scale and its range; and the map that py1815 serves them by.

The points are those of IEEE 1815.2, in our own words. A wire value times `multiplier` is the value in the
unit. `low` and `high` are wire integers, the range that this machine accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from py1815.profile.model import Address, Kind, Point, PointMap

if TYPE_CHECKING:
    from dersim.plugin import Nameplate
    from dersim_dnp3.see import See

AI, AO, BI, BO, CTR = Kind.AI, Kind.AO, Kind.BI, Kind.BO, Kind.CTR
LOWEST, HIGHEST = -(2**31), 2**31 - 1

#: The value now, in the unit; None: this machine has none, and the point is offline.
Read = Callable[["See"], float | bool | None]
#: What one percent of a dead-band is taken of, in the unit.
Rating = Callable[["Nameplate"], float]


class Input(NamedTuple):
    """A point that is read. event_class: 1 to 3, 0 for none.

    block: the function it belongs to; its inputs are offline while the function is not in force.
    """

    kind: Kind
    index: int
    name: str
    read: Read
    unit: str = ""
    multiplier: float = 1.0
    event_class: int = 0
    low: float = LOWEST
    high: float = HIGHEST
    rating: Rating | None = None
    block: str = ""

    @property
    def address(self) -> Address:
        """Kind and index."""
        return self.kind, self.index


class Output(NamedTuple):
    """A point that is commanded. back: the index of the input that shows what stands, in the same unit."""

    kind: Kind
    index: int
    name: str
    unit: str = ""
    multiplier: float = 1.0
    low: float = 0
    high: float = HIGHEST
    back: int | None = None
    block: str = ""
    event_class: int = 2

    @property
    def address(self) -> Address:
        """Kind and index."""
        return self.kind, self.index

    @property
    def back_kind(self) -> Kind:
        """The kind of the input that shows it."""
        return BI if self.kind is BO else AI


class Function(NamedTuple):
    """A function of the profile: its name, the output that enables it, and the inputs that tell of it."""

    block: str
    enable: int
    enabled: int
    supports: int


def address_of(text: str) -> Address | None:
    """AI537 as kind and index; None for what is no point."""
    letters = text.rstrip("0123456789")
    digits = text[len(letters) :]
    if letters.upper() not in Kind.__members__ or not digits or len(digits) > 5 or int(digits) > 0xFFFF:
        return None
    return Kind(letters.upper()), int(digits)


def shown_address(address: Address) -> str:
    """Kind and index as AI537."""
    return f"{address[0].value}{address[1]}"


def point_map(inputs: Iterable[Input], outputs: Sequence[Output], functions: Iterable[Function]) -> PointMap:
    """The map of these points."""
    backs = {(each.back_kind, each.back): each.address for each in outputs if each.back is not None}
    supports = {(BI, each.supports): (BO, each.enable) for each in functions}
    points = [_input(each, backs.get(each.address), supports.get(each.address)) for each in inputs]
    points += [_output(each) for each in outputs]
    return PointMap({each.address: each for each in points})


def _input(row: Input, output: Address | None, enable: Address | None) -> Point:
    return Point(
        row.kind,
        row.index,
        row.name,
        purpose=row.block or None,
        event_class=row.event_class,
        multiplier=row.multiplier if row.kind is AI else None,
        minimum=row.low if row.kind is AI else None,
        maximum=row.high if row.kind is AI else None,
        units=row.unit or None,
        associated=output,
        enabled_by=enable,
        frozen=row.kind is CTR,
        frozen_event_class=3 if row.kind is CTR else None,
    )


def _output(row: Output) -> Point:
    return Point(
        row.kind,
        row.index,
        row.name,
        purpose=row.block or None,
        multiplier=row.multiplier if row.kind is AO else None,
        minimum=row.low if row.kind is AO else None,
        maximum=row.high if row.kind is AO else None,
        units=row.unit or None,
        associated=None if row.back is None else (row.back_kind, row.back),
    )
