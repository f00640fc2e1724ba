"""After the walk: every resource at its own rate, changes taken in, nothing asked too often."""

import copy
import itertools

import pytest
import trio

from dersim.csip.tree import branch_retry_s
from dersim.http11 import Response
from dersim.ieee2030_5 import resources as r


def spacings(times):
    return [round(b - a, 1) for a, b in itertools.pairwise(times)]


async def test_each_resource_is_polled_at_its_own_rate(autojump_clock, world):
    await world.ready()
    world.tree["/dcap"].pollRate = 45
    world.tree["/edev"].pollRate = 20
    world.tree["/edev/1/fsa"].pollRate = 33
    world.tree["/edev/1/fsa/1/derp"].pollRate = 13
    world.tree["/edev/1/der"].pollRate = 70
    world.begin()
    await trio.sleep(600)
    for path, rate in {
        "/dcap": 45,
        "/edev": 20,
        "/edev/1/fsa": 33,
        "/edev/1/fsa/1/derp": 13,
        "/derp/1/derc": 13,
        "/derp/1/dderc": 13,
        "/edev/1/der": 70,
    }.items():
        found = spacings(world.server.times(path))
        assert len(found) >= 8, path
        assert all(rate * 0.9 - 2 <= each <= rate * 1.1 + 2 for each in found), (path, found)


async def test_a_list_without_a_poll_rate_is_left_alone_for_15_minutes(autojump_clock, world):
    await world.ready()
    for path in ("/edev", "/edev/1/fsa", "/edev/1/fsa/1/derp"):
        world.tree[path].pollRate = None
    world.tree["/dcap"].pollRate = None
    world.begin()
    await trio.sleep(890)
    for path in ("/dcap", "/edev", "/edev/1/fsa", "/edev/1/fsa/1/derp"):
        assert len(world.server.times(path)) == 1
    await trio.sleep(30)
    assert len(world.server.times("/dcap")) == 2


async def test_a_poll_rate_of_zero_does_not_flood_the_server(autojump_clock, world):
    await world.start(poll=0, for_s=100)
    assert all(each >= 4.4 for each in spacings(world.server.times("/edev")))
    assert len(world.server.times("/edev")) > 10


async def test_the_clock_is_asked_five_times_15_s_apart_and_then_every_15_minutes(autojump_clock, world):
    client = await world.start(poll=300, for_s=3000)
    found = spacings(world.server.times("/tm"))
    assert all(each >= 15 for each in found)
    assert 3 <= sum(each < 100 for each in found) <= 5
    assert all(each >= 900 for each in found if each > 100)
    clock = client.snapshot()["clock"]
    assert clock["bound_s"] < 0.15
    assert clock["offset_s"] == pytest.approx(7.3, abs=0.1)


