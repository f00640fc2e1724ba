"""Runs procedures in real time over sockets: against our own simulator, or whoever connects.

A procedure begins with the first connection to it: then its tree is set up, and t0 is that moment. Between
two procedures the connections are closed, so that each begins with a handshake.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import trio

from dersim.clock import SimClock
from dersim.conformance.criteria import ALWAYS
from dersim.conformance.kit import Kit
from dersim.conformance.own_client import OwnClient
from dersim.conformance.procedure import Outcome, Procedure, judge
from dersim.conformance.serving import Scene, serve
from dersim.conformance.stage import ShiftedClock, Stage
from dersim.errors import ConfigError
from dersim.logbuffer import LogBuffer

#: How long a device under test may take to connect, s: a client that polls every five minutes is in time.
WAIT_S = 330.0


class RealRun(NamedTuple):
    """How to run.

    scale: real seconds per printed second. own: our own simulator is the device under test. flags: of `dersim
    sim`, for it. wait_s: for the first connection of a device that is not ours.
    """

    kit: Kit
    lfdi: str
    scale: float = 1.0
    own: bool = True
    flags: tuple[str, ...] = ()
    wait_s: float = WAIT_S


class Away:
    """The bench of a device that nobody here can move."""

    def set_inputs(self, **_: float) -> bool:
        """Not possible from here."""
        return False

    def raise_alarm(self, _number: int) -> bool:
        """Not possible from here."""
        return False


class Ports:
    """The listening sockets of a campaign; each run gets its own duplicates, so that no client is refused."""

    def __init__(self, listeners: Sequence[trio.SocketListener]) -> None:
        self._sockets = [listener.socket for listener in listeners]
        self.host, self.port = self._sockets[0].getsockname()[:2]

    def listeners(self) -> list[trio.SocketListener]:
        """New listeners on the same ports."""
        return [
            trio.SocketListener(trio.socket.from_stdlib_socket(socket.socket(fileno=_duplicate(each))))
            for each in self._sockets
        ]


def _duplicate(each: trio.socket.SocketType) -> int:
    return socket.dup(each.fileno())


async def run(procedure: Procedure, ports: Ports, how: RealRun) -> Outcome:
    """One run of one procedure; an Outcome with an error where no device has connected in time."""
    scale = max(how.scale, procedure.least_scale)
    clock = SimClock(tick_s=min(1.0, scale * 2))
    clock.start()
    log = LogBuffer(stream=io.StringIO())
    client = None
    if how.own:
        address = ("--csip_server_ip", str(ports.host), "--csip_server_port", str(ports.port))
        client = OwnClient(clock, log, how.kit, (*address, *how.flags))

    def set_up() -> Stage:
        shifted = ShiftedClock(clock, procedure.clock_offset_s)
        stage = Stage(shifted, log, how.lfdi, client or Away(), scale=scale)
        procedure.set_up(stage)
        return stage

    scene = Scene(set_up)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, scene, ports.listeners(), how.kit.server_context(procedure.chain))
        nursery.start_soon(client.run if client else partial(_tick, clock))
        with trio.move_on_after(how.wait_s):
            await scene.begun.wait()
        if scene.stage is not None:
            if procedure.stimuli is not None:
                nursery.start_soon(procedure.stimuli, scene.stage)
            await scene.stage.until(procedure.lasts_s)
        nursery.cancel_scope.cancel()
    if scene.stage is None:
        raise ConfigError(
            f"{procedure.id}: no client has connected to {ports.host}:{ports.port} within {how.wait_s:g} s; "
            "start the device under test, or restart it"
        )
    evidence = scene.stage.evidence
    if client is not None:
        offset_s = procedure.clock_offset_s
        evidence.samples = [each._replace(time_s=each.time_s + offset_s) for each in client.samples]
    scene.stage.close()
    return judge(procedure, evidence, ALWAYS)


async def _tick(clock: SimClock) -> None:
    """Let the clock run on where no device of ours is stepped."""
    while True:
        clock.tick_done()
        await trio.sleep(clock.tick_s / 2)
