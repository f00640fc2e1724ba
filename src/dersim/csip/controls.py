"""From what was read of programs and controls to setpoints in force.

`ieee2030_5.events` has the rules of events; `Controls` runs them on the clocks and applies the outcome.
`control_values` reads values, `control_setpoints` submits setpoints, `control_views` shows them.

Time: the scheduler runs on the simulated clock. Each program's events are on the clock of the Time resource
that its FunctionSetAssignments names, else on that of the DeviceCapability (2030.5-2018 9.2.3); its offset is
given by `set_clock_offsets`. Before it is known, no event is acted on. `timing` sleeps to the exact instant
of the next start, end or hand-over; there is no tick. If the server goes away, what is scheduled is carried
out and then the default holds (CSIP G12).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import trio

from dersim.csip.clock_doubts import ClockDoubts
from dersim.csip.control_checkpoint import KeepsEvents
from dersim.csip.control_setpoints import ControlSetpoints
from dersim.csip.control_values import Judge, SetpointsProtocol, curve_hrefs
from dersim.csip.control_views import Explained, document, plain
from dersim.csip.on_demand import OnDemand
from dersim.csip.reaction import Reaction
from dersim.errors import ConfigError
from dersim.ieee2030_5.event_book import Fence, no_fence
from dersim.ieee2030_5.event_types import (
    EventResponse,
    EventSettings,
    EventView,
    Phase,
    ProgramFeed,
    Reread,
)
from dersim.ieee2030_5.events import EventScheduler
from dersim.ieee2030_5.resources import DefaultDERControl, DERControl, DERControlBase, DERCurve, DERProgram
from dersim.modes import ModeValue, modes_to_json

#: A wake-up that is this near has come: sums of times round.
_ROUNDING_S = 1e-3
#: How many curves, and how many doubted controls, are remembered without a look at whether anything still
#: needs them.
_MANY = 32
#: After an unforeseen error, what is due is tried again so much later, s.
_FAILED_S = 10.0
_NONE: frozenset[str] = frozenset()
#: The key of the DeviceCapability's clock.
DCAP_TIME = ""


class Clock(Protocol):
    """What is needed of `SimClock`."""

    def now_s(self) -> float:
        """Simulated UTC, seconds."""
        ...

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until the simulated time is `when_s`."""
        ...


class ProgramReading(NamedTuple):
    """One program that is ours, as the server shows it. controls None: the list could not be read.

    time_href: the Time resource of its FunctionSetAssignments; DCAP_TIME: that of the DeviceCapability.
    """

    program: DERProgram
    controls: tuple[DERControl, ...] | None
    default: DefaultDERControl | None = None
    time_href: str = DCAP_TIME


