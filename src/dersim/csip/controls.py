"""From what was read of programs and controls to setpoints in force.

The rules of events are `ieee2030_5.events`; here they meet the clock and the device. Every change of the
outcome is one `submit`, so that in a hand-over from one control to the next nothing else is ever in force.
DERControls are submitted as `SetpointSource.CSIP`, what the DefaultDERControls set as
`SetpointSource.CSIP_DEFAULT`
underneath: what rules between them and the local sources is decided in `setpoints.py`.

Time is the server's: the simulated clock plus the offset that `clock_sync` found. `run` sleeps to the exact
instant of the next start, end or hand-over; there is no tick. CSIP setpoints have no expiry, the scheduler
ends them. If the server goes away, what is scheduled is carried out and then the default holds (CSIP G12).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import trio

from dersim.csip.control_values import RAMP, Judge, SetpointsDoor, Wanted
from dersim.errors import ConfigError
from dersim.ieee2030_5.event_types import (
    EventResponse,
    EventSettings,
    EventView,
    ModeSource,
    Phase,
    ProgramFeed,
    Reread,
    Step,
)
from dersim.ieee2030_5.events import EventScheduler
from dersim.ieee2030_5.resources import DefaultDERControl, DERControl, DERCurve, DERProgram, Disabled
from dersim.modes import ModeValue, modes_to_json
from dersim.setpoints import SetpointChange, SetpointSource, Verdict
from dersim.timestamps import rfc3339_or_none

#: A wake-up that is this near has come: the sum of clock and offset rounds.
_ROUNDING_S = 1e-3
#: How many curves are remembered; beyond that the oldest are asked for again where they are still in use.
_MAX_CURVES = 2_000


class Clock(Protocol):
    """What is needed of `SimClock`."""

    def now_s(self) -> float:
        """Simulated UTC, seconds."""
        ...

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until the simulated time is `when_s`."""
        ...


class _Setpoint(NamedTuple):
    """What is submitted for a mode: value, mRID of its control, and the control's rampTms in s."""

    value: ModeValue
    detail: str
    ramp_s: float | None = None


class ProgramReading(NamedTuple):
    """One program that is ours, as the server shows it. controls None: the list could not be read."""

    program: DERProgram
    controls: tuple[DERControl, ...] | None
    default: DefaultDERControl | None = None


