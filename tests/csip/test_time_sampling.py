"""Each program's events on the clock of its own Time, and samples as soon as the standard allows."""

import itertools

import pytest
import trio

from dersim.ieee2030_5 import resources as r

AHEAD_S = 40


def mrid(number):
    return f"{number:032X}"


def time_resource(world, ahead_s):
    return lambda request: r.Time(
        currentTime=world.server.now() + ahead_s,
        dstEndTime=0,
        dstOffset=0,
        dstStartTime=0,
        quality=4,
        tzOffset=0,
    )


def add_fsa(world, listing_of, number, *, time, programs=None):
    """A further FSA with a program of its own, or with the program list `programs`."""
    tree, base = world.tree, f"/edev/1/fsa/{number}"
    listed = programs or f"{base}/derp"
    fsa = r.FunctionSetAssignments(
        href=base, mRID=mrid(0xA0 + number), DERProgramListLink=r.ListLink(href=listed, all=1), TimeLink=time
    )
    tree[base] = fsa
    tree["/edev/1/fsa"] = listing_of(
        r.FunctionSetAssignmentsList,
        "/edev/1/fsa",
        *tree["/edev/1/fsa"].FunctionSetAssignments,
        fsa,
        pollRate=10,
    )
    if programs is None:
        program = r.DERProgram(
            href=f"/derp/{number}",
            mRID=mrid(0xB0 + number),
            primacy=number,
            DERControlListLink=r.ListLink(href=f"/derp/{number}/derc", all=1),
        )
        tree[program.href] = program
        tree[listed] = listing_of(r.DERProgramList, listed, program, pollRate=10)


def started(world, number):
    """When Response 2 of the control came, s."""
    for each in world.server.seen:
        if each.path == "/rsp" and mrid(number).encode() in each.body and b"<status>2" in each.body:
            return each.at_s
    return None


@pytest.mark.parametrize("ahead_s", [AHEAD_S, -AHEAD_S, 5000])
async def test_events_run_on_the_time_of_their_own_fsa(
    autojump_clock, world, make_control, listing_of, ahead_s
):
    client = await world.ready()
    world.tree["/tm/2"] = time_resource(world, ahead_s)
    add_fsa(world, listing_of, 2, time=r.Link(href="/tm/2"))
    begin = world.server.now() + 100
    world.add_control(make_control(1, begin))
    world.tree["/derp/2/derc"] = listing_of(
        r.DERControlList, "/derp/2/derc", make_control(2, begin + ahead_s + 70, href="/derp/2/derc/2")
    )
    world.begin()
    await trio.sleep(200)
    assert started(world, 1) + world.server.offset_s == pytest.approx(begin, abs=0.6)
    assert started(world, 2) + world.server.offset_s == pytest.approx(begin + 70, abs=0.6)
    shown = client.snapshot()
    assert shown["clock"]["offset_s"] == pytest.approx(7.3, abs=0.2)
    assert {each["href"]: round(each["offset_s"] - 7.3) for each in shown["clocks"]} == {
        "/tm": 0,
        "/tm/2": ahead_s,
    }


async def test_a_program_under_two_fsas_runs_by_the_first_in_list_order(
    autojump_clock, world, make_control, listing_of
):
    await world.ready()
    world.tree["/edev/1/fsa/1"].TimeLink = r.Link(href="/tm/first")
    world.tree["/tm/first"] = time_resource(world, 0)
    world.tree["/tm/2"] = time_resource(world, AHEAD_S)
    add_fsa(world, listing_of, 2, time=r.Link(href="/tm/2"), programs="/edev/1/fsa/1/derp")
    begin = world.server.now() + 100
    world.add_control(make_control(1, begin))
    world.begin()
    await trio.sleep(200)
    assert started(world, 1) + world.server.offset_s == pytest.approx(begin, abs=0.6)


async def test_times_that_may_be_one_clock_have_one_offset(autojump_clock, world, make_control, listing_of):
    """A second Time of the same server: events that meet are not torn apart by the error of measurement."""
    await world.ready()
    world.tree["/tm/2"] = time_resource(world, 0)
    add_fsa(world, listing_of, 2, time=r.Link(href="/tm/2"))
    begin = world.server.now() + 100
    world.add_control(make_control(1, begin, duration=50))
    world.tree["/derp/2/derc"] = listing_of(
        r.DERControlList, "/derp/2/derc", make_control(2, begin + 50, href="/derp/2/derc/2")
    )
    world.begin()
    await trio.sleep(300)
    for number in (1, 2):
        bodies = [body for body in world.server.bodies("/rsp") if mrid(number).encode() in body]
        assert [int(body.split(b"<status>")[1].split(b"<")[0]) for body in bodies] == [1, 2, 3]


