"""A point table of one's own (`--dnp3_profile FILE`): which points are served, where, and at which scale.

JSON: an object with `points`, by the points of our table:
`{"points": {"AI537": {"index": 1537, "multiplier": 10, "deadband": 50}, "AO87": {"serve": false}}}`.
`low` and `high` are wire integers; `deadband` is in the unit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from py1815.profile.model import Address

from dersim.plugin import ConfigError, Nameplate
from dersim_dnp3.block import Block
from dersim_dnp3.points import AI, BO, CTR, Function, Input, Output, address_of, shown_address

_KEYS = ("serve", "index", "name", "multiplier", "class", "deadband", "low", "high")
_LAST_INDEX = 0xFFFF

Changes = Mapping[str, Any]


class Profile:
    """The changes of the table; without any, the table as it is."""

    def __init__(self, changes: Mapping[Address, Changes] | None = None, path: str = "") -> None:
        self._changes = changes or {}
        self._path = path

    def inputs(self, rows: Iterable[Input]) -> Sequence[Input]:
        """The inputs that are served."""
        served = [self._input(row) for row in rows if self._of(row.address).get("serve", True)]
        self._distinct([row.address for row in served])
        return served

    def outputs(self, rows: Iterable[tuple[Output, Block]]) -> Sequence[tuple[Output, Address, Block]]:
        """The outputs that are served, each with its place in our own table, and its block."""
        listed = [
            (self._output(row), row.address, block)
            for row, block in rows
            if self._of(row.address).get("serve", True)
        ]
        self._distinct([row.address for row, _, _ in listed])
        return listed

    def functions(self, functions: Iterable[Function]) -> Sequence[Function]:
        """The functions whose enable output is served, at its place."""
        return [
            each._replace(enable=self._of((BO, each.enable)).get("index", each.enable))
            for each in functions
            if self._of((BO, each.enable)).get("serve", True)
        ]

    def deadband(self, row: Input, plate: Nameplate, percent: float) -> float | None:
        """The dead-band of an analog input's events, as a wire value; None for no analog input."""
        if row.kind is not AI:
            return None
        for address, changes in self._changes.items():
            if "deadband" in changes and address[0] is AI and changes.get("index", address[1]) == row.index:
                return float(changes["deadband"]) / abs(row.multiplier)
        return 0.0 if row.rating is None else percent / 100 * row.rating(plate) / abs(row.multiplier)

    def check(self, known: Iterable[Address]) -> None:
        """ConfigError for a point that no DER has."""
        unknown = sorted(shown_address(each) for each in self._changes.keys() - set(known))
        if unknown:
            raise ConfigError(f"{self._path}: there is no point {unknown[0]}; give one of our table")

    def _of(self, address: Address) -> Changes:
        return self._changes.get(address, {})

    def _input(self, row: Input) -> Input:
        changes = self._of(row.address)
        if not changes:
            return row
        return row._replace(
            index=changes.get("index", row.index),
            name=changes.get("name", row.name),
            multiplier=changes.get("multiplier", row.multiplier),
            event_class=changes.get("class", row.event_class),
            low=changes.get("low", row.low),
            high=changes.get("high", row.high),
        )

    def _output(self, row: Output) -> Output:
        changes = self._of(row.address)
        back = None if row.back is None else self._of((row.back_kind, row.back)).get("index", row.back)
        scale = row.multiplier / changes.get("multiplier", row.multiplier)
        return row._replace(
            index=changes.get("index", row.index),
            name=changes.get("name", row.name),
            multiplier=changes.get("multiplier", row.multiplier),
            low=changes.get("low", math.ceil(row.low * scale)),
            high=changes.get("high", math.floor(row.high * scale)),
            back=back,
        )

    def _distinct(self, addresses: Sequence[Address]) -> None:
        seen: set[Address] = set()
        for each in addresses:
            if each in seen:
                raise ConfigError(
                    f"{self._path}: two points are to be {shown_address(each)}; give another index"
                )
            seen.add(each)


def read_profile(path: Path) -> Profile:
    """Read the file; ConfigError names the file, the point, and what is allowed."""
    flag = f"--dnp3_profile {path}"
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{flag}: {error}; give a JSON file") from None
    if (
        not isinstance(document, dict)
        or set(document) != {"points"}
        or not isinstance(document["points"], dict)
    ):
        raise ConfigError(f'{flag}: give an object such as {{"points": {{"AI537": {{"class": 1}}}}}}')
    changes: dict[Address, Changes] = {}
    for name, fields in document["points"].items():
        address = address_of(name)
        if address is None:
            raise ConfigError(f"{flag}: {name!r} is no point; give AI, AO, BI, BO or CTR with its index")
        changes[address] = _checked(f"{flag}: {name}", address, fields)
    return Profile(changes, flag)


def _checked(where: str, address: Address, fields: Any) -> Changes:
    if not isinstance(fields, dict):
        raise ConfigError(f"{where}: give an object with some of {', '.join(_KEYS)}")
    for key, value in fields.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}: {key!r} is not known; known are {', '.join(_KEYS)}")
        if not _is_good(key, value):
            raise ConfigError(f"{where}.{key}: {json.dumps(value)[:60]} is no value of it; {_ALLOWED[key]}")
    if address[0] is CTR and fields.keys() - {"serve", "index", "name"}:
        raise ConfigError(f"{where}: of a counter give serve, index and name alone")
    return fields


_ALLOWED = {
    "serve": "give true or false",
    "index": f"give a whole number from 0 to {_LAST_INDEX}",
    "name": "give a text",
    "multiplier": "give a number other than 0",
    "class": "give 0 to 3",
    "deadband": "give a number from 0 on",
    "low": "give a whole number",
    "high": "give a whole number",
}


def _is_good(key: str, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    real = whole or (isinstance(value, float) and math.isfinite(value))
    return {
        "serve": isinstance(value, bool),
        "index": whole and 0 <= value <= _LAST_INDEX,
        "name": isinstance(value, str),
        "multiplier": real and value != 0 and abs(value) < 1e12,
        "class": whole and 0 <= value <= 3,
        "deadband": real and 0 <= value < 1e12,
        "low": whole and abs(value) < 2**63,
        "high": whole and abs(value) < 2**63,
    }[key]
