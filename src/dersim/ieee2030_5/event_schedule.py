"""What follows from the state of all events: which rules which mode, and when to act next."""

from __future__ import annotations

from collections.abc import Iterable, Set

from dersim.ieee2030_5.event_rules import loss
from dersim.ieee2030_5.event_types import (
    Event,
    EventSettings,
    Loss,
    ModeSource,
    Phase,
    Program,
    Reread,
)


def ruling(events: Iterable[Event]) -> dict[str, ModeSource]:
    """{mode: source} of the active events. Never more than one per mode; the last to start rules."""
    found: dict[str, ModeSource] = {}
    active = [event for event in events if event.phase is Phase.ACTIVE and not event.opted_out]
    for event in sorted(active, key=lambda event: event.start_s):
        for mode in event.free_modes():
            event.held.add(mode)
            found[mode] = ModeSource(event.modes[mode], event.mrid, event.program.key, event.end_s)
    return found


def defaults(programs: Iterable[Program]) -> dict[str, ModeSource]:
    """{mode: source} by the DefaultDERControls: per mode, the best program that sets it."""
    found: dict[str, ModeSource] = {}
    for program in sorted(programs, key=lambda program: program.order):
        for mode, value in program.default_modes.items():
            found.setdefault(mode, ModeSource(value, "", program.key))
    return {mode: source for mode, source in found.items() if source.value is not None}


def next_wake(events: Iterable[Event], settings: EventSettings) -> float | None:
    """The next instant at which an event begins, ends, passes a mode on or should be read again."""
    times = [time_s for event in events for time_s in _times(event, settings)]
    return min(times, default=None)


def _times(event: Event, settings: EventSettings) -> Iterable[float]:
    yield event.end_s
    if event.cancel_at_s is not None:
        yield event.cancel_at_s
    if event.phase is Phase.SCHEDULED and not event.opted_out and event.free_modes():
        yield event.start_s
        if not event.reread_done:
            yield event.start_s - settings.reread_lead_s
    if event.phase is Phase.ACTIVE and event.next_poll_s is not None:
        yield event.next_poll_s


def due_rereads(events: Iterable[Event], settings: EventSettings, now_s: float) -> list[Reread]:
    """The events to be read by their own href now: shortly before the start, and at times while active."""
    due = []
    for event in events:
        if event.phase is Phase.ACTIVE:
            if event.next_poll_s is None:
                # A start is one instant for a whole fleet: its clients read again each at its own.
                event.next_poll_s = now_s + settings.active_poll_s * (1 + event.draw_cancel) / 2
            elif event.next_poll_s <= now_s:
                # After a pause of the computer, or a restart, all are late; then each has its own again.
                missed = (now_s - event.next_poll_s) // settings.active_poll_s
                event.next_poll_s += settings.active_poll_s * (missed + 1)
                event.reread_done = False
        elif event.opted_out or event.start_s - settings.reread_lead_s > now_s or not event.free_modes():
            continue
        due += once(event)
    return due


def taken(event: Event, starting: Set[Event]) -> dict[str, Loss]:
    """The modes that pass from a running event to better ones that are active or `starting`."""
    return {
        mode: loss(event, winner)
        for mode, winner in event.cuts.items()
        if winner.phase is Phase.ACTIVE or winner in starting
    }


def once(event: Event) -> list[Reread]:
    """A Reread, unless it was asked for already or the event has no address of its own."""
    if event.reread_done:
        return []
    event.reread_done = True
    return [Reread(event.mrid, event.href)] if event.href else []
