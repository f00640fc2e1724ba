"""The mirror: its definitions, signs and interval, and its recovery when the server has lost it."""

import itertools

import pytest
import trio

from dersim.csip import mirror
from dersim.http11 import Response
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def posts(world, path="/mup"):
    """The mirror's own address, and what was posted to it."""
    href = next(p for p in world.server.paths("POST") if p.startswith("/mup/"))
    return href, [decode(body).resource for body in world.server.bodies(href)]


def by_key(lfdi, readings):
    names = {mirror.derived_mrid(lfdi, q.key): q for q in mirror.quantities(3)}
    return {names[each.mRID].key: each.Reading for each in readings.MirrorMeterReading}


async def test_definitions_first_then_values_every_minute(autojump_clock, world):
    client = await world.start(for_s=250)
    [point] = [decode(body).resource for body in world.server.bodies("/mup")]
    assert point.roleFlags == 0x0049
    assert point.deviceLFDI == client.identity().lfdi
    assert all(each.ReadingType is not None and each.Reading is None for each in point.MirrorMeterReading)
    href, lists = posts(world)
    assert len(lists) == 5
    gaps = [b - a for a, b in itertools.pairwise(world.server.times(href, "POST"))]
    assert gaps == pytest.approx([60] * 4, abs=1)
    defined = {each.mRID for each in point.MirrorMeterReading}
    assert {each.mRID for each in lists[0].MirrorMeterReading} == defined
    assert len(defined) == 6 + 3 * 6
    assert client.snapshot()["counters"]["meter_posts"] == 5


async def test_values_and_signs(autojump_clock, world):
    client = await world.start(for_s=62)
    _, lists = posts(world)
    values = by_key(client.identity().lfdi, lists[-1])
    state = world.device.state
    assert values["W"].value == round(state.p_w) > 0
    assert values["W A"].value == round(state.phase_p_w[0])
    assert values["V A"].value == round(state.voltage_ln_v[0] * 10)
    assert values["Hz"].value == 60_000
    assert values["Wh exported"].value > 0
    assert values["Wh imported"].value == 0
    assert values["W"].timePeriod.duration == 0
    assert abs(values["W"].timePeriod.start - (world.clock.now_s() + 7.3)) < 5


def test_a_charging_battery_posts_imported_wh_per_phase():
    device = make_device(1, device_type="Batt-3Phase")
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModFixedW", -30.0))
    for second in range(0, 3_601, 60):
        device.step(float(second))
    lfdi, items = "AB" * 20, mirror.quantities(3)
    posted = r.MirrorMeterReadingList(
        all=len(items),
        results=len(items),
        MirrorMeterReading=mirror.readings(lfdi, items, device.state, 1000),
    )
    values = {key: reading.value for key, reading in by_key(lfdi, posted).items()}
    start_wh = device.nameplate.initial_imported_wh
    taken_wh = [values[f"Wh imported {phase}"] - start_wh[i] for i, phase in enumerate("ABC")]
    assert taken_wh == pytest.approx([1000] * 3, rel=0.05)
    assert values["Wh imported"] - sum(start_wh) == pytest.approx(3000, rel=0.05)
    apart = device.state._replace(imported_wh=(10.0, 20.0, 30.0))
    posted.MirrorMeterReading = mirror.readings(lfdi, items, apart, 1000)
    values = {key: reading.value for key, reading in by_key(lfdi, posted).items()}
    assert [values[f"Wh imported {phase}"] for phase in "ABC"] == [10, 20, 30]
    assert values["Wh imported"] == 60


def test_types_are_those_of_the_mapping_table():
    types = {q.key: q.reading_type() for q in mirror.quantities(3)}
    assert (types["W"].uom, types["W"].kind, types["W"].flowDirection, types["W"].phase) == (38, 37, 1, 0)
    assert (types["VAr C"].uom, types["VAr C"].phase) == (63, 32)
    assert (types["V B"].uom, types["V B"].phase) == (29, 65)
    assert (types["Wh imported"].uom, types["Wh imported"].flowDirection) == (72, 19)
    assert types["Wh exported A"].accumulationBehaviour == 9
    assert len(mirror.quantities(1)) == 12


def test_mrids_are_stable_unique_and_end_in_the_pen():
    items = mirror.quantities(3)
    made = {mirror.derived_mrid("AB" * 20, item.key) for item in items}
    assert len(made) == len(items)
    assert made == {mirror.derived_mrid("AB" * 20, item.key) for item in items}
    assert made.isdisjoint(mirror.derived_mrid("AC" * 20, item.key) for item in items)
    assert all(len(each) == 32 and int(each[24:], 16) == 40732 for each in made)


async def test_the_post_rate_is_obeyed(autojump_clock, world):
    await world.ready()
    world.server.post_rate = 20
    world.begin()
    await trio.sleep(125)
    href, _ = posts(world)
    gaps = [b - a for a, b in itertools.pairwise(world.server.times(href, "POST"))]
    assert gaps == pytest.approx([20] * 6, abs=1)


