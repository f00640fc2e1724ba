"""SunSpec's point types: conversion between values and registers, and the patterns for "not implemented".

SunSpec Device Information Model, section 4.2. Registers are 16 bits, the high one first. Each type has one
bit pattern for "not implemented", which is refused in a write. Numbers may have a scale factor: the register
holds the value divided by ten to that power.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal

#: The value of a point: a number in plain units, a text, or None if not implemented.
Value = float | int | str | None


class PointType(NamedTuple):
    """code: of `struct`; low, high: what a register may hold; blank: not implemented."""

    code: str
    low: float
    high: float
    blank: Any


_INT16 = PointType("h", -32767, 32767, -32768)
_UINT16 = PointType("H", 0, 0xFFFE, 0xFFFF)
_INT32 = PointType("i", -0x7FFFFFFF, 0x7FFFFFFF, -0x80000000)
_UINT32 = PointType("I", 0, 0xFFFFFFFE, 0xFFFFFFFF)
_UINT64 = PointType("Q", 0, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF)

TYPES: dict[str, PointType] = {
    "int16": _INT16,
    "uint16": _UINT16,
    "enum16": _UINT16,
    "bitfield16": _UINT16,
    "count": _UINT16,
    "raw16": _UINT16,
    "acc16": PointType("H", 0, 0xFFFF, 0),
    "sunssf": PointType("h", -10, 10, -32768),
    "pad": PointType("H", 0x8000, 0x8000, 0x8000),
    "int32": _INT32,
    "uint32": _UINT32,
    "enum32": _UINT32,
    "bitfield32": _UINT32,
    "acc32": PointType("I", 0, 0xFFFFFFFF, 0),
    "ipaddr": PointType("I", 1, 0xFFFFFFFF, 0),
    "int64": PointType("q", -0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF, -0x8000000000000000),
    "uint64": _UINT64,
    "bitfield64": _UINT64,
    "acc64": PointType("Q", 0, 0xFFFFFFFFFFFFFFFF, 0),
    "float32": PointType("f", -3.4028234e38, 3.4028234e38, math.nan),
    "float64": PointType("d", -1.7976931348623157e308, 1.7976931348623157e308, math.nan),
}
_TEXTS = ("string", "ipv6addr", "eui48")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a model with its registers.

    path: e.g. ``W`` or ``Crv[1].Pt[0].V``, counted from 0. offset, size: in registers, from the model's ID.
    scale: the name of its scale factor, "" without one. exponent: that factor's value (the register holds
    value / 10 ** exponent). symbols: the numbers of an enumeration; bits are not checked.
    """

    path: str
    kind: str
    offset: int
    size: int
    scale: str = ""
    exponent: int = 0
    writable: bool = False
    symbols: frozenset[int] | None = None
    names: tuple[tuple[str, int], ...] = ()
    tagged: bool = False
    units: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the registers hold characters."""
        return self.kind in _TEXTS

    @property
    def is_float(self) -> bool:
        """Whether the registers hold a floating-point number."""
        return self.kind in ("float32", "float64")

    @property
    def code(self) -> str:
        """Its format character in `struct`."""
        return f"{self.size * 2}s" if self.is_text else TYPES[self.kind].code

    @property
    def blank(self) -> Any:
        """The raw value of "not implemented"."""
        return b"" if self.is_text else TYPES[self.kind].blank

    def raw(self, value: Value) -> Any:
        """The raw value to pack for a value in plain units; numbers out of the type's range are clamped."""
        if value is None:
            return self.blank
        if isinstance(value, str):
            return value.encode("ascii", "replace")[: self.size * 2]
        kind = TYPES[self.kind]
        if self.is_float:
            return value
        # Dividing by a power of ten rounds better than multiplying with its inverse.
        scaled = value / 10**self.exponent if self.exponent >= 0 else value * 10**-self.exponent
        if self.kind == "acc32":  # an accumulator rolls over
            return int(scaled) & 0xFFFFFFFF
        return round(min(max(scaled, kind.low), kind.high))

    def value(self, data: bytes) -> float | int | str:
        """What a peer wrote, in plain units; ModbusRefusal if the type or enumeration does not allow it."""
        if self.is_text:
            text = data.rstrip(b"\0 ")
            if not text.isascii() or not text.decode("ascii").isprintable():
                raise ModbusRefusal(ILLEGAL_VALUE, f"{self.path}: printable ASCII is needed")
            return text.decode("ascii")
        kind = TYPES[self.kind]
        raw: float = struct.unpack(f">{kind.code}", data)[0]
        if not kind.low <= raw <= kind.high:
            raise ModbusRefusal(
                ILLEGAL_VALUE, f"{self.path}: {data.hex()} means not implemented; write a value"
            )
        if self.symbols is not None and raw not in self.symbols:
            listed = ", ".join(str(symbol) for symbol in sorted(self.symbols))
            raise ModbusRefusal(ILLEGAL_VALUE, f"{self.path}: {raw} is not listed; listed are {listed}")
        return self._plain(raw)

    def shown(self, raw: Any) -> Value:
        """The value in plain units of a raw one, None where not implemented."""
        if self.is_text:
            text: str = raw.rstrip(b"\0 ").decode("utf-8", "replace")
            return text or None
        if raw == self.blank and not self.kind.startswith("acc"):
            return None
        if self.is_float:
            return None if math.isnan(raw) else float(raw)
        return self._plain(raw)

    def _plain(self, raw: float) -> float:
        # Whole numbers stay ints; dividing by a power of ten rounds better than multiplying with its inverse.
        plain: float = raw * 10**self.exponent if self.exponent >= 0 else raw / 10**-self.exponent
        return plain
