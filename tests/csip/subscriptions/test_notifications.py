"""What the server posts is judged, taken in at once, and compared with what it answers to GET."""

import pytest
import trio
from tests.csip.conftest import mrid
from tests.csip.subscriptions.conftest import ALL, DDERC, DERC, DERP, FSA

from dersim.ieee2030_5 import resources as r

YES = ("--csip_subscriptions", "yes")


def limit(world):
    return world.device.setpoints.value("opModMaxLimW")


async def test_a_control_of_a_notification_begins_at_once_and_its_list_is_read(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    client = await subscribed.start(*YES)
    control = make_control(1, world.server.now() - 1)
    world.add_control(control)
    assert subscribed.notify(DERC, controls_of(control)).status == 201
    await trio.sleep(1)
    assert limit(world) == 40
    assert len(world.server.times(DERC)) == 2
    assert len(world.server.times(DERP)) == 1
    shown = {each["resource"]: each for each in client.snapshot()["subscriptions"]}
    assert shown[DERC]["notifications"] == 1
    assert shown[DERC]["last_notification"] is not None
    assert client.snapshot()["counters"]["notifications"] == 1
    assert not world.logged("differs")


async def test_the_body_takes_effect_although_the_server_cannot_be_read(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    await subscribed.start(*YES)
    world.server.answers["GET", DERC] = b"<nonsense"
    subscribed.notify(DERC, controls_of(make_control(1, world.server.now() - 1)))
    await trio.sleep(1)
    assert limit(world) == 40


async def test_what_get_says_wins_and_the_difference_is_a_warning_if_nothing_newer_comes(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    await subscribed.start(*YES)
    world.add_control(make_control(1, world.server.now() - 1))
    subscribed.notify(DERC, controls_of())
    await trio.sleep(1)
    assert limit(world) == 40
    assert world.logged(f"{DERC} differs") == []
    await trio.sleep(62)
    assert len(world.logged(f"{DERC} differs")) == 1
    await trio.sleep(200)
    assert len(world.logged(f"{DERC} differs")) == 1


async def test_a_difference_that_a_newer_notification_explains_is_no_warning(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    await subscribed.start(*YES)
    control = make_control(1, world.server.now() - 1)
    world.add_control(control)
    subscribed.notify(DERC, controls_of())
    await trio.sleep(31)
    assert world.logged(f"{DERC}: other than in its notification")
    subscribed.notify(DERC, controls_of(control))
    await trio.sleep(200)
    assert world.logged(f"{DERC}: as in its notification")
    assert world.logged("differs from what its notification") == []


async def test_a_cut_body_ends_nothing_and_the_rest_is_read(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    await subscribed.ready(*YES, "--event_removed", "cancel")
    begin = world.server.now() + 5
    world.add_control(make_control(1, begin, 600, limit=4000))
    world.tree[DERC].subscribable = 1
    world.begin()
    await trio.sleep(10)
    world.add_control(make_control(2, begin + 1000))
    whole, world.tree[DERC] = world.tree[DERC], b"<nonsense"
    cut = controls_of(make_control(2, begin + 1000))
    cut.all = 2
    assert subscribed.notify(DERC, cut).status == 201
    await trio.sleep(1)
    assert limit(world) == 40
    world.tree[DERC] = whole
    await trio.sleep(100)
    shown = world.client.snapshot()
    assert [each["mRID"] for each in shown["scheduled_controls"]] == [mrid(2)]
    assert not world.logged("cancelled")


async def test_a_notification_without_a_body_makes_it_read(autojump_clock, subscribed, make_control):
    world = subscribed.world
    await subscribed.start(*YES)
    world.add_control(make_control(1, world.server.now() - 1))
    assert subscribed.notify(DERC).status == 201
    await trio.sleep(1)
    assert limit(world) == 40


async def test_a_removed_control_ends(autojump_clock, subscribed, make_control, controls_of):
    world = subscribed.world
    await subscribed.ready(*YES, "--event_removed", "cancel")
    world.add_control(make_control(1, world.server.now() + 3, 600))
    world.tree[DERC].subscribable = 1
    world.begin()
    await trio.sleep(10)
    assert limit(world) == 40
    world.tree[DERC] = controls_of()
    subscribed.notify(DERC, controls_of())
    await trio.sleep(1)
    assert limit(world) == 90


async def test_a_new_default_is_in_force_at_once(autojump_clock, subscribed):
    world = subscribed.world
    await subscribed.start(*YES)
    assert limit(world) == 90
    world.tree[DDERC] = new = r.DefaultDERControl(
        href=DDERC,
        mRID=mrid(0xD1),
        subscribable=1,
        DERControlBase=r.DERControlBase(opModMaxLimW=7000),
    )
    subscribed.notify(DDERC, new)
    await trio.sleep(1)
    assert limit(world) == 70
    assert not world.logged("differs")


async def test_responses_are_not_doubled_by_notification_and_poll(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    await subscribed.start(*YES)
    control = make_control(1, world.server.now() + 5, 20)
    world.add_control(control)
    for _ in range(3):
        assert subscribed.notify(DERC, controls_of(control)).status == 201
        await trio.sleep(1)
    world.client.rediscover()
    await trio.sleep(60)
    codes = [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")]
    assert codes == [b"1", b"2", b"3"]


async def test_an_fsa_list_is_read_with_its_new_programs(autojump_clock, subscribed, listing_of):
    world = subscribed.world
    await subscribed.start(*YES)
    tree = world.tree
    more = r.FunctionSetAssignments(
        href="/edev/1/fsa/2", mRID=mrid(0xA2), DERProgramListLink=r.ListLink(href="/two", all=1)
    )
    tree["/edev/1/fsa/2"] = more
    program = r.DERProgram(
        href="/derp/2", mRID=mrid(0xB2), primacy=1, DefaultDERControlLink=r.Link(href="/derp/2/dderc")
    )
    tree["/two"], tree["/derp/2"] = listing_of(r.DERProgramList, "/two", program, pollRate=10), program
    tree["/derp/2/dderc"] = r.DefaultDERControl(
        href="/derp/2/dderc", mRID=mrid(0xD2), DERControlBase=r.DERControlBase(opModMaxLimW=3000)
    )
    old = tree[FSA]
    tree[FSA] = listing_of(r.FunctionSetAssignmentsList, FSA, *old.FunctionSetAssignments, more, pollRate=10)
    tree[FSA].subscribable = 1
    subscribed.notify(FSA, tree[FSA])
    await trio.sleep(2)
    assert limit(world) == 30
    assert not world.logged("differs")


async def test_a_changed_primacy_of_a_program_list_is_taken_in(autojump_clock, subscribed, listing_of):
    world = subscribed.world
    client = await subscribed.start(*YES)
    [program] = world.tree[DERP].DERProgram
    program.primacy = 2
    subscribed.notify(DERP, world.tree[DERP])
    await trio.sleep(1)
    assert client.snapshot()["programs"][0]["primacy"] == 2


@pytest.mark.parametrize("status", [1, 4])
async def test_a_cancelled_subscription_is_polled_and_made_again_after_the_next_walk(
    autojump_clock, subscribed, status
):
    world = subscribed.world
    await subscribed.start(*YES)
    href = subscribed.href_of(DERC)
    assert subscribed.notify(DERC, status=status).status == 201
    del subscribed.subscriptions[href]
    assert subscribed.states()[DERC] == "cancelled"
    await trio.sleep(100)
    assert len(world.server.times(DERC)) >= 10
    assert DERC not in subscribed.resources()
    world.client.rediscover()
    await trio.sleep(20)
    assert subscribed.states()[DERC] == "subscribed"


async def test_status_4_with_a_body_is_an_update_and_a_loss(
    autojump_clock, subscribed, make_control, controls_of
):
    world = subscribed.world
    await subscribed.start(*YES)
    control = make_control(1, world.server.now() - 1)
    world.add_control(control)
    assert subscribed.notify(DERC, controls_of(control), status=4).status == 201
    await trio.sleep(1)
    assert limit(world) == 40
    assert subscribed.states()[DERC] == "cancelled"


async def test_a_notification_after_a_cancellation_is_refused(autojump_clock, subscribed):
    await subscribed.start(*YES)
    subscribed.notify(FSA, status=1)
    assert subscribed.notify(FSA).status == 400


async def test_a_moved_resource_is_subscribed_where_it_is(autojump_clock, subscribed):
    world = subscribed.world
    await subscribed.start(*YES, for_s=15)
    world.tree["/new/derc"] = world.tree[DERC]
    assert subscribed.notify(DERC, status=2, newResourceURI="/new/derc").status == 201
    await trio.sleep(3)
    assert "/new/derc" in subscribed.resources()
    assert world.logged("has moved to /new/derc")
    assert subscribed.notify("/new/derc").status == 201


async def test_a_changed_definition_is_read_and_subscribed_again(autojump_clock, subscribed):
    world = subscribed.world
    await subscribed.start(*YES)
    assert subscribed.notify(DERC, status=3).status == 201
    await trio.sleep(1)
    assert len(subscribed.posted) == len(ALL) + 1
    assert subscribed.states()[DERC] == "subscribed"
    assert len(world.server.times(DERC)) >= 2


async def test_the_wrong_type_is_refused_and_the_subscriptions_are_checked_soon(autojump_clock, subscribed):
    world = subscribed.world
    client = await subscribed.start(*YES)
    answer = subscribed.notify(FSA, world.tree["/edev/1"])
    assert answer.status == 400
    assert b"EndDevice where FunctionSetAssignmentsList" in answer.body
    del subscribed.subscriptions[subscribed.href_of(FSA)]
    await trio.sleep(70)
    assert subscribed.states()[FSA] == "subscribed"
    assert client.snapshot()["counters"]["notifications_refused"] == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"subscribedResource": "/edev/2/fsa"}, 400),
        ({"subscriptionURI": "/edev/1/sub/99"}, 400),
        ({"status": 7}, 400),
        ({"subscribedResource": f"http://elsewhere{FSA}"}, 201),
    ],
)
async def test_what_is_not_subscribed_to_is_refused(autojump_clock, subscribed, change, status):
    await subscribed.start(*YES)
    assert subscribed.notify(FSA, **change).status == status


@pytest.mark.parametrize("body", [b"", b"<Notification", b"<Time/>", b"\x80\xa3EXI", b"<a>" * 5_000])
async def test_what_is_no_notification_is_400(autojump_clock, subscribed, body):
    await subscribed.start(*YES)
    uri = subscribed.posted[0].notificationURI
    assert subscribed.post(uri, body).status == 400


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", (("content-type", "application/sep+xml"),), 405),
        ("POST", (("content-type", "application/sep-exi"),), 415),
        ("POST", (), 415),
        ("POST", (("content-type", "application/sep+xml"), ("content-encoding", "gzip")), 415),
    ],
)
async def test_another_method_or_coding_is_refused(autojump_clock, subscribed, method, headers, status):
    await subscribed.start(*YES)
    uri = subscribed.posted[0].notificationURI
    assert subscribed.post(uri, b"", method=method, headers=headers).status == status


async def test_an_unknown_path_is_404(autojump_clock, subscribed):
    await subscribed.start(*YES)
    uri = subscribed.posted[0].notificationURI
    for path in (
        uri + "x",
        uri.rpartition("/")[0] + "/",
        subscribed.url + "/",
        subscribed.url + "/x" + uri[21:],
    ):
        assert subscribed.post(path, b"").status == 404
    assert subscribed.listener.hub.refused == 4


async def test_the_conversation_shows_a_notification(autojump_clock, subscribed, controls_of):
    client = await subscribed.start(*YES)
    subscribed.notify(DERC, controls_of())
    subscribed.notify(FSA, controls_of())
    taken, refused = [each for each in client.conversation.entries() if each.cause == "notification"]
    assert (taken.method, taken.status, taken.outcome) == ("POST", 201, "ok")
    assert taken.url == subscribed.posted[0].notificationURI
    assert b"<Notification" in taken.request_body
    assert (refused.status, refused.outcome) == (400, "refused with 400")


async def test_gets_after_a_notification_have_it_as_their_cause(autojump_clock, subscribed, controls_of):
    client = await subscribed.start(*YES)
    subscribed.notify(DERC, controls_of())
    await trio.sleep(1)
    causes = {each.cause for each in client.conversation.entries()}
    assert {"notification", "notification: DERControl list", "subscription"} <= causes
    await trio.sleep(920)
    causes = {each.cause for each in client.conversation.entries()}
    assert {"safety poll derc, 900 s", "check of subscriptions: Subscription list"} <= causes


async def test_a_der_that_is_away_or_cut_off_answers_503(autojump_clock, subscribed, controls_of):
    client = await subscribed.start(*YES)
    client.presence.leave("a plan", 100)
    await trio.sleep(1)
    assert subscribed.notify(DERC, controls_of()).status == 503
    client.presence.join()
    await trio.sleep(3)
    assert subscribed.notify(DERC, controls_of()).status == 201
    client.presence.cut("a plan")
    assert subscribed.notify(DERC, controls_of()).status == 503
    client.presence.restore()
    assert subscribed.notify(DERC, controls_of()).status == 201
    assert not subscribed.world.logged("polling as before")
