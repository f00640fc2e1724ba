"""What may have changed, for several readers: each has a set of its own and clears it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def adding_to(*readers: set[T]) -> Callable[[T], None]:
    """A function that adds what it is given to the sets of all readers."""

    def add(changed: T) -> None:
        for each in readers:
            each.add(changed)

    return add
