"""The rules of events (IEEE 2030.5-2018 10.2.3 and 10.2.4) as a pure scheduler.

In goes what was read from the server and the time; out come a complete map of which event rules which mode,
the Responses that are due, and the time at which to ask again. No I/O, no clock, no tasks: a caller may
replay a day in a millisecond, and does so in the tests.

**An event claims modes for a while.** A DERControl sets some opMod elements from `start` to
`start + duration`, half open. At any instant each mode has at most one controlling event; events with no
mode in common are independent, and of two that share some modes the loser goes on with the rest
(10.2.3.3, EVENT.028). A mode without an event has the value of the DefaultDERControls (10.10.4): of the
program with the lowest primacy that sets it, at once and without end.

**Who wins** where two claims overlap: the lower primacy of the program; then the later creationTime; then
the one received later; then the greater mRID, as in the order of a DERControlList. "Received later" is our
own, in the spirit of CSIP G14: creationTime counts whole seconds, and a control that replaces another
within the same second must not lose to it. The claim is the specified period, so that nothing depends on a
draw; but an event that has begun early, by its randomization, claims from its effective start on.

**What happens to the loser** depends on whether it rules the mode already:
- not yet: it never will, not even for the part of its period in which it would be alone (CSIP BASIC-021,
  022). Once every mode of it is lost, Response 7 is due at once.
- already: it rules until the winner's effective start; then come 7 for the loser and 2 for the winner, in
  this order and in one instant (BASIC-023).
A superseded event is never resumed: once the winner has begun, or 7 was sent, a mode is lost for good. Only
a loser that was not told, whose winner was cancelled before its start, comes back.

**Randomization.** Effective start and duration are the specified ones plus a random part of randomizeStart
and randomizeDuration, the sign kept, drawn once per mRID (10.2.4.2). An event first read after its effective
start begins now + |random start|, keeps its specified end, and its remaining duration is randomized; one
read after its end is answered 254.

**Chains.** Where one event ends as another begins, the later begins at the very instant at which the earlier
ends, whatever was drawn: at the drawn end of the earlier, but not before the earliest start of the later. No
draw takes more than a third of another event, and a start that was drawn past the next event comes forward.
So no default is in force between them, none of them is lost, and this holds for chains of any length
(`event_chains`). A winner that takes over from a running event does so when that ends at the latest.

**Time.** Each program's events run on the clock of its Time resource (9.2.3). A correction of less than a
minute moves what is to come: a running event keeps its start, and its end moves. After a jump of 60 s or more
each event is judged afresh. If its end is past it is over: 3, or 254 if it never began. If its start is ahead
again it stops, the next claim or default takes the mode, and it starts at its time; 2 is not sent again, and
3 is sent once. Otherwise it goes on, with its end by the new clock. An event that has passed while the
machine slept is not caught up: it is over, 10.

**What the server says.** EventStatus 2 ends an event with 6, 3 after a random delay of at most the greater
of the two bounds, 4 with 7, 5 with 3; reserved values are ignored, and 0 or 1 add nothing to the interval.
An event that vanishes from its list goes on, unless the settings say otherwise; one whose program is no
longer ours ends. Only a higher `version` may change what an event asks for; a curve that was edited in place
is taken over at once.

**Responses** go to the event's replyTo where the bits of responseRequired ask for them (10.2.3.4): each
status once per event, 1 before all others. A control with modes that the device refuses is answered 1 and
251 or 253 and run with the rest; if nothing is left, or if the interval has no calendar date, it is not run.

**How many.** At most 10,000 events are held. Beyond that go first those that no list names any more, then
those that start last.

The parts: `event_types` the records, `event_book` all of them, `event_reading` what is read of them,
`event_intake` what a reading changes, `event_windows` interval, draws and clock, `event_rules` competition,
`event_chains` successive events, `event_passing` what is due, `event_schedule` the outcome, `event_view` the
reasons in words, `event_kept` checkpoints.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from dersim.ieee2030_5 import event_intake as intake
from dersim.ieee2030_5 import event_kept
from dersim.ieee2030_5 import event_schedule as schedule
from dersim.ieee2030_5.event_book import EventBook, Fence, no_fence
from dersim.ieee2030_5.event_passing import Passing
from dersim.ieee2030_5.event_reading import Reading
from dersim.ieee2030_5.event_types import (
    EventSettings,
    EventView,
    ModeSource,
    Phase,
    Program,
    ProgramFeed,
    Step,
)
from dersim.ieee2030_5.event_view import says, view
from dersim.ieee2030_5.resources import DERControl


class EventScheduler:
    """All events of one device.

    judge: what the device makes of a control, asked once per event (and version). rng: for the draws.
    fence: put around the work on one control.
    """

    def __init__(
        self,
        judge: intake.Judge,
        *,
        rng: random.Random,
        settings: EventSettings | None = None,
        fence: Fence = no_fence,
    ) -> None:
        self.settings = settings or EventSettings()
        self._book = EventBook(self.settings, fence)
        self._reading = Reading(self._book, judge, rng)
        self._passing = Passing(self._book)
        self._event_map: Mapping[str, ModeSource] = {}
        self._default_map: Mapping[str, ModeSource] = {}
        self._wake_s: float | None = None
        #: Rises with whatever may change a checkpoint or a view.
        self.changes = 0

    # ---- what is held

    @property
    def claims(self) -> int:
        """The work done, for tests of the cost."""
        return self._passing.claims

    @property
    def left_out(self) -> int:
        """How many controls the last feed dropped because too many were held."""
        return self._reading.left_out

    @property
    def programs(self) -> list[Program]:
        """The programs held, best first."""
        return sorted(self._book.programs.values(), key=lambda program: program.order)

    @property
    def defaults(self) -> Mapping[str, ModeSource]:
        """{mode: source} by the DefaultDERControls, as of the last step."""
        return self._default_map

    def views(self, known: Iterable[EventView] = ()) -> list[EventView]:
        """Every event held, for people: those that are over too, as long as they are remembered.

        known: as given before; those of events that are over are given again where they still say the same.
        """
        over = {each.mrid: each for each in known if not each.phase.live}
        events = self._book.events.values()
        return [
            kept if (kept := over.get(event.mrid)) and says(kept, event) else view(event) for event in events
        ]

    def view(self, mrid: str) -> EventView:
        """One event that is held, for people."""
        return view(self._book.events[mrid])

    def phases(self) -> dict[str, Phase]:
        """The phase of every event held."""
        return {mrid: event.phase for mrid, event in self._book.events.items()}

    def __len__(self) -> int:
        """How many events are held, over or not."""
        return len(self._book.events)

    def knows(self, mrid: str) -> bool:
        """Whether the event was received before, whatever became of it."""
        return mrid in self._book.events

    def controls(self) -> list[DERControl]:
        """The controls of all events that are not over, as last read."""
        return [event.control for event in self._book.live.values()]

    def reply_to(self, mrid: str) -> str:
        """The event's replyTo as last read: a server that was restarted may have moved it. "": none."""
        event = self._book.events.get(mrid)
        return "" if event is None else event.control.replyTo or ""

    # ---- what is read, and what the user wants

    def feed(self, now_s: float, feeds: Iterable[ProgramFeed], *, whole: bool = True) -> None:
        """Take over the picture: every program that is ours, with its controls and its default.

        whole: False where some could not be read yet; the programs that were held before then stay.
        """
        self.changes += 1
        self._reading.feed(now_s, feeds, whole=whole)

    def update(self, now_s: float, control: DERControl) -> None:
        """Take over one control that was read by its own href; one that is not ours is ignored."""
        self.changes += 1
        self._reading.update(now_s, control)

    def judge_again(self, mrids: Iterable[str]) -> None:
        """Ask the device again for the values of these events: their curve was edited in place."""
        self.changes += 1
        self._reading.judge_again(mrids)

    def opt_out(self, now_s: float, mrid: str) -> bool:
        """The user leaves the event, without randomization (10.2.4.2); False where no such event is held."""
        self.changes += 1
        return self._reading.opt_out(now_s, mrid)

    def opt_in(self, now_s: float, mrid: str) -> bool:
        """The user takes part again; False where there is nothing to return to."""
        self.changes += 1
        return self._reading.opt_in(now_s, mrid)

    # ---- checkpoints

    def checkpoint(self, form: event_kept.Form, now_s: float) -> dict[str, Any]:
        """Programs and events with their draws and what was told of them. form: of a mode's value as JSON."""
        return event_kept.checkpoint(self._book, self._reading, form, now_s)

    def restore(self, document: Mapping[str, Any], unform: event_kept.Form) -> None:
        """Take over what `checkpoint` gave, before anything was read. unform: the value from its form."""
        self.changes += 1
        event_kept.restore(self._book, self._reading, document, unform)

    # ---- the passing of time

    def step(self, now_s: float) -> Step:
        """Bring everything to `now_s` and say what follows. Free of cost where nothing is due."""
        book = self._book
        due = book.dirty or book.responses or (self._wake_s is not None and now_s >= self._wake_s)
        if not due:
            return Step(self._event_map, self._default_map, (), (), self._wake_s, changed=False)
        self.changes += 1
        self._passing.bring_to(now_s)
        changed = self._publish()
        live = book.live.values()
        book.rereads += schedule.due_rereads(live, self.settings, now_s)
        self._wake_s = schedule.next_wake(live, self.settings)
        responses, rereads = book.take_reports()
        return Step(self._event_map, self._default_map, responses, rereads, self._wake_s, changed)

    def _publish(self) -> bool:
        book = self._book
        events = schedule.ruling(book.live.values())
        defaults = self._default_map
        if book.programs_changed:
            book.programs_changed = False
            defaults = schedule.defaults(book.programs.values())
        changed = events != self._event_map or defaults != self._default_map
        if changed:
            self._event_map, self._default_map = events, defaults
        return changed
