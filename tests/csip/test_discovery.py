"""The walk: in order, by links only, and around everything that real servers do."""

import pytest
import trio

from dersim.http11 import Response
from dersim.ieee2030_5 import resources as r

HTML = (("content-type", "text/html"),)


async def test_a_full_discovery(autojump_clock, world, listing_of):
    client = await world.start("--csip_pin", "111115", for_s=3)
    shown = client.snapshot()
    assert shown["state"] == "connected"
    assert shown["registration"] == {"present": True, "verified": True}
    assert shown["end_device"] == "/edev/1"
    assert [p["href"] for p in shown["programs"]] == ["/derp/1"]
    assert shown["default_control"]["modes"] == {"opModMaxLimW": 90.0}
    assert shown["counters"]["puts"] == 4
    assert shown["counters"]["errors"] == 0
    assert shown["last_error"] is None
    assert shown["clock"]["offset_s"] == pytest.approx(7.3, abs=0.6)
    assert world.server.connections == 1
    asked = [(each.method, each.path) for each in world.server.seen]
    assert asked[:6] == [
        ("GET", p) for p in ("/dcap", "/tm", "/edev", "/edev/1", "/edev/1/rg", "/edev/1/der")
    ]
    # Some servers assign no FSA before they have both of these.
    assert asked.index(("PUT", "/edev/1/der/1/derg")) < asked.index(("GET", "/edev/1/fsa"))
    assert ("GET", "/edev/1/fsa/1") in asked
    assert ("GET", "/derp/1") in asked
    # Registered: the server's public programs are not ours (2030.5-2018 10.10.3).
    assert ("GET", "/derp") not in asked


async def test_every_list_is_asked_for_with_a_limit(autojump_clock, world):
    await world.start()
    lists = {"/edev", "/edev/1/fsa", "/edev/1/der", "/edev/1/fsa/1/derp", "/derp/1/derc", "/derp/1/dc"}
    for each in world.server.seen:
        if each.path in lists:
            assert each.query == "s=0&l=255"


async def test_a_wrong_pin_is_failed_and_only_the_registration_is_read_again(autojump_clock, world):
    client = await world.ready("--csip_pin", "111106")
    world.tree["/edev/1/rg"] = r.Registration(
        href="/edev/1/rg", dateTimeRegistered=0, pIN=111115, pollRate=20
    )
    world.begin()
    await trio.sleep(100)
    shown = client.snapshot()
    assert shown["state"] == "failed"
    assert shown["registration"] == {"present": True, "verified": False}
    assert shown["programs"] == []
    after = [each for each in world.server.seen if each.at_s > world.server.times("/edev/1/rg")[0]]
    assert {each.path for each in after} == {"/edev/1/rg"}
    assert len(after) == 4
    assert not world.logged("111115")
    assert not world.logged("111106")
    # The utility corrects it: the client goes on.
    world.tree["/edev/1/rg"] = r.Registration(
        href="/edev/1/rg", dateTimeRegistered=0, pIN=111106, pollRate=20
    )
    await trio.sleep(25)
    assert client.snapshot()["state"] == "connected"


async def test_without_a_pin_verified_is_null(autojump_clock, world):
    client = await world.start()
    assert client.snapshot()["registration"] == {"present": True, "verified": None}


async def test_no_registration_is_said_and_goes_on(autojump_clock, world):
    client = await world.ready("--csip_pin", "111115")
    del world.tree["/edev/1/rg"]
    world.begin()
    await trio.sleep(1)
    assert client.snapshot()["state"] == "connected"
    assert client.snapshot()["registration"] == {"present": False, "verified": None}
    assert world.logged("PIN is not verified")


