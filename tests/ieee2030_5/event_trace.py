"""A utility's tree and the event scheduler in one table: what was said when, and who ruled when."""

from __future__ import annotations

import json
import random
from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import EventSettings, Judgement, Phase, ProgramFeed
from dersim.ieee2030_5.events import EventScheduler

T0 = 1_700_000_000
PF, FIXED_W, MAX_W, VV = "opModFixedPFInjectW", "opModFixedW", "opModMaxLimW", "opModVoltVar"


def mrid(name: str) -> str:
    return name.encode().hex().upper().ljust(32, "0")


class Fixed(random.Random):
    """Draws that are always the same fraction of the bound."""

    def __init__(self, fraction: float) -> None:
        super().__init__(0)
        self.fraction = fraction

    def random(self) -> float:
        return self.fraction


class Trace:
    """A utility's tree, a scheduler, and the log of both; times are seconds after T0."""

    def __init__(self, rng: random.Random | None = None, **settings: Any) -> None:
        self.unsupported: set[str] = set()
        self.impossible: set[str] = set()
        self.modes: dict[str, tuple[str, ...]] = {}
        self.programs: dict[str, r.DERProgram] = {}
        self.defaults: dict[str, dict[str, str]] = {}
        self.controls: dict[str, dict[str, r.DERControl]] = {}
        self.ahead: dict[str, float] = {}
        self.times: list[float] = []
        self.rng = rng or random.Random(1)
        self.settings = EventSettings(**settings)
        self.events = EventScheduler(self.judge, rng=self.rng, settings=self.settings)
        self.now = 0.0
        self.said: list[str] = []
        self.ruled: list[tuple[float, dict[str, str]]] = []
        self.rereads: list[tuple[float, str]] = []
        self.wakes = 0

    def judge(self, control: r.DERControl) -> Judgement:
        wanted = self.modes[control.mRID]
        rejected = {
            251: tuple(mode for mode in wanted if mode in self.unsupported),
            253: tuple(mode for mode in wanted if mode in self.impossible),
        }
        usable = {mode: control.mRID for mode in wanted if mode not in self.unsupported | self.impossible}
        return Judgement(usable, {status: modes for status, modes in rejected.items() if modes})

    def program(self, name: str, primacy: int, *default: str) -> None:
        self.programs[name] = r.DERProgram(mRID=mrid(name), href=f"/derp/{name}", primacy=primacy)
        self.defaults[name] = dict.fromkeys(default, f"default {name}")
        self.controls.setdefault(name, {})

    def control(self, program: str, name: str, start: float, duration: int, *modes: str, **more: Any) -> None:
        """Publish a control whose start is `start` s after now; `more` overrides its fields."""
        fields: dict[str, Any] = {
            "creationTime": int(T0 + self.now),
            "replyTo": "/rsp",
            "responseRequired": 7,
            "href": f"/derc/{name}",
            "interval": r.DateTimeInterval(start=int(T0 + self.now + start), duration=duration),
            "EventStatus": r.EventStatus(currentStatus=0, dateTime=T0, potentiallySuperseded=False),
        }
        self.modes[mrid(name)] = modes or (PF,)
        self.controls[program][name] = r.DERControl(
            mRID=mrid(name), DERControlBase=r.DERControlBase(), **{**fields, **more}
        )

    def status(self, program: str, name: str, current: int) -> None:
        old = self.controls[program][name]
        fields = {f: getattr(old, f) for f in ("mRID", "href", "replyTo", "responseRequired", "creationTime")}
        fields |= {f: getattr(old, f) for f in ("interval", "randomizeStart", "randomizeDuration", "version")}
        self.controls[program][name] = r.DERControl(
            DERControlBase=old.DERControlBase,
            EventStatus=r.EventStatus(currentStatus=current, dateTime=T0, potentiallySuperseded=False),
            **fields,
        )

    def poll(self) -> None:
        self.events.feed(
            T0 + self.now,
            [
                ProgramFeed(
                    program,
                    tuple(self.controls[name].values()),
                    self.defaults[name],
                    self.ahead.get(name, 0.0),
                )
                for name, program in self.programs.items()
            ],
        )
        self.step()

    def set_clock(self, seconds: float, *programs: str) -> None:
        """Move the clock of these programs, or of all, against the scheduler's."""
        for name in programs or tuple(self.programs):
            self.ahead[name] = self.ahead.get(name, 0.0) + seconds
        self.poll()

    def restart(self) -> None:
        """Another scheduler, restored from a checkpoint of this one."""
        document = json.loads(json.dumps(self.events.checkpoint(list, T0 + self.now), allow_nan=False))
        self.events = EventScheduler(self.judge, rng=self.rng, settings=self.settings)
        self.events.restore(document, "".join)

    def step(self) -> float | None:
        step = self.events.step(T0 + self.now)
        names = {mrid(name): name for held in self.controls.values() for name in held}
        for response in step.responses:
            name = names.get(response.mrid, bytes.fromhex(response.mrid).rstrip(b"\0").decode())
            self.times.append(response.time_s)
            self.said.append(f"{name}:{response.status}@{self.now:g}")
        self.rereads += [(self.now, names.get(reread.mrid, "")) for reread in step.rereads]
        ruling = {mode: names.get(src.mrid, src.value) for mode, src in step.in_force.items()}
        if not self.ruled or self.ruled[-1][1] != ruling:
            self.ruled.append((self.now, ruling))
        assert step.wake_s is None or step.wake_s > T0 + self.now
        self.wakes += 1
        return None if step.wake_s is None else step.wake_s - T0

    def until(self, end: float) -> Trace:
        """Step at the wake-ups until `end`."""
        while (wake := self.step()) is not None and wake <= end:
            self.now = wake
        self.now = end
        self.step()
        return self

    def rules(self, mode: str) -> list[tuple[float, str | None]]:
        """When who began to rule the mode."""
        out: list[tuple[float, str | None]] = []
        for time, ruling in self.ruled:
            if not out or out[-1][1] != ruling.get(mode):
                out.append((round(time, 6), ruling.get(mode)))
        return out

    def told(self, name: str) -> list[int]:
        return [int(entry.split(":")[1].split("@")[0]) for entry in self.said if entry.startswith(name + ":")]


def two_programs(mode_sy: str = PF, mode_sp: str = PF, **settings: Any) -> Trace:
    trace = Trace(**settings)
    trace.program("SY", 10, mode_sy)
    trace.program("SP", 4, mode_sp)
    return trace


def one_program(rng: random.Random | None = None, **settings: Any) -> Trace:
    trace = Trace(rng, **settings)
    trace.program("P", 5, PF)
    return trace


def phase(trace: Trace, name: str) -> Phase:
    return next(view.phase for view in trace.events.views() if view.mrid == mrid(name))


def why(trace: Trace, name: str) -> str:
    return next(view.why for view in trace.events.views() if view.mrid == mrid(name))
