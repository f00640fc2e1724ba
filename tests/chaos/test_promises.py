"""What is looked for beside the invariants: what is right is not found, and what is wrong is."""

from __future__ import annotations

from tests.chaos.drawing import Act, draw
from tests.chaos.promises import ENDLESS, MOST_A_MINUTE, most_a_minute
from tests.chaos.responses import FRESH_S, Waits


def test_a_response_at_two_looks_in_one_instant_does_not_wait_too_long():
    waits = Waits()
    assert not waits.too_long(1, "started", 1000.0)
    assert not waits.too_long(1, "started", 1000.0)
    assert not waits.too_long(1, None, 1240.0)
    assert not waits.too_long(1, "completed", 1480.0)
    assert not waits.too_long(1, "another", 1720.0)


def test_a_response_that_stays_the_oldest_waits_too_long():
    waits = Waits()
    assert not waits.too_long(1, "started", 1000.0)
    assert not waits.too_long(2, "started", 1000.0 + FRESH_S)
    assert waits.too_long(1, "started", 1000.0 + FRESH_S)


def test_only_lists_without_an_end_allow_more_requests():
    def most(lie: str, now_s: float) -> int:
        act = Act(1000.0, "plant", {"kind": "list", "duration_s": 300, "lie": lie})
        return most_a_minute(draw(1, 0.1)._replace(acts=(act,)), now_s)

    assert most("endless", 990.0) == most("endless", 1500.0) == most("repeats", 1100.0) == MOST_A_MINUTE
    assert most("endless", 1000.0) == most("endless", 1340.0) == ENDLESS * MOST_A_MINUTE
