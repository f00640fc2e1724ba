"""Why an event is in force, and why not: what people are shown."""

from __future__ import annotations

from collections.abc import Iterable

from dersim.ieee2030_5.event_rules import loss
from dersim.ieee2030_5.event_types import Event, EventView, Phase

#: EventStatus.currentStatus and its word, as an event of that phase would show it.
_STATUS = {
    Phase.SCHEDULED: (0, "Scheduled"),
    Phase.ACTIVE: (1, "Active"),
    Phase.CANCELLED: (2, "Cancelled"),
    Phase.SUPERSEDED: (4, "Superseded"),
    Phase.COMPLETED: (5, "Completed"),
}


def view(event: Event) -> EventView:
    """The event for people, with the reason of its state. Times are server time."""
    active = event.phase is Phase.ACTIVE
    ruled = [] if event.opted_out else event.free_modes()
    status, text = _STATUS.get(event.phase, (0, event.phase.value.capitalize()))
    return EventView(
        mrid=event.mrid,
        href=event.href,
        program=event.program.href,
        primacy=event.program.primacy,
        phase=event.phase,
        status=status,
        status_text=text,
        start_s=event.spec_start_s + event.ahead_s,
        duration_s=event.spec_end_s - event.spec_start_s,
        effective_start_s=event.start_s + event.ahead_s,
        effective_end_s=event.end_s + event.ahead_s,
        modes={mode: event.modes[mode] for mode in ruled} if active else event.modes,
        why=explain(event),
        program_mrid=event.program.mrid,
        creation_s=event.creation_time,
    )


def says(seen: EventView, event: Event) -> bool:
    """Whether a view of an event that is over still says what there is to say."""
    program = event.program
    return (seen.phase, seen.href, seen.program, seen.primacy, seen.program_mrid, seen.effective_end_s) == (
        event.phase,
        event.href,
        program.href,
        program.primacy,
        program.mrid,
        event.end_s + event.ahead_s,
    )


def explain(event: Event) -> str:
    """In words: what it rules and since when it does not rule the rest, and by which rule."""
    parts = [_state(event)]
    if event.phase in (Phase.ACTIVE, Phase.SCHEDULED, Phase.SUPERSEDED):
        parts += _losses(event)
    if event.phase.live:
        if event.joined_s is not None:
            parts.append("it was received after its start, so it starts late and keeps its end")
        if event.opted_out:
            parts.append("the user has opted out of it")
        if event.cancel_at_s is not None:
            parts.append("the server cancelled it with randomization, it stops shortly")
        if event.vanished:
            parts.append("it is gone from the server's list, which is no cancellation")
        if event.note:
            parts.append(event.note)
    return "; ".join(parts)


def _state(event: Event) -> str:
    free = ", ".join(event.free_modes())
    if event.phase is Phase.ACTIVE:
        return f"in force for {free}" if free and not event.opted_out else "active, but rules no mode"
    if event.phase is Phase.SCHEDULED:
        return f"waits for its start, for {free}" if free else "will not start"
    return f"{event.phase.value}: {event.note}" if event.note else event.phase.value


def _losses(event: Event) -> Iterable[str]:
    for mode, lost in event.lost.items():
        yield f"{mode} was taken by {lost.winner} ({lost.why})"
    for mode, winner in event.beaten.items():
        yield f"{mode} belongs to {winner.mrid} ({loss(event, winner).why})"
    for mode, winner in event.cuts.items():
        yield f"{mode} passes to {winner.mrid} when that starts ({loss(event, winner).why})"
