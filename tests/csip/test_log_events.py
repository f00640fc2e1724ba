"""LogEvents: alarms that come and go, and the burst of BASIC-027."""

import itertools

import pytest
import trio

from dersim.csip.log_events import BurstImpossible
from dersim.errors import ConfigError, LocalProtocolError
from dersim.http11 import Response
from dersim.ieee2030_5 import decode


def events(world):
    return [decode(body).resource for body in world.server.bodies("/edev/1/lel")]


async def test_an_alarm_and_its_end_are_two_events(autojump_clock, world):
    await world.start(for_s=5)
    world.device.inputs.set(voltage_pu=(1.18, 1.18, 1.18))
    await trio.sleep(5)
    world.device.inputs.set(voltage_pu=(1.0, 1.0, 1.0))
    await trio.sleep(30)
    found = [(e.functionSet, e.logEventCode) for e in events(world)]
    assert (11, 2) in found
    assert (11, 3) in found
    assert found.index((11, 2)) < found.index((11, 3))
    assert all(e.profileID == 2 and e.logEventPEN == 40732 for e in events(world))
    status = [decode(b).resource for b in world.server.bodies("/edev/1/der/1/ders", "PUT")]
    assert any(each.alarmStatus & 0b10 for each in status)


@pytest.mark.parametrize(
    ("name", "bit"),
    [("current_imbalance", 6), ("emergency_local", 7), ("emergency_remote", 8), ("phase_rotation", 10)],
)
async def test_an_alarm_raised_by_its_input_is_told_by_bit_and_by_events(autojump_clock, world, name, bit):
    await world.start(for_s=5)
    world.device.inputs.set(**{name: True})
    await trio.sleep(40)
    world.device.inputs.set(**{name: False})
    await trio.sleep(40)
    assert [(e.functionSet, e.logEventCode) for e in events(world)] == [(11, 2 * bit), (11, 2 * bit + 1)]
    status = [decode(b).resource for b in world.server.bodies("/edev/1/der/1/ders", "PUT")]
    assert {each.alarmStatus for each in status} == {0, 1 << bit}


async def test_the_burst_is_five_general_events_five_seconds_apart(autojump_clock, world):
    client = await world.start(for_s=5)
    client.log_event_burst()
    with pytest.raises(BurstImpossible, match="running"):
        client.log_event_burst()
    await trio.sleep(40)
    found = events(world)
    assert [(e.functionSet, e.logEventCode, e.details) for e in found] == [(0, 2, "Abnormal")] * 5
    assert [e.logEventID for e in found] == [1, 2, 3, 4, 5]
    gaps = [b - a for a, b in itertools.pairwise(world.server.times("/edev/1/lel", "POST"))]
    assert gaps == pytest.approx([5] * 4, abs=0.6)
    assert client.snapshot()["counters"]["log_events"] == 5
    client.log_event_burst(3, 1, 1)
    await trio.sleep(3)
    assert events(world)[-1].extendedData == 3


async def test_a_burst_can_be_stopped(autojump_clock, world):
    client = await world.start(for_s=5)
    client.log_event_burst()
    await trio.sleep(7)
    client.stop_log_event_burst()
    assert not client.bursting
    await trio.sleep(30)
    assert len(events(world)) == 2
    client.stop_log_event_burst()  # nothing runs: nothing happens
    client.log_event_burst("Normal", 1, 1)
    await trio.sleep(3)
    assert events(world)[-1].details == "Normal"


@pytest.mark.parametrize(
    "wrong",
    [("Odd", 5, 5), (True, 5, 5), (-1, 5, 5), ("Normal", 0, 5), ("Normal", 5, 0), ("Normal", 5, 10**9)],
)
async def test_values_that_make_no_sense_are_refused(autojump_clock, world, wrong):
    client = await world.start(for_s=3)
    with pytest.raises(ConfigError):
        client.log_event_burst(*wrong)


async def test_without_a_list_there_is_no_burst(autojump_clock, world):
    client = await world.ready()
    with pytest.raises(BurstImpossible):
        client.log_event_burst()
    del world.tree["/edev/1/lel"]
    world.begin()
    await trio.sleep(3)
    with pytest.raises(BurstImpossible):
        client.log_event_burst()


async def test_events_wait_for_a_server_that_is_away(autojump_clock, world):
    client = await world.start(for_s=5)
    world.server.away = True
    world.server.hang_up()
    client.log_event_burst("Normal", 1, 3)
    await trio.sleep(30)
    world.server.away = False
    await trio.sleep(30)
    assert [e.logEventID for e in events(world)] == [1, 2, 3]


async def test_a_refused_event_does_not_hold_up_the_next(autojump_clock, world):
    client = await world.start(for_s=5)
    world.server.answers["POST", "/edev/1/lel"] = [Response(400)]
    client.log_event_burst("Normal", 1, 2)
    await trio.sleep(5)
    assert [e.logEventID for e in events(world)] == [1, 2]
    assert client.snapshot()["counters"]["log_events"] == 1


async def test_a_list_that_is_gone_is_looked_for_before_an_event_is_given_up(autojump_clock, world):
    client = await world.start(for_s=3)
    client.log_event_burst(count=1)
    await trio.sleep(5)
    assert client.snapshot()["counters"]["log_events"] == 1
    world.server.answers["POST", "/edev/1/lel"] = [Response(404)]
    client.log_event_burst(count=1)
    await trio.sleep(20)
    assert len(world.server.times("/dcap")) == 2
    assert client.snapshot()["counters"]["log_events"] == 2


async def test_a_log_event_that_raises_costs_that_event_alone(autojump_clock, world, monkeypatch):
    client = await world.start(for_s=5)
    real = client.lifecycle.session.encode

    def broken(resource):
        if getattr(resource, "logEventID", None) == 2:
            raise ZeroDivisionError
        return real(resource)

    monkeypatch.setattr(client.lifecycle.session, "encode", broken)
    client.log_event_burst()
    await trio.sleep(60)
    assert [each.logEventID for each in events(world)] == [1, 3, 4, 5]
    assert world.fences.counts == {"csip_log_event": 1}
    assert client.snapshot()["state"] == "connected"


async def test_a_log_event_that_cannot_be_written_is_dropped(autojump_clock, world, monkeypatch):
    client = await world.start(for_s=5)
    real = client.lifecycle.session.encode

    def broken(resource):
        if getattr(resource, "logEventID", None) == 2:
            raise LocalProtocolError("extendedData: out of range")
        return real(resource)

    monkeypatch.setattr(client.lifecycle.session, "encode", broken)
    client.log_event_burst()
    await trio.sleep(60)
    assert [each.logEventID for each in events(world)] == [1, 3, 4, 5]
    assert client.snapshot()["state"] == "connected"
