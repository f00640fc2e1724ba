"""A profile of a plug-in, with toys: what it changes of a client, and that nothing changes without one."""

from argparse import Namespace

import pytest
import trio

from dersim.csip import der_bodies
from dersim.errors import PluginError, RemoteProtocolError
from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, decode, extensions
from dersim.ieee2030_5 import resources as r
from dersim.plugin import (
    DER_MIRROR,
    CsipProfile,
    CsipVisit,
    Extra,
    SchemaExtension,
    hookimpl,
    mean_quantity,
)
from dersim.plugin.builtin import make_device
from dersim.plugin.candidates import Candidate
from dersim.plugin.loader import PluginSet

NS = "urn:toy"
NOTE = SchemaExtension(NS, "Note", (), None, "", members={"text": "String32"}, document=True)


@pytest.fixture
def note():
    extensions.register(NOTE)
    yield Extra(NS, "Note", {"text": "hello"})
    extensions.unregister(NOTE)


def means_of(nameplate, has_load):
    del nameplate, has_load
    items = (mean_quantity("W", 38, 0, lambda means: means.p_w), mean_quantity("Hz", 33, -3, _hz))
    return (DER_MIRROR._replace(quantities=lambda phases: items),)


def _hz(means):
    return means.frequency_hz


async def test_mrids_end_as_the_profile_says(autojump_clock, world):
    world.profile = CsipProfile("toy", mrid_end="00012345")
    await world.start(for_s=5)
    [point] = [decode(body).resource for body in world.server.bodies("/mup")]
    assert {each.mRID[-8:] for each in (point, *point.MirrorMeterReading)} == {"00012345"}


async def test_an_end_device_that_registers_says_more(autojump_clock, world, listing_of):
    world.profile = CsipProfile("toy", end_device=lambda device: {"postRate": 60 * device.number})
    await world.ready()
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)
    world.begin()
    await trio.sleep(1)
    [me] = [decode(body).resource for body in world.server.bodies("/edev")]
    assert me.postRate == 60
    assert me.lFDI == world.client.identity().lfdi


async def test_a_der_begins_with_the_settings_of_the_profile(world):
    world.profile = CsipProfile("toy", settings=lambda device: {"setESDelay": 60.0})
    world.make()
    assert world.device.settings.setESDelay == 60


async def test_a_visit_follows_each_discovery_and_comes_again(autojump_clock, world, note):
    seen = []

    async def visit(access):
        seen.append(access.end_device.href)
        await access.put("/edev/1/note", note)
        return 20.0

    world.profile = CsipProfile("toy", visits=(CsipVisit("note", visit),))
    world.server.answers["PUT", "/edev/1/note"] = [Response(201)] * 9
    await world.start(for_s=50)
    assert seen == ["/edev/1"] * 3
    bodies = world.server.bodies("/edev/1/note", "PUT")
    assert decode(bodies[0], Extra).resource == note
    world.client.rediscover()
    await trio.sleep(5)
    assert len(seen) == 4


async def test_a_refusal_is_an_answer_and_an_error_ends_the_visit_alone(autojump_clock, world, note):
    statuses = []

    async def visit(access):
        statuses.append((await access.get("/nothing")).status)
        if len(statuses) < 2:
            raise RemoteProtocolError("not now")

    world.profile = CsipProfile("toy", visits=(CsipVisit("note", visit),))
    client = await world.start(for_s=20)
    assert statuses == [404]
    assert any("not now" in each["error"] for each in client.snapshot()["troubles"])
    await trio.sleep(20)
    assert statuses == [404, 404]
    assert client.snapshot()["troubles"] == []


async def test_the_entry_is_looked_for_before_each_discovery(autojump_clock, world):
    async def entry(access):
        answer = await access.get("/elsewhere")
        return answer.body.decode()

    world.profile = CsipProfile("toy", entry=entry)
    await world.ready()
    world.tree["/elsewhere"] = Response(200, (("content-type", "text/plain"),), b"/v2/dcap")
    dcap = world.tree.pop("/dcap")
    dcap.href = "/v2/dcap"
    world.tree["/v2/dcap"] = dcap
    world.begin()
    await trio.sleep(2)
    assert world.client.state == "connected"
    assert "/dcap" not in world.server.paths()


