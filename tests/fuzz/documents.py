"""Documents of IEEE 2030.5 with one number replaced, made from the declarations of the resources.

What is declared is covered: every integer, bitmap and boolean of a class and of all that it contains. A
document starts from a valid resource; members on the way to the number that are absent are added.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from lxml import etree

from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5.declare import TYPES, Member, Simple
from dersim.ieee2030_5.edition import NAMESPACE

#: A number of a resource: the members from its root.
Place = tuple[Member, ...]

_NUMERIC = ("int", "hex_int", "bool")

START_S = 1_800_000_000
EXTREMES = (
    "0", "-1", "255", "32768", str(2**31), str(2**32), str(2**63 - 1), str(-(2**63)), str(2**63),
    "1" + "0" * 19, "9" * 400, "253402300800", str(START_S * 1000), "NaN", "Infinity", "0.5", "1e3", "",
    "true", "0xFF",
)  # fmt: skip


def numbers(cls: type, within: Place = ()) -> Iterator[Place]:
    """Every number below a class, depth first."""
    for member in TYPES[cls].members:
        if member.simple is not None:
            if member.simple.kind in _NUMERIC:
                yield (*within, member)
        elif member.cls is not None and all(member is not outer for outer in within):
            yield from numbers(member.cls, (*within, member))


def name_of(place: Place) -> str:
    """`DERControl/interval/start`."""
    return "/".join(f"@{member.name}" if member.attribute else member.name for member in place)


def with_number(resource: Any, place: Place, text: str) -> bytes:
    """The resource as XML with `text` in that place."""
    changed = copy.deepcopy(resource)
    _fill(changed, place)
    root = etree.fromstring(encode(changed, Edition.E2023))
    node = root
    for member in place[:-1]:
        node = node.find(f"{{{NAMESPACE}}}{member.name}")
    last = place[-1]
    if last.attribute:
        node.set(last.name, text)
    else:
        node.find(f"{{{NAMESPACE}}}{last.name}").text = text
    return etree.tostring(root)


def _fill(resource: Any, place: Place) -> None:
    """Add what is absent on the way to a number, and the number itself."""
    for member in place:
        value = getattr(resource, member.name)
        if value is None or value == ():
            value = _simple(member.simple) if member.simple else least(member.cls)
            setattr(resource, member.name, (value,) if member.repeated else value)
        elif member.repeated:
            value = value[0]
        resource = value


def least(cls: Any) -> Any:
    """A resource with its required members alone."""
    values: dict[str, Any] = {}
    for member in TYPES[cls].members:
        if member.low:
            value = _simple(member.simple) if member.simple else least(member.cls)
            values[member.name] = (value,) if member.repeated else value
    return cls(**values)


def _simple(simple: Simple) -> Any:
    match simple.kind:
        case "int" | "hex_int":
            return 1
        case "bool":
            return True
        case "hex_text":
            return "00" * simple.octets
        case "uri":
            return "/x"
        case _:
            return "x"
