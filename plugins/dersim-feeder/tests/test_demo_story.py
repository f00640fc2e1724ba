"""The story of the demo, in virtual time: over-voltage, Volt-Var, Volt-Watt, an export limit for a street."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from dersim_feeder import DATA
from dersim_feeder.study.closed_loop import closed_loop

from dersim.testing import run_virtual

START_S = datetime(2026, 6, 21, 10, 30, tzinfo=UTC).timestamp()


class Instant(NamedTuple):
    """The highest voltage of the feeder, and the loading of the transformer of Fir Street."""

    v_max_pu: float
    fir_pct: float


class Story(NamedTuple):
    """What was seen at each time of day; every solution; the Responses to each control."""

    at: list[Instant]
    solutions: list[tuple[float, ...]]
    statuses: list[list[int]]


def tell(ders: int, scenario: str, looks_s: Sequence[float], tick_s: float = 1.0) -> Story:
    """Run the demo's scenario until the last of looks_s (s from 10:30)."""

    async def main() -> Story:
        solutions: list[tuple[float, ...]] = []
        running = closed_loop(DATA / scenario, ders=ders, start_s=START_S, tick_s=tick_s)
        async with running as (world, feeder, _):
            feeder.observers.append(
                lambda now: solutions.append((now.time_s, now.head_w, now.head_var, *now.voltage_pu))
            )
            fir = [each.name for each in feeder.topology.transformers].index("fir")
            at = []
            for look_s in looks_s:
                await world.sleep(START_S + look_s - world.now_s())
                last = feeder.last
                assert last is not None
                at.append(Instant(float(last.voltage_pu.max()), float(last.loading_pct[fir])))
            answers = world.utility.operate("GET", "responses")
        subjects = sorted({each["subject"] for each in answers})
        return Story(
            at,
            solutions,
            [[each["status"] for each in answers if each["subject"] == one] for one in subjects],
        )

    return run_virtual(main, seed=7)


def test_volt_var_of_the_demo_lowers_the_voltage() -> None:
    story = tell(12, "story.yaml", [1750, 2300], tick_s=10)
    before, volt_var = story.at
    assert 1.03 < volt_var.v_max_pu < before.v_max_pu
    assert [(each.count(1), each.count(2)) for each in story.statuses] == [(12, 12)]


@pytest.mark.slow
def test_each_act_of_the_story_does_what_it_tells() -> None:
    before, volt_var, volt_watt, limit = tell(30, "story-street.yaml", [1750, 4150, 6550, 7800]).at
    assert 1.055 < before.v_max_pu < 1.065
    assert volt_var.v_max_pu < before.v_max_pu - 0.003
    assert volt_watt.v_max_pu < 1.05
    assert volt_watt.fir_pct > 110
    assert limit.fir_pct < 100


@pytest.mark.slow
def test_every_der_answers_the_controls_of_the_story() -> None:
    statuses = tell(30, "story-street.yaml", [7800], tick_s=10).statuses
    for status in (1, 2):
        assert sorted(each.count(status) for each in statuses) == [10, 30, 30]


def test_the_same_seed_tells_the_same_story() -> None:
    first, again = (tell(4, "story.yaml", [2300], tick_s=10).solutions for _ in range(2))
    assert first == again
