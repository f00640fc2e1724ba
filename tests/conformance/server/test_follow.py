"""Which EventStatus of a control is right at which time."""

import pytest

from dersim.conformance.server.der import asked
from dersim.conformance.server.follow import NOT_RUN, RUN, Followed
from dersim.ieee2030_5 import resources as r


def followed(duties=RUN, **members):
    control = r.DERControl(
        mRID="A0" * 16,
        creationTime=0,
        EventStatus=r.EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=r.DateTimeInterval(start=100, duration=60),
        DERControlBase=r.DERControlBase(),
        **members,
    )
    return Followed("event", control, "/derp/1/derc", duties)


@pytest.mark.parametrize(
    ("time_s", "right"), [(50, {0}), (99, {0, 1}), (130, {1}), (159, {1, 4, 5, None}), (170, {1, 4, 5, None})]
)
def test_the_status_follows_start_and_end(time_s, right):
    assert followed().may_be(time_s) == right


def test_a_negative_randomize_start_begins_earlier():
    early = followed(randomizeStart=-30)
    assert early.may_be(80) == {1}
    assert early.may_be(60) == {0}


def test_a_cancelled_control_is_cancelled_or_gone():
    event = followed()
    event.cancelled_s = 130
    assert event.may_be(120) == {1}
    assert event.may_be(140) == {2, 3, None}
    assert event.moment_s("end") is None
    assert event.moment_s("start") == 100


def test_only_a_control_that_loses_may_be_superseded():
    assert 4 in followed(NOT_RUN).may_be(110)
    assert 4 not in followed().may_be(110)


def test_a_query_is_added_to_an_href_that_has_one():
    assert asked("/derp/1/derc", "l=255") == "/derp/1/derc?l=255"
    assert asked("/derc?program=1", "l=255") == "/derc?program=1&l=255"
    assert asked("/derc", "") == "/derc"
