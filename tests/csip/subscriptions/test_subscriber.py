"""The client subscribes where it is offered, renews, and polls where it is refused or lost."""

import pytest
import trio
from tests.csip.subscriptions.conftest import ALL, DDERC, DERC, DERP, FSA, LIST

from dersim.csip.subscriptions import subscriber
from dersim.http11 import Response
from dersim.ieee2030_5 import resources as r


async def test_everything_that_is_offered_is_subscribed_to_once(autojump_clock, subscribed):
    client = await subscribed.start("--csip_subscriptions", "yes")
    assert subscribed.resources() == sorted(ALL)
    assert {each.subscribedResource: each.limit for each in subscribed.posted} == {
        "/edev/1": 1, FSA: 255, DERP: 255, DERC: 255, DDERC: 1,
    }  # fmt: skip
    one = subscribed.posted[0]
    assert (one.encoding, one.level) == (0, "+S1")
    assert one.notificationURI.startswith("http://127.0.0.1:9999/dersim/notify/")
    shown = {each["resource"]: each for each in client.snapshot()["subscriptions"]}
    assert shown[DERC]["state"] == "subscribed"
    assert shown[DERC]["kind"] == "DERControlList"
    assert shown[DERC]["href"] == subscribed.href_of(DERC)
    assert shown[DERC]["since"] == shown[DERC]["renewed"] is not None
    assert client.snapshot()["state"] == "connected"


async def test_without_the_flag_nothing_is_subscribed(autojump_clock, subscribed):
    client = await subscribed.world.ready()
    subscribed.plant()
    subscribed.world.begin()
    await trio.sleep(100)
    assert not subscribed.posted
    assert client.snapshot()["subscriptions"] == []


@pytest.mark.parametrize("subscribable", [0, 2])
async def test_what_is_not_offered_unconditionally_is_polled(autojump_clock, subscribed, subscribable):
    await subscribed.start("--csip_subscriptions", "yes", subscribable=subscribable, for_s=100)
    assert not subscribed.posted
    assert len(subscribed.world.server.times(DERC)) >= 9


async def test_subscribable_3_is_as_good_as_1(autojump_clock, subscribed):
    await subscribed.start("--csip_subscriptions", "yes", subscribable=3)
    assert subscribed.resources() == sorted(ALL)


async def test_an_end_device_without_a_subscription_list_is_polled(autojump_clock, subscribed):
    await subscribed.ready("--csip_subscriptions", "yes")
    subscribed.world.tree["/edev/1"].SubscriptionListLink = None
    subscribed.world.begin()
    await trio.sleep(100)
    assert not subscribed.posted
    assert len(subscribed.world.server.times(DERC)) >= 9


async def test_what_is_subscribed_is_polled_every_15_minutes_and_the_rest_as_before(
    autojump_clock, subscribed
):
    server = subscribed.world.server
    await subscribed.start("--csip_subscriptions", "yes", for_s=1850)
    for href in (FSA, DERP, DERC, DDERC, "/edev"):
        # In the walk, once more after it, and then rarely.
        assert len(server.times(href)) == 4, href
    assert len(server.times("/edev/1/der")) > 100
    assert len(server.times(LIST)) == 3
    assert len(subscribed.posted) == len(ALL)


async def test_a_poll_rate_above_15_minutes_stays(autojump_clock, subscribed):
    await subscribed.start("--csip_subscriptions", "yes", poll=1000, for_s=2950)
    assert len(subscribed.world.server.times(DERC)) == 3


async def test_a_list_of_which_a_part_is_not_subscribed_is_polled_as_before(autojump_clock, subscribed):
    subscribed.refusal[DDERC] = 400
    await subscribed.start("--csip_subscriptions", "yes", for_s=100)
    assert len(subscribed.world.server.times(DERC)) >= 9
    assert len(subscribed.world.server.times(FSA)) == 2


