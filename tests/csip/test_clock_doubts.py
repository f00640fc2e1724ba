"""What an EventStatus says about a clock, and the control that waits for a sample of it."""

import pytest

from dersim.csip.clock_doubts import HELD_S, ClockDoubts
from dersim.ieee2030_5 import resources as r

NOW_S = 1_800_000_000


def control(start_in, duration=60, status=0, mrid="01", **more):
    return r.DERControl(
        mRID=mrid,
        creationTime=0,
        EventStatus=r.EventStatus(currentStatus=status, dateTime=0, potentiallySuperseded=False),
        interval=r.DateTimeInterval(start=NOW_S + start_in, duration=duration),
        DERControlBase=r.DERControlBase(),
        **more,
    )


@pytest.fixture
def asked():
    return []


@pytest.fixture
def doubts(asked):
    return ClockDoubts(asked.append, 100)


@pytest.mark.parametrize(
    ("item", "doubted", "held"),
    [
        (control(100), False, False),
        (control(-10), False, False),
        (control(100, status=1), True, False),
        (control(100, status=1, randomizeStart=-200), False, False),
        (control(-100), True, True),
        (control(-100, status=1), True, True),
        (control(-100, status=1, randomizeDuration=60), False, False),
        (control(-100, status=2), False, False),
        (control(-100, status=4), False, False),
        (control(-61), False, False),
    ],
)
def test_which_controls_cast_doubt_and_which_wait(doubts, asked, item, doubted, held):
    assert doubts.hold_back(item, "/tm", NOW_S, 0.0) is held
    assert asked == (["/tm"] if doubted else [])


def test_a_control_waits_for_the_sample_and_no_longer_than_it_may_take(doubts, asked):
    item = control(-100)
    assert doubts.hold_back(item, "", NOW_S, 0.0)
    assert doubts.hold_back(item, "", NOW_S, HELD_S - 1)
    assert not doubts.hold_back(item, "", NOW_S, HELD_S)
    assert asked == [""]


def test_a_sample_settles_it(doubts, asked):
    item = control(-100)
    assert doubts.hold_back(item, "", NOW_S, 0.0)
    doubts.settle()
    assert not doubts.hold_back(item, "", NOW_S, 1.0)
    assert asked == [""]


def test_what_is_remembered_is_bounded(doubts):
    for number in range(250):
        doubts.hold_back(control(-100, mrid=f"{number:02X}"), "", NOW_S, 0.0)
    assert len(doubts._doubted) <= 100


def test_controls_that_no_list_has_are_forgotten(doubts, asked):
    for number in range(20):
        doubts.hold_back(control(-100, mrid=f"{number:02X}"), "", NOW_S, 0.0)
    doubts.keep({"13", "FF"})
    assert len(doubts) == 1
    asked.clear()
    doubts.hold_back(control(-100, mrid="13"), "", NOW_S, 0.0)
    assert asked == []
