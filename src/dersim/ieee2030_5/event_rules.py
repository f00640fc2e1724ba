"""Which event rules which mode, from when until when: the arithmetic of 2030.5-2018 10.2.3.3 and 10.2.4.

Pure functions over `Event` records; they decide, and leave announcing to `events.py`.

Cost: `compete` sorts the n live events once and keeps for every mode a lane of disjoint claims sorted by
time. An event looks only at its neighbours in the lanes of its own modes, so that all of it is
O(m log m) in the number m of (event, mode) pairs, and never compares every event with every other.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from dersim.ieee2030_5.event_types import Event, Loss, Phase
from dersim.ieee2030_5.resources import DERControl

_MAX_RANDOM_S = 3600.0


def randomization(control: DERControl) -> tuple[float, float]:
    """(randomizeStart, randomizeDuration) in seconds, absent = 0, kept within +-3600 (OneHourRangeType)."""
    return _one_hour(control.randomizeStart), _one_hour(control.randomizeDuration)


def _one_hour(bound: int | None) -> float:
    return float(max(-_MAX_RANDOM_S, min(_MAX_RANDOM_S, bound or 0)))


def draw_window(event: Event, now_s: float, *, first: bool) -> None:
    """Set the specified and the drawn window of `event` from its control and its draws (10.2.4.2).

    The draws are fractions of the bounds with the sign kept: start + r, duration + r. A shortening never
    eats the whole duration. Where `first` and the drawn start is already past, the event joins midway:
    it starts at now + |r|, keeps the specified end, and the remaining duration is randomized.
    """
    interval = event.control.interval
    event.spec_start_s = float(interval.start)
    event.spec_end_s = event.spec_start_s + float(interval.duration)
    bound_start, bound_duration = randomization(event.control)
    length = event.spec_end_s - event.spec_start_s
    start = event.spec_start_s + event.draw_start * bound_start
    if first and start < now_s < event.spec_end_s:
        event.joined_s = now_s
    if event.joined_s is not None:
        # The delay stays within what is left, and an event that was to start early need not start late.
        delay = event.draw_start * min(abs(bound_start), event.spec_end_s - event.joined_s)
        start = event.joined_s + delay
        if bound_start < 0:
            start = min(start, max(event.joined_s, event.spec_start_s))
        length = event.spec_end_s - start
    event.drawn_start_s = start
    event.drawn_end_s = start + length + event.draw_duration * max(bound_duration, -length)


class _Lane:
    """The disjoint claims on one mode, sorted by their specified start."""

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

    The best event claims its specified period first. A worse one that overlaps a claim on a mode is beaten
    there, unless it already rules the mode: then it is cut at the start of the better one.
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
    _meet_neighbours(ranked)
    return claims


def _claim(event: Event, mode: str, lane: _Lane) -> None:
    winner = lane.first_overlap(event.spec_start_s, event.spec_end_s)
    if winner is None:
        lane.add(event.spec_start_s, event.spec_end_s, event)
    elif mode in event.held:
        event.cuts[mode] = winner
        if winner.spec_start_s > event.spec_start_s:
            lane.add(event.spec_start_s, winner.spec_start_s, event)
    elif mode in winner.held:  # never resumed: the better one has begun
        event.lost[mode] = loss(event, winner)
    else:
        event.beaten[mode] = winner


def loss(event: Event, winner: Event) -> Loss:
    """Why `winner` goes before `event`."""
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


def _meet_neighbours(ranked: list[Event]) -> None:
    """Let randomization make neither gap nor overlap between events that follow each other (10.2.3.3).

    Of two neighbours on a mode the later one starts when the earlier one ends: the later of the two drawn
    instants, so that nothing starts before its own draw.
    """
    last: dict[str, Event] = {}
    chain = sorted((event for event in ranked if not event.opted_out), key=lambda event: event.spec_start_s)
    for event in ranked:
        if event.phase is Phase.SCHEDULED:
            event.start_s = event.drawn_start_s
        event.end_s = max(event.drawn_end_s, event.start_s)
    for event in chain:
        free = event.free_modes()
        if event.phase is Phase.SCHEDULED:
            neighbours = {last[mode].mrid: last[mode] for mode in free if mode in last}
            for earlier in neighbours.values():
                if earlier.spec_end_s <= event.spec_start_s:
                    _meet(earlier, event)
            for earlier in neighbours.values():
                if earlier.spec_end_s == event.spec_start_s:
                    earlier.end_s = event.start_s
        for mode in free:
            last[mode] = event


def _meet(earlier: Event, later: Event) -> None:
    if earlier.end_s >= later.end_s or earlier.start_s >= later.start_s:
        # Drawn past each other (a bound greater than the durations): both go by their intervals.
        if earlier.phase is Phase.SCHEDULED:
            earlier.start_s = earlier.spec_start_s
        earlier.end_s = max(earlier.spec_end_s, earlier.start_s)
        later.start_s, later.end_s = later.spec_start_s, later.spec_end_s
    later.start_s = max(later.start_s, earlier.end_s)
    later.end_s = max(later.end_s, later.start_s)
