"""All events of one device and what is to be reported of them: the state behind `EventScheduler`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from dersim.ieee2030_5.event_intake import IMPOSSIBLE, asked
from dersim.ieee2030_5.event_types import Event, EventResponse, EventSettings, Phase, Program, Reread

#: Ends what an unforeseen error met: the argument names the unit of work.
Fence = Callable[[str], contextlib.AbstractContextManager[Any]]


def no_fence(_what: str) -> contextlib.AbstractContextManager[None]:
    """Let every error through."""
    return contextlib.nullcontext()


class EventBook:
    """The events, over or not, the programs, and the Responses and rereads that are due.

    live: the events that may still control something. dirty: the events must compete again.
    programs_changed: the defaults must be looked at again. fence: put around the work on one event.
    """

    def __init__(self, settings: EventSettings, fence: Fence = no_fence) -> None:
        self.settings = settings
        self.fence = fence
        self.events: dict[str, Event] = {}
        self.live: dict[str, Event] = {}
        self.programs: dict[str, Program] = {}
        self.dirty = False
        self.programs_changed = False
        self.responses: list[EventResponse] = []
        self.rereads: list[Reread] = []

    def add(self, event: Event) -> None:
        """Hold a new event."""
        self.events[event.mrid] = self.live[event.mrid] = event
        self.dirty = True

    def forget(self, event: Event) -> None:
        """Hold an event no longer, without a Response."""
        self.dirty |= self.live.pop(event.mrid, None) is not None
        del self.events[event.mrid]

    def reject(self, event: Event, note: str, status: int, now_s: float) -> None:
        """End an event that cannot be carried out, with this Response."""
        event.phase, event.note = Phase.REJECTED, note
        self.dirty = True
        self.tell(event, [status], now_s)

    def guarded(self, event: Event, what: str, work: Callable[[], object], now_s: float) -> None:
        """Do the work; an unforeseen error costs this event alone, which is rejected."""
        done = False
        with self.fence(f"{what}DERControl {event.mrid}"):
            work()
            done = True
        if done:
            return
        if event.phase.live:
            self.reject(event, f"{what}it failed: see the log", IMPOSSIBLE, now_s)
        self.live.pop(event.mrid, None)
        self.dirty = True

    def tell(self, event: Event, statuses: Iterable[int], now_s: float) -> None:
        """Queue the Responses that the server asked for, each once; let go of an event that is over."""
        for status in statuses:
            if status in event.told or not asked(event.control, status):
                continue
            event.told.add(status)
            modes = event.rejected.get(status) or (*event.modes, *sum(event.rejected.values(), ()))
            time_s = event.program.server_s(now_s)
            reply_to = event.control.replyTo or ""
            self.responses.append(EventResponse(event.mrid, status, reply_to, tuple(modes), time_s))
        if not event.phase.live:
            self.live.pop(event.mrid, None)

    def take_reports(self) -> tuple[tuple[EventResponse, ...], tuple[Reread, ...]]:
        """What is due, once."""
        due = tuple(self.responses), tuple(self.rereads)
        self.responses, self.rereads = [], []
        return due