async def test_a_refusal_is_told_once_and_not_repeated_before_the_next_walk(autojump_clock, subscribed):
    subscribed.refusal["*"] = 403
    client = await subscribed.start("--csip_subscriptions", "yes", for_s=200)
    assert len(subscribed.posted) == 1
    assert len(subscribed.world.logged("Subscription to", "403", "polling goes on")) == 1
    assert set(subscribed.states().values()) == {"refused"}
    assert len(subscribed.world.server.times(DERC)) >= 18
    assert client.snapshot()["state"] == "connected"
    client.rediscover()
    await trio.sleep(15)
    assert len(subscribed.posted) == 2


async def test_a_refused_resource_leaves_the_others_subscribed(autojump_clock, subscribed):
    subscribed.refusal[FSA] = 400
    await subscribed.start("--csip_subscriptions", "yes", for_s=100)
    assert subscribed.states() == {
        "/edev/1": "subscribed", FSA: "refused", DERP: "subscribed", DERC: "subscribed", DDERC: "subscribed",
    }  # fmt: skip


async def test_a_retry_after_is_waited_for(autojump_clock, subscribed):
    subscribed.refusal["*"] = Response(503, (("retry-after", "60"),))
    await subscribed.start("--csip_subscriptions", "yes", for_s=30)
    assert len(subscribed.posted) == 1
    subscribed.refusal.clear()
    await trio.sleep(70)
    assert subscribed.resources() == sorted(ALL)


async def test_what_cannot_be_subscribed_for_now_is_shown_as_a_trouble(autojump_clock, subscribed):
    subscribed.refusal["*"] = Response(503, (("retry-after", "60"),))
    client = await subscribed.start("--csip_subscriptions", "yes", for_s=5)
    assert [each["what"] for each in client.snapshot()["troubles"]] == ["SubscriptionList"]
    assert client.snapshot()["state"] == "retrying"


async def test_an_answer_without_location_is_enough(autojump_clock, subscribed, rarely_is_120_s):
    subscribed.with_location = False
    await subscribed.start("--csip_subscriptions", "yes")
    assert set(subscribed.states().values()) == {"subscribed"}
    await trio.sleep(130)
    assert subscribed.world.client.snapshot()["subscriptions"][0]["href"] is not None


async def test_subscriptions_are_renewed_within_a_day_and_not_doubled(
    autojump_clock, subscribed, monkeypatch
):
    assert subscriber.RENEW_S == 24 * 3600
    monkeypatch.setattr(subscriber, "RENEW_S", 1000.0)
    await subscribed.start("--csip_subscriptions", "yes", poll=3600, for_s=890)
    assert len(subscribed.posted) == len(ALL)
    await trio.sleep(120)
    assert len(subscribed.posted) == 2 * len(ALL)
    assert subscribed.resources() == sorted(ALL)
    shown = subscribed.world.client.snapshot()["subscriptions"][0]
    assert shown["renewed"] > shown["since"]


async def test_a_subscription_that_the_server_lost_is_made_again(autojump_clock, subscribed, rarely_is_120_s):
    await subscribed.start("--csip_subscriptions", "yes")
    subscribed.subscriptions.clear()
    await trio.sleep(130)
    assert subscribed.resources() == sorted(ALL)
    assert subscribed.world.logged("no longer has our Subscription", DERC)


async def test_what_changed_while_it_subscribed_is_not_missed(autojump_clock, subscribed, make_control):
    """A server notifies what changes after the Subscription, and the list was read before it."""
    world = subscribed.world

    def post(request):
        if len(subscribed.posted) == len(ALL) - 1:
            world.add_control(make_control(1, world.server.now() - 1, 600))
        return subscribed._post(request)

    await subscribed.ready("--csip_subscriptions", "yes")
    world.server.answers["POST", LIST] = post
    world.begin()
    await trio.sleep(15)
    assert world.device.setpoints.value("opModMaxLimW") == 40


