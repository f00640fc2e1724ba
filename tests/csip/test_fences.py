"""An error that nobody foresaw ends one poll, one link or one Response; the client goes on."""

import trio

from dersim.csip import discovery, programs
from dersim.csip.log_events import LogEvents
from dersim.csip.responses import Outbox
from dersim.csip.session import Session
from dersim.ieee2030_5.events import EventScheduler


def broken(*_args, **_fields):
    raise KeyError("nobody foresaw this")


async def test_a_poll_that_raises_costs_that_poll_only(autojump_clock, world, monkeypatch):
    client = await world.start(for_s=5)
    with monkeypatch.context() as patch:
        patch.setattr(discovery, "_der_node", broken)
        patch.setattr(programs.Programs, "_set_lists", broken)
        await trio.sleep(60)
        assert client.snapshot()["state"] == "retrying"
        assert len(world.server.times("/dcap")) < 5
        assert len(world.server.times("/edev")) > 4
    assert 1 <= world.fences.counts["csip_poll"] <= 6  # two polls, every 21 to 30 s
    assert world.logged("poll of fsa", "KeyError")
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"


async def test_a_walk_that_raises_is_walked_again(autojump_clock, world, monkeypatch):
    client = await world.ready()
    with monkeypatch.context() as patch:
        patch.setattr(discovery.Discovery, "der", broken)
        world.begin()
        await trio.sleep(15)
        assert client.snapshot()["state"] == "retrying"
    assert world.fences.counts["csip_walk"] == 2
    await trio.sleep(15)
    assert client.snapshot()["state"] == "connected"


async def test_a_link_that_raises_costs_that_link_only(autojump_clock, world, monkeypatch):
    client = await world.ready()
    read = Session.fetch

    async def fetch(self, href, kind, cause, **more):
        if href.startswith("/edev/1/lel"):
            broken()
        return await read(self, href, kind, cause, **more)

    monkeypatch.setattr(Session, "fetch", fetch)
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert world.fences.counts["csip_link"] == 1
    assert world.logged("LogEventList", "unexpected error")


async def test_a_response_that_raises_is_given_up_alone(autojump_clock, world, make_control, monkeypatch):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 20))
    write, calls = Session.encode, []

    def encode(self, resource):
        if type(resource).__name__ == "DERControlResponse":
            calls.append(resource)
            if len(calls) == 1:
                broken()
        return write(self, resource)

    monkeypatch.setattr(Session, "encode", encode)
    world.begin()
    await trio.sleep(60)
    assert world.fences.counts["csip_response"] == 1
    assert [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")] == [b"2"]
    assert client.snapshot()["state"] == "connected"


async def test_a_watch_of_alarms_that_raises_ends_nothing(autojump_clock, world, monkeypatch):
    client = await world.start(for_s=5)
    with monkeypatch.context() as patch:
        patch.setattr(LogEvents, "watch", broken)
        for irradiance_w_m2 in (500.0, 600.0, 700.0):
            world.device.inputs.set(irradiance_w_m2=irradiance_w_m2)
            await trio.sleep(1)
    assert world.fences.counts["csip_watch"] >= 2
    await trio.sleep(20)
    assert client.snapshot()["state"] == "connected"


async def test_a_step_of_the_controls_that_raises_is_tried_again(
    autojump_clock, world, make_control, monkeypatch
):
    client = await world.start(for_s=5)
    step, raised = EventScheduler.step, []

    def step_or_raise(scheduler, now_s):
        if len(raised) < 2:
            raised.append(now_s)
            broken()
        return step(scheduler, now_s)

    monkeypatch.setattr(EventScheduler, "step", step_or_raise)
    world.add_control(make_control(1, world.server.now() + 30))
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert [each["mRID"] for each in client.snapshot()["active_controls"]]
    assert not world.logged("discovery of", "trying again")


async def test_an_end_is_carried_out_though_what_reports_it_raises(
    autojump_clock, world, make_control, monkeypatch
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 20))
    monkeypatch.setattr(Outbox, "put", broken)
    world.begin()
    await trio.sleep(30)
    assert world.device.setpoints.value("opModMaxLimW") == 40
    await trio.sleep(600)
    assert world.device.setpoints.value("opModMaxLimW") == 90  # the default
    assert client.snapshot()["state"] == "connected"
    assert world.fences.counts["csip_control"] >= 2
    assert world.logged("Response 3 for ", "KeyError")
    assert not world.logged("discovery of", "trying again")


async def test_setpoints_that_cannot_be_submitted_are_submitted_again(
    autojump_clock, world, make_control, monkeypatch
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 20))
    world.begin()
    await trio.sleep(30)
    with monkeypatch.context() as patch:
        patch.setattr(world.device.setpoints, "submit", broken)
        world.add_control(make_control(2, world.server.now() + 20))
        await trio.sleep(60)
    assert world.logged("the setpoints of all controls", "KeyError")
    await trio.sleep(15)
    assert client.snapshot()["state"] == "connected"
    [active] = client.snapshot()["active_controls"]
    assert {each.detail for each in world.device.setpoints.in_force()} >= {active["mRID"]}
