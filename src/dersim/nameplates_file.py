"""`--nameplates FILE.csv`: DERs that differ, a row each, as a `FleetPlan`.

The columns are all optional: `device_type` and `nameplate` as -d and -f, `rated_w`, `rated_va`, `rated_var`
(`hardware/rating.py`), `name`, and `count`, how many DERs the row has. With -N the rows begin again after the
last one. Files are relative to the folder of the CSV.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NamedTuple

from dersim.csv_text import cell, open_csv
from dersim.errors import ConfigError
from dersim.fleet_plan import FleetPlan, Group
from dersim.hardware.rating import Rating

_COLUMNS = ("name", "device_type", "nameplate", "rated_w", "rated_va", "rated_var", "count")
_RATED = ("rated_w", "rated_va", "rated_var")
_MOST_W, _MOST_DERS = 1e9, 1_000_000
#: One object, so that the DERs of a row are known to be alike wherever they are.
_NO_INPUTS: dict[str, Any] = {}


class _Row(NamedTuple):
    ders: int
    name: str
    flags: dict[str, Any]
    places: dict[str, str]


def read_nameplates(path: Path, first: int, count: int | None) -> FleetPlan:
    """The plan of `count` DERs (None: one round of the rows) from number `first`. ConfigError."""
    rows = _rows(path)
    total = sum(row.ders for row in rows) if count is None else count
    groups, at = [], first
    for row in itertools.cycle(rows):
        size = min(row.ders, first + total - at)
        groups.append(Group(row.name, at, size, row.flags, _NO_INPUTS, places=row.places))
        at += size
        if at == first + total:
            break
    return FleetPlan(tuple(groups), first, total, numbered=first > 1 or total > 1)


def _rows(path: Path) -> list[_Row]:
    with open_csv(path, _COLUMNS) as (header, rows):
        found = [_row(path, where, dict(zip(header, values, strict=True))) for where, values in rows]
    if not found:
        raise ConfigError(f"{path}: no row; give a row for each DER")
    return found


def _row(path: Path, where: str, values: dict[str, str]) -> _Row:
    given = {name: text.strip() for name, text in values.items() if text.strip()}
    count = cell(where, "count", given.get("count", "1"), 1, _MOST_DERS)
    if count != int(count):
        raise ConfigError(f"{where}: count {given['count']} is not a whole number")
    flags: dict[str, Any] = {}
    if "device_type" in given:
        flags["device_type"] = given["device_type"]
    if "nameplate" in given:
        flags["nameplate"] = file = path.parent / given["nameplate"]
        if not file.is_file():
            raise ConfigError(f"{where}: nameplate {file} is no file; give a JSON file")
    rated = {name: cell(where, name, given[name], 1e-3, _MOST_W) for name in _RATED if name in given}
    if rated:
        flags["rating"] = Rating(**rated)
    return _Row(int(count), given.get("name", ""), flags, {"device_type": where, "rating": where})
