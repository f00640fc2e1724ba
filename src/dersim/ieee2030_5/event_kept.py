"""The events of one device as JSON, for a checkpoint, and back.

An event that is not over is kept whole, with its draws, with the Responses that were told and with its
DERControl as XML. Of one that is over, what is needed so that it is not run or answered again; those that
are gone from their lists are dropped an hour after their end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5.codec import decode
from dersim.ieee2030_5.control_texts import ControlTexts
from dersim.ieee2030_5.event_book import EventBook
from dersim.ieee2030_5.event_reading import Reading
from dersim.ieee2030_5.event_types import Event, Loss, Phase, Program, descending
from dersim.ieee2030_5.resources import DateTimeInterval, DERControl, DERControlBase, EventStatus
from dersim.kept import attributes, set_attributes

#: A value of a mode, which is opaque here, as JSON, and back.
Form = Callable[[Any], Any]

#: How long after its end an event that no list names is kept, s.
GONE_S = 3600.0

_PROGRAM = ("key", "href", "mrid", "description", "primacy", "ahead_s", "told_s")
_LIVE = (
    "arrival",
    "received_s",
    "draw_start",
    "draw_duration",
    "draw_cancel",
    "creation_time",
    "version",
    "ahead_s",
    "joined_s",
    "spec_start_s",
    "spec_end_s",
    "drawn_start_s",
    "drawn_end_s",
    "start_s",
    "end_s",
    "opted_out",
    "ran",
    "missed_part",
    "server_superseded",
    "vanished",
    "cancel_at_s",
    "reread_done",
    "next_poll_s",
    "note",
)
_OVER = ("arrival", "received_s", "spec_start_s", "spec_end_s", "start_s", "end_s", "ran", "note")
#: What is kept of an event that is over, in this order.
_ROW = (
    *("mrid", "program", "phase", "told"),
    *_OVER,
    *("href", "reply_to", "creation_time", "interval", "status"),
)
#: A control is shared by all DERs that have it, and a checkpoint is taken every few seconds.
_texts = ControlTexts()


def checkpoint(book: EventBook, reading: Reading, form: Form, now_s: float) -> dict[str, Any]:
    """Programs and events. form: of a mode's value as JSON."""
    _texts.age(now_s)
    live: list[dict[str, Any]] = []
    over: dict[str, tuple[Any, ...]] = {}
    for event in book.events.values():
        if event.mrid in book.live:
            with contextlib.suppress(LocalProtocolError):  # it cannot be written: it is read anew
                live.append(_whole(event, form))
        elif event.mrid not in reading.gone or _end_s(event) > now_s - GONE_S:
            over[event.mrid] = _summary(event)
    return {
        "programs": [attributes(program, _PROGRAM) for program in book.programs.values()],
        "live": live,
        "over": over,
        "gone": list(reading.gone),
        "arrivals": reading.arrivals,
    }


def restore(book: EventBook, reading: Reading, document: Mapping[str, Any], unform: Form) -> None:
    """Fill an empty book. unform: the value of a mode, from what `form` gave."""
    for kept in document["programs"]:
        program = Program(kept["key"])
        set_attributes(program, _PROGRAM, kept)
        book.programs[program.key] = program
    for row in document["over"].values():
        kept = dict(zip(_ROW, row, strict=True))
        event = _event(book, kept, _shell(kept))
        set_attributes(event, _OVER, kept)
        book.events[event.mrid] = event
    found: list[tuple[Event, Mapping[str, Any]]] = []
    for kept in document["live"]:
        event = _event(book, kept, decode(kept["control"].encode(), DERControl).resource)
        _fill(event, kept, unform)
        book.add(event)
        found.append((event, kept))
    for event, kept in found:
        event.beaten = _named(book, kept["beaten"])
        event.cuts = _named(book, kept["cuts"])
    reading.gone = {mrid: None for mrid in document["gone"] if mrid in book.events}
    reading.arrivals = document["arrivals"]
    book.dirty = True


def _whole(event: Event, form: Form) -> dict[str, Any]:
    return {
        **_common(event),
        **attributes(event, _LIVE),
        "control": _texts.of(event.control),
        "modes": {mode: form(value) for mode, value in event.modes.items()},
        "rejected": {str(status): list(modes) for status, modes in event.rejected.items()},
        "held": sorted(event.held),
        "lost": {mode: list(loss) for mode, loss in event.lost.items()},
        "beaten": {mode: winner.mrid for mode, winner in event.beaten.items()},
        "cuts": {mode: winner.mrid for mode, winner in event.cuts.items()},
    }


def _fill(event: Event, kept: Mapping[str, Any], unform: Form) -> None:
    set_attributes(event, _LIVE, kept)
    event.modes = {mode: unform(value) for mode, value in kept["modes"].items()}
    event.rejected = {int(status): tuple(modes) for status, modes in kept["rejected"].items()}
    event.held = set(kept["held"])
    event.lost = {mode: Loss(*loss) for mode, loss in kept["lost"].items()}


def _end_s(event: Event) -> float:
    """The end by its interval: one that was refused at once has no other."""
    interval = event.control.interval
    return interval.start + interval.duration - event.program.ahead_s


def _summary(event: Event) -> tuple[Any, ...]:
    """The values of `_ROW`; the same object as long as none has changed."""
    now = (
        event.control,
        event.phase,
        len(event.told),
        event.program.key,
        event.spec_start_s,
        event.spec_end_s,
        event.start_s,
        event.end_s,
        event.ran,
        event.note,
    )
    if event.summary is None or event.summary[0] != now:
        event.summary = now, _summarized(event)
    return event.summary[1]


def _summarized(event: Event) -> tuple[Any, ...]:
    control = event.control
    interval, status = control.interval, control.EventStatus
    return (
        *_common(event).values(),
        *attributes(event, _OVER).values(),
        control.href,
        control.replyTo,
        control.creationTime,
        (interval.start, interval.duration),
        (status.currentStatus, status.dateTime),
    )


def _shell(kept: Mapping[str, Any]) -> DERControl:
    """The control of an event that is over, without what it asked for."""
    start, duration = kept["interval"]
    current, since = kept["status"]
    return DERControl(
        href=kept["href"],
        replyTo=kept["reply_to"],
        mRID=kept["mrid"],
        creationTime=kept["creation_time"],
        EventStatus=EventStatus(currentStatus=current, dateTime=since, potentiallySuperseded=False),
        interval=DateTimeInterval(start=start, duration=duration),
        DERControlBase=DERControlBase(),
    )


def _common(event: Event) -> dict[str, Any]:
    program, phase = event.program.key, event.phase.name
    return {"mrid": event.mrid, "program": program, "phase": phase, "told": sorted(event.told)}


def _event(book: EventBook, kept: Mapping[str, Any], control: DERControl) -> Event:
    key = kept["program"]
    program = book.programs.get(key) or Program(key)
    event = Event(kept["mrid"], control, program, 0, 0.0, tie=descending(kept["mrid"]))
    event.phase, event.told = Phase[kept["phase"]], set(kept["told"])
    return event


def _named(book: EventBook, winners: Mapping[str, str]) -> dict[str, Event]:
    return {mode: book.events[mrid] for mode, mrid in winners.items() if mrid in book.events}