@pytest.mark.parametrize("status", [403, 404, 409, 410, 500])
async def test_a_lost_mirror_is_created_again_and_the_four_resources_are_put_again(
    autojump_clock, world, status
):
    client = await world.start(for_s=70)
    href, _ = posts(world)
    del world.tree[href]
    world.server.answers["POST", href] = [Response(status)]
    await trio.sleep(60)
    assert len(world.server.bodies("/mup")) == 2
    assert client.snapshot()["state"] == "connected"
    assert world.logged("has lost our MirrorUsagePoint")
    for name in ("dercap", "derg", "ders", "dera"):
        assert len(world.server.bodies(f"/edev/1/der/1/{name}", "PUT")) == 2
    # Looked up in the list before it was created again, and the readings of that minute were posted.
    order = [(each.method, each.path) for each in world.server.seen]
    refused = [i for i, each in enumerate(order) if each == ("POST", href)][2]
    assert order[refused + 1 : refused + 3] == [("GET", "/mup"), ("POST", "/mup")]
    assert ("POST", href) in order[refused + 3 : refused + 6]


async def test_a_mirror_at_another_href_is_found_in_the_list_by_its_mrid(autojump_clock, world, listing_of):
    await world.start(for_s=70)
    href, _ = posts(world)
    point = world.tree[href]
    point.href = "/mup/moved"
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", point)
    world.server.answers["POST", href] = Response(404)
    await trio.sleep(60)
    assert len(world.server.bodies("/mup")) == 1
    assert world.server.bodies("/mup/moved")
    assert len(world.server.bodies("/edev/1/der/1/ders", "PUT")) == 2


async def test_a_mirror_that_is_listed_is_not_created_again_after_a_500(autojump_clock, world, listing_of):
    await world.start(for_s=70)
    href, _ = posts(world)
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", world.tree[href])
    world.server.answers["POST", href] = [Response(500), Response(500)]
    await trio.sleep(200)
    assert len(world.server.bodies("/mup")) == 1
    assert len(world.server.bodies("/edev/1/der/1/ders", "PUT")) == 1


async def test_the_mirror_list_is_polled_at_its_rate_and_the_mirror_itself_is_not(
    autojump_clock, world, listing_of
):
    await world.ready()
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", pollRate=20)
    world.begin()
    await trio.sleep(125)
    href, _ = posts(world)
    assert len(world.server.times(href)) == 1
    gaps = [b - a for a, b in itertools.pairwise(world.server.times("/mup"))]
    assert gaps == pytest.approx([20] * 6, abs=1)


async def test_a_mirror_that_leaves_the_list_is_created_again(autojump_clock, world, listing_of):
    await world.ready()
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", pollRate=20)
    world.begin()
    await trio.sleep(5)
    href, _ = posts(world)
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", world.tree[href], pollRate=20)
    await trio.sleep(20)
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", pollRate=20)
    await trio.sleep(20)
    assert len(world.server.bodies("/mup")) == 2
    assert len(world.server.bodies("/edev/1/der/1/dercap", "PUT")) == 2


async def test_a_new_post_rate_in_the_list_is_obeyed(autojump_clock, world, listing_of):
    await world.ready()
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", pollRate=20)
    world.begin()
    await trio.sleep(5)
    href, _ = posts(world)
    world.tree[href].postRate = 10
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", world.tree[href], pollRate=20)
    await trio.sleep(60)
    gaps = [b - a for a, b in itertools.pairwise(world.server.times(href, "POST"))]
    assert gaps[-2:] == pytest.approx([10, 10], abs=1)


async def test_end_device_post_rate_is_the_interval_where_the_mirror_gives_none(autojump_clock, world):
    await world.ready()
    world.tree["/edev/1"].postRate = 15
    world.begin()
    await trio.sleep(50)
    href, _ = posts(world)
    gaps = [b - a for a, b in itertools.pairwise(world.server.times(href, "POST"))]
    assert gaps == pytest.approx([15] * 3, abs=1)


async def test_the_post_rate_of_the_mirror_comes_before_that_of_the_end_device(autojump_clock, world):
    await world.ready()
    world.tree["/edev/1"].postRate = 15
    world.server.post_rate = 30
    world.begin()
    await trio.sleep(65)
    href, _ = posts(world)
    gaps = [b - a for a, b in itertools.pairwise(world.server.times(href, "POST"))]
    assert gaps == pytest.approx([30] * 2, abs=1)


@pytest.mark.parametrize(("rate", "longest_s"), [(5, 60), (60, 120), (300, 600)])
async def test_the_wait_after_failed_posts_is_at_most_two_post_rates_or_60_s(
    autojump_clock, world, rate, longest_s
):
    await world.ready(poll=900)
    world.server.post_rate = rate
    world.begin()
    await trio.sleep(5)
    href, _ = posts(world)
    world.server.answers["POST", href] = Response(500)
    await trio.sleep(12 * longest_s)
    lists = [
        each.at_s
        for each in world.server.seen
        if (each.method, each.path) == ("POST", href) and b"MirrorMeterReadingList" in each.body
    ]
    gaps = [b - a for a, b in itertools.pairwise(lists)]
    assert max(gaps) == pytest.approx(longest_s, abs=1)


