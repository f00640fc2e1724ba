"""What the invariants remember does not grow with the events that are over."""

import sys

from tests.invariants.rig import START_S, Rig, published, view

from dersim.ieee2030_5.event_types import Phase
from dersim.invariants.rates import BURST, SHORTEST_S, Rates
from dersim.invariants.remembering import MOST_OVER
from dersim.invariants.response_duty import ResponseDuty
from dersim.invariants.response_order import ResponseOrder

MODE = "opModMaxLimW"


def after(events):
    """The invariants of I2 after so many controls, of which the client still holds the last ten."""
    order, duty = ResponseOrder(), ResponseDuty()
    rig = Rig(order, duty)
    views = []
    for number in range(events):
        mrid = f"{number:032X}"
        listed = published.control(mrid, int(START_S) + number, 20, percent=50, required=3)
        rig.exchange(url="/derc", got=published.controls(listed))
        rig.client.views = [*views, view(mrid, {MODE: 50.0})]
        rig.respond(1, mrid)
        rig.respond(2, mrid)
        rig.tick()
        views = [*views, view(mrid, {MODE: 50.0}, phase=Phase.COMPLETED)][-10:]
        rig.client.views = views
        rig.respond(3, mrid)
        rig.tick()
    assert not rig.watcher.total
    return order, duty, rig


def entries(*invariants):
    return [
        sum(len(events) for events in by_device.values())
        for invariant in invariants
        for by_device in vars(invariant).values()
        if isinstance(by_device, dict) and all(isinstance(each, dict) for each in by_device.values())
    ]


def test_what_was_told_of_events_that_are_over_and_gone_is_forgotten():
    order, duty, _rig = after(150)
    few = entries(order, duty)
    order, duty, rig = after(300)
    assert entries(order, duty) == few
    assert sorted(few)[-2:] == [MOST_OVER + 1, MOST_OVER + 1]
    assert 0 < rig.watcher.size().held_bytes <= rig.watcher.size().limit_bytes


def test_a_response_that_comes_again_is_found_while_its_event_is_listed():
    _order, _duty, rig = after(150)
    rig.respond(3, f"{149:032X}")
    (found,) = rig.tick()
    assert found.seen == "again after [1, 2, 3]"


def test_equal_statuses_are_one_object():
    order, duty, _rig = after(120)
    for told in (order._told[1], duty._told[1]):
        assert len({id(each) for each in told.values()}) == 1
        assert sys.getsizeof(next(iter(told.values()))) < 1_000


def test_an_address_that_is_asked_no_more_is_forgotten():
    rates = Rates()
    rig = Rig(rates)
    rig.tick(70)
    for number in range(40):
        rig.exchange(url=f"/derc/{number}")
        rig.tick(5)
    assert 0 < len(rates._buckets[1]) <= BURST * SHORTEST_S / 5 + 1


def test_exchanges_that_wait_for_a_look_are_counted_where_only_they_are_held():
    rig = Rig()
    rig.conversation.budget_bytes = 5_000
    before = rig.watcher.size().held_bytes
    for number in range(100):
        rig.exchange(url=f"/derc/{number}")
    held = len(rig.conversation.entries())
    assert rig.watcher.size().held_bytes - before == (100 - held) * 1_000
    rig.tick()
    assert rig.watcher.size().held_bytes == before
