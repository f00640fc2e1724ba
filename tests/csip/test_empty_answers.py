"""A 204 is an empty resource: the client stays connected and gives up what the resource had said."""

import pytest
import trio

from dersim.http11 import Response


async def test_a_default_that_becomes_204_is_withdrawn(autojump_clock, world):
    client = await world.start(for_s=5)
    assert world.device.setpoints.value("opModMaxLimW") == 90
    world.tree["/derp/1/dderc"] = Response(204)
    await trio.sleep(15)
    assert world.device.setpoints.value("opModMaxLimW") is None
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.times("/dcap")) == 1


@pytest.mark.parametrize(("flag", "held"), [("keep", 40), ("cancel", 90)])
async def test_the_events_of_a_list_that_becomes_204_follow_event_removed(
    autojump_clock, world, make_control, flag, held
):
    client = await world.ready("--event_removed", flag)
    world.add_control(make_control(1, world.server.now() + 5, duration=600))
    world.begin()
    await trio.sleep(15)
    assert world.device.setpoints.value("opModMaxLimW") == 40
    world.tree["/derp/1/derc"] = world.tree["/derp/1/derc/1"] = Response(204)
    await trio.sleep(25)
    assert world.device.setpoints.value("opModMaxLimW") == held
    assert client.snapshot()["state"] == "connected"


@pytest.mark.parametrize("path", ["/edev/1/rg", "/edev/1/lel", "/mup", "/edev/1/der", "/derp/1/dc", "/tm"])
async def test_a_204_of_any_other_link_is_survived(autojump_clock, world, path):
    client = await world.ready()
    world.tree[path] = Response(204)
    world.begin()
    await trio.sleep(100)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.times("/dcap")) <= 4


async def test_a_list_that_is_204_is_read_again_within_30_s(autojump_clock, world):
    await world.start(for_s=5)
    listed = world.tree["/edev/1/der"]
    world.tree["/edev/1/der"] = Response(204)
    await trio.sleep(15)
    world.tree["/edev/1/der"] = listed
    before = len(world.server.times("/edev/1/der"))
    await trio.sleep(35)
    assert len(world.server.times("/edev/1/der")) > before
