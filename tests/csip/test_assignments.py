"""Which EndDevice, which programs: what is ours on a server whose numbers are not quite right."""

import copy

import pytest
import trio

from dersim.csip.own_end_device import ExpectedEndDevice, find_own
from dersim.http11 import Response
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r

LFDI = "00" + "3E4F" * 9 + "5A"
WHO = ExpectedEndDevice(LFDI, None)


def device(lfdi, sfdi=WHO.sfdi, href="/edev/7"):
    return r.EndDevice(href=href, lFDI=lfdi, sFDI=sfdi, changedTime=1)


def found(*devices):
    warnings = []
    return find_own(devices, WHO, warnings.append), warnings


@pytest.mark.parametrize("text", [LFDI, LFDI[2:], LFDI.lower(), "00" + LFDI])
def test_lfdis_are_compared_as_numbers(text):
    assert identity.same_lfdi(text, LFDI)
    ours, warnings = found(device("AB" * 20), device(text))
    assert ours.lFDI == text
    assert warnings == []


def test_another_lfdi_is_another_device():
    assert found(device(LFDI[:-1] + "B")) == (None, [])


def test_a_wrong_sfdi_beside_our_lfdi_is_a_warning():
    ours, warnings = found(device(LFDI, sfdi=123))
    assert ours is not None
    assert "sFDI 123" in warnings[0]


def test_an_sfdi_counts_only_where_there_is_no_lfdi():
    assert found(device("AB" * 20, sfdi=WHO.sfdi))[0] is None
    ours, warnings = found(device(None))
    assert ours is not None
    assert "no lFDI" in warnings[0]


async def test_two_programs_of_one_mrid_with_different_controls_are_two(
    autojump_clock, world, listing_of, make_control
):
    client = await world.ready()
    first = world.tree["/derp/1"]
    second = r.DERProgram(
        href="/derp/2", mRID=first.mRID, primacy=7, DERControlListLink=r.ListLink(href="/derp/2/derc")
    )
    item = make_control(2, world.server.now() + 2, duration=600, limit=3000, href="/derp/2/derc/2")
    world.tree.update({"/derp/2": second, "/derp/2/derc/2": item})
    world.tree["/derp/2/derc"] = listing_of(r.DERControlList, "/derp/2/derc", item)
    world.tree["/edev/1/fsa/1/derp"] = listing_of(
        r.DERProgramList, "/edev/1/fsa/1/derp", first, second, pollRate=10
    )
    world.begin()
    await trio.sleep(10)
    assert [each["href"] for each in client.snapshot()["programs"]] == ["/derp/1", "/derp/2"]
    assert world.device.setpoints.value("opModMaxLimW") == 30
    assert len(world.logged("two programs have the mRID", "different DERControlLists")) == 1


async def test_one_program_that_two_links_lead_to_is_one(autojump_clock, world, listing_of):
    client = await world.ready()
    first = world.tree["/derp/1"]
    world.tree["/edev/1/fsa/1/derp"] = listing_of(
        r.DERProgramList, "/edev/1/fsa/1/derp", first, first, pollRate=10
    )
    world.begin()
    await trio.sleep(5)
    assert [each["href"] for each in client.snapshot()["programs"]] == ["/derp/1"]
    assert not world.logged("two programs")


async def test_what_several_programs_link_to_is_read_once_for_all_of_them(autojump_clock, world, listing_of):
    """A list that goes on and on, as some servers send it: each item is new, its links are not."""
    client = await world.ready()
    first = world.tree["/derp/1"]
    copies = [copy.copy(first) for _ in range(8)]
    for number, each in enumerate(copies):
        each.href, each.mRID, each.primacy = f"/derp/1-{number}", f"{number:032X}", 4
    copies.insert(0, first)
    world.tree["/edev/1/fsa/1/derp"] = listing_of(
        r.DERProgramList, "/edev/1/fsa/1/derp", *copies, pollRate=60
    )
    world.begin()
    await trio.sleep(30)
    linked = [first.DefaultDERControlLink.href, first.DERControlListLink.href, first.DERCurveListLink.href]
    assert [len(world.server.times(href)) for href in linked] == [1, 1, 1]
    await trio.sleep(60)
    assert [len(world.server.times(href)) for href in linked] == [2, 2, 2]
    shown = client.snapshot()
    assert len(shown["programs"]) == 9
    assert shown["programs"][0]["href"] == "/derp/1-7"
    assert shown["default_control"]["program"] == "/derp/1-7"
    assert shown["default_control"]["modes"] == {"opModMaxLimW": 90}


async def test_an_fsa_list_that_becomes_empty_is_read_again_before_anything_is_withdrawn(
    autojump_clock, world, listing_of
):
    client = await world.start(for_s=5)
    full = world.tree["/edev/1/fsa"]
    empty = listing_of(r.FunctionSetAssignmentsList, "/edev/1/fsa", pollRate=900)
    world.server.answers["GET", "/edev/1/fsa"] = [empty]
    await trio.sleep(20)
    first, second = world.server.times("/edev/1/fsa")[1:3]
    assert second - first <= 10
    assert world.device.setpoints.value("opModMaxLimW") == 90
    assert world.tree["/edev/1/fsa"] is full
    assert client.snapshot()["state"] == "connected"


async def test_an_fsa_list_that_stays_empty_withdraws_its_programs(autojump_clock, world, listing_of):
    await world.start(for_s=5)
    world.tree["/edev/1/fsa"] = listing_of(r.FunctionSetAssignmentsList, "/edev/1/fsa", pollRate=10)
    await trio.sleep(25)
    assert world.device.setpoints.value("opModMaxLimW") is None


async def test_the_device_capability_is_read_again_after_an_in_band_registration(
    autojump_clock, world, listing_of
):
    client = await world.ready()
    listed, own = world.tree["/edev"], world.tree["/edev/1"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev")
    mirrors = world.tree["/dcap"].MirrorUsagePointListLink
    world.tree["/dcap"].MirrorUsagePointListLink = None

    def register(_request):
        world.tree["/edev"] = listed
        world.tree["/dcap"].MirrorUsagePointListLink = mirrors
        return Response(201, (("location", own.href),))

    world.server.answers["POST", "/edev"] = register
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.times("/dcap")) == 2
    assert "/mup" in world.server.paths("POST")
