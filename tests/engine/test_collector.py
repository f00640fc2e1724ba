"""The collector of cycles does not stop a fleet."""

from __future__ import annotations

import gc

import pytest

from dersim.engine.collector import keep_what_is_there, tune_collector


@pytest.fixture(autouse=True)
def as_before():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_a_joining_fleet_causes_no_full_collection():
    tune_collector()
    before = gc.get_stats()[2]["collections"]
    kept = [{"der": [number]} for number in range(300_000)]
    assert len(kept) == 300_000
    assert gc.get_stats()[2]["collections"] == before


def test_what_has_joined_is_not_looked_at_again():
    kept = [[number] for number in range(50_000)]
    keep_what_is_there()
    assert gc.get_freeze_count() >= len(kept)