async def test_found_by_sfdi_where_the_list_has_no_lfdi(autojump_clock, world, listing_of):
    client = await world.ready()
    for sfdi, words in (
        (client.identity().sfdi, "SFDI alone"),
        (client.identity().sfdi // 10, "check digit"),
    ):
        device = world.tree["/edev/1"]
        device.lFDI, device.sFDI = None, sfdi
        if not world.server.seen:
            world.begin()
        else:
            client.rediscover()
        await trio.sleep(2)
        assert client.snapshot()["state"] == "connected"
        assert world.logged(words)


async def test_another_ones_lfdi_is_not_taken_for_ours_by_its_sfdi(autojump_clock, world, listing_of):
    client = await world.ready()
    other = r.EndDevice(href="/edev/9", lFDI="AB" * 20, sFDI=client.identity().sfdi, changedTime=0)
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", other)
    world.server.answers["POST", "/edev"] = Response(403)
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "retrying"


async def test_our_device_on_the_third_page(autojump_clock, world, listing_of):
    client = await world.ready()
    others = [r.EndDevice(href=f"/edev/{n}", lFDI=f"{n:040X}", sFDI=n, changedTime=0) for n in range(2, 600)]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", *others, world.tree["/edev/1"], pollRate=10)
    world.begin()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    pages = [each.query for each in world.server.seen if each.path == "/edev"]
    # Afterwards our own EndDevice is polled, not the whole list.
    assert pages == ["s=0&l=255", "s=255&l=255", "s=510&l=255"]
    assert len(world.server.times("/edev/1")) >= 5


async def test_in_band_registration(autojump_clock, world, listing_of):
    client = await world.ready()
    device = world.tree.pop("/edev/1")
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)

    def register(request):
        world.tree["/edev/1"] = device
        world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", device, pollRate=10)
        return Response(201, (("location", "/edev/1"),))

    world.server.answers["POST", "/edev"] = register
    world.begin()
    await trio.sleep(30)
    assert client.snapshot()["state"] == "connected"
    [body] = world.server.bodies("/edev")
    assert client.identity().lfdi.encode() in body
    assert str(client.identity().sfdi).encode() in body


async def test_an_end_device_that_was_read_when_it_was_registered_and_fails_is_a_trouble(
    autojump_clock, world, listing_of
):
    client = await world.ready()
    device = world.tree.pop("/edev/1")
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=60)

    def register(_request):
        world.tree["/edev/1"] = device
        world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", device, pollRate=60)
        return Response(201, (("location", "/edev/1"),))

    world.server.answers["POST", "/edev"] = register
    world.begin()
    await trio.sleep(30)
    assert client.snapshot()["state"] == "connected"
    world.server.answers["GET", "/edev/1"] = [Response(500)]
    await trio.sleep(45)
    assert [each["what"] for each in client.snapshot()["troubles"]] == ["links"]
    await trio.sleep(30)
    assert client.snapshot()["state"] == "connected"


async def test_what_is_in_force_stays_while_a_new_registration_is_not_complete(
    autojump_clock, world, listing_of
):
    """Without an EndDevice nothing is known of its programs; that it has none would be news."""
    client = await world.start(for_s=5)
    assert world.device.setpoints.value("opModMaxLimW") == 90
    device = world.tree.pop("/edev/1")
    listed = world.tree["/edev"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)
    gone = {path: world.tree.pop(path) for path in ("/edev/1/der", "/edev/1/fsa")}

    def register(_request):
        world.tree.update({"/edev/1": device, **gone})
        world.server.answers["GET", "/dcap"] = [Response(500)] * 20
        world.server.answers["GET", "/edev"] = [Response(500)] * 3
        return Response(201, (("location", "/edev/1"),))

    world.server.answers["POST", "/edev"] = register
    for _ in range(60):
        await trio.sleep(1)
        assert world.device.setpoints.value("opModMaxLimW") == 90
    world.tree["/edev"] = listed
    world.server.answers["GET", "/dcap"] = []
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert not world.logged("has no DERListLink")


async def test_out_of_band_registration_waits_and_posts_once(autojump_clock, world, listing_of):
    client = await world.ready()
    listed = world.tree["/edev"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)
    world.server.answers["POST", "/edev"] = Response(403)
    world.begin()
    await trio.sleep(45)
    shown = client.snapshot()
    assert shown["state"] == "retrying"
    assert shown["lfdi"] in shown["last_error"]
    assert 0 < shown["retry_in_s"] <= 11
    assert len(world.server.bodies("/edev")) == 1
    world.tree["/edev"] = listed
    await trio.sleep(12)
    assert client.snapshot()["state"] == "connected"


@pytest.mark.parametrize("failure", [404, 410, 503, "lost"])
async def test_an_in_band_registration_that_failed_in_passing_is_made_again(
    autojump_clock, world, listing_of, failure
):
    client = await world.ready()
    device = world.tree.pop("/edev/1")
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)

    async def fail(_request):
        if failure == "lost":
            world.server.hang_up()
            await trio.sleep_forever()
        return Response(failure)

    def register(_request):
        world.tree["/edev/1"] = device
        world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", device, pollRate=10)
        return Response(201, (("location", "/edev/1"),))

    world.server.answers["POST", "/edev"] = [fail, fail, register]
    world.begin()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.bodies("/edev")) == 3


