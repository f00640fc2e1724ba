"""What becomes of an event when it is read, the first time and again, and when the server's clock is set.

Each function changes the event's record and returns the Response statuses that follow, in order. Whether the
server wants them is decided by `asked`.
"""

from __future__ import annotations

from collections.abc import Callable

from dersim.ieee2030_5.event_types import Event, EventSettings, Judgement, Phase
from dersim.ieee2030_5.event_windows import (
    draw_window,
    follow_clock,
    interval_objection,
    is_over,
    place_afresh,
    randomization,
)
from dersim.ieee2030_5.resources import DERControl

Judge = Callable[[DERControl], Judgement]

RECEIVED, STARTED, COMPLETED = 1, 2, 3
OPTED_OUT, OPTED_IN = 4, 5
CANCELLED, SUPERSEDED = 6, 7
PARTLY_OPTED_OUT, PARTLY_OPTED_IN, NO_PARTICIPATION = 8, 9, 10
ABORTED_OTHER_PROGRAM = 14
UNSUPPORTED, IMPOSSIBLE, EXPIRED = 251, 253, 254

#: The bits of responseRequired (HexBinary8) of which one must be set for a status to be wanted. 1 is the
#: receipt, 2 "specific response", 4 the user's. Peers differ on which of the two asks for 4 and 5; 8 and 9
#: close an event instead of 3: either will do for these.
_WANTED_BY = {RECEIVED: 1, OPTED_OUT: 6, OPTED_IN: 6, PARTLY_OPTED_OUT: 6, PARTLY_OPTED_IN: 6}
_SPECIFIC = 2

#: EventStatus.currentStatus. 6 is what one server in the field sends for a cancelled event.
_STATUS_CANCELLED, _STATUS_CANCELLED_RANDOM = (2, 6), 3
_STATUS_SUPERSEDED, _STATUS_COMPLETED = 4, 5
_ENDED_STATUSES = frozenset({2, 3, 4, 5, 6})


def asked(control: DERControl, status: int) -> bool:
    """Whether the server wants this status: it gave a replyTo and the bit of responseRequired."""
    return bool(control.replyTo) and bool((control.responseRequired or 0) & _WANTED_BY.get(status, _SPECIFIC))


def current_status(control: DERControl) -> int:
    """EventStatus.currentStatus; many servers leave it at 0, so the interval decides."""
    return control.EventStatus.currentStatus


def receive(event: Event, judge: Judge, settings: EventSettings, now_s: float) -> list[int]:
    """An event is read for the first time."""
    control = event.control
    _note_content(event)
    category = control.deviceCategory
    if category and settings.device_category is not None and not category & settings.device_category:
        return _end(event, Phase.IGNORED, f"for deviceCategory {category:08X}, which is not this device's")
    status = current_status(control)
    if status in _ENDED_STATUSES:  # over before we knew of it: nothing to undo, nothing to report
        phase = {4: Phase.SUPERSEDED, 5: Phase.COMPLETED}.get(status, Phase.CANCELLED)
        return _end(event, phase, f"already over when first read (currentStatus {status})")
    if objection := interval_objection(control):
        return [RECEIVED, *_end(event, Phase.REJECTED, objection, IMPOSSIBLE)]
    draw_window(event, now_s, first=True)
    event.start_s, event.end_s = event.drawn_start_s, event.drawn_end_s
    if is_over(event, now_s):
        return _end(event, Phase.EXPIRED, "its end was past when it was first read", EXPIRED)
    return [RECEIVED, *_judge(event, judge)]


def _note_content(event: Event) -> None:
    control = event.control
    event.version = control.version or 0
    event.creation_time = control.creationTime


def _judge(event: Event, judge: Judge) -> list[int]:
    verdict = judge(event.control)
    event.modes = verdict.modes
    event.rejected = verdict.rejected
    event.note = verdict.reason
    if not event.modes:
        event.phase = Phase.REJECTED
    return list(verdict.rejected)


def _end(event: Event, phase: Phase, note: str, *statuses: int) -> list[int]:
    event.phase = phase
    event.note = note
    return list(statuses)