async def test_a_control_starts_and_ends_to_the_tenth_of_a_second_of_server_time(
    autojump_clock, world, make_control
):
    client = await world.start(for_s=120)
    start = world.server.now() + 30
    world.add_control(make_control(1, start, duration=20, limit=4000))
    await trio.sleep(15)
    assert [c["mRID"] for c in client.snapshot()["scheduled_controls"]] == [f"{1:032X}"]
    began = ended = None
    while world.clock.now_s() + world.server.offset_s < start + 22:
        value = world.device.setpoints.value("opModMaxLimW")
        if value == 40 and began is None:
            began = world.clock.now_s() + world.server.offset_s
        if value == 90 and began is not None and ended is None:
            ended = world.clock.now_s() + world.server.offset_s
        await trio.sleep(0.01)
    assert began == pytest.approx(start, abs=0.1)
    assert ended == pytest.approx(start + 20, abs=0.1)
    codes = [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")]
    assert codes == [b"1", b"2", b"3"]
    assert client.snapshot()["counters"]["responses"] == 3


async def test_the_event_is_read_by_its_own_href_before_it_starts(autojump_clock, world, make_control):
    """BASIC-004 and others: currentStatus is looked at before activation."""
    await world.start(for_s=5)
    world.add_control(make_control(1, world.server.now() + 40))
    await trio.sleep(50)
    [asked] = world.server.times("/derp/1/derc/1")
    assert asked == pytest.approx(
        world.tree["/derp/1/derc/1"].interval.start - world.server.offset_s - 2, abs=1
    )


async def test_the_same_bytes_are_not_read_twice(autojump_clock, world, monkeypatch):
    from dersim.csip import session

    await world.start(for_s=2)
    read = []
    real = session.decode
    monkeypatch.setattr(
        session, "decode", lambda body, kind, **more: read.append(kind) or real(body, kind, **more)
    )
    await trio.sleep(100)
    assert set(read) <= {r.Time, r.MirrorUsagePoint, r.MirrorUsagePointList}


async def test_a_new_link_in_the_dcap_means_a_new_walk(autojump_clock, world):
    client = await world.ready()
    world.tree["/dcap"].MirrorUsagePointListLink = None
    world.begin()
    await trio.sleep(40)
    assert world.server.paths("POST") == []
    world.tree["/dcap"] = r.DeviceCapability(
        href="/dcap",
        pollRate=30,
        TimeLink=r.Link(href="/tm"),
        EndDeviceListLink=r.ListLink(href="/edev"),
        MirrorUsagePointListLink=r.ListLink(href="/mup", all=0),
    )
    await trio.sleep(40)
    assert client.snapshot()["state"] == "connected"
    assert "/mup" in world.server.paths("POST")


async def test_a_curve_that_changes_under_its_href_is_taken_in(autojump_clock, world, listing_of):
    await world.ready()

    def curve(y):
        return r.DERCurve(
            href="/derp/1/dc/1",
            mRID="C1" * 16,
            creationTime=0,
            CurveData=(r.CurveData(xvalue=92, yvalue=y), r.CurveData(xvalue=108, yvalue=-y)),
            curveType=11,
            xMultiplier=0,
            yMultiplier=0,
            yRefType=2,
        )

    world.tree["/derp/1/dc"] = listing_of(r.DERCurveList, "/derp/1/dc", curve(44))
    world.tree["/derp/1/dderc"].DERControlBase = r.DERControlBase(
        opModVoltVar=r.DERCurveLink(href="/derp/1/dc/1")
    )
    world.begin()
    await trio.sleep(5)
    world.tree["/derp/1/dc"] = listing_of(r.DERCurveList, "/derp/1/dc", curve(30))
    await trio.sleep(12)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 30.0)


async def test_a_jump_of_the_servers_clock_is_followed_and_events_are_judged_anew(
    autojump_clock, world, make_control
):
    client = await world.start(for_s=100)
    world.add_control(make_control(1, world.server.now() + 7200, duration=3600))
    await trio.sleep(20)
    assert len(client.snapshot()["scheduled_controls"]) == 1
    world.server.offset_s += 7300
    await trio.sleep(1000)
    assert client.snapshot()["clock"]["offset_s"] == pytest.approx(7307.3, abs=0.6)
    assert len(world.logged("has jumped")) == 1
    assert len([b for b in world.server.bodies("/rsp") if b"<status>2" in b]) == 1


async def test_redirects_are_followed_with_their_method_and_body(autojump_clock, world):
    client = await world.ready()
    server = world.server
    for status, path in ((301, "/dcap"), (302, "/edev/1"), (307, "/edev/1/rg"), (308, "/edev/1/der")):
        world.tree[f"/new{path}"] = world.tree[path]
        server.answers["GET", path] = Response(status, (("location", f"http://127.0.0.1:8443/new{path}"),))
    server.answers["PUT", "/edev/1/der/1/ders"] = Response(301, (("location", "there"),))
    server.answers["POST", "/mup"] = Response(308, (("location", "/mup2"),))
    server.answers["POST", "/mup2"] = Response(201, (("location", "/mup/abc"),))
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    [put] = server.bodies("/edev/1/der/1/there", "PUT")
    assert b"<DERStatus" in put
    [posted] = server.bodies("/mup2")
    assert b"<MirrorUsagePoint" in posted
    assert server.bodies("/mup/abc")


