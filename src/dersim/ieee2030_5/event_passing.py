"""What the passing of time does to events: ends, hand-overs and starts, each at its instant."""

from __future__ import annotations

from functools import partial

from dersim.ieee2030_5 import event_intake as intake
from dersim.ieee2030_5 import event_schedule as schedule
from dersim.ieee2030_5.event_book import EventBook
from dersim.ieee2030_5.event_rules import compete, loss
from dersim.ieee2030_5.event_types import Event, Phase


class Passing:
    """Brings the events of a book to an instant. claims: the work done, for tests of the cost."""

    def __init__(self, book: EventBook) -> None:
        self.claims = 0
        self._book = book

    def bring_to(self, now_s: float) -> None:
        """Carry out everything that is due at `now_s`, in the order of the rules."""
        self._settle(now_s)
        while self._advance(now_s):
            self._settle(now_s)

    def _settle(self, now_s: float) -> None:
        """Let the events compete; those that have lost every mode are superseded."""
        book = self._book
        while book.dirty:
            book.dirty = False
            self.claims += compete(book.live.values())
            for event in list(book.live.values()):
                if event.server_superseded and not _hand_over_is_due(event, now_s):
                    self._supersede(event, now_s)
                    book.dirty = True
                elif not event.opted_out and not event.free_modes():
                    self._beaten(event, now_s)

    def _beaten(self, event: Event, now_s: float) -> None:
        """All modes are lost or beaten: final if it ran, if it is told so, or if the winners have begun."""
        told = intake.asked(event.control, intake.SUPERSEDED)
        if told or event.phase is Phase.ACTIVE or not event.beaten:
            self._supersede(event, now_s)

    def _supersede(self, event: Event, now_s: float) -> None:
        for mode, winner in (*event.beaten.items(), *event.cuts.items()):
            event.lost.setdefault(mode, loss(event, winner))
        self._book.rereads += schedule.once(event)
        self._book.tell(event, intake.supersede(event, self._book.settings), now_s)

    def _advance(self, now_s: float) -> bool:
        """Ends, then hand-overs, then starts that are due; True where anything was."""
        book = self._book
        live = list(book.live.values())
        ended = [event for event in live if _is_over(event, now_s)]
        for event in ended:
            book.guarded(event, "the end of ", partial(self._end, event, now_s), now_s)
        due = {event for event in live if _may_start(event, now_s)}
        cut = [event for event in live if event.phase is Phase.ACTIVE and self._cut(event, due, now_s)]
        starting = sorted(due, key=lambda event: (event.start_s, event.rank))
        for event in starting:
            book.guarded(event, "the start of ", partial(self._start, event, now_s), now_s)
        book.dirty = bool(ended or starting or cut)
        return book.dirty

    def _start(self, event: Event, now_s: float) -> None:
        event.phase, event.ran = Phase.ACTIVE, True
        event.held.update(event.free_modes())
        self._book.tell(event, [intake.STARTED], now_s)

    def _end(self, event: Event, now_s: float) -> None:
        tell = self._book.tell
        if event.cancel_at_s is not None and event.cancel_at_s <= now_s:
            tell(event, intake.cancel(event, "the server cancelled it, with randomization"), now_s)
        elif event.ran or event.opted_out:
            tell(event, intake.complete(event), now_s)
        elif not event.free_modes():
            self._supersede(event, now_s)
        else:
            event.phase, event.note = Phase.MISSED, "its whole period passed before it could begin"
            tell(event, [intake.NO_PARTICIPATION], now_s)

    def _cut(self, event: Event, due: set[Event], now_s: float) -> bool:
        """Take from a running event the modes whose better claimant begins now, or has begun."""
        taken = schedule.taken(event, due)
        event.lost.update(taken)
        settled = all(winner.phase.live for winner in event.beaten.values())
        if taken and settled and not event.free_modes():  # else a mode may come back to it: compete again
            self._supersede(event, now_s)
        return bool(taken)


def _is_over(event: Event, now_s: float) -> bool:
    return event.end_s <= now_s or (event.cancel_at_s is not None and event.cancel_at_s <= now_s)


def _may_start(event: Event, now_s: float) -> bool:
    waits = event.phase is Phase.SCHEDULED and not event.opted_out and event.start_s <= now_s
    return waits and bool(event.free_modes())


def _hand_over_is_due(event: Event, now_s: float) -> bool:
    """Whether only the start randomization of its successor keeps a superseded event running."""
    return event.phase is Phase.ACTIVE and any(
        winner.spec_start_s <= now_s < winner.start_s for winner in event.cuts.values()
    )
