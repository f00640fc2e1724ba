"""A client that goes on from a checkpoint: no event begins twice, no Response is given twice or lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from tests.csip.conftest import World

from dersim.csip.client import CsipClient
from dersim.errors import ConfigError
from dersim.http11 import Response
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.plugin.builtin import make_device
from dersim.plugin.services import Services
from dersim.saved_states import SavedStates
from dersim.setpoint_sources import SetpointSource


class Run:
    """A client that may be killed and goes on as another, with another device, before the same server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.scope = trio.CancelScope()

    async def begin(self, states: SavedStates | None = None) -> CsipClient:
        client = await self.world.ready()
        if states is not None:
            client._context.saved_states = states
        self.world.nursery.start_soon(self.world._tick)
        self.world.nursery.start_soon(self.world.server.run)
        self.world.nursery.start_soon(self._run, client)
        return client

    async def _run(self, client: CsipClient) -> None:
        with self.scope:
            await client.run()

    def take(self) -> Any:
        taken = [self.world.device.checkpoint(), self.world.client.checkpoint()]
        return json.loads(json.dumps(taken, allow_nan=False))

    def kill(self) -> None:
        self.scope.cancel()

    async def go_on(self, document: Any) -> CsipClient:
        world = self.world
        self.scope = trio.CancelScope()
        world.device = make_device(1, clock=world.clock)
        world.device.restore(document[0])
        world.fleet.devices[:] = [world.device]
        world.services = Services()
        client = world.make()
        client.restore(document[1])
        await client.bind()
        world.nursery.start_soon(self._run, client)
        return client


@pytest.fixture
def run(world: World) -> Run:
    return Run(world)


def statuses(world: World) -> list[int]:
    return [decode(body).resource.status for body in world.server.bodies("/rsp")]


async def test_a_running_event_goes_on_and_its_responses_are_given_once(
    autojump_clock, world, run, make_control
):
    await run.begin()
    world.add_control(make_control(1, world.server.now() + 20, 60, randomizeStart=10, randomizeDuration=10))
    await trio.sleep(45)
    assert statuses(world) == [1, 2]
    before = world.client.explain()
    document = run.take()
    run.kill()
    await trio.sleep(5)
    client = await run.go_on(document)
    in_force = {line.mode: line.source for line in world.device.setpoints.in_force()}
    assert in_force["opModMaxLimW"] is SetpointSource.CSIP
    await trio.sleep(2)
    [now] = client.explain()
    # A new sample of the server's clock may move both by its error.
    assert now.effective_start_s == pytest.approx(before[0].effective_start_s, abs=0.6)
    assert now.effective_end_s == pytest.approx(before[0].effective_end_s, abs=0.6)
    assert (now.phase, now.mrid) == (before[0].phase, before[0].mrid)
    await trio.sleep(60)
    assert statuses(world) == [1, 2, 3]


async def test_an_event_ends_at_its_time_without_the_server_and_its_response_is_sent_later(
    autojump_clock, world, run, make_control
):
    await run.begin()
    world.add_control(make_control(1, world.server.now() + 12, 60))
    await trio.sleep(40)
    document = run.take()
    run.kill()
    world.server.away = True
    world.server.hang_up()
    client = await run.go_on(document)
    await trio.sleep(50)
    assert client.explain()[0].phase.value == "completed"
    kept = client.snapshot()["default_control"]
    assert (kept["program"], kept["modes"]["opModMaxLimW"]) == (None, 90.0)
    assert statuses(world) == [1, 2]
    second = run.take()
    run.kill()
    await run.go_on(second)
    world.server.away = False
    await trio.sleep(30)
    assert statuses(world) == [1, 2, 3]


