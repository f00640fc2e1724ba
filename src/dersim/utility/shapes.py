"""The shape of a path: its numbers replaced by `*`, so that one dictionary has all paths."""

from __future__ import annotations

from typing import NamedTuple

_MAX_NUMBER_DIGITS = 12


class Shape(NamedTuple):
    """A path such as `/derp/*/derc`, and the numbers that were in it."""

    text: str
    numbers: tuple[int, ...]


def shape_of(path: str) -> Shape | None:
    """The shape of a path; None for one that has a `*` itself.

    A number has one spelling (no leading zero), so that a resource has one href.
    """
    if "*" in path:
        return None
    numbers: list[int] = []
    shape: list[str] = []
    for part in path.split("/"):
        if part.isascii() and part.isdigit() and part[0] != "0" and len(part) <= _MAX_NUMBER_DIGITS:
            numbers.append(int(part))
            shape.append("*")
        else:
            shape.append(part)
    return Shape("/".join(shape), tuple(numbers))