async def test_a_redirect_to_another_port_opens_a_second_connection(autojump_clock, world):
    client = await world.ready()
    world.tree["/moved"] = world.tree["/dcap"]
    world.server.answers["GET", "/dcap"] = Response(301, (("location", "http://127.0.0.1:9999/moved"),))
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    assert world.server.connections == 2


@pytest.mark.parametrize(
    ("location", "words"),
    [("/dcap", "redirected in a loop"), ("ftp://x/y", "not http"), ("http://[/", "cannot be followed")],
)
async def test_bad_redirects_end_in_a_line(autojump_clock, world, location, words):
    client = await world.ready()
    world.server.answers["GET", "/dcap"] = Response(301, (("location", location),))
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "retrying"
    assert words in client.snapshot()["last_error"]
    assert len(world.server.seen) == 1


async def test_of_a_chain_of_redirects_each_address_is_asked_once(autojump_clock, world):
    client = await world.ready()
    numbers = itertools.count()
    world.tree["/dcap"] = lambda request: Response(302, (("location", "/other"),))
    world.tree["/other"] = lambda request: Response(302, (("location", "/dcap"),))
    world.begin()
    await trio.sleep(3)
    assert world.server.paths("GET") == ["/dcap", "/other"]
    world.tree["/dcap"] = lambda request: Response(302, (("location", f"/new/{next(numbers)}"),))
    for number in range(9):
        world.tree[f"/new/{number}"] = world.tree["/dcap"]
    await trio.sleep(12)
    assert "more than 5 redirects" in client.snapshot()["last_error"]
    assert len(world.server.seen) == 2 + 6


async def test_a_status_change_is_put_at_once_and_at_most_once_a_second(autojump_clock, world):
    await world.ready(poll=300)
    world.tree["/edev/1/der"].pollRate = 300
    world.begin()
    await trio.sleep(10)
    before = len(world.server.times("/edev/1/der/1/ders", "PUT"))
    begun = world.clock.now_s()
    for _ in range(10):
        world.device.command("stop")
        await trio.sleep(0.3)
        world.device.command("start")
        world.device.command("reset")
        await trio.sleep(0.3)
    world.device.command("stop")
    await trio.sleep(3)
    puts = world.server.times("/edev/1/der/1/ders", "PUT")[before:]
    assert puts
    assert all(each >= 0.99 for each in spacings(puts))
    assert puts[0] - begun <= 1.5
    assert b"<inverterStatus>" in world.server.bodies("/edev/1/der/1/ders", "PUT")[-1]


async def test_a_stray_content_of_a_list_is_warned_of_once(autojump_clock, world, listing_of):
    """all=999 with one item, and a server that ignores `s`: one warning, no loop."""
    client = await world.ready()
    page = world.tree["/edev"]
    lying = r.EndDeviceList(href="/edev", all=999, results=1, EndDevice=page.EndDevice, pollRate=10)
    from dersim.ieee2030_5 import Edition, encode

    world.tree["/edev"] = encode(lying, Edition.E2023)
    world.begin()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert len(world.logged("repeats itself")) == 1
    assert len(world.server.times("/edev")) <= 16


@pytest.mark.parametrize("path", ["/edev/1/fsa/1/derp", "/derp/1/derc", "/derp/1/dderc"])
async def test_what_could_not_be_read_once_is_not_left_for_a_whole_poll_rate(autojump_clock, world, path):
    client = await world.start(poll=900, for_s=5)
    world.server.answers["GET", path] = [Response(500)]
    await trio.sleep(940)
    _, failed, again = world.server.times(path)
    assert failed == pytest.approx(again - branch_retry_s(client.snapshot()["lfdi"]), abs=1)
    await trio.sleep(300)
    assert len(world.server.times(path)) == 3