def reread(event: Event, control: DERControl, judge: Judge, now_s: float) -> list[int] | None:
    """A known event was read again; None where nothing changed.

    An event is immutable except for its status, unless its version grew: then content and interval are taken
    over, and the draws are kept.
    """
    event.control = control
    if not event.phase.live:  # a late cancellation of something finished means nothing
        return None
    statuses: list[int] = []
    version = control.version or 0
    changed = version > event.version
    if changed:
        statuses += _replace(event, judge, now_s)
    status = current_status(control)
    if status in _ENDED_STATUSES and event.phase.live:
        ended = _status_changed(event, status, now_s)
        if ended is not None:
            statuses += ended
            changed = True
    return statuses if changed else None


def _replace(event: Event, judge: Judge, now_s: float) -> list[int]:
    _note_content(event)
    if objection := interval_objection(event.control):
        return _end(event, Phase.REJECTED, f"new version: {objection}", IMPOSSIBLE)
    if event.phase is Phase.SCHEDULED:
        event.joined_s = None  # the new interval may be in the future again
    draw_window(event, now_s, first=event.phase is Phase.SCHEDULED)
    if event.phase is Phase.SCHEDULED:
        event.start_s = event.drawn_start_s
    elif event.drawn_end_s <= now_s:  # over by its new interval: it claims nothing any more
        return complete(event)
    return _judge(event, judge)


def _status_changed(event: Event, status: int, now_s: float) -> list[int] | None:
    waiting = event.phase is Phase.SCHEDULED
    if status in _STATUS_CANCELLED or (status == _STATUS_CANCELLED_RANDOM and waiting):
        return cancel(event, "the server cancelled it")
    if status == _STATUS_COMPLETED and waiting:
        return _end(event, Phase.COMPLETED, "the server said that it was over before it began here")
    if status == _STATUS_COMPLETED:
        return complete(event)
    if status == _STATUS_CANCELLED_RANDOM and event.cancel_at_s is None:
        # 10.2.4.2: within the greater of the two bounds, drawn once
        bound_s = max(abs(bound) for bound in randomization(event.control))
        event.cancel_at_s = now_s + event.draw_cancel * bound_s
        return []
    if status == _STATUS_SUPERSEDED and not event.server_superseded:
        event.server_superseded = True
        return []
    return None


def clock_moved(event: Event, now_s: float) -> list[int]:
    """The clock of its program was corrected, or the program follows another Time (2030.5-2018 9.2.3).

    A small correction moves what is to come. After a jump the event is judged afresh: if its end is past it
    is completed, or expired where it never began; if its start is ahead again it is scheduled again.
    """
    if not follow_clock(event, now_s):
        return []
    place_afresh(event, now_s)
    if event.ran or event.opted_out:
        return complete(event) if event.drawn_end_s <= now_s else []
    if is_over(event, now_s):
        return _end(event, Phase.EXPIRED, "its end was past after a jump of the server's clock", EXPIRED)
    return []


def cancel(event: Event, note: str) -> list[int]:
    """The event ends, or never begins."""
    return _end(event, Phase.CANCELLED, note, CANCELLED)


def complete(event: Event) -> list[int]:
    """The event came to its end; the status depends on what the user did (Table 27)."""
    if event.opted_out:
        status = PARTLY_OPTED_OUT if event.ran else NO_PARTICIPATION
        return _end(event, Phase.COMPLETED, "over; the user had opted out", status)
    if event.missed_part:
        return _end(event, Phase.COMPLETED, "over; the user had opted out for a part of it", PARTLY_OPTED_IN)
    return _end(event, Phase.COMPLETED, "ran to its end", COMPLETED)


def supersede(event: Event, settings: EventSettings) -> list[int]:
    """The event has lost every mode: 7 or 14, by the settings."""
    if settings.superseded != "by_program":
        return _end(event, Phase.SUPERSEDED, "superseded", settings.superseded)
    foreign = bool(event.lost) and not any(loss.same_program for loss in event.lost.values())
    status = ABORTED_OTHER_PROGRAM if foreign and not event.ran else SUPERSEDED
    return _end(event, Phase.SUPERSEDED, "superseded", status)
