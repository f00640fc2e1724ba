"""The tables of `py1815-master evaluate`: the names that dnp3py bundles, and the ranges of our own table.

The ranges of the standard are those of 32 bits; a machine accepts fewer values, and evaluate takes its
samples from the range.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

#: From here on the points stand under headings of their own: they were added for IEEE 1547-2018.
_LAST_OF_BASE = 623


def bundled(name: str) -> dict[str, Any]:
    """A profile of dnp3py."""
    return json.loads((files("dnp3.mesa.data.profiles") / f"{name}.json").read_text("utf-8"))


def points_of(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The points of a kind, without schedules and equipment."""
    listed = document[kind]
    return listed if isinstance(listed, list) else listed["points"]


def _class(row: dict[str, Any]) -> int | None:
    text = str(row.get("event_class") or "None")
    return int(text[-1]) if text.startswith("Class") else None


def _associated(row: dict[str, Any]) -> str | None:
    for key in ("assoc_ai", "assoc_bi", "assoc_ao", "assoc_bo"):
        if row.get(key):
            return str(row[key])
    return None


def tables(ranges: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """The document. ranges: of our outputs, wire values, by point."""
    full = bundled("full")
    rows: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in ("AI", "AO", "BI", "BO", "CTR")}
    for kind, found in rows.items():
        for point in points_of(full, kind):
            index = point["point_index"]
            if index > _LAST_OF_BASE:
                continue
            low, high = ranges.get(f"{kind}{index}", (point.get("minimum"), point.get("maximum")))
            found[index] = {
                "index": index,
                "name": point["name"],
                "section": "base",
                "purpose": (point.get("purpose") or "").casefold() or None,
                "event_class": _class(point),
                "multiplier": point.get("multiplier"),
                "minimum": low,
                "maximum": high,
                "units": point.get("units"),
                "associated": _associated(point),
                "frozen": kind == "CTR",
                "frozen_event_class": 3 if kind == "CTR" else None,
            }
    for offset in range(205):  # the window of the curves, which dnp3py has once for each curve
        output = rows["AO"][244 + offset]
        rows["AI"][328 + offset] = {**output, "index": 328 + offset, "associated": f"AO{244 + offset}"}
    points = {kind: [found[index] for index in sorted(found)] for kind, found in rows.items()}
    return {"edition": "test", "key": {"fixed": {}, "equipment": {}}, "points": points}


def write(path: Path, ranges: dict[str, tuple[int, int]]) -> Path:
    """The document as a file."""
    path.write_text(json.dumps(tables(ranges)), "utf-8")
    return path
