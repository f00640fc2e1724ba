"""Who joins, leaves and is cut off when: drawn from seed, group and number, and carried out on time."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace

import pytest
import trio

from dersim.clock import SimClock
from dersim.engine.presence import PresencePlan, Presences
from dersim.fleet_plan import Churn, CommsLoss, FleetPlan, Group
from dersim.logbuffer import LogBuffer
from dersim.plugin.services import PresenceService, Services

CHURN = Churn(share=0.5, leaves_per_h=6, away_s=(60, 120))
LOSS = CommsLoss(share=0.25, every_s=(600, 900), for_s=(30, 60))


def plan_of(**more) -> FleetPlan:
    return FleetPlan((Group("a", 1, 100), Group("b", 101, 40, **more)), 1, 140)


def first(plan: FleetPlan, number: int, count: int = 50, seed: int = 7):
    return [list(itertools.islice(each, count)) for each in PresencePlan(plan, seed).of(number)]


def test_a_share_of_the_group_leaves_at_its_rate_for_its_time() -> None:
    plan = plan_of(churn=CHURN, start_after_s=100)
    of = {number: first(plan, number) for number in plan.numbers()}
    assert not any(of[number] for number in range(1, 101))
    leaving = {number: found[1] for number, found in of.items() if len(found) == 2}
    assert len(leaving) == 20
    away = [each for found in leaving.values() for each in found]
    assert all(60 <= each.end_s - each.start_s <= 120 for each in away)
    assert all(found[0].start_s >= 100 for found in leaving.values())
    for found in leaving.values():
        assert all(a.end_s < b.start_s for a, b in itertools.pairwise(found))
    gaps = [b.start_s - a.end_s for found in leaving.values() for a, b in itertools.pairwise(found)]
    assert sum(gaps) / len(gaps) == pytest.approx(600, rel=0.1)


def test_cuts_come_at_their_interval_for_their_time() -> None:
    plan = plan_of(comms_loss=LOSS)
    cut = [found[0] for number in plan.numbers() if (found := first(plan, number))]
    assert len(cut) == 10
    for found in cut:
        assert 0 <= found[0].start_s <= 600
        assert all(30 <= each.end_s - each.start_s <= 60 for each in found)
        assert all(600 <= b.start_s - a.start_s <= 900 for a, b in itertools.pairwise(found))
    assert len({found[0].start_s for found in cut}) == 10


def test_together_means_the_same_moments_for_all() -> None:
    plan = plan_of(comms_loss=replace(LOSS, together=True))
    cut = [found[0] for number in plan.numbers() if (found := first(plan, number))]
    assert len({tuple(each[:3] for each in found) for found in cut}) == 1


def test_a_der_does_the_same_in_each_process_and_another_with_another_seed() -> None:
    plan = plan_of(churn=CHURN, comms_loss=LOSS, start_after_s=5, spread_s=60)
    shard = plan.cut(110, 20)
    assert all(first(shard, number) == first(plan, number) for number in shard.numbers())
    assert [first(plan, n) for n in shard.numbers()] != [first(plan, n, seed=8) for n in shard.numbers()]


class Client:
    """Notes what it is told, with the second."""

    def __init__(self, number: int, told: list) -> None:
        self.number, self.told = number, told

    def note(self, what: str) -> None:
        self.told.append((round(trio.current_time(), 2), self.number, what))

    def leave(self, why: str, for_s: float) -> None:
        self.note(f"{why} {for_s:g}")

    def join(self) -> None:
        self.note("join")

    def can_be_cut(self) -> None:
        self.note("can be cut")

    def cut(self, why: str) -> None:
        self.note(why)

    def restore(self) -> None:
        self.note("restore")


async def carried_out(plan: FleetPlan, seconds: float, *, ramp: float = 1000, rate: float = 1) -> list:
    clock = SimClock(start_s=1_800_000_000.0, tick_s=1_000_000.0, rate=rate)
    clock.start()
    services, told, begun_s = Services(), [], trio.current_time()
    for number in plan.numbers():
        services.offer(PresenceService, Client(number, told), number)
    presences = Presences(plan, 7, services, clock, LogBuffer(stream=io.StringIO()), ramp)
    presences.begin()
    with trio.move_on_after(seconds):
        await presences.run()
    return [(round(at_s - begun_s, 2), number, what) for at_s, number, what in told]


async def test_ders_that_start_later_are_away_until_then(autojump_clock) -> None:
    plan = FleetPlan((Group("a", 1, 1), Group("b", 2, 3, start_after_s=10, spread_s=20)), 1, 4)
    assert await carried_out(plan, 60) == [
        (0, 2, "joins later, for 10 s, by the fleet file, group b 10"),
        (0, 3, "joins later, for 20 s, by the fleet file, group b 20"),
        (0, 4, "joins later, for 30 s, by the fleet file, group b 30"),
        (10, 2, "join"),
        (20, 3, "join"),
        (30, 4, "join"),
    ]


async def test_ders_that_start_together_join_at_the_ramp(autojump_clock) -> None:
    plan = FleetPlan((Group("b", 1, 4, start_after_s=10),), 1, 4)
    told = [each for each in await carried_out(plan, 60, ramp=2) if each[2] == "join"]
    assert told == [(10, 1, "join"), (10.5, 2, "join"), (11, 3, "join"), (11.5, 4, "join")]


async def test_a_cut_is_carried_out_at_the_rate_of_simulated_time(autojump_clock) -> None:
    plan = FleetPlan((Group("b", 1, 1, comms_loss=CommsLoss(1, (600, 600), (60, 60))),), 1, 1)
    told = await carried_out(plan, 120, rate=10)
    assert told[0] == (0, 1, "can be cut")
    cut, restored, again = told[1:4]
    assert cut[2] == "comms loss of 60 s by the fleet file, group b"
    assert restored == (pytest.approx(cut[0] + 6), 1, "restore")
    assert again[0] == pytest.approx(cut[0] + 60)


async def test_a_process_that_takes_part_later_leaves_out_what_is_over_and_goes_on_with_the_rest(
    autojump_clock,
) -> None:
    groups = (Group("a", 1, 1, start_after_s=10), Group("b", 2, 1, start_after_s=100))
    plan = FleetPlan(groups, 1, 2, began_s=1_800_000_000.0 - 60)
    assert await carried_out(plan, 200) == [
        (0, 2, "joins later, for 100 s, by the fleet file, group b 40"),
        (40, 2, "join"),
    ]
    loss = CommsLoss(1, (600, 600), (60, 60))
    whole = FleetPlan((Group("b", 1, 1, comms_loss=loss),), 1, 1)
    late = replace(whole, began_s=1_800_000_000.0 - 1_000)
    of_whole = [at_s for at_s, _, what in await carried_out(whole, 3_000) if what == "restore"]
    of_late = [at_s + 1_000 for at_s, _, what in await carried_out(late, 2_000) if what == "restore"]
    assert of_late == pytest.approx([at_s for at_s in of_whole if at_s > 1_000])
