"""The differences between a replay and its record, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from dersim.timestamps import rfc3339

#: Differences that are shown; the others are counted.
MAX_SHOWN = 20


class Difference(NamedTuple):
    """One request that is not as recorded. at_s: since the start, of a missing one as recorded.

    next_s: when the next one with this method and URL was recorded, if there is one.
    """

    der: int
    at_s: float
    method: str
    url: str
    kind: Literal["differs", "unexpected", "missing"]
    lines: tuple[str, ...] = ()
    next_s: float | None = None


class Differences:
    """The first `MAX_SHOWN` and how many there are. compared: requests that were in the record."""

    def __init__(self, start_s: float) -> None:
        self.shown: list[Difference] = []
        self.count = self.compared = 0
        self._start_s = start_s

    def add(self, difference: Difference) -> None:
        """Add one."""
        self.count += 1
        if len(self.shown) < MAX_SHOWN:
            self.shown.append(difference)

    def told(self) -> Iterator[str]:
        """All that is shown, for people, in the order of time."""
        for each in sorted(self.shown, key=lambda each: each.at_s):
            yield f"{self._when(each.at_s)} DER {each.der}: {each.method} {each.url}: {self._what(each)}"
            yield from (f"    {line}" for line in each.lines)
        if self.count > len(self.shown):
            yield f"and {self.count - len(self.shown)} more"

    def _what(self, each: Difference) -> str:
        if each.kind == "missing":
            return "recorded, but not sent"
        if each.kind == "differs":
            return "not as recorded"
        if each.next_s is None:
            return "sent, but not recorded (any more)"
        return f"sent, but not recorded; the next one is at {self._when(each.next_s)}"

    def _when(self, at_s: float) -> str:
        return f"{rfc3339(self._start_s + at_s)} (+{at_s:.3f} s)"
