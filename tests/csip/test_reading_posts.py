"""Readings as a list or one by one, by what the server accepts."""

import pytest
import trio

from dersim.csip import mirror
from dersim.http11 import Response
from dersim.ieee2030_5 import resources as r


def href_of(world):
    """The href of the mirror, from the posts to it."""
    return next(path for path in world.server.paths("POST") if path.startswith("/mup/"))


async def test_a_server_without_lists_gets_them_one_by_one(autojump_clock, world):
    await world.ready()
    refused = []

    def take(request):
        if b"MirrorMeterReadingList" in request.body:
            refused.append(request)
            return Response(400)
        return Response(204)

    world.begin()
    world.server.answers["POST", "/mup"] = Response(204, (("location", "/mup/mine"),))
    world.server.answers["POST", "/mup/mine"] = take
    await trio.sleep(125)
    assert len(refused) == 1
    singles = [b for b in world.server.bodies("/mup/mine") if b"MirrorMeterReadingList" not in b]
    assert len(singles) == 3 * 24


async def test_a_refused_list_is_posted_one_by_one_only_after_a_single_post_was_accepted(
    autojump_clock, world
):
    await world.start(for_s=5)
    href = href_of(world)
    world.server.answers["POST", href] = [Response(400)] * 4
    before = len(world.server.bodies(href))
    await trio.sleep(300)
    as_list = [b"MirrorMeterReadingList" in body for body in world.server.bodies(href)[before:]]
    # The list and one single post are refused, twice; then the list is accepted.
    assert as_list[:5] == [True, False, True, False, True]
    assert all(as_list[5:])


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500])
async def test_a_server_that_refuses_lists_alone_keeps_its_mirror(autojump_clock, world, listing_of, status):
    await world.start(for_s=5)
    href = href_of(world)
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", world.tree[href])
    world.server.answers["POST", href] = lambda request: Response(
        status if b"MirrorMeterReadingList" in request.body else 204
    )
    before = len(world.server.bodies(href))
    await trio.sleep(180)
    assert len(world.server.bodies(href)) - before == 1 + 3 * 24
    assert len(world.server.bodies("/mup")) == 1
    assert len(world.server.bodies("/edev/1/der/1/ders", "PUT")) == 1


async def test_a_refused_single_reading_costs_that_reading_alone(autojump_clock, world):
    client = await world.ready()
    volts = mirror.derived_mrid(client.identity().lfdi, "V A").encode()
    world.server.answers["POST", "/mup"] = Response(201, (("location", "/mup/mine"),))
    world.server.answers["POST", "/mup/mine"] = lambda request: Response(
        400 if b"MirrorMeterReadingList" in request.body or volts in request.body else 204
    )
    world.begin()
    await trio.sleep(62)
    assert len(world.server.bodies("/mup/mine")) == 1 + 2 * 24
    assert client.snapshot()["counters"]["meter_posts"] == 2 * 23
    assert world.logged("1 of 24 meter readings refused")


async def test_a_refused_list_is_tried_again_after_an_hour(autojump_clock, world):
    await world.ready(poll=3600)
    world.tree["/mup"].pollRate = 3600
    world.server.post_rate = 300
    world.begin()
    await trio.sleep(5)
    href = href_of(world)
    world.server.answers["POST", href] = [Response(400)]
    await trio.sleep(3_500)
    assert b"MirrorMeterReadingList" not in world.server.bodies(href)[-1]
    await trio.sleep(800)
    assert b"MirrorMeterReadingList" in world.server.bodies(href)[-1]
