"""Subscriptions that outlive the server: with `--state`, a restart and SIGKILL."""

import pytest
from tests.utility.state.conftest import Runs
from tests.utility.subscriptions.subscribing import Subscribers

from dersim.utility.subscriptions.record import MOVED, Ending


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "state.db")


async def saved(lab):
    lab.server._notify()
    lab.server._collect(everything=True)
    assert await lab.server.state.saved(writing=True)


async def subscribed(lab, path="/derp/2/derc", **fields):
    client = lab.client()
    client.get("/dcap")
    href = Subscribers(lab).subscribe(client, path, **fields)
    await saved(lab)
    return href


@pytest.mark.parametrize("kill", [False, True])
async def test_a_subscription_goes_on_and_nothing_is_told_that_has_not_changed(runs, kill):
    async with runs.run(kill=kill) as lab:
        href = await subscribed(lab, limit=7)
        subscribers = Subscribers(lab)
        subscribers.publish(start_s=int(lab.now) + 9_000)
        assert len(subscribers.told()) == 1
        await saved(lab)
        runs.shown = lab.admin("GET", "/subscriptions")[1]
        runs.now = lab.now
    async with runs.run() as lab:
        lab.now += 60
        assert lab.admin("GET", "/subscriptions")[1][0]["href"] == href
        assert Subscribers(lab).told() == []
        assert [
            {**each, "last_answer": "201"} for each in lab.admin("GET", "/subscriptions")[1]
        ] == runs.shown
        lab.now += 1
        Subscribers(lab).publish(start_s=int(lab.now) + 9_500)
        [told] = Subscribers(lab).told()
        assert (told.Resource.all, told.subscriptionURI) == (2, href)


async def test_a_change_that_was_not_told_before_the_end_is_told_after_it(runs):
    async with runs.run(kill=True) as lab:
        await subscribed(lab)
        Subscribers(lab).publish(start_s=int(lab.now) + 9_000)
        await saved(lab)
    async with runs.run() as lab:
        assert [told.Resource.all for told in Subscribers(lab).told()] == [1]


async def test_what_was_deleted_stays_so_and_no_number_comes_again(runs):
    async with runs.run() as lab:
        href = await subscribed(lab)
        lab.client().ask("DELETE", href)
    async with runs.run() as lab:
        assert len(lab.head_end.subscriptions) == 0
        assert await subscribed(lab) == "/edev/1/sub/2"


async def test_they_are_listed_in_their_order_whichever_was_told_last(runs):
    async with runs.run() as lab:
        hrefs = [await subscribed(lab), await subscribed(lab, "/edev/1")]
        Subscribers(lab).publish(start_s=int(lab.now) + 9_000)
        assert len(Subscribers(lab).told()) == 1
    async with runs.run() as lab:
        assert [each.href for each in lab.client().get("/edev/1/sub?l=9").Subscription] == hrefs


async def test_one_that_is_ending_is_told_so_after_a_restart(runs):
    async with runs.run(kill=True) as lab:
        await subscribed(lab)
        [record] = lab.head_end.subscriptions
        lab.head_end.subscriptions.end(record, Ending(MOVED, "/derp/1/derc"))
        await saved(lab)
    async with runs.run() as lab:
        [told] = Subscribers(lab).told()
        assert (told.status, told.newResourceURI) == (MOVED, "/derp/1/derc")
        assert len(lab.head_end.subscriptions) == 0


async def test_a_renewal_is_kept(runs):
    async with runs.run() as lab:
        await subscribed(lab)
        lab.now += 24 * 3600
        await subscribed(lab)
    async with runs.run() as lab:
        lab.now += 24 * 3600
        assert Subscribers(lab).told() == []
        assert len(lab.head_end.subscriptions) == 1


def test_without_a_state_file_nothing_is_held_for_it(lab, client):
    client.get("/dcap")
    href = Subscribers(lab).subscribe(client, "/derp/2/derc")
    client.ask("DELETE", href)
    book = lab.head_end.subscriptions
    assert (book.changed, book.removed) == (set(), set())
