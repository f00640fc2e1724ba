"""Which event gets which mode (IEEE 2030.5-2018 10.2.3.3).

Pure functions over `Event` records. Cost: `compete` sorts the n live events once and keeps for every mode a
lane of disjoint claims sorted by time. An event looks only at its neighbours in the lanes of its own modes,
so the cost is O(m log m) in the number m of (event, mode) pairs.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from dersim.ieee2030_5.event_chains import meet
from dersim.ieee2030_5.event_types import Event, Loss, Phase


class _Lane:
    """The disjoint claims on one mode, sorted by their start."""

    __slots__ = ("ends", "events", "starts")

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.events: list[Event] = []

    def first_overlap(self, start_s: float, end_s: float) -> Event | None:
        index = bisect.bisect_right(self.starts, start_s)
        if index and self.ends[index - 1] > start_s:
            return self.events[index - 1]
        if index < len(self.starts) and self.starts[index] < end_s:
            return self.events[index]
        return None

    def add(self, start_s: float, end_s: float, event: Event) -> None:
        index = bisect.bisect_right(self.starts, start_s)
        self.starts.insert(index, start_s)
        self.ends.insert(index, end_s)
        self.events.insert(index, event)


def compete(events: Iterable[Event]) -> int:
    """Decide `beaten`, `cuts`, `start_s` and `end_s` of all live events; return how many claims were made.

    The best event claims its period first: the specified one, from its effective start on where it began
    early. A worse one that overlaps a claim on a mode is beaten there, unless it already rules the mode: then
    it is cut at the start of the better one.
    """
    ranked = sorted((event for event in events if event.phase.live), key=lambda event: event.rank)
    lanes: dict[str, _Lane] = {}
    claims = 0
    for event in ranked:
        event.beaten.clear()
        event.cuts.clear()
        if event.opted_out:  # it asks for nothing while the user is out of it
            continue
        for mode in event.modes:
            if mode not in event.lost:
                claims += 1
                _claim(event, mode, lanes.setdefault(mode, _Lane()))
    meet(ranked)
    return claims


def _claim(event: Event, mode: str, lane: _Lane) -> None:
    start_s = event.claim_start_s
    winner = lane.first_overlap(start_s, event.spec_end_s)
    if winner is None:
        lane.add(start_s, event.spec_end_s, event)
    elif mode in event.held:
        event.cuts[mode] = winner
        if winner.claim_start_s > start_s:
            lane.add(start_s, winner.claim_start_s, event)
    elif winner.phase is Phase.ACTIVE:  # never resumed: the better one has begun
        event.lost[mode] = loss(event, winner)
    else:
        event.beaten[mode] = winner


def loss(event: Event, winner: Event) -> Loss:
    """By which rule `winner` is better than `event`."""
    same = winner.program is event.program
    if winner.program.primacy != event.program.primacy:
        why = f"primacy {winner.program.primacy} goes before {event.program.primacy}"
    elif winner.creation_time != event.creation_time:
        why = "created later"
    elif winner.arrival != event.arrival:
        why = "created in the same second and received later"
    else:
        why = "created in the same second, greater mRID"
    return Loss(winner.mrid, same, why)
