"""The rules of events (IEEE 2030.5-2018 10.2.3 and 10.2.4) as a pure scheduler.

In goes what was read from the server and the time; out come a complete map of who rules which mode, the
Responses that are due, and the time at which to ask again. No I/O, no clock, no tasks: a caller may replay
a day in a millisecond, and does so in the tests.

**An event is a claim on modes for a while.** A DERControl sets some opMod elements from `start` to
`start + duration`, half open. At any instant each mode has at most one controlling event; events with no
mode in common do not see each other, and of two that share some modes the loser goes on with the rest
(10.2.3.3, EVENT.028). What no event controls stays with the DefaultDERControls (10.10.4): for each mode that
of the program with the lowest primacy that sets it, at once and without end.

**Who wins** where two claims overlap: the lower primacy of the program; then the later creationTime; then
the one received later; then the greater mRID, as in the order of a DERControlList. "Received later" is our
own, in the spirit of CSIP G14: creationTime counts whole seconds, and a control that replaces another
within the same second must not lose to the one that it replaces.

**What happens to the loser** depends on whether it rules the mode already:
- not yet: it never will, not even for the part of its period in which it would be alone (CSIP BASIC-021,
  022). Once every mode of it is lost, Response 7 says so at once.
- already: it rules until the winner's effective start; then come 7 for the loser and 2 for the winner, in
  this order and in one instant (BASIC-023).
A superseded event is never resumed: once the winner has begun, or 7 was said, a mode is lost for good. Only
a loser that has not been told, whose winner was cancelled before its start, comes back.

**Time.** Effective start and duration are the specified ones plus a random part of randomizeStart and
randomizeDuration, the sign kept, drawn once per mRID (10.2.4.2). An event first seen after its effective
start begins now + |random start|, keeps its specified end, and its remaining duration is randomized; one
seen after its end is answered 254. Where two events follow each other on a mode, the later one begins at the
very instant at which the earlier one ends, whatever was drawn. Times missed while the machine slept are not
caught up: an event that has passed meanwhile is over.

**The server's word.** EventStatus 2 ends an event with 6, 3 after a random delay of at most the greater of
the two bounds, 4 with 7, 5 with 3; reserved values are ignored, and 0 or 1 say nothing that the interval
does not say better. An event that vanishes from its list goes on, unless the settings say otherwise; one
whose program is no longer ours ends. Only a higher `version` may change what an event asks for.

**Responses** go to the event's replyTo where the bits of responseRequired ask for them (10.2.3.4): each
status once per event, 1 before all others. A control with modes that the device refuses is answered 1 and
251 or 253 and run with the rest; if nothing is left, it never starts.

The parts: `event_types` the records, `event_intake` what reading an event does to it, `event_rules`
competition and time, `event_agenda` the outcome, `event_story` the reasons in words.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from dersim.ieee2030_5 import event_intake as intake
from dersim.ieee2030_5 import event_schedule as schedule
from dersim.ieee2030_5.event_rules import compete, loss
from dersim.ieee2030_5.event_types import (
    Event,
    EventResponse,
    EventSettings,
    EventView,
    ModeSource,
    Phase,
    Program,
    ProgramFeed,
    Reread,
    Step,
    descending,
)
from dersim.ieee2030_5.event_view import view
from dersim.ieee2030_5.resources import DERControl

#: Ended events that are gone from their lists are remembered, so that a re-appearing mRID is not run again.
_MAX_GONE = 1000


class EventScheduler:
    """All events of one device.

    judge: what the device makes of a control, asked once per event (and version). rng: for the draws.
    `claims` counts the work done, for tests of the cost.
    """

    def __init__(
        self, judge: intake.Judge, *, rng: random.Random, settings: EventSettings | None = None
    ) -> None:
        self.settings = settings or EventSettings()
        self.claims = 0
        self._judge = judge
        self._rng = rng
        self._events: dict[str, Event] = {}
        self._live: dict[str, Event] = {}
        self._gone: dict[str, None] = {}
        self._programs: dict[str, Program] = {}
        self._arrivals = 0
        self._dirty = False
        self._programs_changed = False
        self._responses: list[EventResponse] = []
        self._rereads: list[Reread] = []
        self._event_map: Mapping[str, ModeSource] = {}
        self._default_map: Mapping[str, ModeSource] = {}
        self._wake_s: float | None = None

    @property
    def programs(self) -> list[Program]:
        """The programs held, best first."""
        return sorted(self._programs.values(), key=lambda program: program.order)

    def views(self) -> list[EventView]:
        """Every event held, for people: those that are over too, as long as they are remembered."""
        return [view(event) for event in self._events.values()]

    def __len__(self) -> int:
        """How many events are held, over or not."""
        return len(self._events)

    def knows(self, mrid: str) -> bool:
        """Whether the event was received before, whatever became of it."""
        return mrid in self._events

    def reply_to(self, mrid: str) -> str:
        """The event's replyTo as last read: a server that was restarted may have moved it. "": none."""
        event = self._events.get(mrid)
        return "" if event is None else event.control.replyTo or ""

    def feed(self, now_s: float, feeds: Iterable[ProgramFeed]) -> None:
        """Take over the complete picture: every program that is ours, with its controls and its default.

        A program that two ways lead to counts once, and so does an event.
        """
        self._arrivals += 1
        programs: dict[str, Program] = {}
        unread: set[str] = set()
        seen: set[str] = set()
        for feed in sorted(feeds, key=lambda feed: (feed.program.primacy, descending(feed.program.mRID))):
            key = feed.program.mRID or feed.program.href or ""
            if key in programs:
                continue
            programs[key] = self._programs.get(key) or Program(key)
            if feed.controls is None:
                unread.add(key)
            self._programs_changed |= programs[key].take(feed)
            self._take_controls(now_s, programs[key], feed.controls or (), seen)
        self._programs_changed |= programs.keys() != self._programs.keys()
        self._dirty |= self._programs_changed
        self._programs = programs
        self._forget_absent(now_s, seen, unread)

    def _take_controls(
        self, now_s: float, program: Program, controls: Sequence[DERControl], seen: set[str]
    ) -> None:
        for control in controls:
            mrid = control.mRID or control.href or ""
            if mrid in seen:
                continue
            seen.add(mrid)
            event = self._events.get(mrid)
            if event is None:
                self._receive(now_s, mrid, program, control)
                continue
            event.program, event.vanished = program, False
            if control is not event.control:
                self._reread(event, control, now_s)

    def _receive(self, now_s: float, mrid: str, program: Program, control: DERControl) -> None:
        event = Event(mrid, control, program, self._arrivals, now_s, tie=descending(mrid))
        event.draw_start, event.draw_duration, event.draw_cancel = (self._rng.random() for _ in range(3))
        self._events[mrid] = self._live[mrid] = event
        self._dirty = True
        self._tell(event, intake.receive(event, self._judge, self.settings, now_s), now_s)

    def update(self, now_s: float, control: DERControl) -> None:
        """Take over one control that was read by its own href; one that is not ours is ignored."""
        event = self._events.get(control.mRID or control.href or "")
        if event is not None:
            self._reread(event, control, now_s)

    def _reread(self, event: Event, control: DERControl, now_s: float) -> None:
        statuses = intake.reread(event, control, self._judge, now_s)
        if statuses is not None:
            self._dirty = True
            self._tell(event, statuses, now_s)

    def _forget_absent(self, now_s: float, seen: set[str], unread: set[str]) -> None:
        for mrid, event in list(self._live.items()):
            if mrid in seen:
                continue
            if event.program.key not in self._programs:
                self._drop(event, "its program is no longer assigned to this device", now_s)
            elif event.program.key not in unread:
                event.vanished = True
                if self.settings.event_removed == "cancel":
                    self._drop(event, "it is gone from the server's list", now_s)
        for mrid in seen & self._gone.keys():
            del self._gone[mrid]
        self._gone.update(dict.fromkeys(self._events.keys() - self._live.keys() - seen - self._gone.keys()))
        while len(self._gone) > _MAX_GONE:
            oldest = next(iter(self._gone))
            del self._gone[oldest], self._events[oldest]

    def _drop(self, event: Event, note: str, now_s: float) -> None:
        self._dirty = True
        self._tell(event, intake.cancel(event, note), now_s)

    def opt_out(self, now_s: float, mrid: str) -> bool:
        """The user leaves the event, without randomization (10.2.4.2); False where none such is running."""
        event = self._live.get(mrid)
        if event is None or event.opted_out:
            return False
        event.opted_out = True
        event.missed_part |= event.phase is Phase.ACTIVE
        self._dirty = True
        self._tell(event, [intake.OPTED_OUT], now_s)
        return True

    def opt_in(self, now_s: float, mrid: str) -> bool:
        """The user takes part again; False where there is nothing to return to."""
        event = self._live.get(mrid)
        if event is None or not event.opted_out:
            return False
        event.opted_out = False
        event.missed_part |= now_s > event.start_s
        self._dirty = True
        self._tell(event, [intake.OPTED_IN], now_s)
        return True

    def step(self, now_s: float) -> Step:
        """Bring everything to `now_s` and say what follows. Free of cost where nothing is due."""
        if not self._dirty and not self._responses and (self._wake_s is None or now_s < self._wake_s):
            return Step(self._event_map, self._default_map, (), (), self._wake_s, changed=False)
        self._settle(now_s)
        while self._advance(now_s):
            self._settle(now_s)
        changed = self._publish()
        live = self._live.values()
        self._rereads += schedule.due_rereads(live, self.settings, now_s)
        self._wake_s = schedule.next_wake(live, self.settings)
        responses, rereads = tuple(self._responses), tuple(self._rereads)
        self._responses, self._rereads = [], []
        return Step(self._event_map, self._default_map, responses, rereads, self._wake_s, changed)

    def _publish(self) -> bool:
        events = schedule.ruling(self._live.values())
        defaults = self._default_map
        if self._programs_changed:
            self._programs_changed = False
            defaults = schedule.defaults(self._programs.values())
        changed = events != self._event_map or defaults != self._default_map
        if changed:
            self._event_map, self._default_map = events, defaults
        return changed

    def _settle(self, now_s: float) -> None:
        """Let the events compete, and tell those that have lost everything."""
        while self._dirty:
            self._dirty = False
            self.claims += compete(self._live.values())
            for event in list(self._live.values()):
                if event.server_superseded and not _hand_over_is_due(event, now_s):
                    self._supersede(event, now_s)
                    self._dirty = True
                elif not event.opted_out and not event.free_modes():
                    self._beaten(event, now_s)

    def _beaten(self, event: Event, now_s: float) -> None:
        """All modes are lost or beaten: final, if it ran, if it is told so, or if the winners have begun."""
        told = intake.asked(event.control, intake.SUPERSEDED)
        if told or event.phase is Phase.ACTIVE or not event.beaten:
            self._supersede(event, now_s)

    def _supersede(self, event: Event, now_s: float) -> None:
        for mode, winner in (*event.beaten.items(), *event.cuts.items()):
            event.lost.setdefault(mode, loss(event, winner))
        self._rereads += schedule.once(event)
        self._tell(event, intake.supersede(event, self.settings), now_s)

    def _advance(self, now_s: float) -> bool:
        """Ends, then hand-overs, then starts that are due; True where anything was."""
        live = list(self._live.values())
        ended = [event for event in live if self._end_if_due(event, now_s)]
        due = {event for event in live if _may_start(event, now_s)}
        cut = [event for event in live if event.phase is Phase.ACTIVE and self._cut(event, due, now_s)]
        starting = sorted(due, key=lambda event: (event.start_s, event.rank))
        for event in starting:
            event.phase, event.ran = Phase.ACTIVE, True
            event.held.update(event.free_modes())
            self._tell(event, [intake.STARTED], now_s)
        self._dirty = bool(ended or starting or cut)
        return self._dirty

    def _end_if_due(self, event: Event, now_s: float) -> bool:
        if event.cancel_at_s is not None and event.cancel_at_s <= now_s:
            self._tell(event, intake.cancel(event, "the server cancelled it, with randomization"), now_s)
        elif event.end_s > now_s:
            return False
        elif event.phase is Phase.ACTIVE or event.opted_out:
            self._tell(event, intake.complete(event), now_s)
        elif not event.free_modes():
            self._supersede(event, now_s)
        else:
            event.phase, event.note = Phase.MISSED, "its whole period passed while the device's clock stood"
            self._tell(event, [intake.NO_PARTICIPATION], now_s)
        return True

    def _cut(self, event: Event, due: set[Event], now_s: float) -> bool:
        """Take from a running event the modes whose better claimant begins now, or has begun."""
        taken = schedule.taken(event, due)
        event.lost.update(taken)
        if taken and not event.free_modes():
            self._supersede(event, now_s)
        return bool(taken)

    def _tell(self, event: Event, statuses: Iterable[int], now_s: float) -> None:
        """Queue the Responses that the server asked for, each once; let go of an event that is over."""
        for status in statuses:
            if status in event.told or not intake.asked(event.control, status):
                continue
            event.told.add(status)
            modes = event.rejected.get(status) or (*event.modes, *sum(event.rejected.values(), ()))
            self._responses.append(
                EventResponse(event.mrid, status, event.control.replyTo or "", tuple(modes), now_s)
            )
        if not event.phase.live:
            self._live.pop(event.mrid, None)


def _may_start(event: Event, now_s: float) -> bool:
    waits = event.phase is Phase.SCHEDULED and not event.opted_out and event.start_s <= now_s
    return waits and bool(event.free_modes())


def _hand_over_is_due(event: Event, now_s: float) -> bool:
    """Whether only the start randomization of its successor keeps a superseded event running."""
    return event.phase is Phase.ACTIVE and any(
        winner.spec_start_s <= now_s < winner.start_s for winner in event.cuts.values()
    )
