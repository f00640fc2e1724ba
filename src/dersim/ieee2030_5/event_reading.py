"""What is read from the server, and what the user says, taken into the book of events."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Mapping

from dersim.ieee2030_5 import event_intake as intake
from dersim.ieee2030_5.event_book import EventBook
from dersim.ieee2030_5.event_types import Event, Phase, Program, ProgramFeed, descending
from dersim.ieee2030_5.resources import DERControl

#: Ended events that are gone from their lists are remembered, so that a re-appearing mRID is not run again.
_MAX_GONE = 1000


class Reading:
    """Takes readings into a book. left_out: controls of the last feed beyond the most that are held.

    gone: events that are over and in no list, oldest first. arrivals: how many feeds were taken.
    """

    def __init__(self, book: EventBook, judge: intake.Judge, rng: random.Random) -> None:
        self.left_out = 0
        self._book = book
        self._judge = judge
        self._rng = rng
        self.gone: dict[str, None] = {}
        self.arrivals = 0

    def feed(self, now_s: float, feeds: Iterable[ProgramFeed], *, whole: bool = True) -> None:
        """Take over the picture: every program that is ours, with its controls and its default.

        whole: False where some could not be read yet; the programs that were held before then stay. A program
        that two ways lead to counts once, the first of equal ones; an event counts once too.
        """
        self.arrivals += 1
        book, programs = self._book, {}
        unread: set[str] = set()
        listed: dict[str, tuple[Program, DERControl]] = {}
        for feed in sorted(feeds, key=lambda feed: (feed.program.primacy, descending(feed.program.mRID))):
            key = feed.program.mRID or feed.program.href or ""
            if key in programs:
                continue
            programs[key] = program = book.programs.get(key) or Program(key)
            if feed.controls is None:
                unread.add(key)
            book.programs_changed |= program.take(feed)
            for control in feed.controls or ():
                listed.setdefault(control.mRID or control.href or "", (program, control))
        for key in () if whole else book.programs.keys() - programs.keys():
            programs[key] = book.programs[key]
            unread.add(key)
        book.programs_changed |= programs.keys() != book.programs.keys()
        book.dirty |= book.programs_changed
        book.programs = programs
        self._make_room(listed)
        for mrid, (program, control) in listed.items():
            self._take(now_s, mrid, program, control)
        self._forget_absent(now_s, listed, unread)
        self._follow_clocks(now_s)

    def _make_room(self, listed: dict[str, tuple[Program, DERControl]]) -> None:
        """Keep to the most that is held: first go those that no list names, then those that start last."""
        book, self.left_out = self._book, 0
        absent = [event for mrid, event in book.events.items() if mrid not in listed]
        excess = len(absent) + len(listed) - book.settings.most_held
        if excess <= 0:
            return
        for event in sorted(absent, key=lambda e: (e.phase.live, -e.spec_start_s))[:excess]:
            self.gone.pop(event.mrid, None)
            self.left_out += event.phase.live
            book.forget(event)
        waiting = [mrid for mrid in listed if not self._is_running(mrid)]
        excess = max(excess - len(absent), 0)
        for mrid in heapq.nlargest(excess, waiting, key=lambda mrid: listed[mrid][1].interval.start):
            del listed[mrid]
            self.left_out += 1
            if mrid in book.events:
                book.forget(book.events[mrid])

    def _is_running(self, mrid: str) -> bool:
        event = self._book.live.get(mrid)
        return event is not None and event.phase is Phase.ACTIVE

    def _take(self, now_s: float, mrid: str, program: Program, control: DERControl) -> None:
        book = self._book
        event = book.events.get(mrid)
        if event is None:
            event = Event(mrid, control, program, self.arrivals, now_s, tie=descending(mrid))
            event.draw_start, event.draw_duration, event.draw_cancel = (self._rng.random() for _ in range(3))
            book.add(event)
            book.guarded(event, "", lambda: self._receive(event, now_s), now_s)
            return
        event.program, event.vanished = program, False
        if control is not event.control:
            book.guarded(event, "", lambda: self._reread(event, control, now_s), now_s)

    def _receive(self, event: Event, now_s: float) -> None:
        self._book.tell(event, intake.receive(event, self._judge, self._book.settings, now_s), now_s)

    def update(self, now_s: float, control: DERControl) -> None:
        """Take over one control that was read by its own href; one that is not ours is ignored."""
        event = self._book.events.get(control.mRID or control.href or "")
        if event is not None:
            self._book.guarded(event, "", lambda: self._reread(event, control, now_s), now_s)

    def _reread(self, event: Event, control: DERControl, now_s: float) -> None:
        statuses = intake.reread(event, control, self._judge, now_s)
        if statuses is not None:
            self._book.dirty = True
            self._book.tell(event, statuses, now_s)

    def judge_again(self, mrids: Iterable[str]) -> None:
        """Take over new values, such as those of a curve that was edited; what is refused keeps its old."""
        for mrid in mrids:
            event = self._book.live.get(mrid)
            if event is not None:
                with self._book.fence(f"DERControl {mrid}"):
                    verdict = self._judge(event.control)
                    event.modes = {m: verdict.modes.get(m, value) for m, value in event.modes.items()}
                    self._book.dirty = True

    def _follow_clocks(self, now_s: float) -> None:
        for event in list(self._book.live.values()):
            if event.ahead_s != event.program.ahead_s:
                statuses = intake.clock_moved(event, now_s)
                self._book.dirty = True
                self._book.tell(event, statuses, now_s)

    def _forget_absent(self, now_s: float, listed: Mapping[str, object], unread: set[str]) -> None:
        book = self._book
        for mrid, event in list(book.live.items()):
            if mrid in listed:
                continue
            if event.program.key not in book.programs:
                self._drop(event, "its program is no longer assigned to this device", now_s)
            elif event.program.key not in unread:
                event.vanished = True
                if book.settings.event_removed == "cancel":
                    self._drop(event, "it is gone from the server's list", now_s)
        for mrid in listed.keys() & self.gone.keys():
            del self.gone[mrid]
        over = book.events.keys() - book.live.keys() - listed.keys() - self.gone.keys()
        self.gone.update(dict.fromkeys(over))
        while len(self.gone) > _MAX_GONE:
            oldest = next(iter(self.gone))
            del self.gone[oldest], book.events[oldest]

    def _drop(self, event: Event, note: str, now_s: float) -> None:
        self._book.dirty = True
        self._book.tell(event, intake.cancel(event, note), now_s)

    # ---- what the user wants

    def opt_out(self, now_s: float, mrid: str) -> bool:
        """The user leaves the event, without randomization (10.2.4.2); False where no such event is held."""
        event = self._book.live.get(mrid)
        if event is None or event.opted_out:
            return False
        event.opted_out = True
        event.missed_part |= event.phase is Phase.ACTIVE
        self._book.dirty = True
        self._book.tell(event, [intake.OPTED_OUT], now_s)
        return True

    def opt_in(self, now_s: float, mrid: str) -> bool:
        """The user takes part again; False where there is nothing to return to."""
        event = self._book.live.get(mrid)
        if event is None or not event.opted_out:
            return False
        event.opted_out = False
        event.missed_part |= now_s > event.start_s
        self._book.dirty = True
        self._book.tell(event, [intake.OPTED_IN], now_s)
        return True
