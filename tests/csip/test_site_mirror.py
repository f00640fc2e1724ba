"""The site's mirror beside that of the DER: its roles, types, signs, and when it is posted."""

import itertools

import pytest
import trio

from dersim.csip import mirror
from dersim.csip.site_mirror import OF_SITE, site_quantities
from dersim.fleet import Fleet
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.http11 import Response
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.plugin.builtin import make_device


@pytest.fixture
def site_world(world):
    """The world with a DER that has a load of 3 kW and 2.25 kvar behind its meter."""
    site = SiteLoad(3, 0.8)
    conditions = Conditions()._replace(**site.completed({"load_w": 3000.0}))
    start_s = world.clock.now_s()
    inputs = Inputs(conditions, site=site, start_s=start_s)
    world.device = make_device(1, clock=world.clock, inputs=inputs)
    world.device.step(start_s)
    world.fleet = Fleet([world.device])
    return world


def mirrors(world):
    """What was posted to create mirrors, by roleFlags, each with its href."""
    points = [decode(body).resource for body in world.server.bodies("/mup")]
    return {point.roleFlags: (point, f"/mup/{point.mRID[:4]}") for point in points}


def values(world, href, lfdi):
    names = {mirror.derived_mrid(lfdi, q.key): q.key for q in site_quantities(3)}
    newest = decode(world.server.bodies(href)[-1]).resource
    return {names[each.mRID]: each.Reading.value for each in newest.MirrorMeterReading}


async def test_two_mirrors_are_made_and_posted_at_the_same_rate(autojump_clock, site_world):
    site_world.server.post_rate = 20
    client = await site_world.start(for_s=125)
    assert set(mirrors(site_world)) == {0x0049, 0x0003}
    assert len(site_world.server.bodies("/mup")) == 2
    for _, href in mirrors(site_world).values():
        gaps = [b - a for a, b in itertools.pairwise(site_world.server.times(href, "POST"))]
        assert gaps == pytest.approx([20] * 6, abs=1)
    assert client.snapshot()["troubles"] == []


async def test_the_sites_readings_have_the_signs_of_a_premises(autojump_clock, site_world):
    client = await site_world.start(for_s=62)
    point, href = mirrors(site_world)[0x0003]
    assert point.description == "PV-3Phase 1 site"
    assert point.deviceLFDI == client.identity().lfdi
    found = values(site_world, href, client.identity().lfdi)
    site = site_world.device.state.site
    assert found["site W"] == round(-site.p_w) < 0
    assert found["site VAr"] == round(-site.q_var) == 2250
    assert found["site W B"] == round(-site.phase_p_w[1])
    assert found["site Wh received"] == pytest.approx(site.energy.exported_wh, abs=5)
    assert found["site Wh delivered"] == 0
    site_world.device.inputs.set(load_w=50_000)
    await trio.sleep(60)
    found = values(site_world, href, client.identity().lfdi)
    assert found["site W"] > 0
    assert found["site Wh delivered"] > 0


def test_types_are_those_of_a_premises_and_mrids_its_own():
    types = {q.key: q.reading_type() for q in site_quantities(3)}
    assert (types["site W"].uom, types["site W"].kind, types["site W"].flowDirection) == (38, 37, 1)
    assert (types["site Wh delivered"].flowDirection, types["site Wh received"].flowDirection) == (1, 19)
    assert (types["site V C"].uom, types["site V C"].phase) == (29, 33)
    keys = {*types, OF_SITE.key}
    others = {q.key for q in mirror.quantities(3)} | {mirror.OF_DER.key}
    made = {mirror.derived_mrid("AB" * 20, key) for key in keys}
    assert len(made) == len(keys)
    assert made.isdisjoint(mirror.derived_mrid("AB" * 20, key) for key in others)
    assert len(site_quantities(1)) == 12


async def test_each_mirror_follows_its_own_post_rate(autojump_clock, site_world, listing_of):
    await site_world.ready()
    site_world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", pollRate=20)
    site_world.begin()
    await trio.sleep(5)
    hrefs = [href for _, href in (mirrors(site_world)[role] for role in (0x0049, 0x0003))]
    points = [site_world.tree[href] for href in hrefs]
    for point, rate in zip(points, (30, 10), strict=True):
        point.postRate = rate
    site_world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", *points, pollRate=20)
    await trio.sleep(120)
    for href, rate in zip(hrefs, (30, 10), strict=True):
        gaps = [b - a for a, b in itertools.pairwise(site_world.server.times(href, "POST"))]
        assert gaps[-2:] == pytest.approx([rate, rate], abs=1)
    assert len(site_world.server.times("/mup")) < 10


async def test_a_lost_site_mirror_alone_is_created_again(autojump_clock, site_world):
    await site_world.start(for_s=70)
    _, href = mirrors(site_world)[0x0003]
    del site_world.tree[href]
    site_world.server.answers["POST", href] = [Response(404)]
    await trio.sleep(60)
    created = [decode(body).resource.roleFlags for body in site_world.server.bodies("/mup")]
    assert created == [0x0049, 0x0003, 0x0003]


async def test_a_site_mirror_that_leaves_the_list_is_created_again_at_once(
    autojump_clock, site_world, listing_of
):
    await site_world.ready()
    site_world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", pollRate=20)
    site_world.begin()
    await trio.sleep(5)
    points = [site_world.tree[href] for _, href in mirrors(site_world).values()]
    site_world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", *points, pollRate=20)
    await trio.sleep(20)
    of_der = [each for each in points if each.roleFlags == 0x0049]
    site_world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", *of_der, pollRate=20)
    await trio.sleep(20)
    created = [decode(body).resource.roleFlags for body in site_world.server.bodies("/mup")]
    assert created == [0x0049, 0x0003, 0x0003]


async def test_a_site_mirror_that_is_refused_holds_up_no_reading_of_the_der(autojump_clock, site_world):
    def create(request):
        point = decode(request.body).resource
        return Response(400) if point.roleFlags == 3 else site_world.server._mirror(point)

    site_world.server.answers["POST", "/mup"] = create
    client = await site_world.start(for_s=605)
    _, href = mirrors(site_world)[0x0049]
    gaps = [b - a for a, b in itertools.pairwise(site_world.server.times(href, "POST"))]
    assert gaps == pytest.approx([60] * 10, abs=1)
    assert len(site_world.server.bodies("/mup")) - 1 <= 7
    [trouble] = client.snapshot()["troubles"]
    assert trouble["what"] == "meter readings"


async def test_readings_of_both_come_at_once_after_a_failure_of_the_whole_server(autojump_clock, site_world):
    await site_world.start(for_s=62)
    hrefs = [href for _, href in mirrors(site_world).values()]
    site_world.server.failing = 500
    await trio.sleep(300)
    site_world.server.failing = None
    back_s = site_world.clock.now_s()
    await trio.sleep(30)
    good = [each for each in site_world.server.seen if each.at_s >= back_s]
    for href in hrefs:
        posted_s = next(s for s in site_world.server.times(href, "POST") if s >= back_s)
        assert posted_s - good[0].at_s <= 1.0


async def test_a_der_without_a_load_has_one_mirror(autojump_clock, world):
    await world.start(for_s=5)
    assert set(mirrors(world)) == {0x0049}