async def test_a_control_that_is_no_longer_served_is_no_reason_for_a_new_walk(
    autojump_clock, world, make_control, listing_of
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 10, duration=1000))
    world.begin()
    await trio.sleep(60)
    world.tree["/derp/1/derc"] = listing_of(r.DERControlList, "/derp/1/derc")
    del world.tree["/derp/1/derc/1"]
    await trio.sleep(400)
    # It was read before its start, and in vain five minutes into it; vanished, it goes on.
    assert len(world.server.times("/derp/1/derc/1")) == 2
    assert not world.logged("discovering again")
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModMaxLimW") == 40


def curve_of(y):
    return r.DERCurve(
        href="/derp/1/dc/9",
        mRID="C9" * 16,
        creationTime=0,
        CurveData=(r.CurveData(xvalue=92, yvalue=y), r.CurveData(xvalue=108, yvalue=-y)),
        curveType=11,
        xMultiplier=0,
        yMultiplier=0,
        yRefType=2,
    )


async def test_a_curve_that_is_edited_in_place_is_taken_over_under_a_running_event(
    autojump_clock, world, make_control, listing_of
):
    client = await world.ready()
    world.tree["/derp/1/dc"] = listing_of(r.DERCurveList, "/derp/1/dc", curve_of(44))
    item = make_control(1, world.server.now() - 5, duration=600)
    item.DERControlBase = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/derp/1/dc/9"))
    world.add_control(item)
    world.begin()
    await trio.sleep(5)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 44.0)
    world.tree["/derp/1/dc"] = listing_of(r.DERCurveList, "/derp/1/dc", curve_of(30))
    await trio.sleep(12)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 30.0)
    shown = client.snapshot()["active_controls"][0]["modes"]["opModVoltVar"]
    assert "30" in str(shown)
    assert len([b for b in world.server.bodies("/rsp") if mrid_of(b) == "1".zfill(32)]) == 2


def mrid_of(body):
    return body.split(b"<subject>")[1].split(b"<")[0].decode()


async def test_a_curve_that_no_list_holds_is_read_by_its_href_before_its_control_starts(
    autojump_clock, world, make_control
):
    await world.ready()
    world.tree["/derp/1/dc/9"] = curve_of(44)
    item = make_control(1, world.server.now() + 100, duration=600)
    item.DERControlBase = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/derp/1/dc/9"))
    world.add_control(item)
    world.begin()
    await trio.sleep(50)
    world.tree["/derp/1/dc/9"] = curve_of(30)
    await trio.sleep(60)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 30.0)
    assert len([at_s for at_s in world.server.times("/derp/1/dc/9") if at_s < world.clock.now_s() - 10]) == 2


@pytest.mark.parametrize("of_default", [False, True])
async def test_a_curve_in_force_that_no_list_holds_is_read_at_the_rate_of_its_program(
    autojump_clock, world, make_control, of_default
):
    await world.ready()
    base = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/derp/1/dc/9"))
    world.tree["/derp/1/dc/9"] = curve_of(44)
    if of_default:
        world.tree["/derp/1/dderc"].DERControlBase = base
    else:
        item = make_control(1, world.server.now() - 5, duration=600)
        item.DERControlBase = base
        world.add_control(item)
    world.begin()
    await trio.sleep(15)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 44.0)
    world.tree["/derp/1/dc/9"] = curve_of(30)
    await trio.sleep(12)
    assert world.device.setpoints.value("opModVoltVar").points[0] == (92.0, 30.0)
    assert min(spacings(world.server.times("/derp/1/dc/9"))[2:], default=10) >= 10


