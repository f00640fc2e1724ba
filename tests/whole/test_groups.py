"""Groups of the companion server, as a DER meets them: moved, ordered to alone, with a Time of its group."""

from __future__ import annotations

import pytest

from dersim.modes import modes_from_json
from dersim.utility import grouping
from dersim.utility.groups import TimeOf
from dersim.utility.programs import ControlOrder

LIMIT_100 = {"opModMaxLimW": 100}
#: The assignments are polled every 10 s.
A_POLL_S = 12


def feeder(house, name, limit):
    """A feeder whose default is a limit."""
    head_end = house.utility.head_end
    group = grouping.create(head_end, name, "feeder")
    head_end.set_default(grouping.program_of(head_end, group), modes_from_json({"opModMaxLimW": limit}))
    return group


def lfdi(house):
    return next(iter(house.utility.head_end.end_devices)).lfdi


async def limit_in_force(house):
    line = await house.in_force("opModMaxLimW")
    return line["value"] if line else None


async def test_a_der_that_moves_to_another_feeder_obeys_its_default_within_a_poll(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    one, two = feeder(house, "D1", 70), feeder(house, "D2", 40)
    for group, limit in ((one, 70), (two, 40), (None, 100)):
        grouping.move(house.utility.head_end, lfdi(house), group)
        changed_s = house.clock.now_s()
        await house.await_mode("opModMaxLimW", "csip-default", limit)
        assert house.clock.now_s() - changed_s <= A_POLL_S


async def test_a_control_of_the_old_feeder_ends_with_the_move(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    head_end = house.utility.head_end
    one, two = feeder(house, "D1", 70), feeder(house, "D2", 40)
    grouping.move(head_end, lfdi(house), one)
    order = ControlOrder(modes_from_json({"opModMaxLimW": 20}), int(house.clock.now_s()) + 15, 600)
    control = grouping.publish(head_end, one, order)
    await house.await_mode("opModMaxLimW", "csip", 20)
    grouping.move(head_end, lfdi(house), two)
    await house.await_mode("opModMaxLimW", "csip-default", 40)
    assert house.responses(control.mrid) in ([1, 2], [1, 2, 6])
    assert not house.operate("GET", "violations")


async def test_a_control_for_this_der_alone_is_obeyed_and_answered(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    order = ControlOrder(modes_from_json({"opModMaxLimW": 30}), int(house.clock.now_s()) + 20, 10)
    control = grouping.publish_for_device(house.utility.head_end, lfdi(house), order)
    await house.await_mode("opModMaxLimW", "csip", 30)
    await house.until(lambda: house.responses(control.mrid) == [1, 2, 3], 40)


async def test_a_der_in_fifteen_groups_obeys_the_one_of_best_primacy(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    head_end = house.utility.head_end
    for number in range(14):
        group = grouping.create(head_end, f"Z{number}", "non_topology")
        program = head_end.create_program(f"Z{number}", 100 + number if number != 8 else 2, (group,))
        head_end.set_default(program, modes_from_json({"opModMaxLimW": 50 + number}))
        grouping.set_members(head_end, group, [lfdi(house)], [])
    await house.await_mode("opModMaxLimW", "csip-default", 58)
    assert not any("more than 15" in entry.message for entry in house.log.entries())
    grouping.set_members(head_end, grouping.create(head_end, "Z15", "non_topology"), [lfdi(house)], [])
    assert any("more than 15 groups" in entry.message for entry in house.log.entries())


@pytest.mark.parametrize("offset_s", [-20, 20])
async def test_a_control_starts_by_the_time_of_its_own_group(autojump_clock, open_house, offset_s):
    house = await open_house("PV", LIMIT_100)
    head_end = house.utility.head_end
    group = feeder(house, "west", 90)
    grouping.set_time(head_end, group, TimeOf(offset_s=offset_s))
    grouping.move(head_end, lfdi(house), group)
    await house.await_mode("opModMaxLimW", "csip-default", 90)
    start_s = int(house.clock.now_s()) + 35
    grouping.publish(head_end, group, ControlOrder(modes_from_json({"opModMaxLimW": 25}), start_s, 600))
    await house.await_mode("opModMaxLimW", "csip", 25)
    assert abs(house.clock.now_s() - (start_s - offset_s)) <= 2
