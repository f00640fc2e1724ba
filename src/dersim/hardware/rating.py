"""A nameplate of another size: every rating of a file in proportion to a rating in watts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dersim import json_text
from dersim.errors import ConfigError
from dersim.hardware.nameplate import Nameplate, read_nameplate
from dersim.hardware.nameplate_points import POINTS, SETTINGS
from dersim.hardware.nameplate_schema import place_of

_SIZES = ("W", "VA", "var", "A", "Wh")


class Rating(NamedTuple):
    """rated_w: WMaxRtg; all other sizes follow. rated_va, rated_var: in place of what follows; None: that."""

    rated_w: float | None = None
    rated_va: float | None = None
    rated_var: float | None = None


def rated_nameplate(path: Path, rating: Rating) -> Nameplate:
    """The nameplate of a file at another rating. ConfigError as `read_nameplate`, or if ratings clash."""
    plate = read_nameplate(path)
    changes: dict[str, Any] = {}
    if rating.rated_w is not None:
        document = json_text.read_file(path)
        changes = _scaled(document, rating.rated_w / plate.rtgMaxW)
    if rating.rated_va is not None:
        changes["702.VAMaxRtg"] = rating.rated_va
    if rating.rated_var is not None:
        changes["702.VarMaxInjRtg"] = changes["702.VarMaxAbsRtg"] = rating.rated_var
    try:
        return read_nameplate(path, **changes)
    except ConfigError as error:
        values = rating._asdict().items()
        given = ", ".join(f"{name} {value:g}" for name, value in values if value is not None)
        raise ConfigError(f"{given}: {error}") from error


def _scaled(document: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """The points of a file that have a size, by name; what was counted so far stays."""
    changes: dict[str, Any] = {}
    for name, point in POINTS.items():
        model, group, field = place_of(name)
        holder = document.get(model, {})
        value = (holder.get(group, [{}])[0] if group else holder).get(field)
        if value is not None and point.unit in _SIZES and model != "701":
            changes[name] = value * factor
    settings = document.get("dersim", {}).get("settings", {})
    if settings:
        changes["dersim.settings"] = {
            name: value * factor if SETTINGS.get(name) in _SIZES else value
            for name, value in settings.items()
        }
    return changes
