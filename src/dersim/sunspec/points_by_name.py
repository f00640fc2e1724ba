"""Points by name and in plain units, for the REST API, with the same checks as Modbus writes.

``{"model": 704, "points": {"WMaxLimPct": 40, "WMaxLimPctEna": 1}}``. Nested forms are accepted too:
``{"Crv": [{}, {"ActPt": 2, "Pt": [{"V": 106, "W": 100}, ...]}], "AdptCrvReq": 2}``; a list counts from 0,
as in ``Crv[1].Pt[0].V``, and ``{}`` or null leaves a set alone. Enumerations may be given by name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.hardware.nameplate import Nameplate
from dersim.local_control.refused import Refused
from dersim.numeric import finite, shown
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Block
from dersim.sunspec.points import TYPES, Point
from dersim.sunspec.unit import Unit

#: Models that store registers and that a machine without their function does not have.
_OF_FUNCTIONS = frozenset({124, *range(705, 713)})


def apply_points(unit: Unit, model: int, points: Mapping[str, Any], source: SetpointSource) -> dict[str, Any]:
    """Write points of a model, all or none; returns ``{"model", "points": what the registers show now}``.

    ConfigError names the point, what is wrong and what is allowed.
    """
    try:
        block = unit.block(model)
        flat = dict(_flat("", points))
        if not flat:
            raise ConfigError(f"model {model}: no points to write")
        changes: dict[str, Any] = {}
        for path, given in flat.items():
            point = block.point(path)
            block.check_writable(point)
            changes[path] = _value(block, point, given)
        unit.refresh()
        block.model.write(changes, source)
    except Refused as why:
        raise ConfigError(str(why)) from None
    return shown_points(unit, model)


def restore(unit: Unit, nameplate: Nameplate) -> None:
    """Take the stored registers of a nameplate; ConfigError names the point and what is allowed.

    Those of a function that is left out (``--without volt-var``) are left out too.
    """
    present = {block.model_id for block in unit.blocks}
    for model, points in nameplate.registers.items():
        if model in _OF_FUNCTIONS - present:
            continue
        try:
            block = unit.block(model)
            flat = dict(_flat("", points))
            block.model.restore({path: _value(block, block.point(path), v) for path, v in flat.items()})
        except (Refused, ConfigError) as why:
            raise nameplate.refusal(f"/dersim/registers/{model}", str(why)) from None


def shown_points(unit: Unit, model: int | None = None) -> dict[str, Any]:
    """A model's current points, or a list of all models; ConfigError says why not."""
    unit.refresh()
    if model is None:
        return {"models": [{"model": b.model_id, "name": b.layout.name} for b in unit.blocks]}
    try:
        block = unit.block(model)
    except Refused as why:
        have = ", ".join(str(each.model_id) for each in unit.blocks)
        raise ConfigError(f"{why}; it has {have}") from None
    try:
        points = block.shown()
    except Refused as why:  # a plug-in's model failed
        raise ConfigError(str(why)) from None
    return {"model": model, "points": {k: v for k, v in points.items() if v is not None}}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if inner is not None:
                yield from _flat(f"{prefix}[{index}]", inner)
    else:
        yield prefix, value


def _value(block: Block, point: Point, given: Any) -> Any:
    """The value as registers hold it: rounded to their resolution, and checked like a write."""
    where = f"{block.model_id}.{point.path}"
    if point.is_text:
        if not isinstance(given, str) or len(given) > point.size * 2:
            raise ConfigError(
                f"{where}: a text of up to {point.size * 2} characters is needed, not {shown(given)}"
            )
        return point.value(given.encode("utf-8", "surrogatepass"))
    words = dict(point.names)
    plain = words.get(given, given) if isinstance(given, str) else given
    number = finite(int(plain) if isinstance(plain, bool) else plain)
    if number is None:
        hint = f" or one of {', '.join(words)}" if words else ""
        raise ConfigError(f"{where}: a number{hint} is needed, not {shown(given)}")
    kind = TYPES[point.kind]
    low, high = kind.low * 10**point.exponent, kind.high * 10**point.exponent
    if not low <= number <= high:
        raise ConfigError(f"{where}: {number:g} is outside {low:g} to {high:g} {point.units}".rstrip())
    return point.value(struct.pack(f">{kind.code}", point.raw(number)))
