"""The server's side of the rows with programs and controls: CORE-010 to 023 and BASIC-001 to 026.

The tree is that of the same procedure for a client, set up on a model. The operator makes the server's tree
the same; then it must be served as it was ordered, its controls must change their status in time, and each
Response of the DER must be accepted.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import trio

from dersim.conformance.bench import Away
from dersim.conformance.checks.finding import EDGE_S
from dersim.conformance.procedure import Procedure
from dersim.conformance.procedures import ALL as CLIENT_PROCEDURES
from dersim.conformance.server import walk
from dersim.conformance.server.der import Der, Stopped
from dersim.conformance.server.follow import (
    CANCELLED,
    NOT_RUN,
    RECEIVED,
    RUN,
    STARTED,
    SUPERSEDED,
    Duty,
    Following,
)
from dersim.conformance.server.plan import Plan
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.steps import Publish, Register
from dersim.conformance.server.walk import Seen, SeenProgram
from dersim.conformance.stage import Clock, Stage
from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import controlbase
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import LogBuffer
from dersim.utility.program import Control, Program

#: How far a control's start may be from what was ordered, s, where a program has published it.
START_S = 5
#: What the DER answers where it does not run a control to its end.
_CANCELLED = (Duty(RECEIVED, "seen"), Duty(CANCELLED, "cancelled"))
_LATER_CANCELLED = (Duty(RECEIVED, "seen"), Duty(STARTED, "start"), Duty(CANCELLED, "cancelled"))
_DUTIES: Mapping[str, Mapping[str, Sequence[Duty]]] = {
    "CORE-022": {"event 1": _LATER_CANCELLED},
    "CORE-023": {"second": NOT_RUN, "third": NOT_RUN},
    "BASIC-003": {"old": (Duty(RECEIVED, "seen"),)},
    "BASIC-015": {**{f"SP {number}": _CANCELLED for number in range(2, 25)}, "TF": NOT_RUN},
    "BASIC-021": {"SY event": NOT_RUN},
    "BASIC-022": {"SY event": NOT_RUN},
    "BASIC-023": {
        "SY event": (Duty(RECEIVED, "seen"), Duty(STARTED, "start"), Duty(SUPERSEDED, "start", "SP event"))
    },
}
#: How a server answers for what belongs to another client.
_HIDDEN = (401, 403, 404)
#: The rows that are made here; the others have requests of their own.
IDS = (
    *(f"CORE-{number:03}" for number in (10, 11, 12, 13, 21, 22, 23)),
    *(f"BASIC-{number:03}" for number in range(1, 27)),
)
_LATER = "The later event starts two minutes after t0."
_READINGS = {
    "CORE-011": "Fifteen assignments are there; which of them has no DERProgramList is left to the server.",
    "CORE-023": "The first program has the best primacy here, as the steps name its control as the winner.",
    "BASIC-002": "The control lasts 60 s.",
    "BASIC-005": "yRefType is 0.",
    "BASIC-006": "yRefType is not printed: 2, percent of setMaxVar.",
    "BASIC-012": "Dead-bands of 30 mHz instead of the printed 60030 and 59970 (erratum 43).",
    "BASIC-015": "Response 6 is posted to the cancelled controls, and must be accepted.",
    "BASIC-023": _LATER,
    "BASIC-026": _LATER,
}


class ModelClock:
    """The clock of a model: the suite's, moved to when the server's owner has done what was asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.late_s = 0.0

    def now_s(self) -> float:
        """UTC seconds since 1970."""
        return self._clock.now_s() - self.late_s

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until that time."""
        await self._clock.sleep_until(when_s + self.late_s)


@dataclass
class Served:
    """One run. late_s: how much later than ordered the controls begin, where a person has published them."""

    der: Der
    procedure: Procedure
    clock: ModelClock = field(init=False)
    model: Stage = field(init=False)
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.clock = ModelClock(self.der.clock)
        log = LogBuffer(stream=io.StringIO())
        self.model = Stage(self.clock, log, self.der.lfdi, Away(), scale=self.der.scale)
        self.plan = Plan(self.model)
        self._is_exact = getattr(self.der.operator, "exact", False)
        self._missing: set[str] = set()

    async def run(self) -> None:
        """Set up, walk, follow, judge."""
        self.procedure.set_up(self.model)
        steps = self.plan.steps()
        # A person sets the tree up first: the times of the controls count from when they are published.
        await self.der.carry_out(*(each for each in steps if not isinstance(each, Publish)))
        await self.der.carry_out(*(each for each in steps if isinstance(each, Publish)))
        seen = await walk.whole(self.der)
        walk.judge_identity(self.der, seen)
        self._judge_programs(seen)
        following = Following(self.der, seen)
        self._follow_new(following, seen)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._change, following)
            await following.until(self._end_s(following))
            nursery.cancel_scope.cancel()
        following.judge()

    # ---- the tree

    def _judge_programs(self, seen: Seen) -> None:
        der, groups = self.der, self.model.head_end.groups.of(self.model.lfdi)
        missing, others = [], []
        for name, each in self.model.programs.items():
            is_due = any(group in groups for group in each.groups)
            if is_due and seen.named(name, each.primacy) is None:
                missing.append(name)
            elif not is_due and any(found.name == name for found in seen.programs.values()):
                others.append(name)
        said = f"{len(seen.programs)} DERPrograms"
        said += f", missing: {', '.join(missing)}" if missing else ""
        said += f", of other groups: {', '.join(others)}" if others else ""
        if not der.check("its DERPrograms are reached, and no others", not (missing or others), said):
            raise Stopped
        wrong = []
        for name, program in self.model.programs.items():
            found = seen.named(name, program.primacy)
            if found is not None and found.program.primacy != program.primacy:
                wrong.append(f"{name}: primacy {found.program.primacy} instead of {program.primacy}")
            if found is not None:
                wrong += [f"default of {name}: {said}" for said in _default_differs(program, found)]
        der.check("primacies and defaults are as set up", not wrong, "; ".join(wrong[:3]) or "as set up")

    def _follow_new(self, following: Following, seen: Seen) -> None:
        """Find the controls of the model that are not followed yet, and judge how they are served."""
        for name, control in self.model.controls.items():
            if name in following.controls or name in self._missing:
                continue
            program_name = next(key for key, each in self.model.programs.items() if each is control.program)
            program = seen.named(program_name, control.program.primacy)
            served = None if program is None else _find(name, control, program)
            if program is None or served is None:
                self._missing.add(name)
                self.der.check(
                    f"{name} is listed", False, f"it is not in the DERControlList of {program_name}"
                )
                continue
            self._judge_control(name, control, served, program)
            duties = _DUTIES.get(self.procedure.id, {}).get(name, RUN)
            following.add(name, served, str(walk.link(program.program, "DERControlListLink")), duties)

    def _judge_control(self, name: str, control: Control, served: r.DERControl, program: SeenProgram) -> None:
        late_s = served.interval.start - control.start_s
        wrong = []
        if self._is_exact and abs(late_s) > START_S:
            wrong.append(f"it starts {late_s:+d} s from what was ordered")
        elif not self._is_exact and not self.clock.late_s and abs(late_s) > START_S:
            self._all_later(late_s)
        if served.interval.duration != control.duration_s:
            wrong.append(f"duration {served.interval.duration} instead of {control.duration_s}")
        if (served.randomizeStart or 0) != control.randomize_start_s:
            wrong.append(f"randomizeStart {served.randomizeStart} instead of {control.randomize_start_s}")
        if served.responseRequired != control.response_required or not served.replyTo:
            wrong.append(f"responseRequired {served.responseRequired}, replyTo {served.replyTo}")
        wrong += _differ(dict(control.modes), served.DERControlBase, program)
        self.der.check(
            f"{name} is served as published", not wrong, "; ".join(wrong[:3]) or f"at {served.href}"
        )

    def _all_later(self, late_s: int) -> None:
        """A person has published later than the plan was made: all that follows is as much later."""
        self.clock.late_s = late_s

    # ---- over time

    def _end_s(self, following: Following) -> float:
        """The server's time at which it is over; where a person has published, after the last control."""
        lasts_s = self.procedure.lasts_s * self.der.scale
        planned_s = self.model.t0_s + self.clock.late_s + lasts_s + following.now_s() - self.der.clock.now_s()
        if self._is_exact or self.procedure.stimuli is not None:
            return planned_s
        ends_s = (each.latest_end_s + 2 * EDGE_S for each in following.controls.values())
        return max(planned_s, *ends_s, 0.0)

    async def _change(self, following: Following) -> None:
        """What the procedure changes while it runs, handed to the operator step by step."""
        if self.procedure.stimuli is None:
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._hand_over, following)
            await self.procedure.stimuli(self.model)
            await self._flush(following)
            nursery.cancel_scope.cancel()

    async def _hand_over(self, following: Following) -> None:
        while True:
            await self.der.clock.sleep_until(self.der.clock.now_s() + max(0.2, self.der.scale / 2))
            await self._flush(following)

    async def _flush(self, following: Following) -> None:
        with trio.CancelScope(shield=True):
            steps = self.plan.steps()
            if not steps:
                return
            await self.der.carry_out(*steps)
            for name, control in self.model.controls.items():
                followed = following.controls.get(name)
                if (
                    followed is not None
                    and followed.cancelled_s is None
                    and not control.live
                    and control.status in (2, 3)
                ):
                    followed.cancelled_s = following.now_s()
            if any(name not in following.controls for name in self.model.controls):
                again = await walk.whole(self.der)
                self._judge_programs(again)
                reached = {walk.link(each.program, "DERControlListLink") for each in again.programs.values()}
                for followed in following.controls.values():
                    followed.is_reachable = followed.list_href in reached
                self._follow_new(following, again)


