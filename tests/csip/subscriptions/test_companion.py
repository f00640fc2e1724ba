"""Our client against the companion server, end to end: each change is told once, restarts are survived."""

import pytest
import trio
from tests.csip.subscriptions.companion import Companion

from dersim.modes import modes_from_json
from dersim.utility.subscriptions.record import CANCELLED, Ending


@pytest.fixture
async def lab(nursery, certificates):
    world = Companion(nursery, certificates)
    await world.begin()
    return world


async def test_everything_is_subscribed_and_nothing_polled_for_five_minutes(autojump_clock, lab):
    assert lab.states() == {"subscribed"}
    assert "/edev/1" in lab.held()
    assert len(lab.held()) == len(set(lab.held())) == len(lab.notifications())
    await trio.sleep(20)
    reads = lab.count("/derp")
    await trio.sleep(300)
    assert lab.count("/derp") == reads
    assert sum(lab.notifications().values()) == lab.client.counts()["notifications"] == 0


async def test_a_control_that_is_added_and_cancelled_is_obeyed_within_seconds(autojump_clock, lab):
    mrid = lab.publish(40, start_in_s=2, duration_s=300)
    await trio.sleep(5)
    assert lab.limit == 40
    [taken] = [path for path, count in lab.notifications().items() if count and path.endswith("/derc")]
    control = lab.head_end.programs.find_control(mrid)
    lab.head_end.cancel(control)
    await trio.sleep(5)
    assert lab.limit != 40
    assert 2 <= lab.notifications()[taken] <= 4  # added, begun, cancelled, out of the list
    await trio.sleep(60)
    assert lab.responses(mrid) == [1, 2, 6]
    assert not lab.logged("differs from what its notification")


async def test_a_removed_control_ends(autojump_clock, lab):
    mrid = lab.publish(40, start_in_s=2, duration_s=300)
    await trio.sleep(5)
    lab.head_end.withdraw(lab.head_end.programs.find_control(mrid))
    await trio.sleep(5)
    assert lab.limit != 40


async def test_a_new_default_is_in_force_within_seconds_and_told_once(autojump_clock, lab):
    lab.order_default(55)
    await trio.sleep(4)
    assert lab.limit == 55
    before = dict(lab.notifications())
    await trio.sleep(100)
    assert lab.notifications() == before


async def test_a_program_that_moves_to_another_group_is_followed(autojump_clock, lab):
    program = lab.head_end.create_program("feeder", 1, [lab.head_end.groups.create("feeder 7", "feeder")])
    lab.head_end.set_default(program, modes_from_json({"opModMaxLimW": 33}))
    await trio.sleep(5)
    assert lab.limit != 33
    lab.head_end.assign_program(program, [lab.head_end.groups.system])
    await trio.sleep(5)
    assert lab.limit == 33
    assert f"{program.href}/dderc" in lab.held()
    lab.head_end.remove_program(program)
    await trio.sleep(10)
    assert lab.limit != 33
    assert not [path for path in lab.held() if path.startswith(program.href + "/")]
    assert lab.states() == {"subscribed"}


async def test_a_device_that_moves_to_a_group_gets_its_programs(autojump_clock, lab):
    group = lab.head_end.groups.create("feeder 7", "feeder")
    program = lab.head_end.create_program("feeder", 1, [group])
    lab.head_end.set_default(program, modes_from_json({"opModMaxLimW": 33}))
    lab.head_end.groups.move(lab.client.identity().lfdi, group)
    await trio.sleep(15)
    assert lab.limit == 33


async def test_after_a_restart_of_a_server_that_forgets_we_subscribe_again(autojump_clock, lab):
    before = lab.held()
    await lab.restart_server()
    await trio.sleep(60)
    assert lab.held() == before
    assert lab.states() == {"subscribed"}
    lab.publish(40, start_in_s=2, duration_s=30)
    await trio.sleep(5)
    assert lab.limit == 40


@pytest.mark.parametrize("clean", [True, False])
async def test_after_a_restart_of_the_client_nothing_is_doubled(autojump_clock, lab, clean):
    before = lab.held()
    await lab.restart_client(clean=clean)
    assert lab.held() == before
    assert {each.wanted.uri.partition("/dersim")[0] for each in lab.head_end.subscriptions} == {
        "https://127.0.0.1:9002"
    }
    lab.order_default(55)
    await trio.sleep(5)
    assert lab.limit == 55


async def test_after_a_crash_a_client_with_its_checkpoint_keeps_its_subscriptions(autojump_clock, lab):
    before = {(each.number, each.wanted.uri) for each in lab.head_end.subscriptions}
    await lab.restart_client(clean=False, checkpoint=lab.client.checkpoint())
    assert {(each.number, each.wanted.uri) for each in lab.head_end.subscriptions} == before
    assert lab.states() == {"subscribed"}
    lab.order_default(55)
    await trio.sleep(5)
    assert lab.limit == 55


async def test_a_subscription_that_the_operator_drops_is_polled(autojump_clock, lab):
    [record] = [each for each in lab.head_end.subscriptions if each.wanted.resource == "/derp/2/derc"]
    lab.head_end.subscriptions.end(record, Ending(CANCELLED))
    await trio.sleep(5)
    states = {each["resource"]: each["state"] for each in lab.client.snapshot()["subscriptions"]}
    assert states["/derp/2/derc"] == "cancelled"
    lab.publish(40, start_in_s=20, duration_s=60)
    await trio.sleep(30)
    assert lab.limit == 40


async def test_one_that_is_lost_without_a_word_is_found_by_the_safety_poll(
    autojump_clock, rarely_is_120_s, lab
):
    [record] = [each for each in lab.head_end.subscriptions if each.wanted.resource == "/derp/2/derc"]
    lab.head_end.subscriptions.remove(record)
    await trio.sleep(130)
    assert "/derp/2/derc" in lab.held()
    assert lab.states() == {"subscribed"}


async def test_while_we_cannot_be_reached_we_still_obey_within_the_safety_poll(
    autojump_clock, rarely_is_120_s, lab
):
    await trio.sleep(15)
    lab.port += 1  # what the server calls is not there any more
    lab.publish(40, start_in_s=2, duration_s=2000)
    await trio.sleep(20)
    assert lab.limit != 40
    await trio.sleep(120)
    assert lab.limit == 40
    assert lab.logged("/derp/2/derc has changed without a notification")
    lab.publish(30, start_in_s=2, duration_s=2000)
    await trio.sleep(12)
    assert lab.limit == 30
    lab.port -= 1
    await trio.sleep(100)
    lab.publish(20, start_in_s=2, duration_s=2000)
    await trio.sleep(15)
    reads = lab.count("/derp")
    await trio.sleep(90)
    assert lab.count("/derp") <= reads + 1
