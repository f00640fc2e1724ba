"""Planted defects: the machine finds each within a few seeds, and finds nothing without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.defects import DEFECTS, FIRST, found
from tests.chaos.machine import run

DOCS = Path(__file__).parents[2] / "docs" / "chaos.md"
#: Found in this seed of them, within so many simulated days.
QUICK = {
    "secret_in_log": (1, 0.01),
    "wrong_sign": (1, 0.03),
    "registers_run_fast": (1, 0.06),
    "retry_storm": (4, 0.1),
    "stays_connected": (4, 0.1),
}


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_defect_is_found(name):
    seed, days = QUICK[name]
    assert found(name, FIRST + seed - 1, 1, days) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFECTS)
def test_each_planted_defect_is_found(name):
    assert found(name) is not None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FIRST, FIRST + 8))
def test_the_same_seeds_find_nothing_without_them(seed):
    outcome = run(seed, 0.5)
    assert not outcome.findings, "\n".join(map(str, outcome.findings))


def test_all_defects_are_in_the_table_of_the_docs():
    table = DOCS.read_text(encoding="utf-8").partition("## Planted defects")[2]
    assert len(DEFECTS) >= 15
    assert [each.words for each in DEFECTS.values() if f"| {each.words} |" not in table] == []