async def test_an_end_device_that_is_not_enabled_is_waited_for(autojump_clock, world):
    client = await world.ready()
    world.tree["/edev/1"].enabled = False
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "retrying"
    assert "not enabled" in client.snapshot()["last_error"]


@pytest.mark.parametrize(
    "branch",
    [
        "/tm",
        "/edev/1",
        "/edev/1/rg",
        "/edev/1/der",
        "/edev/1/fsa",
        "/edev/1/fsa/1",
        "/edev/1/fsa/1/derp",
        "/derp/1",
        "/derp/1/dderc",
        "/derp/1/derc",
        "/derp/1/dc",
        "/edev/1/lel",
        "/mup",
    ],
)
@pytest.mark.parametrize(
    "answer",
    [
        Response(404),
        Response(403),
        Response(500, HTML, b"<html>Internal Server Error</html>"),
        Response(200, HTML, b"<p>hi"),
        Response(200),
        b"<Time",
        b'<x xmlns="urn:other"/>',
    ],
)
async def test_a_failing_link_never_stops_discovery(autojump_clock, world, branch, answer):
    client = await world.ready()
    world.tree[branch] = answer
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    if branch != "/edev/1/der":
        assert len(world.server.paths("PUT")) == 4


async def test_without_time_no_event_is_acted_on(autojump_clock, world, make_control):
    client = await world.ready()
    del world.tree["/tm"]
    world.add_control(make_control(1, world.server.now() - 5))
    world.begin()
    await trio.sleep(30)
    assert client.snapshot()["active_controls"] == []
    assert world.device.setpoints.value("opModMaxLimW") == 90


async def test_the_time_of_the_fsa_is_a_clock_beside_that_of_the_device_capability(autojump_clock, world):
    client = await world.ready()
    world.tree["/edev/1/fsa/1"].TimeLink = r.Link(href="/tm/fsa")
    world.tree["/tm/fsa"] = lambda request: r.Time(
        currentTime=world.server.now() + 100, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=4, tzOffset=0
    )
    world.begin()
    await trio.sleep(100)
    shown = client.snapshot()
    assert shown["clock"]["offset_s"] == pytest.approx(7.3, abs=0.1)
    assert [each["href"] for each in shown["clocks"]] == ["/tm", "/tm/fsa"]
    assert shown["clocks"][1]["offset_s"] == pytest.approx(107.3, abs=0.1)


async def test_two_ways_to_one_program_are_one_program(autojump_clock, world, listing_of):
    client = await world.ready()
    second = r.FunctionSetAssignments(
        href="/edev/1/fsa/2", mRID="A2" * 16, DERProgramListLink=r.ListLink(href="/derp", all=1)
    )
    world.tree["/edev/1/fsa/2"] = second
    world.tree["/edev/1/fsa"] = listing_of(
        r.FunctionSetAssignmentsList, "/edev/1/fsa", world.tree["/edev/1/fsa/1"], second
    )
    world.tree["/derp"] = listing_of(r.DERProgramList, "/derp", world.tree["/derp/1"])
    world.begin()
    await trio.sleep(2)
    assert [p["href"] for p in client.snapshot()["programs"]] == ["/derp/1"]
    assert len(world.server.times("/derp/1/derc")) == 1


async def test_an_empty_fsa_list_is_polled_until_it_fills(autojump_clock, world, listing_of):
    client = await world.ready()
    full = world.tree["/edev/1/fsa"]
    world.tree["/edev/1/fsa"] = listing_of(r.FunctionSetAssignmentsList, "/edev/1/fsa", pollRate=10)
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert client.snapshot()["programs"] == []
    assert {"/edev/1/der/1/dercap", "/edev/1/der/1/derg"} <= set(world.server.paths("PUT"))
    world.tree["/edev/1/fsa"] = full
    await trio.sleep(10)
    assert [p["href"] for p in client.snapshot()["programs"]] == ["/derp/1"]


