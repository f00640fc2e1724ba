"""What happened in each second of a run.

A slot is a second of UTC, so that processes of a fleet add up slot by slot. Beyond `MOST_SLOTS` the slots
become twice as long, as often as needed: a run of a day takes no more memory than one of an hour.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dersim.load.latencies import Buckets

#: The states of a CSIP client, in the order in which they are counted.
STATES = ("connected", "discovering", "retrying", "failed", "away")
MOST_SLOTS = 3_600
#: The latency of a moment is that of so many seconds before it.
WINDOW_S = 10
#: Slots older than this keep their latencies packed.
_PACKED_AFTER_S = 15
#: For how long the states of a process hold where it tells no new ones, s.
_STATES_HOLD_S = 5

States = tuple[int, ...]


class Slot:
    """The counts of one slot. states: by process, the last count of its DERs by state; of `STATES`."""

    __slots__ = ("_latencies", "errors", "full", "lag_s", "late_s", "requests", "resumed", "states")

    def __init__(self) -> None:
        self.requests = self.errors = self.full = self.resumed = 0
        self.lag_s = self.late_s = 0.0
        self.states: dict[str, States] = {}
        self._latencies: Buckets | tuple[bytes, float] | None = None

    @property
    def latencies(self) -> Buckets | None:
        """The latencies of the requests that ended in this slot."""
        held = self._latencies
        return Buckets.unpacked(*held) if isinstance(held, tuple) else held

    def record(self, seconds: float) -> None:
        """Count a latency."""
        held = self._latencies
        if not isinstance(held, Buckets):
            held = self._latencies = self.latencies or Buckets()
        held.record(seconds)

    def pack(self) -> None:
        """Keep the latencies in less memory."""
        if isinstance(self._latencies, Buckets):
            self._latencies = self._latencies.packed(), self._latencies.most_s

    def add(self, other: Slot) -> None:
        """Add another slot; its states are the later ones."""
        self.requests += other.requests
        self.errors += other.errors
        self.full += other.full
        self.resumed += other.resumed
        self.lag_s = max(self.lag_s, other.lag_s)
        self.late_s = max(self.late_s, other.late_s)
        self.states.update(other.states)
        if (theirs := other.latencies) is not None:
            ours = self.latencies or Buckets()
            ours.add(theirs)
            self._latencies = ours

    def to_json(self) -> list[Any]:
        """The slot as a short list."""
        held = self.latencies or Buckets()
        return [
            self.requests,
            self.errors,
            self.full,
            self.resumed,
            self.lag_s,
            self.late_s,
            self.states,
            base64.b64encode(held.packed()).decode(),
            held.most_s,
        ]

    @classmethod
    def from_json(cls, shape: Sequence[Any]) -> Slot:
        """The inverse of `to_json`."""
        slot = cls()
        slot.requests, slot.errors, slot.full, slot.resumed, slot.lag_s, slot.late_s = shape[:6]
        slot.states = {source: tuple(counts) for source, counts in shape[6].items()}
        if shape[7]:
            slot._latencies = base64.b64decode(shape[7]), shape[8]
        return slot


class Series:
    """The slots of a run by their first second, UTC. width_s: of a slot, a power of two.

    began_s, ended_s: the first and last time that was counted; inf and -inf where there is none.
    """

    def __init__(self) -> None:
        self.width_s = 1
        self._slots: dict[int, Slot] = {}
        self._newest_s = 0
        self.began_s, self.ended_s = math.inf, -math.inf

    def at(self, time_s: float) -> Slot:
        """The slot of a time, made where it is missing."""
        self.began_s, self.ended_s = min(self.began_s, time_s), max(self.ended_s, time_s)
        first_s = int(time_s // self.width_s) * self.width_s
        slot = self._slots.get(first_s)
        if slot is None:
            slot = self._slots[first_s] = Slot()
            self._made(first_s)
            slot = self._slots[int(time_s // self.width_s) * self.width_s]
        return slot

    def _made(self, first_s: int) -> None:
        if first_s > self._newest_s:
            self._newest_s = first_s
            for past in range(_PACKED_AFTER_S, _PACKED_AFTER_S + 5 * self.width_s, self.width_s):
                if old := self._slots.get(first_s - past // self.width_s * self.width_s):
                    old.pack()
        while len(self._slots) > MOST_SLOTS:
            self._widen()

    def _widen(self) -> None:
        self.width_s *= 2
        before, self._slots = self._slots, {}
        for first_s in sorted(before):
            wide = self._slots.setdefault(first_s // self.width_s * self.width_s, Slot())
            wide.add(before[first_s])
        for slot in self._slots.values():
            slot.pack()

    def add(self, other: Series) -> None:
        """Add another series, which may have shorter or longer slots."""
        while self.width_s < other.width_s:
            self._widen()
        began_s, ended_s = min(self.began_s, other.began_s), max(self.ended_s, other.ended_s)
        for first_s, slot in sorted(other._slots.items()):
            self.at(first_s).add(slot)
        self.began_s, self.ended_s = began_s, ended_s

    @property
    def span(self) -> tuple[int, int]:
        """The first second and the one after the last; 0, 0 where there is nothing."""
        return (min(self._slots), max(self._slots) + self.width_s) if self._slots else (0, 0)

    def shown(self, last_s: int | None = None) -> dict[str, Any]:
        """Lists of the same length, one value a slot. last_s: only so many seconds; None: all."""
        first, end = self.span
        if last_s is not None:
            first = max(first, (end - last_s) // self.width_s * self.width_s)
        empty = Slot()
        slots = [self._slots.get(second, empty) for second in range(first, end, self.width_s)]
        states = list(self._states(first, end))
        return {
            "first_s": first,
            "width_s": self.width_s,
            "states": {name: [each[place] for each in states] for place, name in enumerate(STATES)},
            "requests_per_s": [slot.requests / self.width_s for slot in slots],
            "errors_per_s": [slot.errors / self.width_s for slot in slots],
            "p95_ms": list(self._p95_ms(first, end)),
            "handshakes_full_per_s": [slot.full / self.width_s for slot in slots],
            "handshakes_resumed_per_s": [slot.resumed / self.width_s for slot in slots],
            "lag_ms": [round(slot.lag_s * 1e3, 3) for slot in slots],
            "late_ms": [round(slot.late_s * 1e3, 3) for slot in slots],
        }

    def _states(self, first: int, end: int) -> Iterator[States]:
        """DERs by state in each slot: the sum over processes, each with what it told last."""
        holds = max(_STATES_HOLD_S, self.width_s)
        told: dict[str, tuple[int, States]] = {}
        for second in range(first - holds // self.width_s * self.width_s, end, self.width_s):
            if slot := self._slots.get(second):
                told.update((source, (second, counts)) for source, counts in slot.states.items())
            if second >= first:
                held = [counts for at_s, counts in told.values() if second - at_s <= holds]
                yield tuple(map(sum, zip(*held, strict=True))) if held else (0,) * len(STATES)

    def _p95_ms(self, first: int, end: int) -> Iterator[float | None]:
        """The 95th percentile of the last WINDOW_S before the end of each slot; None without requests."""
        window_s = max(WINDOW_S, self.width_s)
        within: dict[int, Buckets] = {}
        sum_of_all = Buckets()
        for second in range(first - window_s + self.width_s, end, self.width_s):
            if (slot := self._slots.get(second)) is not None and (held := slot.latencies) is not None:
                within[second] = held
                sum_of_all.add(held)
            if (old := within.pop(second - window_s, None)) is not None:
                sum_of_all.subtract(old)
                sum_of_all.most_s = max((each.most_s for each in within.values()), default=0.0)
            if second >= first:
                yield round(sum_of_all.percentile_s(95) * 1e3, 3) if sum_of_all.counts else None

    def to_json(self) -> dict[str, Any]:
        """The series as JSON values."""
        slots = {str(first_s): slot.to_json() for first_s, slot in self._slots.items()}
        span = [self.began_s, self.ended_s] if slots else None
        return {"width_s": self.width_s, "slots": slots, "span": span}

    @classmethod
    def from_json(cls, shape: Mapping[str, Any]) -> Series:
        """The inverse of `to_json`."""
        series = cls()
        series.width_s = shape["width_s"]
        series._slots = {int(first_s): Slot.from_json(slot) for first_s, slot in shape["slots"].items()}
        series._newest_s = max(series._slots, default=0)
        if shape["span"] is not None:
            series.began_s, series.ended_s = shape["span"]
        return series