class Controls:
    """All controls of one DER. Everything but `run` is synchronous and takes effect before it returns.

    on_response: told each Response that is due, after the device has made the step it speaks of.
    on_reread: told which control should be read again by its own href. log: (level, message).
    """

    def __init__(
        self,
        setpoints: SetpointsDoor,
        clock: Clock,
        *,
        rng: random.Random,
        on_response: Callable[[EventResponse], None],
        on_reread: Callable[[Reread], None],
        log: Callable[[str, str], None],
        settings: EventSettings | None = None,
    ) -> None:
        self._setpoints = setpoints
        self._clock = clock
        self._rng = rng
        self._on_response = on_response
        self._on_reread = on_reread
        self._log = log
        self._settings = settings or EventSettings()
        self._judge = Judge(setpoints)
        self._scheduler = self._new_scheduler()
        self._readings: tuple[ProgramReading, ...] = ()
        self._defaults: dict[str, DefaultDERControl] = {}
        self._offset_s: float | None = None
        self._wake_s: float | None = None
        self._needed: frozenset[str] = frozenset()
        self._applied: dict[tuple[SetpointSource, str], _Setpoint] = {}
        self._step: Step | None = None
        self._phases: dict[str, Phase] = {}
        self._sleep = trio.CancelScope()

    def _new_scheduler(self) -> EventScheduler:
        return EventScheduler(self._judge, rng=self._rng, settings=self._settings)

    # ---- what was read

    @property
    def needed_curves(self) -> frozenset[str]:
        """The hrefs of curves without which a control or a default cannot be run; answer by `set_curves`."""
        return self._needed

    def update(self, readings: Iterable[ProgramReading]) -> None:
        """Take over the complete picture after a poll: every program that is ours."""
        self._readings = tuple(readings)
        self._feed()

    def update_control(self, control: DERControl) -> None:
        """Take over one control that was read by its own href."""
        if self._offset_s is not None:
            self._scheduler.update(self.server_now_s(), control)
            self._apply()

    def set_curves(self, curves: Mapping[str, DERCurve | None]) -> None:
        """Curves by the href of the link that asked for them; None for one that the server does not have."""
        known = self._judge.curves
        known.update(curves)
        for href in list(known)[: max(len(known) - _MAX_CURVES, 0)]:
            del known[href]
        self._feed()

    def set_clock_offset(self, offset_s: float) -> None:
        """Server time minus simulated time, s. Events are acted on from the first call on (2030.5 9.2.3)."""
        first = self._offset_s is None
        self._offset_s = offset_s
        if first:
            self._feed()
        else:
            self._apply()

    def server_now_s(self) -> float:
        """The server's time as far as we know it, UTC seconds."""
        return self._clock.now_s() + (self._offset_s or 0.0)

    def _feed(self) -> None:
        needed: set[str] = set()
        feeds = [self._to_feed(reading, needed) for reading in self._readings]
        self._needed = frozenset(needed)
        self._scheduler.feed(self.server_now_s(), feeds)
        self._apply()

    def _to_feed(self, reading: ProgramReading, needed: set[str]) -> ProgramFeed:
        default = reading.default
        if default is not None:
            needed |= self._judge.missing(default.DERControlBase)
            self._defaults[reading.program.mRID] = default
        if reading.controls is None or self._offset_s is None:  # without the server's time no event is run
            return ProgramFeed(reading.program, None, self._judge.default(default))
        ready = []
        for control in reading.controls:
            missing = self._judge.missing(control.DERControlBase)
            needed |= missing
            if not missing or self._scheduler.knows(control.mRID):
                ready.append(control)
        return ProgramFeed(reading.program, ready, self._judge.default(default))

    def reply_to(self, mrid: str) -> str:
        """Where Responses to a control go by its last reading; empty for one that is not held."""
        return self._scheduler.reply_to(mrid)

    # ---- what the user wants

    def opt_out(self, mrid: str) -> None:
        """The user leaves an event: at once, Response 4. ConfigError where no such event is held."""
        if not self._scheduler.opt_out(self.server_now_s(), mrid.upper()):
            raise ConfigError(f"mRID {mrid}: no scheduled or active control of this name to opt out of")
        self._apply()

    def opt_in(self, mrid: str) -> None:
        """The user returns to an event that he left, Response 5. ConfigError where there is none."""
        if not self._scheduler.opt_in(self.server_now_s(), mrid.upper()):
            raise ConfigError(f"mRID {mrid}: no control of this name that the user had opted out of")
        self._apply()

    def withdraw(self) -> None:
        """Let go of everything, silently: another server, a refused registration, the end of the program."""
        self._readings = ()
        self._needed = frozenset()
        self._defaults.clear()
        self._phases.clear()
        self._scheduler = self._new_scheduler()
        self._apply()

    # ---- the passing of time

    async def run(self) -> None:
        """Carry out what is scheduled, each at its instant. For ever."""
        while True:
            self._apply()
            with trio.CancelScope() as self._sleep:
                if self._wake_s is None:
                    await trio.sleep_forever()
                else:
                    await self._clock.sleep_until(self._wake_s - (self._offset_s or 0.0))

    def _apply(self) -> None:
        now_s = self.server_now_s()
        if self._wake_s is not None and 0 < self._wake_s - now_s < _ROUNDING_S:
            now_s = self._wake_s
        step = self._scheduler.step(now_s)
        if step.changed or self._step is None or step.events is not self._step.events:
            self._submit(step)
        self._step = step
        for response in step.responses:
            self._on_response(response)
        for reread in step.rereads:
            self._on_reread(reread)
        if step.responses or step.changed or len(self._scheduler) != len(self._phases):
            self._log_phases()
        self._wake_s = step.wake_s
        self._sleep.cancel()

    def _submit(self, step: Step) -> None:
        """Bring the setpoints to the scheduler's maps by one atomic change."""
        wanted = self._wanted(step)
        gone = [
            SetpointChange(source, mode, None, detail)
            for (source, mode), (_, detail, _) in self._applied.items()
            if (source, mode) not in wanted
        ]
        new = [
            SetpointChange(source, mode, each.value, each.detail, ramp_s=each.ramp_s)
            for (source, mode), each in wanted.items()
            if self._applied.get((source, mode)) != each
        ]
        self._applied = wanted
        if gone or new:
            self._setpoints.submit(*gone, *new)

    def _wanted(self, step: Step) -> dict[tuple[SetpointSource, str], _Setpoint]:
        """The setpoints of a step, each with the rampTms of its control; mode rampTms shows one of them."""
        wanted: dict[tuple[SetpointSource, str], _Setpoint] = {}
        for mode, source in step.defaults.items():
            if mode == RAMP and step.events:
                continue  # an event without rampTms is approached at setGradW (2030.5-2018 10.10.4)
            wanted[SetpointSource.CSIP_DEFAULT, mode] = self._default_setpoint(source)
        for mode, source in step.events.items():
            value, ramp_s = source.value
            wanted[SetpointSource.CSIP, mode] = _Setpoint(value, source.mrid, ramp_s)
            if ramp_s is not None:
                wanted[SetpointSource.CSIP, RAMP] = _Setpoint(ramp_s, source.mrid)
        return {key: each for key, each in wanted.items() if self._acceptable(key, each.value, each.detail)}

    def _acceptable(self, key: tuple[SetpointSource, str], value: ModeValue, detail: str) -> bool:
        """The settings may have changed since the control was judged; one refusal would stop the others."""
        outcome = self._setpoints.check(key[1], value)
        if outcome.verdict is not Verdict.ACCEPTED and key[1] != RAMP:
            self._log("Warning", f"{detail}: {outcome.reason}; the mode is left as it is")
        return outcome.verdict is Verdict.ACCEPTED

    def _default_setpoint(self, source: ModeSource) -> _Setpoint:
        default = self._defaults.get(source.program)
        if default is None:
            return _Setpoint(source.value, source.program)
        ramp = default.DERControlBase.rampTms
        ramp_s = None if ramp is None or isinstance(ramp, Disabled) else ramp / 100
        return _Setpoint(source.value, default.mRID, ramp_s)

    def _log_phases(self) -> None:
        views = self._scheduler.views()
        for seen in views:
            if self._phases.get(seen.mrid) is not seen.phase:
                refused = seen.phase in (Phase.REJECTED, Phase.MISSED)
                modes = json.dumps(modes_to_json(_plain(seen.modes)))
                why = seen.why.removeprefix(f"{seen.phase.value}: ")
                self._log(
                    "Warning" if refused else "Info",
                    f"DERControl {seen.mrid} {seen.phase.value}, {modes}: {why}",
                )
        self._phases = {seen.mrid: seen.phase for seen in views}

    # ---- for people

    def explain(self) -> list[EventView]:
        """Every event held, those that are over too, with the reason of its standing."""
        return [seen._replace(modes=_plain(seen.modes)) for seen in self._scheduler.views()]

    def snapshot(self) -> dict[str, Any]:
        """The controls' part of the contract's `csip-client` document."""
        views = self.explain()
        return {
            "programs": [
                {"href": p.href, "mRID": p.mrid, "description": p.description, "primacy": p.primacy}
                for p in self._scheduler.programs
            ],
            "active_controls": _shown(views, Phase.ACTIVE),
            "scheduled_controls": _shown(views, Phase.SCHEDULED),
            "default_control": self._shown_default(),
        }

    def _shown_default(self) -> dict[str, Any] | None:
        """The defaults that hold, under the name of the best program that has a part in them."""
        defaults = self._step.defaults if self._step is not None else {}
        keys = {source.program for source in defaults.values()}
        best = next((p for p in self._scheduler.programs if p.key in keys), None)
        if best is None:
            return None
        modes = modes_to_json({mode: source.value for mode, source in defaults.items()})
        default = self._defaults.get(best.key)
        return {"program": best.href, "mRID": default.mRID if default else "", "modes": modes}


def _plain(modes: Mapping[str, Wanted]) -> dict[str, ModeValue]:
    plain: dict[str, ModeValue] = {mode: wanted.value for mode, wanted in modes.items()}
    ramps = [wanted.ramp_s for wanted in modes.values() if wanted.ramp_s is not None]
    return plain | ({RAMP: ramps[0]} if ramps else {})


def _shown(views: Sequence[EventView], phase: Phase) -> list[dict[str, Any]]:
    chosen = sorted((v for v in views if v.phase is phase), key=lambda v: v.effective_start_s)
    return [
        {
            "mRID": seen.mrid,
            "href": seen.href,
            "program": seen.program,
            "primacy": seen.primacy,
            "status": seen.status,
            "status_text": seen.status_text,
            "start": rfc3339_or_none(seen.start_s),
            "duration_s": seen.duration_s,
            "effective_start": rfc3339_or_none(seen.effective_start_s),
            "effective_end": rfc3339_or_none(seen.effective_end_s),
            "modes": modes_to_json(seen.modes),
            "why": seen.why,
        }
        for seen in chosen
    ]
