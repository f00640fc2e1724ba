"""The SunSpec map of a device: finds it, reads its models and decodes them.

Real maps have faults: no end mark, counts of 0, lengths that differ from the definition, models that answer
with an exception, scale factors that change between two reads. None of them ends the reading: what could not
be read is told in `Machine.unread`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dersim.errors import ConfigError
from dersim.sunspec.definitions import Layout, definition, lay_out
from dersim.sunspec.points import Point, Value
from dersim.twin.link import DeviceUnreachable, Link, ReadRefused

BASES = (40000, 0, 50000)
#: The models that say something about ratings, settings, curves, or what kind of machine it is.
WANTED = frozenset(
    {1, 101, 102, 103, 111, 112, 113, 120, 121, 123, 124, 126, 127, 129, 130, 132, 134, 135, 136, 160}
    | {*range(701, 716), 802, 64415}
)
_MARKER = [0x5375, 0x6E53]
_LAST_REGISTER = 65535
_MOST_MODELS = 100
_ATTEMPTS = 3
_MOST_REPEATS = 100


@dataclass(slots=True)
class Machine:
    """What was read. models: id -> point path -> value in plain units, None where not implemented.

    unread: what could not be read, a line each. unused: models that say nothing for a nameplate.
    """

    where: str
    base: int
    models: dict[int, dict[str, Value]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    unused: list[int] = field(default_factory=list)

    def tell(self, line: str) -> None:
        """Note what could not be read or used, once."""
        if line not in self.unread:
            self.unread.append(line)

    def value(self, model: int, path: str) -> Value:
        """A point's value, None if the device has no such model or point."""
        return self.models.get(model, {}).get(path)

    def number(self, model: int, path: str) -> float | None:
        """The same for a number."""
        value = self.value(model, path)
        return value if isinstance(value, int | float) else None


def read_machine(link: Link) -> Machine:
    """Find the map and read it. DeviceUnreachable if there is none."""
    machine = Machine(f"{link.where} unit {link.unit}", _find_base(link))
    address = machine.base + len(_MARKER)
    for _ in range(_MOST_MODELS):
        try:
            model_id, length = link.read(address, 2)
        except ReadRefused as why:
            machine.unread.append(f"register {address}: {why}; the map ends here without its end mark")
            break
        if model_id == 0xFFFF or (model_id == 0 and length == 0):
            break
        if address + 2 + length > _LAST_REGISTER:
            machine.unread.append(f"model {model_id} at {address}: its length {length} goes beyond the map")
            break
        _read_model(link, machine, model_id, address, length)
        address += 2 + length
    if not machine.models:
        raise DeviceUnreachable(
            f"{machine.where}: the SunSpec map at {machine.base} has no model that could be read"
            + "".join(f"; {line}" for line in machine.unread[:1])
        )
    return machine


def model_places(link: Link) -> dict[int, tuple[int, int]]:
    """Address and length of each model of the map, the first of several; DeviceUnreachable, ReadRefused."""
    found: dict[int, tuple[int, int]] = {}
    address = _find_base(link) + len(_MARKER)
    for _ in range(_MOST_MODELS):
        model_id, length = link.read(address, 2)
        if model_id == 0xFFFF or (model_id == 0 and length == 0) or address + 2 + length > _LAST_REGISTER:
            break
        found.setdefault(model_id, (address, length))
        address += 2 + length
    return found


def read_model(link: Link, model_id: int, place: tuple[int, int]) -> dict[str, Value]:
    """The points of a model at its place in plain units; ReadRefused, or ConfigError for an unknown model."""
    return _decoded(link, model_id, *place)[0]


def _find_base(link: Link) -> int:
    found = []
    for base in BASES:
        try:
            words = link.read(base, 2)
        except ReadRefused as why:
            if why.no_unit:
                raise DeviceUnreachable(
                    f"{link.where} unit {link.unit}: {why}; give the right --unit"
                ) from why
            found.append((base, why))
            continue
        if words == _MARKER:
            return base
        found.append((base, ReadRefused(f"{words[0]:04x} {words[1]:04x}")))
    if all(why.silent for _, why in found):
        raise DeviceUnreachable(
            f"{link.where}: unit {link.unit}: {found[0][1]}; give the right --unit, or a longer --timeout"
        )
    seen = "; ".join(f"{base}: {why}" for base, why in found)
    raise DeviceUnreachable(
        f"{link.where}: unit {link.unit} has no SunSpec map ({seen}); switch SunSpec on in the device, "
        f"or give the right --unit"
    )


def _read_model(link: Link, machine: Machine, model_id: int, address: int, length: int) -> None:
    name = f"model {model_id} at {address}"
    if model_id not in WANTED:
        machine.unused.append(model_id)
        return
    if model_id in machine.models:
        machine.unread.append(f"{name}: a second one, of which nothing is used")
        return
    try:
        values, faults = _decoded(link, model_id, address, length)
    except (ReadRefused, ConfigError) as why:
        machine.unread.append(f"{name}: {why}")
        return
    machine.models[model_id] = values
    machine.unread += [f"{name}: {fault}" for fault in faults]


