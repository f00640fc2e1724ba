"""I2: Responses that come twice or in the wrong order are found."""

import pytest
from tests.invariants.rig import Rig

from dersim.invariants.response_order import ResponseOrder


def found(*statuses, answers=()):
    rig = Rig(ResponseOrder())
    for index, status in enumerate(statuses):
        rig.respond(status, answer=answers[index] if answers else 201)
    return [each.seen for each in rig.tick()]


def test_the_whole_life_of_an_event_is_right():
    assert found(1, 2, 3) == []
    assert found(1, 4, 5, 4, 2, 6) == []


def test_a_failed_post_is_repeated():
    assert found(1, 1, 2, answers=(503, 201, 201)) == []


@pytest.mark.parametrize(
    ("statuses", "seen"),
    [
        ((1, 1), "again after [1]"),
        ((1, 2, 3, 2), "again after [1, 2, 3]"),
        ((1, 3, 2), "Response 2"),
        ((2, 1), "1 after 2"),
    ],
)
def test_a_wrong_sequence_is_found(statuses, seen):
    assert found(*statuses) == [seen]


def test_ders_are_told_apart():
    rig = Rig(ResponseOrder(), count=2)
    rig.respond(1, device=1)
    rig.respond(1, device=2)
    assert rig.tick() == []
