"""Where events that follow each other on a mode meet (IEEE 2030.5-2018 10.2.3.3).

Randomization must make neither a gap nor an overlap between successive events. The rules, for two events
that follow each other on a mode:

- where the specified end of the earlier is the specified start of the later, the later begins when the
  earlier ends: at the drawn end of the earlier, but not before the earliest start that the later allows. The
  start drawn for the later is then not used;
- where there is a pause between them, the later does not begin before the earlier has ended;
- where a better event takes over from a running one, it begins when that ends at the latest.

A draw may be greater than the events are long. So a meeting point is never moved by more than a third of the
event that it shortens: each event of a chain runs, and a meeting point depends on its neighbours alone, never
on the length of the chain.

How: the starts and ends are instants. Instants that must be equal are merged; between others there is an
order, always from the earlier to the later specified time. One pass backwards limits each instant by those
after it, one pass forwards sets the values. An event with several modes has several neighbours, but one start
and one end. Cost: O(m log m) in the number m of (event, mode) pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dersim.ieee2030_5.event_types import Event, Phase
from dersim.ieee2030_5.event_windows import randomization


class _Instant:
    """The start of some events, the end of others, at one specified time `spec_s`.

    limit_s: what its value may reach; cap_s: what instants before it may reach. begun_s: when the first of
    the following events has begun.
    """

    __slots__ = (
        "after",
        "before",
        "begun_s",
        "cap_s",
        "ending",
        "limit_s",
        "merged",
        "spec_s",
        "starting",
        "value_s",
    )

    def __init__(self, spec_s: float) -> None:
        self.spec_s = spec_s
        self.starting: list[Event] = []
        self.ending: list[Event] = []
        self.before: list[_Instant] = []
        self.after: list[_Instant] = []
        self.limit_s = self.cap_s = self.begun_s = math.inf
        self.value_s = spec_s
        self.merged: _Instant | None = None

    def root(self) -> _Instant:
        instant = self
        while instant.merged is not None:
            instant = instant.merged
        return instant


class _Instants:
    """The instants of the events that have neighbours."""

    def __init__(self) -> None:
        self.starts: dict[Event, _Instant] = {}
        self.ends: dict[Event, _Instant] = {}

    def start(self, event: Event) -> _Instant:
        if event not in self.starts:
            instant = self.starts[event] = _Instant(event.spec_start_s)
            instant.starting.append(event)
        return self.starts[event].root()

    def end(self, event: Event) -> _Instant:
        if event not in self.ends:
            instant = self.ends[event] = _Instant(event.spec_end_s)
            instant.ending.append(event)
        return self.ends[event].root()

    def follow(self, earlier: Event, later: Event) -> None:
        """The later follows the earlier on a mode; if it has begun, the earlier is over."""
        if earlier.phase is Phase.SCHEDULED:
            self.start(earlier)  # its start gives way too, where a draw is past the end that is left
        end = self.end(earlier)
        if later.phase is Phase.ACTIVE:
            end.begun_s = min(end.begun_s, later.start_s)
            return
        start = self.start(later)
        if end.spec_s < start.spec_s:
            _order(end, start)
        elif end is not start:
            end.merged = start
            start.starting += end.starting
            start.ending += end.ending
            start.before += end.before
            start.after += end.after
            start.begun_s = min(start.begun_s, end.begun_s)

    def take_over(self, running: Event, winner: Event) -> None:
        """The winner takes a mode from the running event before that ends."""
        _order(self.start(winner), self.end(running))

    def ordered(self) -> list[_Instant]:
        roots = {instant.root() for each in (self.starts, self.ends) for instant in each.values()}
        return sorted(roots, key=lambda instant: instant.spec_s)


def _order(first: _Instant, second: _Instant) -> None:
    first.after.append(second)
    second.before.append(first)


def meet(events: Sequence[Event]) -> None:
    """Set the effective `start_s` and `end_s` of these live events; what has begun keeps its start."""
    for event in events:
        if event.phase is Phase.SCHEDULED:
            event.start_s = event.drawn_start_s
        event.end_s = _end_s(event)
    instants = _linked(events)
    if not instants.ends:
        return
    ordered = instants.ordered()
    for instant in reversed(ordered):
        _limit(instant)
    for instant in ordered:
        _set(instant, instants)
    for event in instants.starts:
        if event not in instants.ends:
            event.end_s = _end_s(event)


def _linked(events: Sequence[Event]) -> _Instants:
    instants = _Instants()
    last: dict[str, Event] = {}
    for event in sorted((e for e in events if not e.opted_out), key=lambda e: e.claim_start_s):
        free = event.free_modes()
        for earlier in {id(last[mode]): last[mode] for mode in free if mode in last}.values():
            if earlier.spec_end_s <= event.claim_start_s:
                instants.follow(earlier, event)
        for mode in free:
            winner = event.cuts.get(mode)
            if winner is None or winner.claim_start_s > event.claim_start_s:
                last[mode] = event
        for winner in event.cuts.values():
            if winner.phase is Phase.SCHEDULED:
                instants.take_over(event, winner)
    return instants


def _end_s(event: Event) -> float:
    """The drawn end; if a chain delayed the start past it, a third of the event is left."""
    if event.drawn_end_s > event.start_s:
        return event.drawn_end_s
    return max(event.spec_end_s - _third(event), event.start_s)


def _earliest_s(event: Event) -> float:
    return event.spec_start_s + min(0.0, randomization(event.control)[0])


def _third(event: Event) -> float:
    return (event.spec_end_s - event.spec_start_s) / 3


def _limit(instant: _Instant) -> None:
    """Backwards: no later than a third into the events that begin here, nor than the instants after it."""
    following_s = min([instant.begun_s, *(each.root().cap_s for each in instant.after)])
    third_s = min((e.spec_start_s + _third(e) for e in instant.starting), default=math.inf)
    instant.cap_s = min(third_s, following_s)
    meets = bool(instant.starting and instant.ending)
    instant.limit_s = instant.cap_s if meets else following_s


def _set(instant: _Instant, instants: _Instants) -> None:
    """Forwards: the value of this instant, after all the earlier ones."""
    value_s = min(_wanted_s(instant, instants), instant.limit_s)
    value_s = max([value_s, *(each.root().value_s for each in instant.before)])
    if instant.starting:
        value_s = max([value_s, *(e.spec_end_s - _third(e) for e in instant.ending)])
    for event in instant.ending:
        if value_s <= event.start_s:  # the rest of a chain has delayed its start past its own drawn end
            value_s = max(value_s, min(event.spec_end_s - _third(event), instant.limit_s), event.start_s)
    instant.value_s = value_s
    for event in instant.starting:
        event.start_s = value_s
    for event in instant.ending:
        event.end_s = value_s


def _wanted_s(instant: _Instant, instants: _Instants) -> float:
    if instant.ending:
        return max([max(e.drawn_end_s for e in instant.ending), *(_earliest_s(e) for e in instant.starting)])
    (event,) = instant.starting
    wanted_s = event.drawn_start_s
    for each in instant.after:  # it takes over from these while they run
        end_s = max(e.drawn_end_s for e in each.root().ending)
        wanted_s = min(wanted_s, max(end_s, _earliest_s(event)))
    end = instants.ends.get(event)
    if end is not None:
        wanted_s = min(wanted_s, _latest_s(event, end.root()))
    return wanted_s


def _latest_s(event: Event, end: _Instant) -> float:
    """The latest start that leaves the next event its time: it gives way where its own draw is past that."""
    latest_s = math.inf
    if event.drawn_end_s >= end.limit_s:
        latest_s = event.spec_start_s + _third(event)
    for follower in (*end.starting, *(e for each in end.after for e in each.root().starting)):
        if follower.drawn_start_s < event.drawn_end_s:
            latest_s = min(latest_s, follower.drawn_start_s)
    return max(latest_s, _earliest_s(event))
