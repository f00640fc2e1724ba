"""A reference model of the event rules, to watch the scheduler by. It shares no code with it.

Written from IEEE 2030.5-2018 9.2.3, 10.2.3.3 and 10.2.4.2 as they read: one event a mode, the better claim
wins, a loser is never resumed, successive events meet, each Response once. It compares every event with
every other and keeps no schedule. The draws of the scheduler are unknown to it; it knows the windows that
they may fall into, so it follows what the scheduler does, step by step, and objects to what may not be.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping

EPS = 1e-6
FINAL = frozenset({3, 6, 7, 10, 253, 254})


@dataclasses.dataclass(eq=False)
class Known:
    """An event as the server published it, in server time, and what became of it."""

    name: str
    program: str
    modes: frozenset[str]
    created: int
    start: int
    duration: int
    bounds: tuple[int, int]
    arrival: int = 0
    fresh_s: float = 0.0  # when it was last judged as new
    state: str = "waiting"
    began_s: float = 0.0
    began: bool = False
    lost: set[str] = dataclasses.field(default_factory=set)
    held: set[str] = dataclasses.field(default_factory=set)
    told: list[int] = dataclasses.field(default_factory=list)
    cancelled_by_s: float | None = None
    superseded_s: float | None = None
    jumped_s: float | None = None
    tie: str = ""

    def __post_init__(self) -> None:
        self.tie = "".join(chr(255 - ord(letter)) for letter in self.name)  # the greater name first


class Reference:
    """Follows a scheduler. Every `time` is on the scheduler's clock; `ahead` is the server's against it."""

    def __init__(self) -> None:
        self.ahead: dict[str, float] = {}
        self.primacy: dict[str, int] = {}
        self.events: dict[str, Known] = {}
        self.news_s = 0.0

    # ---- windows

    def start_of(self, event: Known) -> float:
        return event.start - self.ahead[event.program]

    def end_of(self, event: Known) -> float:
        return event.start + event.duration - self.ahead[event.program]

    def start_window(self, event: Known) -> tuple[float, float]:
        start, bound = self.start_of(event), event.bounds[0]
        low, high = start + min(0, bound), start + max(0, bound)
        if low < event.fresh_s:  # it may have been late
            high = max(high, event.fresh_s + abs(bound))
        return low, high

    def end_window(self, event: Known) -> tuple[float, float]:
        end, (first, second) = self.end_of(event), event.bounds
        return end + min(0, first) + min(0, second), end + max(0, first) + max(0, second)

    # ---- competition: every event with every other

    def rank(self, event: Known) -> tuple[int, int, int, str]:
        return self.primacy[event.program], -event.created, -event.arrival, event.tie

    def live(self) -> list[Known]:
        return [event for event in self.events.values() if event.state in ("waiting", "active")]

    def claim(self, event: Known) -> tuple[float, float]:
        start = self.start_of(event)
        if event.state == "active":
            start = min(start, event.began_s)
        return start, self.end_of(event)

    def winners(self) -> dict[tuple[str, str], Known]:
        """{(event, mode): the better event that takes this mode from it}; best first, so winners are real."""
        found: dict[tuple[str, str], Known] = {}
        claims: dict[str, list[tuple[float, float, Known]]] = {}
        for event in sorted(self.live(), key=self.rank):
            low, high = self.claim(event)
            for mode in sorted(event.modes - event.lost):
                rivals = sorted(
                    ((s, e, b) for s, e, b in claims.get(mode, ()) if s < high and low < e),
                    key=lambda each: each[0],
                )
                if rivals:
                    found[event.name, mode] = rivals[0][2]
                    if mode in event.held and rivals[0][0] > low:
                        claims.setdefault(mode, []).append((low, rivals[0][0], event))
                else:
                    claims.setdefault(mode, []).append((low, high, event))
        return found

    def free(self, event: Known, winners: Mapping[tuple[str, str], Known]) -> frozenset[str]:
        """The modes that it has, or will have: not lost, and not taken before it has them."""
        return frozenset(
            mode
            for mode in event.modes - event.lost
            if mode in event.held or (event.name, mode) not in winners
        )

    # ---- one step of the scheduler

    def news(self, time: float) -> None:
        """Something was read at this instant: what it makes due is done at once."""
        self.news_s = time

    def jumped(self, time: float, programs: Iterable[str]) -> None:
        """The clock of these programs was set by a minute or more: their events are judged afresh."""
        for event in self.live():
            if event.program in programs:
                event.fresh_s = event.jumped_s = time

    def follow(
        self,
        time: float,
        said: list[tuple[str, int]],
        phases: Mapping[str, str],
        rules: Mapping[str, str],
        defaults: Mapping[str, str],
    ) -> None:
        """Check what the scheduler did at `time`: Responses in order, phases, and who rules each mode."""
        before = self.winners()
        was = {event.name: event.state for event in self.live()}
        free_before = {name: self.free(self.events[name], before) for name in was}
        for name, status in said:
            self._told(name, status)
        for name in was:
            self._take_phase(self.events[name], phases[name], time)
        self._check_order(said)
        self._check_changes(time, was)
        self._give_modes()
        now = self.winners()
        self._check_supersession(time, was, now)
        self._check_chains(time, was, free_before, before)
        self._check_rulers(rules, defaults)
        self._check_nothing_overdue(time, now)

    def _told(self, name: str, status: int) -> None:
        told = self.events[name].told
        assert status not in told, f"{name}: {status} twice"
        assert not FINAL & set(told), f"{name}: {status} after {told}"
        assert status in (1, 254) or 1 in told, f"{name}: {status} before 1"
        told.append(status)

    def _take_phase(self, event: Known, phase: str, time: float) -> None:
        if phase == event.state:
            return
        if phase == "active":
            event.began_s, event.began = time, True
        elif phase == "waiting":
            event.held.clear()
        event.state = phase

    @staticmethod
    def _check_order(said: list[tuple[str, int]]) -> None:
        """In one instant what ends comes before what begins."""
        statuses = [status for _, status in said if status in (2, 3, 6, 7)]
        starts = [index for index, status in enumerate(statuses) if status == 2]
        ends = [index for index, status in enumerate(statuses) if status == 3]
        assert not (starts and ends) or max(ends) < min(starts), said

    def _check_changes(self, time: float, was: Mapping[str, str]) -> None:
        for name, state in was.items():
            event = self.events[name]
            if event.state == state:
                continue
            if event.state == "active":
                low, _ = self.start_window(event)
                assert time >= low - EPS, f"{name}: early"
                assert 2 in event.told
            elif event.state == "waiting":
                assert event.fresh_s == time, f"{name}: stopped without a jump"
                assert self.start_of(event) + max(0, event.bounds[0]) > time, f"{name}: stopped"
            else:
                self._check_end(event, state, time)

    def _check_end(self, event: Known, was: str, time: float) -> None:
        last = event.told[-1]
        low, _ = self.end_window(event)
        if last == 3:
            assert event.began, f"{event.name}: completed, never began"
            assert time >= low - EPS, f"{event.name}: completed {low - time} s early"
        elif last == 254:
            assert not event.began
            assert event.fresh_s == time
            assert low <= time
        elif last == 6:
            assert event.cancelled_by_s is not None
            assert time <= event.cancelled_by_s + EPS
        elif (
            last == 10 and event.fresh_s != time
        ):  # a correction of the clock, or the next event, may leave it no time
            assert not event.began
            assert time > low - EPS
        else:
            assert last == 7, f"{event.name}: ended by {last}"

    def _give_modes(self) -> None:
        """Modes pass to what began; what a begun winner took is lost for good."""
        winners = self.winners()
        for event in self.live():
            for mode in sorted(event.modes - event.lost):
                winner = winners.get((event.name, mode))
                if winner is not None and winner.state == "active" and winner is not event:
                    event.lost.add(mode)
        winners = self.winners()
        for event in self.live():
            if event.state == "active":
                event.held |= self.free(event, winners)

    def _check_supersession(
        self, time: float, was: Mapping[str, str], now: Mapping[tuple[str, str], Known]
    ) -> None:
        for event in self.live():
            assert self.free(event, now), f"{event.name}: has no mode left and was not told 7"
        for name in was:
            event = self.events[name]
            if event.told[-1:] == [7] and event.state == "over" and event.superseded_s is None:
                event.superseded_s = time
                for mode in event.modes - event.lost:
                    winners = self._better(event, mode)
                    assert winners, f"{name}: 7, but {mode} has no better claim"
                    ruled = mode in event.held and event.fresh_s != time
                    begun = not ruled or any(winner.state != "waiting" for winner in winners)
                    assert begun, f"{name}: 7 before its winner began"

    def _better(self, event: Known, mode: str) -> list[Known]:
        found = []
        low, high = self.claim(event)
        if event.began:
            low = min(low, event.began_s)
        for other in self.events.values():
            if other is event or mode not in other.modes or self.rank(other) > self.rank(event):
                continue
            start, end = self.claim(other)
            if other.began:
                start = min(start, other.began_s)
            if start < high and low < end and (other.state != "over" or other.began):
                found.append(other)
        return found

    def _check_chains(
        self,
        time: float,
        was: Mapping[str, str],
        free_before: Mapping[str, frozenset[str]],
        before: Mapping[tuple[str, str], Known],
    ) -> None:
        """Where one event ends as another begins, the later begins when the earlier ends."""
        for (name, mode), winner in before.items():
            event = self.events[name]
            ended = event.told[-1:] == [3] and was[name] == "active" and mode in event.held - event.lost
            if ended and winner.fresh_s != time and self.news_s != time:  # a new version may end it at once
                assert winner.state != "waiting", f"{winner.name} left a gap after {name}"
        for first, second in itertools.permutations(was, 2):
            earlier, later = self.events[first], self.events[second]
            if self.end_of(earlier) != self.start_of(later):
                continue
            shared = free_before[first] & free_before[second]
            if was[second] != "waiting" or all((first, mode) in before for mode in shared):
                continue  # they share no mode, or another event takes it from the earlier
            if earlier.told[-1:] == [3] and was[first] == "active" and later.fresh_s != time:
                assert later.state != "waiting", f"a gap between {first} and {second}"
            if later.state == "active":
                assert earlier.state != "active", f"{second} began while {first} was active"

    def _check_rulers(self, rules: Mapping[str, str], defaults: Mapping[str, str]) -> None:
        modes = set(defaults) | {mode for event in self.events.values() for mode in event.modes}
        for mode in modes:
            rulers = [e.name for e in self.live() if e.state == "active" and mode in e.held - e.lost]
            assert len(rulers) <= 1, f"{mode}: {rulers} at once"
            expected = rulers[0] if rulers else defaults.get(mode)
            assert rules.get(mode) == expected, f"{mode}: {rules.get(mode)} rules, not {expected}"

    def _check_nothing_overdue(self, time: float, winners: Mapping[tuple[str, str], Known]) -> None:
        """What waits past its window waits for an event that runs; nothing runs past its window."""
        for event in self.live():
            if event.cancelled_by_s is not None:
                assert time <= event.cancelled_by_s + EPS, f"{event.name}: not cancelled in time"
            if event.state == "active":
                early = self.start_of(event) + min(0, event.bounds[0]) > time
                assert not (early and event.jumped_s == time), f"{event.name}: its start is ahead again"
                _, high = self.end_window(event)
                fills = time < max(high, self.news_s + EPS) + EPS or self._fills_a_gap(event, winners)
                assert fills, f"{event.name}: runs past its end"
            elif time > self.start_window(event)[1] + EPS:
                free = self.free(event, winners)
                assert self._running(free), f"{event.name}: has not begun"

    def _running(self, modes: frozenset[str]) -> list[Known]:
        return [e for e in self.live() if e.state == "active" and modes & e.held - e.lost]

    def _fills_a_gap(self, event: Known, winners: Mapping[tuple[str, str], Known]) -> bool:
        """It runs on for the next event, which waits for another one on another mode."""
        for later in self.live():
            if later.state == "waiting" and self.start_of(later) <= self.end_of(event):
                free = self.free(later, winners)
                if free & event.held - event.lost and self._running(free) != [event]:
                    return True
        return False