async def test_a_curve_that_a_list_holds_is_not_read_by_its_href(
    autojump_clock, world, make_control, listing_of
):
    await world.ready()
    world.tree["/derp/1/dc"] = listing_of(r.DERCurveList, "/derp/1/dc", curve_of(44))
    item = make_control(1, world.server.now() + 20, duration=600)
    item.DERControlBase = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/derp/1/dc/9"))
    world.add_control(item)
    world.begin()
    await trio.sleep(60)
    assert world.server.times("/derp/1/dc/9") == []


async def test_another_program_at_the_same_href_is_read_by_it(autojump_clock, world):
    await world.start(for_s=60)
    listing = world.server.tree["/edev/1/fsa/1/derp"]
    program = listing.DERProgram[0]
    before = len(world.server.times(program.href))
    await trio.sleep(600)
    assert len(world.server.times(program.href)) == before
    other = copy.copy(program)
    other.mRID = f"{77:032X}"
    listing.DERProgram = [other]
    world.server.tree[program.href] = other
    await trio.sleep(600)
    assert len(world.server.times(program.href)) == before + 1


async def test_what_changed_is_read_even_if_the_first_reading_broke_off(autojump_clock, world):
    """A list that has changed is unchanged at the next look; what it asks to read has not been read yet."""
    later = Response(503, (("retry-after", "10"),))
    client = await world.ready()
    world.begin()
    await trio.sleep(15)
    fsa = copy.copy(world.tree["/edev/1/fsa/1"])
    fsa.mRID, fsa.DERProgramListLink = "A2" * 16, r.ListLink(href="/other", all=0)
    world.tree["/edev/1/fsa/1"] = fsa
    world.tree["/edev/1/fsa"].FunctionSetAssignments = (fsa,)
    world.tree["/other"] = r.DERProgramList(href="/other", all=0, results=0)
    me = copy.copy(world.tree["/edev/1"])
    me.changedTime += 1
    world.tree["/edev"].EndDevice = (me,)
    world.server.answers["GET", "/edev/1/fsa/1"] = [later]
    world.server.answers["GET", "/edev/1"] = [later]
    before = world.server.paths()
    await trio.sleep(60)
    for path in ("/edev/1", "/edev/1/fsa/1"):
        assert world.server.paths().count(path) == before.count(path) + 2
    assert "/other" in world.server.paths()
    assert client.snapshot()["state"] == "connected"


async def test_a_failing_link_that_is_no_more_is_no_trouble(autojump_clock, world):
    client = await world.ready()
    world.begin()
    await trio.sleep(5)
    world.tree["/derp/1/derc"] = Response(500)
    await trio.sleep(10)
    assert "/derp/1/derc" in client.snapshot()["last_error"]
    world.tree["/edev/1/fsa/1/derp"].DERProgram = ()
    await trio.sleep(20)
    assert (client.snapshot()["state"], client.snapshot()["troubles"]) == ("connected", [])


async def test_a_failing_registration_of_a_removed_end_device_is_no_trouble(autojump_clock, world):
    client = await world.ready()
    world.begin()
    await trio.sleep(5)
    world.tree["/edev/1/rg"].pollRate = 10
    await trio.sleep(900)
    world.tree["/edev/1/rg"] = Response(503)
    await trio.sleep(40)
    assert "/edev/1/rg" in client.snapshot()["last_error"]
    me = copy.copy(world.tree["/edev/1"])
    me.href, me.RegistrationLink = "/edev/2", r.Link(href="/edev/2/rg")
    world.tree["/edev"].EndDevice = ()
    world.tree["/edev/1/rg"] = Response(404)
    world.tree["/edev/2"] = me
    world.tree["/edev/2/rg"] = r.Registration(href="/edev/2/rg", dateTimeRegistered=0, pIN=111115)
    world.server.answers["POST", "/edev"] = Response(201, (("location", "/edev/2"),))
    await trio.sleep(60)
    assert client.snapshot()["end_device"] == "/edev/2"
    assert (client.snapshot()["state"], client.snapshot()["troubles"]) == ("connected", [])
