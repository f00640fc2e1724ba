"""Groups of the companion server, as a DER meets them: moved, ordered to alone, with a Time of its group."""

from __future__ import annotations

import pytest

from dersim.modes import modes_from_json
from dersim.utility import grouping
from dersim.utility.groups import TimeOf
from dersim.utility.programs import ControlOrder

LIMIT = "opModMaxLimW"
#: The assignments are polled every 10 s.
A_POLL_S = 12


@pytest.fixture
def lfdi(utility, der):
    """Of the DER, once it is connected and its limit is 100 %."""
    utility.set_default({LIMIT: 100})
    der.wait_connected()
    return der.lfdi


def feeder(head_end, name, limit):
    """A feeder whose default is a limit."""
    group = grouping.create(head_end, name, "feeder")
    head_end.set_default(grouping.program_of(head_end, group), modes_from_json({LIMIT: limit}))
    return group


def wait_limit(der, source, value):
    der.wait_for(lambda der: (der.source(LIMIT), der.setpoint(LIMIT)) == (source, value))


def order(limit, start_s, duration_s=600):
    return ControlOrder(modes_from_json({LIMIT: limit}), int(start_s), duration_s)


def test_a_der_that_moves_to_another_feeder_obeys_its_default_within_a_poll(utility, der, lfdi, clock):
    one = utility.with_head_end(lambda head_end: feeder(head_end, "D1", 70))
    two = utility.with_head_end(lambda head_end: feeder(head_end, "D2", 40))
    for group, limit in ((one, 70), (two, 40), (None, 100)):
        utility.with_head_end(lambda head_end, group=group: grouping.move(head_end, lfdi, group))
        changed_s = clock.now_s
        wait_limit(der, "csip-default", limit)
        assert clock.now_s - changed_s <= A_POLL_S


def test_a_control_of_the_old_feeder_ends_with_the_move(utility, der, lfdi):
    def publish(head_end):
        one = feeder(head_end, "D1", 70)
        grouping.move(head_end, lfdi, one)
        return grouping.publish(head_end, one, order(20, head_end.now_s() + 15))

    control = utility.with_head_end(publish)
    wait_limit(der, "csip", 20)
    utility.with_head_end(lambda head_end: grouping.move(head_end, lfdi, feeder(head_end, "D2", 40)))
    wait_limit(der, "csip-default", 40)
    assert utility.responses(control.mrid) in ([1, 2], [1, 2, 6])
    assert not utility.violations


def test_a_control_for_this_der_alone_is_obeyed_and_answered(utility, der, lfdi):
    control = utility.with_head_end(
        lambda head_end: grouping.publish_for_device(head_end, lfdi, order(30, head_end.now_s() + 20, 10))
    )
    wait_limit(der, "csip", 30)
    utility.wait_for_responses(control.mrid, [1, 2, 3], within_s=40)


def test_a_der_in_fifteen_groups_obeys_the_one_of_best_primacy(utility, der, lfdi):
    def assign(head_end):
        for number in range(14):
            group = grouping.create(head_end, f"Z{number}", "non_topology")
            program = head_end.create_program(f"Z{number}", 100 + number if number != 8 else 2, (group,))
            head_end.set_default(program, modes_from_json({LIMIT: 50 + number}))
            grouping.set_members(head_end, group, [lfdi], [])

    def assign_one_more(head_end):
        grouping.set_members(head_end, grouping.create(head_end, "Z15", "non_topology"), [lfdi], [])

    utility.with_head_end(assign)
    wait_limit(der, "csip-default", 58)
    assert not any("more than 15" in line for line in utility.log)
    utility.with_head_end(assign_one_more)
    assert any("more than 15 groups" in line for line in utility.log)


@pytest.mark.parametrize("offset_s", [-20, 20])
def test_a_control_starts_by_the_time_of_its_own_group(utility, der, lfdi, clock, offset_s):
    def move(head_end):
        group = feeder(head_end, "west", 90)
        grouping.set_time(head_end, group, TimeOf(offset_s=offset_s))
        grouping.move(head_end, lfdi, group)
        return group

    group = utility.with_head_end(move)
    wait_limit(der, "csip-default", 90)
    start_s = int(clock.now_s) + 35
    utility.with_head_end(lambda head_end: grouping.publish(head_end, group, order(25, start_s)))
    wait_limit(der, "csip", 25)
    assert abs(clock.now_s - (start_s - offset_s)) <= 2
