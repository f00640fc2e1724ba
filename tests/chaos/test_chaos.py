"""A bounded sample of the scenario machine; `tox -e chaos` runs many seeds for days."""

from __future__ import annotations

import pytest
from tests.chaos.__main__ import main
from tests.chaos.drawing import DAY_S, draw
from tests.chaos.machine import run

HOUR = 1 / 24


def test_what_a_seed_draws_is_the_same_whatever_the_days():
    long, short = draw(5, 3), draw(5, 1)
    assert draw(5, 3) == long
    assert long.acts[:5] == short.acts[:5]
    assert [each for each in long.acts if each.kind == "publish" and each.at_s < DAY_S] == [
        each for each in short.acts if each.kind == "publish" and each.at_s < DAY_S
    ]
    assert str(long).splitlines()[0].startswith("seed 5, 3 days: ")


def test_all_kinds_of_faults_are_drawn():
    acts = [act for seed in range(40) for act in draw(seed, 2).acts]
    kinds = {
        *("default", "publish", "cancel", "primacy", "grid"),
        *("plant", "network", "server", "clock", "restart", "remove", "clear"),
    }
    assert {act.kind for act in acts} == kinds


@pytest.mark.parametrize("seed", [3, pytest.param(17, marks=pytest.mark.slow)])
def test_a_few_hours_keep_all_invariants(seed):
    outcome = run(seed, 3 * HOUR)
    assert not outcome.findings, "\n".join(map(str, (outcome.repeat, *outcome.findings)))
    assert outcome.requests > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1010))
def test_a_day_keeps_all_invariants(seed):
    outcome = run(seed, 1.0)
    assert not outcome.findings, "\n".join(map(str, (outcome.repeat, *outcome.findings)))


@pytest.mark.parametrize("seed", [14])
def test_the_same_seed_sends_the_same_bytes(seed):
    assert run(seed, 2 * HOUR).digest == run(seed, 2 * HOUR).digest


def test_the_drawn_schedule_can_be_read(capsys):
    assert main(["--drawn", "--first", "3", "--seeds", "1", "--days", "0.5"]) == 0
    head, *acts = capsys.readouterr().out.splitlines()
    assert head.startswith("seed 3, 0.5 days: ")
    assert acts[0].startswith("0d 00:00:00  ")