def _decoded(link: Link, model_id: int, address: int, length: int) -> tuple[dict[str, Value], list[str]]:
    for _ in range(_ATTEMPTS):
        words = link.read(address, 2 + length)
        layout, faults = _layout(model_id, words)
        # Several requests may have met different scale factors.
        if link.requests(2 + length) == 1 or not _scales_moved(link, address, layout, words):
            break
    else:
        raise ReadRefused("its scale factors change while it is read")
    return _values(layout, words, faults), faults


def _scales_moved(link: Link, address: int, layout: Layout, words: list[int]) -> bool:
    held = [p.offset for p in layout.points if p.kind == "sunssf" and p.offset < len(words)]
    if not held:
        return False
    first, last = held[0], held[-1] + 1
    again = link.read(address + first, last - first)
    return any(again[offset - first] != words[offset] for offset in held)


def _layout(model_id: int, words: list[int]) -> tuple[Layout, list[str]]:
    """The layout with the device's own counts and scale factors."""
    model, length = definition(model_id), len(words)
    fixed = lay_out(_with_groups(model, [g for g in model["group"].get("groups", ()) if "count" not in g]))
    faults: list[str] = []
    counts: dict[str, int] = {}
    for name in _names_of_counts(model["group"]):
        point = fixed.points[fixed.index[name]]
        raw = _raw(point, words) if point.offset + point.size <= length else 0
        counts[name] = 0 if raw == point.blank or raw > length else raw
    if math.prod(count or 1 for count in counts.values()) > length:
        raise ConfigError(f"its counts {counts} do not go with its length {length - 2}")
    unknown = [name for name, count in counts.items() if not count]
    if unknown:
        counts |= _found_by_length(model, counts, unknown, length, fixed.length)
        faults.append(
            ", ".join(f"{name} is not given; by its length it is {counts[name]}" for name in unknown)
        )
    kept = []
    for group in model["group"].get("groups", ()):
        if isinstance(group.get("count"), int):  # the definition leaves it to the length
            one = lay_out(_with_groups(model, [{**group, "count": 1}])).length - fixed.length
            counts[group["name"]] = max(0, length - fixed.length) // one
        if "count" not in group or counts.get(group["name"], counts.get(str(group["count"]))):
            kept.append(group)
    layout = lay_out(_with_groups(model, kept), counts, _scales(fixed, words, faults))
    missing = [p for p in layout.points if p.offset + p.size > length and p.kind != "pad"]
    if missing or length > layout.length:
        faults.append(f"its length is {length - 2} instead of {layout.length - 2}; what fits is used")
    return layout, faults


def _with_groups(model: Mapping[str, Any], groups: list[Any]) -> Mapping[str, Any]:
    return {**model, "group": {**model["group"], "groups": groups}}


def _names_of_counts(group: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for inner in group.get("groups", ()):
        if isinstance(inner.get("count"), str):
            names.append(inner["count"])
        names += _names_of_counts(inner)
    return list(dict.fromkeys(names))


def _found_by_length(
    model: Mapping[str, Any], counts: Mapping[str, int], unknown: list[str], length: int, fixed: int
) -> dict[str, int]:
    """A count that the device does not give, from the length; ConfigError if that does not say it."""
    if length <= fixed:
        return dict.fromkeys(counts, 0)
    for count in range(1, _MOST_REPEATS):
        made = lay_out(model, {**counts, unknown[0]: count}).length if len(unknown) == 1 else math.inf
        if made == length:
            return {unknown[0]: count}
        if made > length:
            break
    raise ConfigError(f"{', '.join(unknown)} is not given, and the length {length - 2} does not say it")


def _scales(fixed: Layout, words: list[int], faults: list[str]) -> dict[str, int]:
    scales = {}
    for point in fixed.points:
        if point.kind == "sunssf" and point.offset < len(words):
            raw = _raw(point, words)
            if -10 <= raw <= 10:
                scales[point.path] = raw
            elif raw != point.blank:
                faults.append(f"{point.path}: {raw} is no scale factor")
    return scales


def _raw(point: Point, words: list[int]) -> Any:
    data = struct.pack(f">{point.size}H", *words[point.offset : point.offset + point.size])
    return struct.unpack(f">{point.code}", data)[0]


def _values(layout: Layout, words: list[int], faults: list[str]) -> dict[str, Value]:
    """Every point that fits, without ID, L, scale factors and padding."""
    scaled = _scales(layout, words, [])
    values: dict[str, Value] = {}
    for point in layout.points:
        skipped = point.kind in ("sunssf", "pad") or point.path in ("ID", "L")
        if skipped or point.offset + point.size > len(words):
            continue
        value = point.shown(_raw(point, words))
        if point.scale and point.scale not in scaled:
            value = None  # without a scale factor a point has no value
        if value is not None and point.symbols is not None and value not in point.symbols:
            if point.writable:
                faults.append(f"{point.path}: {value} is not listed")
            value = None
        if isinstance(value, str):
            value = "".join(character if character.isprintable() else "?" for character in value)
        values[point.path] = value
    return values
