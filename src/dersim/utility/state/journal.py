"""What has changed and is not committed yet.

A change is one object of a kind under a key: its new document, and the body of a request where that is what
is kept, or nothing where it is removed. A new kind of object needs no more than a name here.
"""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """One object as it is now; document None: it is removed, and a key with a `*` means all of them."""

    kind: str
    key: str
    document: str | None
    body: bytes = b""


class HeldReading(NamedTuple):
    """One value that a device posted. start_s, duration_s: the period it is about."""

    received_s: float
    mirror: int
    meter: int
    start_s: int | None
    duration_s: int | None
    value: int | None
    quality: int | None


class Batch(NamedTuple):
    """What is committed together. number: of its last change."""

    number: int
    changes: list[Change]
    readings: list[HeldReading]


class Journal:
    """The changes since the last commit. on: whether anything is kept; without a state file nothing is.

    number: rises with each change. told: that of the last change of what devices are told, which no answer
    may show before it is committed.
    """

    def __init__(self) -> None:
        self.on = False
        self.number = self.told = 0
        self._changes: dict[tuple[str, str], Change] = {}
        self._readings: list[HeldReading] = []

    def put(self, kind: str, key: str, document: str, body: bytes = b"", *, told: bool = False) -> None:
        """Keep an object as it is now."""
        if self.on:
            self._add(Change(kind, key, document, body), told=told)

    def drop(self, kind: str, key: str, *, told: bool = False) -> None:
        """Keep an object no longer."""
        if self.on:
            self._add(Change(kind, key, None), told=told)

    def drop_all(self, kind: str, prefix: str) -> None:
        """Keep no object of this kind whose key begins so any longer."""
        if self.on:
            gone = [each for each in self._changes if each[0] == kind and each[1].startswith(prefix)]
            for each in gone:
                del self._changes[each]
            self._add(Change(kind, f"{prefix}*", None), told=False)

    def _add(self, change: Change, *, told: bool) -> None:
        self.number += 1
        if told:
            self.told = self.number
        self._changes[change.kind, change.key] = change

    def read(self, reading: HeldReading) -> None:
        """Keep one value for the export."""
        if self.on:
            self.number += 1
            self._readings.append(reading)

    def take(self) -> Batch:
        """Everything up to now, once."""
        batch = Batch(self.number, list(self._changes.values()), self._readings)
        self._changes, self._readings = {}, []
        return batch

    def give_back(self, batch: Batch) -> None:
        """A batch could not be committed: it goes with the next one."""
        newer = self._changes
        self._changes = {(each.kind, each.key): each for each in batch.changes} | newer
        self._readings = batch.readings + self._readings