@pytest.mark.parametrize("rate", [5, 60])
@pytest.mark.parametrize("outage_s", [80, 720])
async def test_the_first_good_answer_after_a_server_wide_failure_posts_readings_at_once(
    autojump_clock, world, rate, outage_s
):
    await world.ready()
    world.server.post_rate = rate
    world.begin()
    await trio.sleep(62)
    href, _ = posts(world)
    world.server.failing = 500
    await trio.sleep(outage_s)
    world.server.failing = None
    back_s = world.clock.now_s()
    await trio.sleep(60)
    good = [each for each in world.server.seen if each.at_s >= back_s]
    first_s = good[0].at_s
    posted_s = next(s for s in world.server.times(href, "POST") if s >= back_s)
    assert posted_s - first_s <= 1.0
    starts = [
        each.MirrorMeterReading[0].Reading.timePeriod.start
        for each in (decode(x.body).resource for x in good if x.path == href and x.method == "POST")
    ]
    assert len(starts) == len(set(starts))


async def test_a_mirror_that_alone_fails_is_not_posted_to_with_every_good_answer(autojump_clock, world):
    await world.start(for_s=5)
    href, _ = posts(world)
    world.server.answers["POST", href] = Response(500)
    before = len(world.server.times(href, "POST"))
    await trio.sleep(600)
    # List and single post, each 60 s at first and 120 s later.
    assert len(world.server.times(href, "POST")) - before <= 3 * 6


async def test_a_post_of_readings_that_raises_costs_that_post_alone(autojump_clock, world, monkeypatch):
    client = await world.start(for_s=5)
    real = mirror.readings

    def broken(*args):
        monkeypatch.setattr(mirror, "readings", real)
        raise ZeroDivisionError

    monkeypatch.setattr(mirror, "readings", broken)
    href, _ = posts(world)
    before = len(world.server.times(href, "POST"))
    await trio.sleep(62)
    assert world.fences.counts == {"csip_poll": 1}
    assert [each["what"] for each in client.snapshot()["troubles"]] == ["meter readings"]
    await trio.sleep(62)
    assert len(world.server.times(href, "POST")) > before
    assert client.snapshot()["troubles"] == []
    assert len(world.server.times("/dcap")) < 8


async def test_a_location_of_http_behind_tls_is_replaced_by_the_href_in_the_list(
    autojump_clock, world, tls_world, listing_of
):
    def create(request):
        mrid = decode(request.body).resource.mRID
        point = r.MirrorUsagePoint(
            href="/mup/here", mRID=mrid, roleFlags=0x49, serviceCategoryKind=0, status=1, deviceLFDI="AB" * 20
        )
        world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", point)
        return Response(201, (("location", "http://127.0.0.1:8080/mup/here"),))

    world.server.answers["POST", "/mup"] = create
    client = await tls_world.start(for_s=3)
    assert world.server.bodies("/mup/here")
    assert client.snapshot()["troubles"] == []


async def test_a_mirror_without_location_that_is_not_listed_is_a_trouble(autojump_clock, world):
    client = await world.ready()
    world.server.answers["POST", "/mup"] = Response(201)
    world.begin()
    await trio.sleep(3)
    [trouble] = client.snapshot()["troubles"]
    assert trouble["what"] == "meter readings"
    assert "without a Location" in trouble["error"]


async def test_a_refused_mirror_is_offered_again_after_two_intervals(autojump_clock, world):
    client = await world.ready()
    world.server.answers["POST", "/mup"] = Response(413)
    world.begin()
    await trio.sleep(1000)
    times = world.server.times("/mup", "POST")
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert gaps == pytest.approx([120] * 8, abs=2)
    [trouble] = client.snapshot()["troubles"]
    assert trouble["what"] == "meter readings"
    assert "413" in trouble["error"]
    assert trouble["since"].startswith("2027-01-15T08:00:0")
    assert client.snapshot()["state"] == "connected"


async def test_a_server_that_names_no_location_is_searched(autojump_clock, world, listing_of):
    await world.ready()

    def create(request):
        point = decode(request.body).resource
        world.tree["/mup"] = listing_of(
            r.MirrorUsagePointList,
            "/mup",
            r.MirrorUsagePoint(
                href="/mup/here",
                mRID=point.mRID,
                roleFlags=0x49,
                serviceCategoryKind=0,
                status=1,
                deviceLFDI=point.deviceLFDI,
            ),
        )
        return Response(201)

    world.server.answers["POST", "/mup"] = create
    world.begin()
    await trio.sleep(3)
    assert world.server.bodies("/mup/here")
