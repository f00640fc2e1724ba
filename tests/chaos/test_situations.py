"""What is drawn beside chance: each situation with all that makes it, and all else as without it."""

from __future__ import annotations

import pytest
from tests.chaos import situations
from tests.chaos.drawing import draw

SEEDS = range(situations.FIRST_SEED, situations.FIRST_SEED + 12)


def test_seeds_before_the_first_draw_none():
    assert not list(situations.situations(situations.FIRST_SEED - 1, 300, 1e6))


def test_all_else_is_drawn_as_without_them(monkeypatch):
    drawn = draw(SEEDS[0], 1)
    monkeypatch.setattr(situations, "FIRST_SEED", 10**9)
    without = draw(SEEDS[0], 1)
    assert set(map(str, without.acts)) < set(map(str, drawn.acts))
    assert drawn._replace(acts=()) == without._replace(acts=())


def test_fewer_days_begin_the_same():
    long, short = (list(situations.situations(SEEDS[0], 600, days * 86_400)) for days in (3, 1))
    assert long[: len(short)] == short != long


@pytest.mark.parametrize("seed", SEEDS)
def test_each_is_whole(seed):
    """Two programs have controls that nobody has begun when all have read both; a limit acts in the dip."""
    poll_s = 400
    parts = list(situations.situations(seed, poll_s, 2 * 86_400))
    orders = [(at_s, data) for at_s, kind, data in parts if kind == "publish"]
    dips = [at_s for at_s, kind, data in parts if kind == "grid" and data["frequency_hz"] == 59.9]
    waiting = [(at_s, data) for at_s, data in orders if data["start_in_s"]]
    for (_, first), (_, second) in zip(waiting[::2], waiting[1::2], strict=True):
        assert first["program"] != second["program"]
        assert min(first["start_in_s"] - 5, second["start_in_s"]) > 2 * poll_s
        assert second["start_in_s"] < first["start_in_s"] + first["duration_s"]
    acting = [(at_s + poll_s, at_s + data["duration_s"]) for at_s, data in orders if not data["start_in_s"]]
    assert len(acting) == len(dips)
    assert all(begin_s < at_s < end_s for (begin_s, end_s), at_s in zip(acting, dips, strict=True))
    assert len({data["number"] for _, data in orders}) == len(orders) > 2