async def test_settings_at_once(autojump_clock, world):
    world.profile = CsipProfile("toy", settings_at_once=True)
    await world.start(poll=300, for_s=20)
    before = len(world.server.bodies("/edev/1/der/1/derg", "PUT"))
    world.device.settings.update({"setGradW": 3.0})
    await trio.sleep(2)
    after = world.server.bodies("/edev/1/der/1/derg", "PUT")[before:]
    assert [decode(body).resource.setGradW for body in after] == [300]


def readings(world):
    point = decode(world.server.bodies("/mup")[-1]).resource
    names = {each.mRID: each.description for each in point.MirrorMeterReading}
    posts = world.server.bodies(f"/mup/{point.mRID[:4]}")
    return [
        (
            names[each.mRID],
            each.Reading.timePeriod.start,
            each.Reading.timePeriod.duration,
            each.Reading.value,
        )
        for body in posts
        for each in decode(body).resource.MirrorMeterReading
    ]


async def test_means_are_of_whole_minutes_of_the_servers_time(autojump_clock, world):
    world.profile = CsipProfile("toy", mirrors=means_of)
    await world.start(for_s=200)
    found = readings(world)
    assert [each[:3] for each in found] == [
        (name, 1_800_000_060 + 60 * i, 60) for i in range(2) for name in ("W mean", "Hz mean")
    ]
    assert found[-1][3] == 60_000
    assert found[-2][3] == round(world.device.state.p_w)


async def test_means_of_an_outage_are_posted_later_in_their_order(autojump_clock, world):
    world.profile = CsipProfile("toy", mirrors=means_of)
    await world.start(for_s=130)
    world.server.away = True
    world.server.hang_up()
    await trio.sleep(300)
    world.server.away = False
    await trio.sleep(70)
    starts = [start for name, start, *_ in readings(world) if name == "W mean"]
    assert starts == [1_800_000_060 + 60 * i for i in range(len(starts))]
    assert len(starts) >= 6


def candidate(name, profile):
    class Plugin:
        @hookimpl
        def register_csip_profiles(self, options):
            del options
            return [profile]

    return Candidate(name, "1", name, Plugin)


def register(*profiles):
    candidates = []
    for index, profile in enumerate(profiles):
        found = candidate(f"toy{index}", profile)
        candidates.append(found._replace(load=lambda made=found.load: made()))
    return PluginSet(candidates).register(Namespace())


def test_a_run_has_one_profile():
    assert register(CsipProfile("one")).csip_profile() == CsipProfile("one")
    assert register().csip_profile() is None
    with pytest.raises(PluginError, match=r"plug-in toy1: .*'two' and 'one' exclude each other"):
        register(CsipProfile("one"), CsipProfile("two"))


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (CsipProfile(""), "needs a name"),
        (CsipProfile("x", mrid_end="abc"), "mrid_end 'abc'.*eight"),
        (CsipProfile("x", mirrors=lambda: ()), "mirrors"),
        (CsipProfile("x", visits=(CsipVisit("v", len),)), "give a CsipVisit with an async"),
        (CsipProfile("x", entry=len), "its entry is not async"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(profile, words):
    with pytest.raises(PluginError, match=words):
        register(profile)


def test_a_storage_has_a_gen_connect_status_where_the_profile_wants_it():
    battery = make_device(device_type="Batt-1Phase")
    battery.step(0.0)
    for wanted in (False, True):
        status = der_bodies.status(
            battery.nameplate,
            battery.state,
            remote=True,
            since=lambda name, value: 0,
            reading_time=0,
            edition=Edition.E2018,
            gen_for_storage=wanted,
        )
        assert (status.genConnectStatus is not None) is wanted
