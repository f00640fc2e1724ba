"""What clients and invariants hold grows with the events that are remembered, and no more than is counted."""

import gc
import sys
import types
from collections.abc import Iterable

import pytest

from dersim.csip.client import _EVENT_BYTES
from dersim.plugin.services import ConversationService
from dersim.testing import WorldPlan, open_world, run_virtual

pytestmark = pytest.mark.slow

#: What is not held by the objects that are measured, but is theirs and others'.
_SHARED = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.CodeType,
    types.FrameType,
    types.CoroutineType,
    types.GeneratorType,
)


def reachable_bytes(roots: Iterable[object], beyond: Iterable[object]) -> int:
    """What can be reached from these and not only by way of what is `beyond`."""
    seen, waiting, total = {id(each) for each in beyond}, list(roots), 0
    while waiting:
        found = waiting.pop()
        kind = type(found)
        if (
            id(found) in seen
            or isinstance(found, _SHARED)
            or kind.__module__.startswith(("trio", "ssl", "_ssl"))
        ):
            continue
        seen.add(id(found))
        total += sys.getsizeof(found)
        waiting += gc.get_referents(found)
    return total


def measured(world):
    """Events, bytes of the clients, of the invariants, and what is counted of journals and invariants."""
    simulator = world.simulators[0]
    made, watcher = simulator.simulator, simulator._watcher
    devices = made.fleet.devices
    clients = [world.client(device.number) for device in devices]
    conversation = simulator.services.find(ConversationService)
    shared = [
        world,
        world.log,
        world.utility,
        simulator,
        made,
        made.fleet,
        simulator.services,
        simulator.clock,
    ]
    beyond = [*shared, conversation, *devices]
    gc.collect()
    return (
        sum(client.events_held for client in clients),
        reachable_bytes(clients, [*beyond, *(device.setpoints for device in devices)]),
        reachable_bytes([vars(each) for each in watcher.invariants], beyond),
        watcher.size().held_bytes,
    )


@pytest.mark.timeout(240)
def test_an_hour_of_controls_grows_by_what_the_buffers_count():
    async def run():
        flags = ("--conversation", "1")
        plan = WorldPlan(
            ders=4, watch=True, tick_s=5.0, encrypted=False, utility={"cycle": True}, flags=flags
        )
        async with open_world(plan) as world:
            await world.sleep(1200)  # until what is bounded by few is full
            before = measured(world)
            await world.sleep(1500)
            return [now - was for now, was in zip(measured(world), before, strict=True)]

    events, clients, invariants, counted = run_virtual(run)
    assert events >= 180
    assert clients <= events * _EVENT_BYTES * 1.1
    assert invariants <= counted + 10_000