async def test_what_changed_while_a_subscription_was_lost_is_read_at_once(
    autojump_clock, subscribed, make_control, rarely_is_120_s
):
    world = subscribed.world
    await subscribed.start("--csip_subscriptions", "yes", for_s=30)
    subscribed.subscriptions.clear()
    world.add_control(make_control(1, world.server.now() + 60, 3000))
    await trio.sleep(95)
    assert subscribed.resources() == sorted(ALL)
    assert world.device.setpoints.value("opModMaxLimW") == 40
    assert world.server.times(DERC)[-1] < world.clock.now_s() - 1


async def test_after_a_loss_of_the_server_all_is_read_and_what_it_lost_is_made_again(
    autojump_clock, subscribed
):
    server = subscribed.world.server
    await subscribed.start("--csip_subscriptions", "yes", for_s=100)
    assert len(server.times(DERC)) == 2
    server.away = True
    server.hang_up()
    del subscribed.subscriptions[subscribed.href_of(FSA)]
    await trio.sleep(60)
    server.away = False
    await trio.sleep(40)
    assert len(server.times(DERC)) >= 3
    assert subscribed.resources() == sorted(ALL)
    assert len(subscribed.posted) == len(ALL) + 1


async def test_stale_subscriptions_of_an_earlier_run_are_deleted_and_those_of_others_stay(
    autojump_clock, subscribed
):
    await subscribed.ready("--csip_subscriptions", "yes")
    for uri in (
        "http://127.0.0.1:7/dersim/notify/old",
        "http://10.0.0.7/dersim/notify/x",
        "http://127.0.0.1/x",
    ):
        subscribed.put(
            r.Subscription(subscribedResource=FSA, encoding=0, level="+S1", limit=1, notificationURI=uri)
        )
    subscribed.world.begin()
    await trio.sleep(3)
    assert subscribed.deleted == [f"{LIST}/1"]
    assert subscribed.resources() == sorted([*ALL, FSA, FSA])


async def test_a_stop_deletes_our_subscriptions(autojump_clock, subscribed):
    await subscribed.ready("--csip_subscriptions", "yes")
    world = subscribed.world
    world.nursery.start_soon(world.server.run)
    with trio.CancelScope() as scope:
        world.nursery.start_soon(world._tick)

        async def stop():
            await trio.sleep(5)
            scope.cancel()

        world.nursery.start_soon(stop)
        await world.client.run()
    assert subscribed.subscriptions == {}
    assert len(subscribed.deleted) == len(ALL)


async def test_a_stop_waits_two_seconds_at_the_most(autojump_clock, subscribed):
    await subscribed.ready("--csip_subscriptions", "yes")
    world = subscribed.world
    world.nursery.start_soon(world.server.run)
    with trio.move_on_after(5):
        await world.client.run()
    begun = trio.current_time()
    assert begun - 5 < 1

    async def silent(_request):
        await trio.sleep_forever()

    for href in list(subscribed.subscriptions):
        world.server.answers["DELETE", href] = silent
    with trio.move_on_after(5):
        await world.client.run()
    assert trio.current_time() - begun < 9


async def test_a_program_that_is_gone_is_unsubscribed_and_a_new_one_subscribed(
    autojump_clock, subscribed, listing_of
):
    await subscribed.start("--csip_subscriptions", "yes")
    tree = subscribed.world.tree
    program = r.DERProgram(
        href="/derp/2",
        mRID="B2" * 16,
        primacy=3,
        DERControlListLink=r.ListLink(href="/derp/2/derc", all=0),
        DefaultDERControlLink=None,
    )
    new = listing_of(r.DERProgramList, DERP, program, pollRate=10)
    new.subscribable = 1
    tree[DERP], tree["/derp/2"] = new, program
    tree["/derp/2/derc"] = listing_of(r.DERControlList, "/derp/2/derc")
    tree["/derp/2/derc"].subscribable = 1
    assert subscribed.notify(DERP, new).status == 201
    await trio.sleep(2)
    assert subscribed.resources() == sorted(["/edev/1", FSA, DERP, "/derp/2/derc"])
