"""The JSON Schema of nameplate files, made of `nameplate_points.POINTS`; the reader checks by it."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

from dersim.hardware.nameplate_points import POINTS, SETTINGS, Point
from dersim.json_schema import Schema
from dersim.modes import MODES
from dersim.modes_schema import curve_schemas, modes_schema

_MODELS = {
    "1": "SunSpec 1: who made it",
    "701": "SunSpec 701: AC side and energy so far",
    "702": "SunSpec 702: AC ratings",
    "704": "SunSpec 704: controls at the start",
    "713": "SunSpec 713: battery",
    "714": "SunSpec 714: DC side",
    "dersim": "what SunSpec has no point for",
}
#: ``714.Prt[0].DCW``: model, then the point, or the group and the point in its first item.
_NAME = re.compile(r"(\w+)\.(?:(\w+)\[0\]\.)?(\w+)")


def nameplate_schema() -> Schema:
    """Of one nameplate file, with the modes that plug-ins have added so far."""
    return _schema(tuple(MODES))


@functools.cache
def _schema(_modes: tuple[str, ...]) -> Schema:
    models = {name: _object(title) for name, title in _MODELS.items()}
    for point in POINTS.values():
        model, group, name = place_of(point.name)
        holder = models[model]
        if group:
            item = {"type": "array", "title": group, "items": _object(group), "minItems": 1, "maxItems": 1}
            holder = holder["properties"].setdefault(group, item)["items"]
        holder["properties"][name] = _point(name, point)
        if point.default is None and not point.optional:
            holder["required"].append(name)
    document = _object("dersim nameplate", {"$schema": {"type": "string"}} | models)
    document["required"] = [name for name, model in models.items() if model["required"]]
    document["$defs"] = curve_schemas()
    document["description"] = "The ratings of a DER, by SunSpec model and point, in plain units"
    return document


def place_of(name: str) -> tuple[str, str, str]:
    """Model, group or "", and point of a point's name."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise KeyError(name)
    model, group, point = match.groups()
    return model, group or "", point


def pointer_of(name: str) -> str:
    """The JSON Pointer of a point in a nameplate file."""
    model, group, point = place_of(name)
    return f"/{model}/{group}/0/{point}" if group else f"/{model}/{point}"


def _object(title: str, properties: dict[str, Any] | None = None) -> Schema:
    return {
        "type": "object",
        "title": title,
        "properties": properties or {},
        "required": [],
        "additionalProperties": False,
    }


def _point(name: str, point: Point) -> Schema:
    schema: Schema = {"title": name, "description": point.doc}
    if point.unit:
        schema["x-unit"] = point.unit
    if point.kind is dict:
        return schema | _nested(point.name)
    if point.default is not None:
        schema["default"] = point.default
    if point.allowed:
        return schema | {"enum": list(point.allowed)}
    if point.kind is str:
        return schema | {"type": "string", "maxLength": 64}
    schema["type"] = "number"
    if point.kind is int:
        schema["multipleOf"] = 1
    limits = ("minimum", point.low), ("maximum", point.high)
    return schema | {key: limit for key, limit in limits if math.isfinite(limit)}


def _nested(name: str) -> Schema:
    if name == "dersim.modes":
        return modes_schema()
    if name == "dersim.settings":
        settings = {
            key: {"title": key, "type": "number"} | ({"x-unit": unit} if unit else {})
            for key, unit in SETTINGS.items()
        }
        return {"type": "object", "properties": settings, "additionalProperties": False}
    if name == "dersim.comments":
        lines = {"type": "array", "items": {"type": "string"}}
        return {"type": "object", "additionalProperties": lines}
    points = {"type": "object", "title": "registers of one model by point, e.g. Crv[1].Pt[0].V"}
    return {"type": "object", "propertyNames": {"pattern": "^[0-9]+$"}, "additionalProperties": points}
