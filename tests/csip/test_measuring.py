"""What is measured of a client where load is recorded."""

import pytest
import trio

from dersim.csip.session import RequestRefused
from dersim.http11 import Response
from dersim.load.recorder import LoadRecorder


def recorded(world):
    recorder = LoadRecorder(world.fleet, world.clock, utc_s=world.clock.now_s)
    world.services.offer(LoadRecorder, recorder)
    return recorder


async def running(world, *flags, poll=10, for_s=1.0):
    recorder = recorded(world)
    world.nursery.start_soon(recorder.run)
    await world.start(*flags, poll=poll, for_s=for_s)
    return recorder


async def test_each_kind_of_request_is_counted_by_its_resource(autojump_clock, world):
    recorder = await running(world, for_s=65)
    kinds = recorder.tally.kinds
    assert {"GET Time", "GET DeviceCapability", "GET DERControlList", "PUT DERStatus"} <= set(kinds)
    assert "POST MirrorUsagePoint" in kinds
    assert kinds["GET DERControlList"].count == len(world.server.times("/derp/1/derc"))
    assert recorder.tally.requests == len(world.server.seen)
    assert recorder.tally.errors == 0
    assert kinds["GET DERControlList"].received_bytes > 100
    assert kinds["PUT DERStatus"].sent_bytes > 100
    assert recorder.tally.poll_rates_s["DERProgramList"] == 10
    assert recorder.tally.poll_rates_s["DeviceCapability"] == 30


async def test_a_get_outside_of_the_walk_is_named_by_what_it_brings(autojump_clock, world):
    recorder = await running(world, for_s=5)
    session = world.client.lifecycle.session
    before = recorder.take().kinds
    await session.exchange("GET", "/derp/1/derc", "a look")
    world.server.answers["GET", "/derp/1/derc"] = [b"<html/>", Response(404)]
    await session.exchange("GET", "/derp/1/derc", "a look")
    with pytest.raises(RequestRefused):
        await session.exchange("GET", "/derp/1/derc", "a look")
    assert {name: kind.count for name, kind in recorder.tally.kinds.items()} == {
        "GET DERControlList": 1,
        "GET document": 2,
    }
    assert "GET DERControlList" in before


async def test_a_server_that_does_not_give_back_what_was_put_makes_no_error(autojump_clock, world):
    world_answers = world.server.answers
    for name in ("dercap", "derg", "ders", "dera"):
        world_answers["GET", f"/edev/1/der/1/{name}"] = Response(404)
    recorder = await running(world, for_s=5)
    assert len(world.server.times("/edev/1/der/1/ders")) == 1
    assert recorder.tally.errors == 0


async def test_polls_held_up_by_a_server_that_stalls_count_from_their_due_times(autojump_clock, world):
    """One answer takes 8 s. It alone is slow by itself; what was due meanwhile is late."""
    recorder = await running(world, poll=10, for_s=5)
    usual = world.tree["/edev"]

    async def stall(_request):
        await trio.sleep(8)
        return usual

    world.server.answers["GET", "/edev"] = [stall]
    recorder.take()
    await trio.sleep(14)
    kinds = recorder.tally.kinds
    assert kinds["GET EndDeviceList"].service.percentile_s(100) == pytest.approx(8, rel=0.02)
    for name in ("GET DERList", "GET FunctionSetAssignmentsList", "GET DERProgramList"):
        assert kinds[name].service.percentile_s(100) < 0.1
        assert kinds[name].latency.percentile_s(100) == pytest.approx(8, rel=0.02)
    assert recorder.tally.late.percentile_s(100) == pytest.approx(8, rel=0.02)


async def test_a_poll_on_time_is_not_late(autojump_clock, world):
    recorder = await running(world, for_s=60)
    assert recorder.tally.late.percentile_s(100) < 0.01
    assert recorder.tally.late.count > 10


async def test_a_retry_after_is_no_delay(autojump_clock, world):
    recorder = await running(world, for_s=5)
    busy = Response(503, (("retry-after", "120"),))
    world.server.answers["GET", "/edev/1/fsa/1/derp"] = [busy]
    await trio.sleep(200)
    kind = recorder.tally.kinds["GET DERProgramList"]
    assert kind.errors == {"503": 1}
    assert recorder.tally.late.percentile_s(100) < 11