async def test_a_group_change_brings_the_new_programs_and_drops_the_old(
    autojump_clock, world, listing_of, make_control
):
    """BASIC-003: the old program's event must not run."""
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 60, limit=1000))
    world.begin()
    await trio.sleep(20)
    assert len(client.snapshot()["scheduled_controls"]) == 1
    fsa = r.FunctionSetAssignments(
        href="/edev/1/fsa/2", mRID="A2" * 16, DERProgramListLink=r.ListLink(href="/derp2", all=1)
    )
    program = r.DERProgram(
        href="/derp/2", mRID="B2" * 16, primacy=3, DefaultDERControlLink=r.Link(href="/derp/2/dderc")
    )
    default = r.DefaultDERControl(mRID="D2" * 16, DERControlBase=r.DERControlBase(opModMaxLimW=7000))
    world.tree.update({"/edev/1/fsa/2": fsa, "/derp/2": program, "/derp/2/dderc": default})
    world.tree["/derp2"] = listing_of(r.DERProgramList, "/derp2", program, pollRate=10)
    world.tree["/edev/1/fsa"] = listing_of(r.FunctionSetAssignmentsList, "/edev/1/fsa", fsa, pollRate=10)
    await trio.sleep(12)
    assert [p["href"] for p in client.snapshot()["programs"]] == ["/derp/2"]
    assert world.device.setpoints.value("opModMaxLimW") == 70
    await trio.sleep(60)
    assert world.device.setpoints.value("opModMaxLimW") == 70
    assert world.server.bodies("/rsp")  # it was received, though


async def test_no_fsa_link_at_all_means_the_servers_own_programs(autojump_clock, world, listing_of):
    client = await world.ready()
    world.tree["/edev/1"].FunctionSetAssignmentsListLink = None
    world.tree["/derp"] = listing_of(r.DERProgramList, "/derp", world.tree["/derp/1"])
    world.begin()
    await trio.sleep(2)
    assert [p["href"] for p in client.snapshot()["programs"]] == ["/derp/1"]


async def test_a_curve_is_fetched_wherever_its_link_points(autojump_clock, world, make_control):
    client = await world.ready()
    curve = r.DERCurve(
        href="/elsewhere/curve/7",
        mRID="C7" * 16,
        creationTime=0,
        CurveData=(r.CurveData(xvalue=9200, yvalue=10000), r.CurveData(xvalue=10800, yvalue=-10000)),
        curveType=11,
        xMultiplier=-2,
        yMultiplier=-2,
        yRefType=2,
    )
    world.tree["/elsewhere/curve/7"] = curve
    world.tree["/derp/1/dderc"].DERControlBase = r.DERControlBase(
        opModVoltVar=r.DERCurveLink(href="/elsewhere/curve/7")
    )
    world.begin()
    await trio.sleep(2)
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModVoltVar").points == ((92.0, 100.0), (108.0, -100.0))
    assert len(world.server.times("/elsewhere/curve/7")) == 1


async def test_a_curve_of_the_list_is_not_fetched_again(autojump_clock, world, listing_of):
    await world.ready()
    curve = r.DERCurve(
        href="/derp/1/dc/1",
        mRID="C1" * 16,
        creationTime=0,
        CurveData=(r.CurveData(xvalue=92, yvalue=44), r.CurveData(xvalue=108, yvalue=-44)),
        curveType=11,
        xMultiplier=0,
        yMultiplier=0,
        yRefType=2,
    )
    world.tree["/derp/1/dc"] = listing_of(r.DERCurveList, "/derp/1/dc", curve)
    world.tree["/derp/1/dderc"].DERControlBase = r.DERControlBase(
        opModVoltVar=r.DERCurveLink(href="/derp/1/dc/1")
    )
    world.begin()
    await trio.sleep(2)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 44.0)
    assert "/derp/1/dc/1" not in world.server.paths()


async def test_a_2018_server_with_foreign_elements_and_text_mrids_is_read(autojump_clock, world):
    client = await world.ready()
    world.tree["/derp/1/dderc"] = (
        b'<DefaultDERControl xmlns="urn:ieee:std:2030.5:ns" xmlns:a="https://csipaus.org/ns">'
        b"<a:x>1</a:x><mRID>ABCD</mRID><DERControlBase><a:opModExpLimW><a:multiplier>0</a:multiplier>"
        b"<a:value>5000</a:value></a:opModExpLimW><opModMaxLimW>5000</opModMaxLimW></DERControlBase>"
        b"</DefaultDERControl>"
    )
    world.begin()
    await trio.sleep(2)
    assert client.snapshot()["default_control"]["modes"]["opModMaxLimW"] == 50