class Controls(KeepsEvents):
    """All controls of one DER. All is synchronous and takes effect before it returns, but `timing`: the task
    that waits for the time of what is scheduled, while anything is.

    on_response: given each Response that is due, after the device has made the step that it reports.
    on_reread: given each control that should be read again by its own href. on_clock_mismatch: given the
    time_href of a clock that differs from the server's by what an EventStatus says. log: (level, message).
    fence: put around the work on one control. turn: shared with other DERs, for what is due at one time.
    """

    def __init__(
        self,
        setpoints: SetpointsProtocol,
        clock: Clock,
        *,
        rng: random.Random,
        on_response: Callable[[EventResponse], None],
        on_reread: Callable[[Reread], None],
        log: Callable[[str, str], None],
        on_clock_mismatch: Callable[[str], None] = lambda _: None,
        settings: EventSettings | None = None,
        fence: Fence = no_fence,
        turn: trio.Semaphore | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._on_response = on_response
        self._on_reread = on_reread
        self._log = log
        self._settings = settings or EventSettings()
        self._fence = fence
        self._judge = Judge(setpoints)
        self.reaction = Reaction()
        self._scheduler = self._new_scheduler()
        self._explained = Explained()
        self._defaults: dict[str, DefaultDERControl] = {}
        self._setpoints = ControlSetpoints(setpoints, default_of=self._defaults.get, log=log, fence=fence)
        self._readings: tuple[ProgramReading, ...] = ()
        self._read = self._listed = self._whole = False
        self._offsets_s: dict[str, float] = {}
        self._doubts = ClockDoubts(on_clock_mismatch, self._settings.most_held)
        self._needed = _NONE
        self._wake_s: float | None = 0.0  # at once: a checkpoint may be restored before there is a task
        self._phases: dict[str, Phase] = {}
        self._sleep: trio.CancelScope | None = None
        self._turn = turn or trio.Semaphore(1)
        self.timing = OnDemand(self._carry_out_in_time)
        self.timing.want()

    def _new_scheduler(self) -> EventScheduler:
        return EventScheduler(self._judge, rng=self._rng, settings=self._settings, fence=self._fence)

    @property
    def needed_curves(self) -> frozenset[str]:
        """The hrefs of curves without which a control or a default cannot be run; answer by `set_curves`."""
        return self._needed

    def update(self, readings: Iterable[ProgramReading], *, listed: bool = True, whole: bool = True) -> None:
        """Take over the picture after a poll: every program that is ours.

        listed: False where a list of programs could never be read yet: then a missing program says nothing.
        whole: False where that is so of any default or list of controls.
        """
        self._readings, self._read, self._listed, self._whole = tuple(readings), True, listed, whole
        self._feed()
        if left_out := self._scheduler.left_out:
            most = self._settings.most_held
            self._log("Warning", f"{left_out} DERControls beyond the {most} that are held were left out")

    def update_control(self, control: DERControl) -> None:
        """Take over one control that was read by its own href."""
        if self._offsets_s:
            self._scheduler.update(self._clock.now_s(), control)
            self._apply()

    def curves_of(self, mrid: str) -> frozenset[str]:
        """The hrefs of the curves of a control that is held."""
        held = self._scheduler.controls()
        return _hrefs(control.DERControlBase for control in held if control.mRID == mrid)

    def curves_in_force(self) -> frozenset[str]:
        """The hrefs of the curves of running controls and of defaults."""
        phases, controls = self._scheduler.phases(), self._scheduler.controls()
        bases = [each.DERControlBase for each in controls if phases.get(each.mRID) is Phase.ACTIVE]
        bases += [reading.default.DERControlBase for reading in self._readings if reading.default is not None]
        return _hrefs(bases)

    def set_curves(self, curves: Mapping[str, DERCurve | None]) -> None:
        """Curves by the href of the link that asked for them; None for one that the server does not have.

        One that differs from what was known was edited in place; the events that use it follow at once.
        """
        known = self._judge.curves
        edited = {
            href for href, curve in curves.items() if curve is not None and _differs(known, href, curve)
        }
        known.update(curves)
        if edited:
            self._scheduler.judge_again(
                control.mRID
                for control in self._scheduler.controls()
                if not edited.isdisjoint(curve_hrefs(control.DERControlBase).values())
            )
        self._feed()

    def set_clock_offset(self, offset_s: float, time_href: str = DCAP_TIME) -> None:
        """Server time minus simulated time of one Time resource, s."""
        self.set_clock_offsets({time_href: offset_s})

    def set_clock_offsets(self, offsets_s: Mapping[str, float]) -> None:
        """Server time minus simulated time, s, of each Time resource that was sampled."""
        self._offsets_s.update(offsets_s)
        self._doubts.settle()
        self._feed()

    def server_now_s(self) -> float:
        """The time of the DeviceCapability's clock as far as we know it, UTC seconds."""
        return self._clock.now_s() + self._offsets_s.get(DCAP_TIME, 0.0)

    def _ahead_s(self, time_href: str) -> float | None:
        """The offset of a program's clock; that of the DeviceCapability until it was sampled."""
        return self._offsets_s.get(time_href, self._offsets_s.get(DCAP_TIME))

    def _feed(self) -> None:
        needed: set[str] = set()
        feeds = [self._to_feed(reading, needed) for reading in self._readings]
        self._needed = frozenset(needed) or _NONE
        self._forget_unneeded()
        if self._read:  # else what a checkpoint brought goes on
            self._scheduler.feed(self._clock.now_s(), feeds, whole=self._listed)
        if self._offsets_s and self._whole and not needed:
            self._setpoints.release()
        self._apply()

    def _forget_unneeded(self) -> None:
        """Forget the curves and the doubts of controls that are over and in no list any more."""
        listed = [control for reading in self._readings for control in reading.controls or ()]
        if len(self._judge.curves) > _MANY:
            defaults = [reading.default for reading in self._readings if reading.default is not None]
            self._judge.keep_curves(*self._scheduler.controls(), *listed, *defaults)
        if len(self._doubts) > _MANY:
            self._doubts.keep({control.mRID for control in listed})

    def _to_feed(self, reading: ProgramReading, needed: set[str]) -> ProgramFeed:
        default = reading.default
        modes: Mapping[str, ModeValue | None] = {}
        if default is not None:
            with self._fence(f"DefaultDERControl {default.mRID}"):
                needed |= self._judge.missing(default.DERControlBase)
                self._defaults[reading.program.mRID] = default
                modes = self._judge.default(default)
        ahead_s = self._ahead_s(reading.time_href)
        if reading.controls is None or ahead_s is None:
            return ProgramFeed(reading.program, None, modes, ahead_s or 0.0)
        ready = []
        for control in reading.controls:
            with self._fence(f"DERControl {control.mRID}"):
                missing = self._judge.missing(control.DERControlBase)
                needed |= missing
                server_now_s = self._clock.now_s() + ahead_s
                waits = self._doubts.hold_back(control, reading.time_href, server_now_s, self._clock.now_s())
                if not (missing or waits) or self._scheduler.knows(control.mRID):
                    ready.append(control)
        return ProgramFeed(reading.program, ready, modes, ahead_s)

    def reply_to(self, mrid: str) -> str:
        """Where Responses to a control go by its last reading; empty for one that is not held."""
        return self._scheduler.reply_to(mrid)

    def opt_out(self, mrid: str) -> None:
        """The user opts out of an event, at once; Response 4. ConfigError where no such event is held."""
        if not self._scheduler.opt_out(self._clock.now_s(), mrid.upper()):
            raise ConfigError(f"mRID {mrid}: no scheduled or active control of this name to opt out of")
        self._apply()

    def opt_in(self, mrid: str) -> None:
        """The user opts in again to an event, Response 5. ConfigError where there is none."""
        if not self._scheduler.opt_in(self._clock.now_s(), mrid.upper()):
            raise ConfigError(f"mRID {mrid}: no control of this name that the user had opted out of")
        self._apply()

    def withdraw(self) -> None:
        """Drop all controls, without Responses: at another server, a refused registration, or shutdown."""
        self._readings, self._needed = (), _NONE
        self._listed = self._whole = False
        self._defaults.clear()
        self._phases.clear()
        self._scheduler = self._new_scheduler()
        self._setpoints.release()
        self._apply(always=True)

    # ---- time

    async def _carry_out_in_time(self) -> None:
        """Carry out what is scheduled, each at its time, until nothing is."""
        while self._wake_s is not None:
            with trio.CancelScope() as sleep:
                self._sleep = sleep
                await self._clock.sleep_until(self._wake_s)
            self._sleep = None
            if not sleep.cancelled_caught:  # else the time has changed
                async with self._turn:  # where many DERs wake at once, other tasks run in between
                    self._carry_out()

    def _carry_out(self) -> None:
        self._wake_s = self._clock.now_s() + _FAILED_S  # unless what follows knows better
        with self._fence("what is due of all controls"):
            self._apply()

    def _apply(self, *, always: bool = False) -> None:
        now_s = self._clock.now_s()
        if self._wake_s is not None and 0 < self._wake_s - now_s < _ROUNDING_S:
            now_s = self._wake_s
        step = self._scheduler.step(now_s)
        if step.changed or always or self._setpoints.is_stale:
            with self._fence("the setpoints of all controls"):
                self._setpoints.submit(step)
        for response in step.responses:
            with self._fence(f"Response {response.status} for {response.mrid}"):
                self._on_response(response)
        for reread in step.rereads:
            with self._fence(f"DERControl {reread.mrid}"):
                self._on_reread(reread)
        if step.responses or step.changed or len(self._scheduler) != len(self._phases):
            self._log_phases()
        self._wake_s = step.wake_s
        if self._sleep is not None:
            self._sleep.cancel()
        if step.wake_s is not None:
            self.timing.want()

    def _log_phases(self) -> None:
        before, self._phases = self._phases, self._scheduler.phases()
        self.reaction.note(before, self._phases, self._scheduler.view, self.server_now_s())
        for mrid, phase in _changed(before, self._phases):
            self._log(_level(phase), f"DERControl {mrid} {_in_words(self._scheduler.view(mrid), phase)}")

    @property
    def events_held(self) -> int:
        """How many events are held, those that are over too."""
        return len(self._scheduler)

    def explain(self) -> list[EventView]:
        """Every event held, those that are over too, with the reason of its state."""
        return self._explained.of(self._scheduler)

    def snapshot(self) -> dict[str, Any]:
        """The controls' part of the contract's `csip-client` document."""
        held, kept = self._scheduler, self._setpoints.kept_defaults
        return document(self.explain(), held.programs, held.defaults, self._defaults, kept)


def _changed(before: Mapping[str, Phase], now: Mapping[str, Phase]) -> list[tuple[str, Phase]]:
    return [(mrid, phase) for mrid, phase in now.items() if before.get(mrid) is not phase]


def _level(phase: Phase) -> str:
    return "Warning" if phase in (Phase.REJECTED, Phase.MISSED) else "Info"


def _in_words(seen: EventView, phase: Phase) -> str:
    modes = json.dumps(modes_to_json(plain(seen.modes)))
    return f"{phase.value}, {modes}: {seen.why.removeprefix(f'{phase.value}: ')}"


def _hrefs(bases: Iterable[DERControlBase]) -> frozenset[str]:
    """The hrefs of the curves that these refer to."""
    return frozenset(href for base in bases for href in curve_hrefs(base).values())


def _differs(known: Mapping[str, DERCurve | None], href: str, curve: DERCurve | None) -> bool:
    old = known.get(href)
    return old is not None and curve is not None and old != curve
