"""Runs procedures against our own simulator in virtual time: an hour takes seconds, the bytes are the same.

Real TLS and HTTP over memory streams; nothing waits but the clock, and that jumps.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import trio
import trio.testing

from dersim import http11, tls
from dersim.clock import SimClock
from dersim.conformance.own_client import Identity, OwnClient
from dersim.conformance.procedure import Outcome, Procedure, judge
from dersim.conformance.stage import Stage
from dersim.logbuffer import LogBuffer
from dersim.utility.certificates import of_folder

#: The first instant of a run, UTC seconds: any, but the same in every run.
START_S = 1_800_000_000.0


class MemoryNet(trio.abc.Listener[trio.abc.Stream]):
    """A network of memory streams between one server and its clients."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](100)

    async def open_tcp(self, _host: str, _port: int) -> trio.abc.Stream:
        """The client's end of a new connection."""
        ours, theirs = trio.testing.memory_stream_pair()
        await self._send.send(theirs)
        return ours

    async def accept(self) -> trio.abc.Stream:
        """The server's end of the next one."""
        return await self._receive.receive()

    async def aclose(self) -> None:
        """No more connections."""
        await self._receive.aclose()


def run(procedure: Procedure, identity: Identity, flags: tuple[str, ...] = ()) -> Outcome:
    """One run of one procedure; called outside trio."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(_run, procedure, identity, flags, clock=clock)


async def _run(procedure: Procedure, identity: Identity, flags: tuple[str, ...]) -> Outcome:
    clock = SimClock(start_s=START_S, tick_s=1.0)
    clock.start()
    log = LogBuffer(stream=io.StringIO())
    net = MemoryNet()
    client = OwnClient(clock, log, identity, flags, net.open_tcp)
    stage = Stage(clock, log, identity.lfdi, client)
    procedure.set_up(stage)
    context = server_context(identity.folder)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_serve, stage, net, context)
        nursery.start_soon(client.run)
        if procedure.stimuli is not None:
            nursery.start_soon(procedure.stimuli, stage)
        await stage.until(procedure.lasts_s)
        nursery.cancel_scope.cancel()
    stage.evidence.samples = client.samples
    stage.evidence.ended_s = clock.now_s()
    return judge(procedure, stage.evidence)


async def _serve(stage: Stage, net: MemoryNet, context: tls.ServerContext) -> None:
    def ignore(*_: Any) -> None:
        return None

    await http11.serve(stage.handle, [net], tls=context, log=ignore, on_error=ignore)


def server_context(folder: Path) -> tls.ServerContext:
    """The server's context with the server's pair of a folder of the test PKI."""
    return tls.server_context(*of_folder(folder))