async def test_a_walk_within_15_s_of_a_sample_samples_as_soon_as_the_standard_allows(autojump_clock, world):
    client = await world.start(for_s=200)
    assert client.snapshot()["clock"]["bound_s"] < 0.1  # synchronised: the next sample is 15 minutes away
    client.rediscover()
    await trio.sleep(5)
    sampled = world.server.times("/tm")[-1]
    assert world.clock.now_s() - sampled < 6
    world.server.offset_s += 100
    client.rediscover()
    await trio.sleep(25)
    assert world.server.times("/tm")[-1] - sampled == pytest.approx(15, abs=1.1)
    assert client.snapshot()["clock"]["offset_s"] == pytest.approx(107.3, abs=0.6)
    times = world.server.times("/tm")
    assert all(b - a >= 15 - 1e-6 for a, b in itertools.pairwise(times))


async def test_an_event_that_the_server_has_begun_and_we_hold_as_future_is_a_hint_to_sample(
    autojump_clock, world, make_control
):
    client = await world.start(for_s=200)
    begin = world.server.now() + 500
    world.add_control(make_control(1, begin, duration=600))
    await trio.sleep(20)
    asked = len(world.server.times("/tm"))
    world.server.offset_s += 500
    active = r.EventStatus(currentStatus=1, dateTime=begin, potentiallySuperseded=False)
    world.tree["/derp/1/derc"].DERControl[0].EventStatus = active
    await trio.sleep(20)
    assert len(world.server.times("/tm")) > asked
    assert [each["mRID"] for each in client.snapshot()["active_controls"]] == [mrid(1)]


async def test_set_back_during_an_event_it_stops_as_soon_as_the_jump_is_seen(
    autojump_clock, world, make_control
):
    """Samples are 15 s apart at first: the jump is seen within 15 s, not after 15 minutes."""
    client = await world.ready()
    begin = world.server.now() + 5
    world.add_control(make_control(1, begin, duration=40))
    world.begin()
    await trio.sleep(10)
    assert world.device.setpoints.value("opModMaxLimW") == 40
    world.server.offset_s -= 900
    await trio.sleep(16)
    assert world.device.setpoints.value("opModMaxLimW") == 90
    assert [each["mRID"] for each in client.snapshot()["scheduled_controls"]] == [mrid(1)]
    await trio.sleep(1000)
    bodies = [body for body in world.server.bodies("/rsp") if mrid(1).encode() in body]
    assert [int(body.split(b"<status>")[1].split(b"<")[0]) for body in bodies] == [1, 2, 3]


async def test_a_time_that_cannot_be_read_leaves_its_programs_to_the_device_capability_s(
    autojump_clock, world, make_control, listing_of
):
    await world.ready()
    add_fsa(world, listing_of, 2, time=r.Link(href="/tm/none"))
    begin = world.server.now() + 50
    world.tree["/derp/2/derc"] = listing_of(
        r.DERControlList, "/derp/2/derc", make_control(2, begin, href="/derp/2/derc/2")
    )
    world.begin()
    await trio.sleep(100)
    assert started(world, 2) + world.server.offset_s == pytest.approx(begin, abs=0.6)


async def test_the_time_of_an_fsa_is_followed_when_it_is_added_and_when_it_changes(
    autojump_clock, world, make_control, listing_of
):
    client = await world.start(for_s=20)
    for number, ahead_s in ((2, 40), (3, 5000)):
        world.tree[f"/tm/{number}"] = time_resource(world, ahead_s)
    add_fsa(world, listing_of, 2, time=r.Link(href="/tm/2"))
    world.tree["/derp/2/derc"] = listing_of(r.DERControlList, "/derp/2/derc")
    await trio.sleep(20)
    assert [each["href"] for each in client.snapshot()["clocks"]] == ["/tm", "/tm/2"]
    changed = r.FunctionSetAssignments(
        href="/edev/1/fsa/2",
        mRID=mrid(0xA2),
        DERProgramListLink=r.ListLink(href="/edev/1/fsa/2/derp", all=1),
        TimeLink=r.Link(href="/tm/3"),
    )
    world.tree["/edev/1/fsa"] = listing_of(
        r.FunctionSetAssignmentsList, "/edev/1/fsa", world.tree["/edev/1/fsa/1"], changed, pollRate=10
    )
    begin = world.server.now() + 60
    world.tree["/derp/2/derc"] = listing_of(
        r.DERControlList, "/derp/2/derc", make_control(2, begin + 5000, href="/derp/2/derc/2")
    )
    await trio.sleep(100)
    assert [each["href"] for each in client.snapshot()["clocks"]] == ["/tm", "/tm/3"]
    assert started(world, 2) + world.server.offset_s == pytest.approx(begin, abs=0.6)