def _find(name: str, control: Control, program: SeenProgram) -> r.DERControl | None:
    named = [each for each in program.controls if each.description == name]
    alike = [
        each
        for each in program.controls
        if not each.description and each.interval.duration == control.duration_s
    ]
    found: list[r.DERControl] = named or alike
    return found[0] if found else None


def _default_differs(program: Program, found: SeenProgram) -> list[str]:
    if program.default is None:
        return []
    if found.default is None:
        return ["it is missing"]
    try:
        served = controlbase.default_modes_of(found.default, found.curves)
    except RemoteProtocolError as error:
        return [str(error)]
    return list(walk.differing(dict(program.default.modes), served))


def _differ(wanted: dict[str, object], base: r.DERControlBase, program: SeenProgram) -> list[str]:
    try:
        served = controlbase.modes_of(base, program.curves)
    except RemoteProtocolError as error:
        return [str(error)]
    return list(walk.differing(wanted, served))  # type: ignore[arg-type]  # the model's own modes


async def _of_others(der: Der) -> None:
    """What belongs to the DER is not shown to another client."""
    other = der.target.other
    if other is None:
        der.not_seen(
            "another client does not see it", "--kit FOLDER is needed, for the certificate of another client"
        )
        return
    await der.prepare(Register(other.lfdi))
    seen = await walk.to_device(der)
    for href in (seen.device.href, walk.link(seen.device, "RegistrationLink")):
        answer = await der.get(str(href), who=other)
        der.status(f"{href} is not shown to another client", answer, *_HIDDEN)


_AFTER = {"BASIC-001": _of_others}


def _procedure(name: str) -> ServerProcedure:
    record = CLIENT_PROCEDURES[name]

    async def run(der: Der) -> None:
        await Served(der, record).run()
        if (after := _AFTER.get(name)) is not None:
            await after(der)

    reading = _READINGS.get(name, "")
    return ServerProcedure(name, record.title, run, record.lasts_s, reading, record.required)


PROCEDURES = tuple(_procedure(name) for name in IDS)
