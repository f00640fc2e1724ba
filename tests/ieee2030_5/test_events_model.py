"""The event scheduler under a hypothesis state machine, with the invariants that no history may break.

Beside it stands a reference in a few lines that knows nothing of lanes, claims or phases: for scheduled
events without randomization it goes through all pairs and says who must rule.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.ieee2030_5.event_trace import FIXED_W, MAX_W, PF, T0, Trace, mrid

MODES = (PF, FIXED_W, MAX_W)
FINAL = {3, 6, 7, 8, 9, 10, 14}
PRIMACIES = st.integers(1, 4)


@dataclasses.dataclass(frozen=True)
class Plan:
    name: str
    primacy: int
    created: int
    start: int
    duration: int
    modes: tuple[str, ...]


def reference(plans: list[Plan], mode: str, now: float) -> str | None:
    """Who rules `mode` if all were known ahead: the best first, and only what nobody better overlaps."""
    taken: list[Plan] = []
    rivals = sorted(
        (plan for plan in plans if mode in plan.modes),
        key=lambda plan: (plan.primacy, -plan.created, [-byte for byte in mrid(plan.name).encode()]),
    )
    for plan in rivals:
        if all(plan.start >= t.start + t.duration or t.start >= plan.start + plan.duration for t in taken):
            taken.append(plan)
    return next((plan.name for plan in taken if plan.start <= now < plan.start + plan.duration), None)


@st.composite
def plans(draw: Any) -> list[Plan]:
    count = draw(st.integers(1, 12))
    return [
        Plan(
            f"e{number}",
            draw(PRIMACIES),
            T0 + draw(st.integers(0, 2)),
            draw(st.integers(1, 30)) * 10,
            draw(st.integers(1, 12)) * 10,
            tuple(draw(st.sets(st.sampled_from(MODES), min_size=1))),
        )
        for number in range(count)
    ]


@given(plans())
@settings(max_examples=200, deadline=None)
def test_known_ahead_the_reference_agrees_at_every_instant(plan: list[Plan]) -> None:
    trace = Trace()
    for primacy in range(1, 5):
        trace.program(f"P{primacy}", primacy)
    for p in plan:
        trace.control(f"P{p.primacy}", p.name, p.start, p.duration, *p.modes, creationTime=p.created)
    trace.poll()
    for now in range(5, 500, 10):
        trace.until(now)
        ruling = trace.ruled[-1][1]
        assert ruling == {m: name for m in MODES if (name := reference(plan, m, now)) is not None}
    for p in plan:
        ruled = any(name == p.name for _, ruling in trace.ruled for name in ruling.values())
        assert trace.told(p.name) == ([1, 2, 3] if ruled else [1, 7])


class Utility(RuleBasedStateMachine):
    """A utility that does anything at any time; the scheduler is polled or not."""

    @initialize(seed=st.integers(0, 2**32), removed=st.sampled_from(["keep", "cancel"]))
    def begin(self, seed: int, removed: str) -> None:
        self.trace = Trace(random.Random(seed), event_removed=removed)
        self.places: dict[str, str] = {}
        self.count = 0
        self.polled: set[str] = set()
        for number in (1, 2, 3):
            self.trace.program(f"P{number}", number, PF)

    @rule(
        program=st.sampled_from(["P1", "P2", "P3"]),
        start=st.integers(-60, 300),
        duration=st.integers(0, 200),
        modes=st.sets(st.sampled_from(MODES), min_size=1),
        bounds=st.tuples(st.integers(-120, 120), st.integers(-120, 120)) | st.just((0, 0)),
        required=st.sampled_from([0, 3, 7, 7, 7]),
    )
    def publish(
        self,
        program: str,
        start: int,
        duration: int,
        modes: set[str],
        bounds: tuple[int, int],
        required: int,
    ) -> None:
        name = f"e{self.count}"
        self.count += 1
        self.places[name] = program
        more = {"randomizeStart": bounds[0], "randomizeDuration": bounds[1], "responseRequired": required}
        self.trace.control(program, name, start, duration, *sorted(modes), **more)

    @precondition(lambda self: self.places)
    @rule(data=st.data(), status=st.sampled_from([0, 1, 2, 2, 3, 4, 5, 6, 77]))
    def change_status(self, data: st.DataObject, status: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.places)))
        if name in self.trace.controls[self.places[name]]:
            self.trace.status(self.places[name], name, status)

    @precondition(lambda self: self.places)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.places)))
        self.trace.controls[self.places[name]].pop(name, None)

    @rule(program=st.sampled_from(["P1", "P2", "P3"]), primacy=PRIMACIES)
    def change_primacy(self, program: str, primacy: int) -> None:
        self.trace.program(program, primacy, PF)

    @precondition(lambda self: self.places)
    @rule(data=st.data(), out=st.booleans())
    def opt(self, data: st.DataObject, out: bool) -> None:
        name = mrid(data.draw(st.sampled_from(sorted(self.places))))
        opt = self.trace.events.opt_out if out else self.trace.events.opt_in
        opt(T0 + self.trace.now, name)
        self.trace.step()

    @rule()
    def poll(self) -> None:
        self.trace.poll()

    @rule(seconds=st.integers(0, 200))
    def wait(self, seconds: int) -> None:
        self.trace.until(self.trace.now + seconds)

    @rule(seconds=st.integers(-50, 2000))
    def clock_leaps(self, seconds: int) -> None:
        self.trace.now += seconds
        self.trace.step()

    @rule()
    def restart(self) -> None:
        """The client goes on from its checkpoint: with the same events in force, and the same phases."""
        now_s = T0 + self.trace.now
        before = self.trace.events
        ruled = before.step(now_s).events
        self.trace.restart()
        assert self.trace.events.step(now_s).events == ruled
        phases = self.trace.events.phases()
        assert phases == {name: phase for name, phase in before.phases().items() if name in phases}
        assert {each.mRID for each in self.trace.events.controls()} == {c.mRID for c in before.controls()}

    @invariant()
    def each_status_once_and_in_order(self) -> None:
        told: dict[str, list[int]] = defaultdict(list)
        for entry in self.trace.said:
            name, status = entry.split("@")[0].split(":")
            told[name].append(int(status))
        for name, statuses in told.items():
            assert len(set(statuses)) == len(statuses), (name, statuses)
            if {1, 2} <= set(statuses):
                assert statuses.index(1) < statuses.index(2)
            finals = [status for status in statuses if status in FINAL]
            assert len(finals) <= 1, (name, statuses)
            assert not finals or statuses[-1] == finals[0], (name, statuses)

    @invariant()
    def the_maps_and_the_events_agree(self) -> None:
        views = {view.mrid: view for view in self.trace.events.views()}
        step = self.trace.events.step(T0 + self.trace.now)
        assert not step.responses
        for mode, source in step.events.items():
            view = views[source.mrid]
            assert view.phase.value == "active"
            assert mode in view.modes

    @invariant()
    def no_view_changes_unless_changes_rises(self) -> None:
        events = self.trace.events
        before = getattr(self, "seen", (None, 0, []))
        self.seen = events, events.changes, events.views()
        if before[0] is events:
            assert events.views(before[2]) == self.seen[2]
            assert before[2] == self.seen[2] or before[1] != events.changes

    @invariant()
    def nothing_is_resumed(self) -> None:
        """Once a mode has passed from an event to another event, it never returns."""
        left: dict[str, set[str]] = defaultdict(set)
        for mode in MODES:
            ruled = [ruling.get(mode) for _, ruling in self.trace.ruled]
            for before, after in itertools.pairwise(ruled):
                if before != after and before in self.places and after in self.places:
                    left[mode].add(str(before))
                assert not (before != after and after in left[mode])

    @invariant()
    def randomization_stays_within_its_bounds(self) -> None:
        for view in self.trace.events.views():
            control = self.trace.events._book.events[view.mrid].control
            if view.phase.live and self.trace.events._book.events[view.mrid].joined_s is None:
                low = view.start_s + min(control.randomizeStart or 0, 0)
                assert view.effective_start_s >= low - 1e-6
                assert view.effective_end_s >= view.effective_start_s


def told_to(max_examples: int) -> settings:
    return settings(
        max_examples=max_examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


class TestUtility(Utility.TestCase):
    settings = told_to(70)


@pytest.mark.slow
class TestUtilityForLonger(Utility.TestCase):
    settings = told_to(600)
