"""When the DERs of a fleet plan join, leave and lose their connection: one task for all of them.

Everything is drawn from the seed, the group and the DER's number, so that a DER does the same in whichever
process it runs. Times are simulated seconds after the start of the run.
"""

from __future__ import annotations

import functools
import heapq
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

import trio

from dersim.plugin.services import PresenceService

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.fleet_plan import FleetPlan, Group
    from dersim.logbuffer import LogBuffer
    from dersim.plugin.services import Services

Kind = Literal["start", "churn", "comms_loss"]


class Absence(NamedTuple):
    """A DER is away, or cut off, from `start_s` to `end_s`, seconds after the start."""

    start_s: float
    end_s: float
    kind: Kind
    number: int


class PresencePlan:
    """Every absence of every DER of a plan. seed: of the run."""

    def __init__(self, plan: FleetPlan, seed: int) -> None:
        self._plan = plan
        self._seed = seed

    def of(self, number: int) -> list[Iterator[Absence]]:
        """The absences of one DER, one iterator a kind, each in the order of time."""
        group = self._plan.group_of(number)
        found: list[Iterator[Absence]] = []
        if (starts_s := group.starts_s(number)) > 0:
            found.append(iter([Absence(0.0, starts_s, "start", number)]))
        if group.churn is not None and number in self._chosen(group.name, "churn"):
            found.append(self._churn(group, number))
        if group.comms_loss is not None and number in self._chosen(group.name, "comms_loss"):
            found.append(self._cuts(group, number))
        return found

    @functools.cache  # noqa: B019 - lives as long as the run
    def _chosen(self, name: str, kind: Kind) -> frozenset[int]:
        """The DERs of a group that its share means: the same in each process."""
        group = next(each for each in self._plan.groups if each.name == name)
        rule = group.churn if kind == "churn" else group.comms_loss
        numbers = range(group.first, group.first + group.count)
        share = 0.0 if rule is None else rule.share
        return frozenset(self._rng(name, kind, "share").sample(numbers, round(share * group.count)))

    def _rng(self, *words: object) -> random.Random:
        return random.Random("/".join(map(str, (self._seed, *words))))  # noqa: S311 - draws of a simulation

    def _churn(self, group: Group, number: int) -> Iterator[Absence]:
        churn = group.churn
        assert churn is not None  # noqa: S101 - `of` has looked
        rng = self._rng("churn", number)
        at_s = group.starts_s(number)
        while True:
            start_s = at_s + rng.expovariate(churn.leaves_per_h / 3600)
            at_s = start_s + rng.uniform(*churn.away_s)
            yield Absence(start_s, at_s, "churn", number)

    def _cuts(self, group: Group, number: int) -> Iterator[Absence]:
        loss = group.comms_loss
        assert loss is not None  # noqa: S101 - `of` has looked
        rng = self._rng("comms_loss", group.name if loss.together else number)
        start_s = group.start_after_s if loss.together else group.starts_s(number)
        start_s += rng.uniform(0, loss.every_s[0])
        while True:
            yield Absence(start_s, start_s + rng.uniform(*loss.for_s), "comms_loss", number)
            start_s += rng.uniform(*loss.every_s)


class Presences:
    """Carries the absences out. ramp: how many DERs join a second, real time, at the most."""

    def __init__(
        self, plan: FleetPlan, seed: int, services: Services, clock: SimClock, log: LogBuffer, ramp: float
    ) -> None:
        self._plan = plan
        self._presence_plan = PresencePlan(plan, seed)
        self._services = services
        self._clock = clock
        self._log = log
        self._pause_s = 1 / ramp
        self._next_join_at = 0.0
        self._began_s = self._elapsed_s = 0.0
        #: When, whether an absence begins (1) or ends (0), which one, and those that follow.
        self._due: list[tuple[float, int, int, int, Absence, Iterator[Absence]]] = []
        self._services_of: dict[int, PresenceService] = {}

    def begin(self) -> None:
        """Call before the front-ends run: who joins later, or is away, is away now."""
        now_s = self._clock.now_s()
        self._began_s = now_s if self._plan.began_s is None else self._plan.began_s
        self._elapsed_s = now_s - self._began_s
        for number, group in self._plan.members():
            service = self._services.find(PresenceService, number)
            if service is None:
                continue
            self._services_of[number] = service
            for rank, absences in enumerate(self._presence_plan.of(number)):
                self._push(rank, absences)
            if group.comms_loss is not None:
                service.can_be_cut()
        while self._due and self._due[0][0] <= self._elapsed_s:
            self._carry_out()

    async def run(self) -> None:
        """Until cancelled; at once where no DER is ever away."""
        while self._due:
            await self._clock.sleep_until(self._began_s + self._due[0][0])
            if not self._due[0][1] and self._due[0][4].kind != "comms_loss":
                await trio.sleep_until(self._next_join_at)
                self._next_join_at = trio.current_time() + self._pause_s
            self._carry_out()

    def _push(self, rank: int, following: Iterator[Absence]) -> None:
        """Plan the next absence that is not over."""
        absence = next((each for each in following if each.end_s > self._elapsed_s), None)
        if absence is not None:
            heapq.heappush(self._due, (absence.start_s, 1, absence.number, rank, absence, following))

    def _carry_out(self) -> None:
        _, begins, number, rank, absence, following = heapq.heappop(self._due)
        service = self._services_of[number]
        for_s = absence.end_s - absence.start_s
        if begins:
            self._begin(service, absence, for_s, absence.end_s - max(absence.start_s, self._elapsed_s))
            heapq.heappush(self._due, (absence.end_s, 0, number, rank, absence, following))
            return
        if absence.kind == "comms_loss":
            service.restore()
            self._say(number, f"comms loss is over after {for_s:.0f} s")
        else:
            service.join()
            self._say(number, "joins" if absence.kind == "start" else f"joins again after {for_s:.0f} s")
        self._push(rank, following)

    def _begin(self, service: PresenceService, absence: Absence, for_s: float, left_s: float) -> None:
        name = self._plan.group_of(absence.number).name
        if absence.kind == "comms_loss":
            why = f"comms loss of {for_s:.0f} s by the fleet file, group {name}"
            service.cut(why)
        else:
            why = "leaves" if absence.kind == "churn" else "joins later"
            why = f"{why}, for {for_s:.0f} s, by the fleet file, group {name}"
            service.leave(why, left_s / self._clock.rate)
        if absence.kind != "start":
            self._say(absence.number, why)

    def _say(self, number: int, words: str) -> None:
        self._log.log("Info", "Engine", words, number)
