"""Model definitions: from the SunSpec Alliance's JSON to points with their registers.

The JSON files come from the package pysunspec2, of which no code is used. A group repeats as often as its
count point says (``Crv`` NCrv times, ``Pt`` NPt times). We choose the counts, never 0: pysunspec2 reads 0 as
"as many as fit" and fails.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from dersim.errors import ConfigError
from dersim.sunspec.points import TYPES, Point

_TAG = "IEEE 1547-2018"


@functools.cache
def definition(model_id: int) -> Mapping[str, Any]:
    """The definition of a standard model, as parsed JSON."""
    path = files("sunspec2") / "models" / "json" / f"model_{model_id}.json"
    parsed: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


@dataclass(frozen=True, slots=True)
class Layout:
    """A model's points in the order of their registers. length: of the whole, ID and L included.

    form: packs the points' raw values. index: of a path's point. at: of a register's point, counted from ID.
    fixed: the raw values of ID, L, counts and scale factors, and of all others "not implemented".
    """

    model_id: int
    name: str
    points: tuple[Point, ...]
    length: int
    form: struct.Struct
    index: Mapping[str, int]
    at: tuple[int, ...]
    fixed: tuple[Any, ...]


_layouts: dict[tuple[Any, ...], tuple[Mapping[str, Any], Layout]] = {}


def shared_layout(
    model: Mapping[str, Any], counts: Mapping[str, int] | None = None, scales: Mapping[str, int] | None = None
) -> Layout:
    """`lay_out`, cached for all devices with the same counts and scales: a layout takes half a megabyte."""
    key = (id(model), frozenset((counts or {}).items()), frozenset((scales or {}).items()))
    held = _layouts.get(key)
    if held is None:
        # The definition is kept too, so that its id() is not reused.
        held = _layouts[key] = (model, lay_out(model, counts, scales))
    return held[1]


def lay_out(
    model: Mapping[str, Any], counts: Mapping[str, int] | None = None, scales: Mapping[str, int] | None = None
) -> Layout:
    """Assign registers to the points of a definition.

    counts: by the name of the count point, or of the group where the count is not a point. scales: the
    exponent of each scale factor. ConfigError if the definition cannot be used.
    """
    group = model["group"]
    placed: list[Point] = []
    offset = 0
    for path, point in _walk(group, "", counts or {}):
        one = _place(path, point, offset, scales or {})
        placed.append(one)
        offset += one.size
    if [one.path for one in placed[:2]] != ["ID", "L"]:
        raise ConfigError(f"SunSpec model {model['id']}: the first two points must be ID and L")
    model_id = int(model["id"])
    return Layout(
        model_id,
        group["name"],
        tuple(placed),
        offset,
        form=struct.Struct(">" + "".join(one.code for one in placed)),
        index={one.path: position for position, one in enumerate(placed)},
        at=tuple(position for position, one in enumerate(placed) for _ in range(one.size)),
        fixed=tuple(
            _constant(one, {"ID": model_id, "L": offset - 2}, counts or {}, scales or {}) for one in placed
        ),
    )


def _constant(
    point: Point, header: Mapping[str, int], counts: Mapping[str, int], scales: Mapping[str, int]
) -> Any:
    known = header.get(point.path, counts.get(point.path))
    if point.kind == "sunssf":
        known = scales.get(point.path)
    return point.blank if known is None else known


def _walk(
    group: Mapping[str, Any], prefix: str, counts: Mapping[str, int]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for point in group["points"]:
        yield prefix + point["name"], point
    for inner in group.get("groups", ()):
        count = inner.get("count")
        if count is None:
            yield from _walk(inner, f"{prefix}{inner['name']}.", counts)
            continue
        times = counts.get(inner["name"]) or counts.get(str(count)) or int(count or 1)
        for index in range(times):
            yield from _walk(inner, f"{prefix}{inner['name']}[{index}].", counts)


def _place(path: str, point: Mapping[str, Any], offset: int, scales: Mapping[str, int]) -> Point:
    kind = point["type"]
    if kind not in TYPES and kind not in ("string", "ipv6addr", "eui48"):
        raise ConfigError(f"SunSpec point {path}: the type {kind!r} is not known")
    scale = point.get("sf", "")
    exponent = scale if isinstance(scale, int) else scales.get(scale, 0)
    symbols = point.get("symbols", ())
    return Point(
        path=path,
        kind=kind,
        offset=offset,
        size=int(point["size"]),
        scale=scale if isinstance(scale, str) else "",
        exponent=exponent,
        writable=point.get("access") == "RW",
        symbols=frozenset(s["value"] for s in symbols) if kind.startswith("enum") and symbols else None,
        names=tuple((s["name"], s["value"]) for s in symbols),
        tagged=_TAG in point.get("standards", ()),
        units=point.get("units", ""),
    )
