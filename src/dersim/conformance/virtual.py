"""Runs procedures against our own simulator in virtual time: an hour takes seconds, the bytes are the same.

Real TLS and HTTP over memory streams; nothing waits but the clock, and that jumps.
"""

from __future__ import annotations

import io

import trio
import trio.testing

from dersim.clock import SimClock
from dersim.conformance.criteria import ALWAYS
from dersim.conformance.kit import Kit
from dersim.conformance.notifying import Notifying
from dersim.conformance.own_client import SUBSCRIBES, OwnClient
from dersim.conformance.procedure import Outcome, Procedure, judge
from dersim.conformance.serving import Scene, Wire, serve
from dersim.conformance.stage import ShiftedClock, Stage
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet

#: The first instant of a run, UTC seconds: any, but the same in every run.
START_S = 1_800_000_000.0


def run(procedure: Procedure, kit: Kit, flags: tuple[str, ...] = (), wire: Wire | None = None) -> Outcome:
    """One run of one procedure; called outside trio. flags: of `dersim sim`, for the client.

    wire: what is between the client and the server, for tests of the procedures themselves.
    """
    clock = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(_run, procedure, kit, flags, wire, clock=clock)


async def _run(procedure: Procedure, kit: Kit, flags: tuple[str, ...], wire: Wire | None) -> Outcome:
    clock = SimClock(start_s=START_S, tick_s=1.0)
    clock.start()
    log = LogBuffer(stream=io.StringIO())
    net, notify_net = MemoryNet(), MemoryNet()
    if procedure.subscriptions:
        flags = (*flags, *SUBSCRIBES)
    client = OwnClient(clock, log, kit, flags, net.open_tcp, notify_net=notify_net)

    def set_up() -> Stage:
        files = kit.server_files if procedure.subscriptions else None
        shifted = ShiftedClock(clock, procedure.clock_offset_s)
        stage = Stage(shifted, log, kit.lfdi, client, notifies_with=files)
        procedure.set_up(stage)
        stage.evidence.server_chain = kit.server_chain(procedure.chain)
        return stage

    scene = Scene(set_up, wire)
    stage = scene.begin()
    context = kit.server_context(procedure.chain)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, scene, [net], context)
        nursery.start_soon(client.run)
        if procedure.subscriptions:
            nursery.start_soon(Notifying(stage, notify_net.open_tcp).run)
        if procedure.stimuli is not None:
            nursery.start_soon(procedure.stimuli, stage)
        await stage.until(procedure.lasts_s)
        nursery.cancel_scope.cancel()
    offset_s = procedure.clock_offset_s
    stage.evidence.samples = [each._replace(time_s=each.time_s + offset_s) for each in client.samples]
    stage.close()
    return judge(procedure, stage.evidence, ALWAYS)