async def test_the_dcap_path_may_be_any_and_relative_hrefs_too(autojump_clock, world):
    client = await world.ready("--dcap", "sep2/dcap")
    world.tree["/sep2/dcap"] = world.tree.pop("/dcap")
    world.begin()
    await trio.sleep(2)
    assert client.snapshot()["state"] == "connected"
    assert world.logged("http://127.0.0.1:8443/sep2/dcap")


async def test_absolute_hrefs_are_followed(autojump_clock, world):
    client = await world.ready()
    world.tree["/dcap"].EndDeviceListLink = r.ListLink(href="http://127.0.0.1:8443/edev", all=1)
    world.begin()
    await trio.sleep(2)
    assert client.snapshot()["state"] == "connected"
    assert world.server.connections == 1


async def test_a_dcap_without_end_devices_says_so(autojump_clock, world):
    client = await world.ready()
    world.tree["/dcap"].EndDeviceListLink = None
    world.begin()
    await trio.sleep(2)
    assert client.snapshot()["state"] == "retrying"
    assert "EndDeviceListLink" in client.snapshot()["last_error"]


async def test_an_in_band_server_that_was_restarted_is_told_of_us_again(autojump_clock, world, listing_of):
    client = await world.ready()
    device = world.tree["/edev/1"]

    def register(request):
        world.tree["/edev/1"] = device
        world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", device, pollRate=10)
        return Response(201, (("location", "/edev/1"),))

    world.server.answers["POST", "/edev"] = register
    del world.tree["/edev/1"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)
    world.begin()
    for round_ in (1, 2):
        await trio.sleep(45)
        assert client.snapshot()["state"] == "connected"
        assert len(world.server.bodies("/edev")) == round_
        del world.tree["/edev/1"]
        world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)


async def test_an_in_band_registration_lost_before_the_list_was_read_again_is_made_again(
    autojump_clock, world, listing_of
):
    client = await world.ready()
    device = world.tree.pop("/edev/1")
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=30)

    def register(request):
        world.tree["/edev/1"] = device
        return Response(201, (("location", "/edev/1"),))

    world.server.answers["POST", "/edev"] = register
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    del world.tree["/edev/1"]  # restarted, and all is forgotten
    world.server.hang_up()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.bodies("/edev")) == 2


async def test_a_server_that_takes_us_but_never_lists_us_is_used_and_asked_once(
    autojump_clock, world, listing_of
):
    client = await world.ready()
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)
    world.server.answers["POST", "/edev"] = Response(201, (("location", "/edev/1"),))
    world.begin()
    await trio.sleep(120)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.bodies("/edev")) == 1
    assert len(world.server.times("/dcap")) <= 5


async def test_a_pin_once_verified_stays_so_while_the_registration_cannot_be_read(autojump_clock, world):
    client = await world.ready("--csip_pin", "111115")
    world.tree["/edev/1/rg"] = r.Registration(
        href="/edev/1/rg", dateTimeRegistered=0, pIN=111115, pollRate=20
    )
    world.begin()
    await trio.sleep(5)
    world.server.answers["GET", "/edev/1/rg"] = Response(500)
    await trio.sleep(60)
    assert client.snapshot()["registration"] == {"present": True, "verified": True}


async def test_a_pin_once_refused_stays_so_while_the_registration_cannot_be_read(autojump_clock, world):
    client = await world.ready("--csip_pin", "111106")
    world.tree["/edev/1/rg"] = r.Registration(
        href="/edev/1/rg", dateTimeRegistered=0, pIN=111115, pollRate=20
    )
    world.begin()
    await trio.sleep(5)
    world.server.answers["GET", "/edev/1/rg"] = Response(500)
    walks = len(world.server.times("/dcap"))
    await trio.sleep(120)
    assert client.snapshot()["state"] == "failed"
    assert client.snapshot()["registration"]["verified"] is False
    assert len(world.server.times("/dcap")) == walks
    client.rediscover()  # neither does a walk on demand get past it
    await trio.sleep(30)
    assert client.snapshot()["state"] == "failed"
    assert client.snapshot()["programs"] == []


async def test_what_could_not_be_read_is_shown_with_its_reason(autojump_clock, world):
    client = await world.ready()
    lists = world.tree.pop("/edev/1/lel")
    world.begin()
    await trio.sleep(5)
    (href,) = client.found().unreadable
    assert href.startswith("/edev/1/lel")
    assert "404" in client.found().unreadable[href]
    world.tree["/edev/1/lel"] = lists
    client.rediscover()
    await trio.sleep(5)
    assert client.found().unreadable == {}
