"""Which Responses of one DER were queued before, so that none is sent twice.

A fleet under a busy utility tells of thousands of events. So it is one entry an event, whose statuses are one
tuple for all events with the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache


@lru_cache(maxsize=512)
def _shared(statuses: tuple[int, ...]) -> tuple[int, ...]:
    """One object for equal statuses."""
    return statuses


class Told:
    """The statuses told of each event, by mRID; the event that was told of last comes last."""

    def __init__(self) -> None:
        self._statuses: dict[str, tuple[int, ...]] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many Responses are remembered."""
        return self._count

    def __contains__(self, key: tuple[str, int]) -> bool:
        mrid, status = key
        return status in self._statuses.get(mrid, ())

    def add(self, mrid: str, status: int, most: int) -> None:
        """Remember a Response; of more than `most` go those of the event that was told of longest ago."""
        before = self._statuses.pop(mrid, ())
        self._statuses[mrid] = before if status in before else _shared((*before, status))
        self._count += len(self._statuses[mrid]) - len(before)
        while self._count > most:
            self._count -= len(self._statuses.pop(next(iter(self._statuses))))

    def newest(self, most: int) -> dict[str, tuple[int, ...]]:
        """The statuses by mRID of the newest, oldest first: of no more events than have `most` Responses."""
        found: list[str] = []
        count = 0
        for mrid in reversed(self._statuses):
            count += len(self._statuses[mrid])
            if count > most:
                break
            found.append(mrid)
        return {mrid: self._statuses[mrid] for mrid in reversed(found)}

    def restore(self, found: Mapping[str, Iterable[int]], most: int) -> None:
        """Take over what `newest` gave."""
        for mrid, statuses in found.items():
            for status in statuses:
                self.add(mrid, status, most)
