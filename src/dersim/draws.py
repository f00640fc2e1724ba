"""Random generators that are made at their first draw: one takes 2.5 kB, and most of a fleet's never draw."""

from __future__ import annotations

import random
from typing import Any, cast


class _Later:
    """A random.Random of this seed, made when something of it is first used."""

    __slots__ = ("_made", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._made: random.Random | None = None

    @property
    def drawn(self) -> bool:
        """Whether anything was drawn."""
        return self._made is not None

    def getstate(self) -> tuple[Any, ...]:
        """As of random.Random."""
        if self._made is None:  # whoever looks draws nothing
            return random.Random(self._seed).getstate()  # noqa: S311 - as below
        return self._made.getstate()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a copy of this is none of random.Random
            raise AttributeError(name)
        if self._made is None:
            self._made = random.Random(self._seed)  # noqa: S311 - a simulation's draws are repeatable
        return getattr(self._made, name)


def draws_of(seed: str) -> random.Random:
    """What draws as `random.Random(seed)` does."""
    return cast(random.Random, _Later(seed))
