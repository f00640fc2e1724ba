"""The mirror: its definitions, signs and interval, and its recovery when the server has lost it."""

import itertools

import pytest
import trio

from dersim.csip import mirror
from dersim.http11 import Response
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.plugin.builtin import make_device
from dersim.setpoints import SetpointChange, SetpointSource


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


async def test_a_lost_mirror_is_made_again(autojump_clock, world):
    client = await world.start(for_s=70)
    href, _ = posts(world)
    del world.tree[href]
    world.server.answers["POST", href] = [Response(404)]
    await trio.sleep(60)
    assert len(world.server.bodies("/mup")) == 2
    assert client.snapshot()["state"] == "connected"
    assert world.logged("has lost our MirrorUsagePoint")


async def test_a_full_server_is_spared(autojump_clock, world):
    await world.ready()
    world.server.answers["POST", "/mup"] = Response(413)
    world.begin()
    await trio.sleep(1000)
    times = world.server.times("/mup", "POST")
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert gaps == pytest.approx([120, 240, 480], abs=2)


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
