"""A model in the register map: its bytes, rebuilt when its values have changed, and its writes.

A `Model` deals in plain values by point name, in and out. A `Block` knows nothing about inverters: it packs
the values into one bytes object, of which reads are slices, and splits a written range into points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from dersim.modes import ModeValue
from dersim.numeric import shown
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.definitions import Layout, definition, shared_layout
from dersim.sunspec.exceptions import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Point, Value

Values = Mapping[str, Value]
#: The stamp of values that never change.
FOREVER = object()


@dataclass(slots=True)
class Meaning:
    """What the registers of another machine mean for a twin of it.

    settings: by their 2030.5 names. modes: what acts. registers: by point, what is stored and may not act.
    """

    settings: dict[str, float] = field(default_factory=dict)
    modes: dict[str, ModeValue] = field(default_factory=dict)
    registers: dict[str, Any] = field(default_factory=dict)


class Model:
    """One SunSpec model of a device. Subclasses give the values; this class is empty and read-only.

    model_id; counts: of the repeating groups; scales: the exponents of the scale factors, constant for the
    life of the device.
    """

    #: What a checkpoint keeps: written, and not in force by itself.
    KEPT: ClassVar[tuple[str, ...]] = ()
    model_id = 0
    counts: Mapping[str, int] = {}
    scales: Mapping[str, int] = {}
    #: Enumerations that accept values which they do not list.
    open_enums: frozenset[str] = frozenset()

    def definition(self) -> Mapping[str, Any]:
        """The model's definition as parsed JSON: its groups and points."""
        return definition(self.model_id)

    def values(self) -> Values:
        """The value of every implemented point but ID, L, scale factors and counts, in plain units."""
        return {}

    def stamp(self) -> object:
        """A value that changes whenever `values` may have changed."""
        return FOREVER

    def try_out(self) -> None:
        """Read once; an error of a plug-in's model is raised as it is, and not as a Modbus exception."""

    def writable(self, path: str) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a point that the definition marks RW can be written here."""
        return False

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:  # noqa: ARG002 - as above
        """Carry out a write, all or nothing; ModbusRefusal says why not."""
        raise ModbusRefusal(ILLEGAL_ADDRESS, f"model {self.model_id} is read-only")

    def meaning(self, values: Values) -> Meaning:  # noqa: ARG002 - for subclasses
        """What these values, read from another machine's points, mean; ModbusRefusal says why not."""
        return Meaning()

    def restore(self, registers: Mapping[str, Any]) -> None:
        """Take stored registers, as in `Meaning`, before anything was written; none acts by itself."""
        if registers:
            raise ModbusRefusal(
                ILLEGAL_ADDRESS, f"model {self.model_id} stores no {', '.join(sorted(registers))}"
            )


class Block:
    """One model at `address`, the register of its ID."""

    def __init__(self, model: Model, address: int) -> None:
        self.model = model
        self.address = address
        self.layout: Layout = shared_layout(model.definition(), model.counts, model.scales)
        self.model_id = self.layout.model_id
        self.length = self.layout.length
        self._stamp: object = None
        self._bytes = b""

    def data(self) -> bytes:
        """The current registers, as bytes."""
        stamp = self.model.stamp()
        if stamp is not self._stamp and stamp != self._stamp:
            raws = list(self.layout.fixed)
            index, points = self.layout.index, self.layout.points
            for path, value in self.model.values().items():
                at = index[path]
                raws[at] = points[at].raw(value)
            self._bytes = self.layout.form.pack(*raws)
            self._stamp = stamp
        return self._bytes

    def try_out(self) -> None:
        """Encode the registers once, with the errors of a plug-in's model as they are."""
        self.model.try_out()
        self.data()

    def shown(self) -> dict[str, Value]:
        """Every point by path, in plain units, None where not implemented."""
        raws = self.layout.form.unpack(self.data())
        return {point.path: point.shown(raw) for point, raw in zip(self.layout.points, raws, strict=True)}

    def point(self, path: str) -> Point:
        """The point of a path; ModbusRefusal where there is none."""
        index = self.layout.index.get(path)
        if index is None:
            raise ModbusRefusal(ILLEGAL_ADDRESS, f"model {self.model_id} has no point {shown(path)}")
        return self.layout.points[index]

    def write(self, first: int, data: bytes, source: SetpointSource) -> str:
        """Write registers, counted from the model's ID; returns what was written, for the log.

        ModbusRefusal if any of them cannot be written; then none is written.
        """
        changes: dict[str, Any] = {}
        count = len(data) // 2
        at = first
        while at < first + count:
            point = self.layout.points[self.layout.at[at]]
            self.check_writable(point)
            if at != point.offset or at + point.size > first + count:
                raise ModbusRefusal(ILLEGAL_VALUE, f"{point.path}: write its {point.size} registers together")
            if point.path in self.model.open_enums:
                point = replace(point, symbols=None)
            start = (at - first) * 2
            changes[point.path] = self._meant(point, data[start : start + point.size * 2])
            at += point.size
        self.model.write(changes, source)
        return f"{self.model_id} " + ", ".join(f"{path}={value}" for path, value in changes.items())

    def _meant(self, point: Point, data: bytes) -> Value:
        """The value of written registers; what they already show stands for the exact value behind it."""
        value = point.value(data)
        now = self.model.values().get(point.path)
        return now if isinstance(now, int | float) and point.shown(point.raw(now)) == value else value

    def check_writable(self, point: Point) -> None:
        """ModbusRefusal where the point is read-only or not implemented."""
        if not (point.writable and self.model.writable(point.path)):
            raise ModbusRefusal(ILLEGAL_ADDRESS, f"{self.model_id}.{point.path} cannot be written")
