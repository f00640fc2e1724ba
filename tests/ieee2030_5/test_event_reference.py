"""Random schedules through the scheduler and the reference model side by side."""

from __future__ import annotations

import random

import pytest
from tests.ieee2030_5.event_reference import Known, Reference

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import Judgement, Phase, ProgramFeed
from dersim.ieee2030_5.events import EventScheduler

T0 = 1_700_000_000
MODES = ("opModFixedPFInjectW", "opModFixedW", "opModMaxLimW")
STATES = {Phase.SCHEDULED: "waiting", Phase.ACTIVE: "active"}
BOUNDS = (0, 0, 0, 5, 10, -10, 30, -30, 200)


class Schedule:
    """A server that does anything, the scheduler, and the model that watches. Times are seconds after T0."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.now = 0.0
        self.model = Reference()
        self.wanted: dict[str, frozenset[str]] = {}
        self.controls: dict[str, dict[str, r.DERControl]] = {}
        self.scheduler = EventScheduler(self.judge, rng=random.Random(seed + 1))
        self.bounded = rng.random() < 0.7
        for number in range(rng.randint(1, 3)):
            name = f"P{number}"
            self.controls[name] = {}
            self.model.ahead[name] = rng.choice((0.0, 0.0, 40.0, -3600.0))
            self.model.primacy[name] = rng.randint(1, 3)
        self.model.primacy = dict(
            zip(self.controls, rng.sample(range(1, 9), len(self.controls)), strict=True)
        )
        self.default = {MODES[0]: "default", MODES[1]: "default"}

    def judge(self, control: r.DERControl) -> Judgement:
        return Judgement(dict.fromkeys(sorted(self.wanted[control.mRID]), control.mRID))

    # ---- what the server does

    def publish(self) -> None:
        rng, model = self.rng, self.model
        name, program = f"E{len(self.wanted):02d}", rng.choice(list(self.controls))
        modes = frozenset(rng.sample(MODES, rng.choice((1, 1, 1, 2, 3))))
        ends = [int(model.end_of(event)) for event in model.live() if event.modes & modes]
        start = int(self.now) + rng.randint(-60, 200)
        if ends and rng.random() < 0.5:
            start = rng.choice(ends)  # right after another
        duration = rng.randint(1, 120)
        if ends and rng.random() < 0.2:  # right before another, which may have begun early
            other = rng.choice([event for event in model.live() if event.modes & modes])
            start = int(model.start_of(other)) - rng.randint(0, 5) - duration
        bounds = (rng.choice(BOUNDS), rng.choice(BOUNDS)) if self.bounded else (0, 0)
        self.wanted[name] = modes
        event = Known(
            name=name,
            program=program,
            modes=modes,
            created=T0 + int(self.now),
            start=start + int(model.ahead[program]),
            duration=duration,
            bounds=bounds,
        )
        model.events[name] = event
        event.state = "unread"
        self.write(event)

    def write(self, event: Known, status: int = 0, version: int = 0) -> None:
        self.controls[event.program][event.name] = r.DERControl(
            mRID=event.name,
            replyTo="/rsp",
            responseRequired=7,
            version=version,
            creationTime=event.created,
            EventStatus=r.EventStatus(currentStatus=status, dateTime=T0, potentiallySuperseded=False),
            interval=r.DateTimeInterval(start=T0 + event.start, duration=event.duration),
            randomizeStart=event.bounds[0],
            randomizeDuration=event.bounds[1],
            DERControlBase=r.DERControlBase(),
        )

    def cancel(self) -> None:
        if live := self.model.live():
            event, status = self.rng.choice(live), self.rng.choice((2, 2, 3))
            if event.cancelled_by_s is not None:
                return
            delay = (
                max(abs(bound) for bound in event.bounds) if status == 3 and event.state == "active" else 0
            )
            event.cancelled_by_s = self.now + delay
            self.write(event, status, self.controls[event.program][event.name].version or 0)

    def update(self) -> None:
        """A new version: another interval for what waits, another duration for what runs."""
        model = self.model
        live = [event for event in model.live() if event.cancelled_by_s is None]
        ending = [e for e in live if e.state == "active" and model.end_window(e)[0] <= self.now]
        if not live or ending:  # what waits may be all that keeps these from ending
            return
        event = self.rng.choice(live)
        if event.state == "waiting":
            low = int(self.now + self.model.ahead[event.program]) + 1
            event.start = low + max(0, -event.bounds[0]) + self.rng.randint(0, 100)
            event.fresh_s = self.now
        event.duration = self.rng.randint(1, 150)
        self.write(event, 0, (self.controls[event.program][event.name].version or 0) + 1)

    def change_primacy(self) -> None:
        names = list(self.controls)
        values = [self.model.primacy[name] for name in names]
        self.rng.shuffle(values)
        self.model.primacy = dict(zip(names, values, strict=True))

    def set_clock(self) -> None:
        """One program's clock, or all of them, by little or by much."""
        rng = self.rng
        programs = rng.choice(([rng.choice(list(self.controls))], list(self.controls)))
        seconds = rng.choice((-900, -300, -100, -60, -20, -3, 3, 20, 60, 100, 300))
        for name in programs:
            self.model.ahead[name] += seconds
        if abs(seconds) >= 60:
            self.model.jumped(self.now, programs)

    # ---- both follow

    def poll(self) -> None:
        model = self.model
        model.news(self.now)
        best = min(self.controls, key=lambda name: model.primacy[name])
        feeds = [
            ProgramFeed(
                r.DERProgram(mRID=name, href=name, primacy=model.primacy[name]),
                tuple(held.values()),
                self.default if name == best else {},
                model.ahead[name],
            )
            for name, held in self.controls.items()
        ]
        arriving = [event for event in model.events.values() if event.state == "unread"]
        arrival = max((event.arrival for event in model.events.values()), default=0) + 1
        for event in arriving:
            event.state, event.fresh_s, event.arrival = "waiting", self.now, arrival
        self.scheduler.feed(T0 + self.now, feeds)
        self.step()

    def step(self) -> float | None:
        step = self.scheduler.step(T0 + self.now)
        rules = {mode: source.mrid or "default" for mode, source in step.in_force.items()}
        phases = {name: STATES.get(phase, "over") for name, phase in self.scheduler.phases().items()}
        said = [(response.mrid, response.status) for response in step.responses]
        if said or step.changed or self.model.news_s == self.now:
            self.model.follow(self.now, said, phases, rules, self.default)
        assert step.wake_s is None or step.wake_s > T0 + self.now
        return None if step.wake_s is None else step.wake_s - T0

    def until(self, end: float) -> None:
        while (wake := self.step()) is not None and wake <= end:
            self.now = wake
        self.now = end
        self.step()

    def run(self) -> None:
        rng = self.rng
        acts = (self.publish,) * 8 + (self.cancel, self.update, self.change_primacy, self.set_clock)
        for _ in range(rng.randint(0, 4)):
            self.publish()
        self.poll()
        for _ in range(rng.randint(1, 6)):
            self.until(self.now + rng.randint(0, 90))
            rng.choice(acts)()
            self.poll()
        self.until(self.now + 5000)
        assert not self.model.live()


def run(seed: int) -> None:
    try:
        Schedule(seed).run()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize(
    "block", [*range(3), *(pytest.param(n, marks=pytest.mark.slow) for n in range(3, 10))]
)
def test_three_thousand_random_schedules_follow_the_standard(block: int) -> None:
    for seed in range(300 * block, 300 * (block + 1)):
        run(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(100))
def test_a_hundred_thousand_random_schedules_follow_the_standard(block: int) -> None:
    for seed in range(10_000 + 1000 * block, 10_000 + 1000 * (block + 1)):
        run(seed)