UNREADABLE = {
    "fsa": ("/edev/1/fsa", Response(503)),
    "fsa gone": ("/edev/1/fsa", Response(404)),
    "programs": ("/edev/1/fsa/1/derp", Response(503)),
    "programs gone": ("/edev/1/fsa/1/derp", Response(404)),
    "default": ("/derp/1/dderc", Response(503)),
    "controls": ("/derp/1/derc", Response(503)),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_after_a_restart_ends_nothing(
    autojump_clock, world, run, make_control, name
):
    await run.begin()
    world.add_control(make_control(1, world.server.now() + 12, 120))
    await trio.sleep(40)
    assert statuses(world) == [1, 2]
    document = run.take()
    run.kill()
    path, answer = UNREADABLE[name]
    before, world.tree[path] = world.tree[path], answer
    await run.go_on(document)
    await trio.sleep(20)
    in_force = {line.mode: line.source for line in world.device.setpoints.in_force()}
    assert in_force["opModMaxLimW"] is SetpointSource.CSIP
    shown = {line.mode: line.value for line in world.device.setpoints.overridden()}
    assert shown["opModMaxLimW"] == 90.0  # the default waits beneath
    assert statuses(world) == [1, 2]
    world.tree[path] = before
    await trio.sleep(100)
    assert statuses(world) == [1, 2, 3]


async def test_a_program_that_was_taken_away_meanwhile_leaves_nothing_in_force(
    autojump_clock, world, run, make_control, listing_of
):
    await run.begin()
    world.add_control(make_control(1, world.server.now() + 12, 120))
    await trio.sleep(40)
    document = run.take()
    run.kill()
    world.tree["/edev/1/fsa/1/derp"] = listing_of(r.DERProgramList, "/edev/1/fsa/1/derp", pollRate=10)
    client = await run.go_on(document)
    await trio.sleep(10)
    assert [each.phase.value for each in client.explain()] == ["cancelled"]
    ours = SetpointSource.CSIP, SetpointSource.CSIP_DEFAULT
    shown = (*world.device.setpoints.in_force(), *world.device.setpoints.overridden())
    assert [line for line in shown if line.source in ours] == []
    assert statuses(world) == [1, 2, 6]


async def test_an_event_that_is_over_and_still_listed_is_not_answered_again(
    autojump_clock, world, run, make_control
):
    await run.begin()
    world.add_control(make_control(1, world.server.now() + 12, 20))
    await trio.sleep(60)
    assert statuses(world) == [1, 2, 3]
    document = run.take()
    run.kill()
    client = await run.go_on(document)
    await trio.sleep(30)
    assert [each.phase.value for each in client.explain()] == ["completed"]
    assert statuses(world) == [1, 2, 3]


async def test_after_a_crash_no_response_comes_again(autojump_clock, world, run, make_control):
    """The checkpoint every 3 s is saved; the crash comes right after a Response was taken."""
    states = SavedStates()
    states.keeps = True
    saved: list[Any] = []

    async def keep() -> None:
        while True:
            await trio.sleep(3)
            states.taken()
            saved.append(run.take())
            await trio.sleep(0.5)
            states.saved()

    world.nursery.start_soon(keep)
    second = trio.Event()

    def take(_request: Any) -> Response:
        if len(statuses(world)) == 2:
            second.set()
        return Response(201)

    world.server.answers["POST", "/rsp"] = take
    await run.begin(states)
    for number in (1, 2, 3):
        world.add_control(make_control(number, world.server.now() + 1000 * number, 60))
    await second.wait()
    run.kill()
    await run.go_on(saved[-1])
    await trio.sleep(40)
    assert len(statuses(world)) == 3
    assert len(set(world.server.bodies("/rsp"))) == 3


async def test_a_response_that_was_refused_for_now_is_in_the_next_state_that_is_saved(
    autojump_clock, world, run, make_control
):
    states = SavedStates()
    states.keeps = True
    saved: list[Any] = []

    async def keep() -> None:
        while True:
            await states.wanted.wait()
            states.taken()
            saved.append(run.take())
            states.saved()
            await trio.sleep(0.1)

    world.nursery.start_soon(keep)
    world.server.answers["POST", "/rsp"] = lambda _request: Response(503)
    await run.begin(states)
    world.add_control(make_control(1, world.server.now() + 1000, 60))
    await trio.sleep(20)
    run.kill()
    world.server.answers["POST", "/rsp"] = lambda _request: Response(201)
    before = len(statuses(world))
    await run.go_on(saved[-1])
    await trio.sleep(20)
    assert len(statuses(world)) == before + 1


async def test_a_reading_waits_until_the_state_that_it_tells_of_is_saved(autojump_clock, world, run):
    states = SavedStates()
    states.keeps = True
    client = await run.begin(states)
    await trio.sleep(20)
    assert client.counts()["meter_posts"] == 0
    states.taken()
    registers = sum(world.device.state.exported_wh)
    states.saved()
    await trio.sleep(1)
    assert client.counts()["meter_posts"] == 1
    assert registers > 0


async def test_log_events_keep_their_ids_and_an_alarm_that_was_told_is_not_told_again(
    autojump_clock, world, run
):
    await run.begin()
    await trio.sleep(5)
    world.device.inputs.set(voltage_pu=1.25)
    await trio.sleep(5)
    told = [decode(body).resource for body in world.server.bodies("/edev/1/lel")]
    assert told
    document = run.take()
    run.kill()
    await run.go_on(document)
    await trio.sleep(15)
    world.device.inputs.set(voltage_pu=1.0)
    await trio.sleep(5)
    later = [decode(body).resource for body in world.server.bodies("/edev/1/lel")][len(told) :]
    assert later
    assert all(each.logEventCode % 2 == 1 for each in later)  # only returns to normal
    assert min(each.logEventID for each in later) > max(each.logEventID for each in told)


async def test_a_checkpoint_of_another_format_is_refused_and_one_of_another_lfdi_is_not_used(
    autojump_clock, world, run
):
    client = await run.begin()
    await trio.sleep(2)
    document = run.take()
    with pytest.raises(ConfigError, match=r"^checkpoint of the CSIP client: format 9, .* start without it$"):
        client.restore({**document[1], "version": 9})
    run.kill()
    document[1]["lfdi"] = "AB" * 20
    await run.go_on(document)
    await trio.sleep(2)
    assert world.logged(f"the checkpoint is of LFDI {'AB' * 20}, and is not used")


async def test_a_mirror_that_is_still_listed_is_not_created_again(autojump_clock, world, run, listing_of):
    await run.begin()
    await trio.sleep(70)
    href = next(path for path in world.server.paths("POST") if path.startswith("/mup/"))
    point = world.tree[href]
    point.href = href
    world.tree["/mup"] = listing_of(r.MirrorUsagePointList, "/mup", point)
    document, posted = run.take(), len(world.server.bodies(href))
    run.kill()
    await run.go_on(document)
    await trio.sleep(10)
    assert len(world.server.bodies("/mup")) == 1
    assert len(world.server.bodies(href)) > posted


async def test_a_mirror_that_is_gone_meanwhile_is_created(autojump_clock, world, run):
    await run.begin()
    await trio.sleep(70)
    document = run.take()
    run.kill()
    await run.go_on(document)
    await trio.sleep(10)
    assert len(world.server.bodies("/mup")) == 2


async def test_where_a_restored_run_repeats_the_response_under_way_waits_in_its_state(
    autojump_clock, world, run, make_control
):
    states = SavedStates()
    states.keeps = states.repeats = True
    saved: list[Any] = []
    taken = trio.Event()

    async def keep() -> None:
        while True:
            await states.wanted.wait()
            states.taken()
            saved.append(run.take())
            states.saved()
            await trio.lowlevel.checkpoint()

    def take(_request: Any) -> Response:
        taken.set()
        return Response(201)

    world.server.answers["POST", "/rsp"] = take

    world.nursery.start_soon(keep)
    await run.begin(states)
    world.add_control(make_control(1, world.server.now() + 300, 60))
    await taken.wait()
    run.kill()  # the Response has arrived, and the state with its delivery was not saved
    before = next(each for each in reversed(saved) if each[1]["responses"]["queue"])
    await run.go_on(before)
    await trio.sleep(30)
    assert statuses(world) == [1, 1]
    assert len({decode(body).resource.createdDateTime for body in world.server.bodies("/rsp")}) == 1