async def test_errors_are_counted_by_status_and_by_phase(autojump_clock, world):
    recorder = await running(world, for_s=5)
    world.server.answers["GET", "/derp/1/derc"] = [Response(500)]
    await trio.sleep(10)
    assert recorder.tally.kinds["GET DERControlList"].errors == {"500": 1}
    (example,) = recorder.tally.kinds["GET DERControlList"].examples["500"]
    assert example.text == "GET /derp/1/derc?s=0&l=255: 500"
    world.server.away = True
    world.server.hang_up()
    await trio.sleep(20)
    assert any("connect" in kind.errors for kind in recorder.tally.kinds.values())


async def test_an_answer_that_never_comes_counts_with_its_time(autojump_clock, world):
    recorder = await running(world, for_s=5)

    async def silent(_request):
        await trio.sleep_forever()

    world.server.answers["GET", "/edev/1/fsa/1/derp"] = [silent]
    await trio.sleep(25)
    kind = recorder.tally.kinds["GET DERProgramList"]
    assert kind.errors == {"receive": 1}
    assert kind.service.percentile_s(100) == pytest.approx(10, rel=0.02)


async def test_a_document_that_breaks_the_schema_is_counted(autojump_clock, world):
    recorder = await running(world, for_s=5)
    body = b'<DERControlList xmlns="urn:ieee:std:2030.5:ns" results="0"/>'
    world.server.answers["GET", "/derp/1/derc"] = [body]
    await trio.sleep(10)
    assert recorder.tally.kinds["GET DERControlList"].errors == {"schema violation": 1}


async def test_handshakes_are_counted_apart(autojump_clock, tls_world):
    world = tls_world.world
    recorder = recorded(world)
    await tls_world.start()
    assert recorder.tally.handshakes["full"].count == 1
    world.server.hang_up()
    await trio.sleep(30)
    assert recorder.tally.handshakes["resumed"].count >= 1


async def test_the_states_of_the_clients_are_counted_each_second(autojump_clock, world):
    recorder = await running(world, for_s=3)
    shown = recorder.tally.snapshot()["series"]["states"]
    assert shown["connected"][-1] == 1
    assert sum(shown[name][-1] for name in shown) == 1


async def test_the_way_of_a_control_is_followed(autojump_clock, world, make_control):
    recorder = await running(world, for_s=5)
    now = world.server.now()
    control = make_control(7, now + 20, 30, 5000)
    control.creationTime = now
    world.add_control(control)
    await trio.sleep(90)
    (shown,) = recorder.tally.snapshot()["controls"]
    steps = shown["steps"]
    assert (shown["devices"], shown["seen_by"], shown["never_seen"]) == (1, 1, 0)
    assert 0 < steps["seen"]["max"] <= 11
    assert steps["started"]["max"] < 0.1
    assert steps["applied"]["max"] < 20
    for step in ("response 1", "response 2", "response 3"):
        assert steps[step]["max"] < 1.1, step
    assert shown["modes"] == "opModMaxLimW 50.0"


async def test_a_control_that_was_there_before_the_der_says_nothing_of_its_reaction(
    autojump_clock, world, make_control
):
    recorder = recorded(world)
    await world.ready()
    now = world.server.now()
    world.add_control(make_control(7, now - 20, 300, 5000))
    world.begin()
    await trio.sleep(20)
    (shown,) = recorder.tally.snapshot()["controls"]
    assert shown["seen_by"] == 1
    assert all(step is None for step in shown["steps"].values())


async def test_what_was_taken_is_counted_once(autojump_clock, world):
    recorder = await running(world, for_s=5)
    first = recorder.take()
    await trio.sleep(20)
    second = recorder.take()
    assert first.requests + second.requests == len(world.server.seen)
    assert recorder.tally.requests == 0


async def test_without_a_recorder_nothing_is_measured(autojump_clock, world):
    client = await world.start()
    assert client.lifecycle.polling.load is None
    assert client.lifecycle.controls.reaction.observer is None
