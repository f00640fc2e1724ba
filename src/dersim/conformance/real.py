"""Runs procedures in real time over sockets: against our own simulator, or whoever connects.

A procedure begins with the first connection to it: then its tree is set up, and t0 is that moment. Between
two procedures the connections are closed, so that each begins with a handshake.
"""

from __future__ import annotations

import contextlib
import io
import socket
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import trio

from dersim.clock import SimClock
from dersim.conformance.bench import Away, Operated
from dersim.conformance.criteria import ALWAYS
from dersim.conformance.evidence import LEAST_SETTLING_OF_OTHERS_S, Evidence
from dersim.conformance.kit import Kit
from dersim.conformance.live.board import Board, State
from dersim.conformance.modbus import Meter
from dersim.conformance.notifying import Notifying
from dersim.conformance.operator import Instruction, Nobody, Operator
from dersim.conformance.own_client import SUBSCRIBES, OwnClient
from dersim.conformance.procedure import Outcome, Procedure, judge
from dersim.conformance.serving import Scene, serve
from dersim.conformance.stage import Bench, ShiftedClock, Stage
from dersim.errors import ConfigError
from dersim.logbuffer import LogBuffer

#: How long a device under test may take to connect, s: a client that polls every five minutes is in time.
WAIT_S = 330.0
#: A client that has waited longer than this for its handshake may have given up.
STALE_S = 3.0
#: Each procedure begins with the first request after a restart, which is of DeviceCapability.
RESTART = Instruction("Stop the device under test, and start it again after this")


NOBODY = Nobody()


def _unheard(_text: str) -> None:
    """Nobody is told."""


class RealRun(NamedTuple):
    """How to run.

    scale: real seconds per printed second. own: our own simulator is the device under test. flags: of `dersim
    sim`, for it. wait_s: for the first connection of a device that is not ours. operator: prepares such a
    device. restart: a command that restarts it before each procedure, instead of the operator. meter: at its
    terminals. called: told what is due at it now.
    """

    kit: Kit
    lfdi: str
    scale: float = 1.0
    own: bool = True
    flags: tuple[str, ...] = ()
    wait_s: float = WAIT_S
    operator: Operator = NOBODY
    restart: str | None = None
    meter: Meter | None = None
    called: Callable[[str], None] = _unheard


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

    def drop_waiting(self) -> None:
        """Close the connections that came while nobody served: their clients may have given up."""
        for each in self._sockets:
            with contextlib.suppress(BlockingIOError), socket.socket(fileno=_duplicate(each)) as listening:
                listening.setblocking(False)
                while True:
                    listening.accept()[0].close()


def _duplicate(each: trio.socket.SocketType) -> int:
    return socket.dup(each.fileno())


async def run(procedure: Procedure, ports: Ports, how: RealRun, board: Board) -> Outcome:
    """One run of one procedure; an Outcome with an error where no device has connected in time."""
    scale = procedure.scale(how.scale)
    clock = SimClock(tick_s=min(1.0, scale * 2))
    clock.start()
    log = LogBuffer(stream=io.StringIO())
    client = None
    if how.own:
        address = ("--csip_server_ip", str(ports.host), "--csip_server_port", str(ports.port))
        subscribes = SUBSCRIBES if procedure.subscriptions else ()
        client = OwnClient(clock, log, how.kit, (*address, *subscribes, *how.flags))
    bench = client or await _prepared(procedure, ports, how, board)

    def set_up() -> Stage:
        shifted = ShiftedClock(clock, procedure.clock_offset_s)
        files = how.kit.server_files if procedure.subscriptions else None
        stage = Stage(shifted, log, how.lfdi, bench, scale=scale, notifies_with=files)
        procedure.set_up(stage)
        if client is None:
            stage.evidence.least_settling_s = LEAST_SETTLING_OF_OTHERS_S
        stage.evidence.server_chain = how.kit.server_chain(procedure.chain)
        if client is not None and not procedure.clock_offset_s:
            stage.evidence.samples = client.samples  # as they come, for the page
        board.begin(procedure, stage)
        return stage

    board.move_to(procedure, State.WAITING)
    scene = Scene(set_up)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, scene, ports.listeners(), how.kit.server_context(procedure.chain))
        nursery.start_soon(client.run if client else partial(_tick, clock))
        await _connected(scene, ports, how)
        if scene.stage is not None:
            if procedure.subscriptions:
                nursery.start_soon(Notifying(scene.stage).run)
            if procedure.stimuli is not None:
                nursery.start_soon(procedure.stimuli, scene.stage)
            if how.meter is not None:
                nursery.start_soon(how.meter.observe, scene.stage)
            await scene.stage.until(procedure.lasts_s)
        nursery.cancel_scope.cancel()
    if scene.stage is None:
        why = f"no client has connected to {ports.host}:{ports.port} within {how.wait_s:g} s"
        return Outcome(procedure, (), Evidence(clock.now_s(), scale, lfdi=how.lfdi), why)
    evidence = scene.stage.evidence
    if client is not None:
        offset_s = procedure.clock_offset_s
        evidence.samples = [each._replace(time_s=each.time_s + offset_s) for each in client.samples]
    scene.stage.close()
    return judge(procedure, evidence, ALWAYS)


async def _prepared(procedure: Procedure, ports: Ports, how: RealRun, board: Board) -> Bench:
    """The bench of a device that is not ours, once the operator has prepared it or has said no."""
    steps = procedure.by_hand if how.restart else (*procedure.by_hand, RESTART)
    board.move_to(procedure, State.OPERATOR)
    began_s = trio.current_time()
    agreed = await how.operator.carry_out(steps)
    if trio.current_time() - began_s > STALE_S:
        ports.drop_waiting()
    if how.restart:
        await _run_command(how.restart)
    return Operated(how.called) if agreed and procedure.by_hand else Away()


async def _run_command(command: str) -> None:
    """Run the user's command that restarts the device; ConfigError where it fails."""
    done = await trio.run_process(command, shell=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S604 - the user's own
    if done.returncode:
        raise ConfigError(f"--restart: the command ended with {done.returncode}; try it by itself: {command}")


async def _connected(scene: Scene, ports: Ports, how: RealRun) -> None:
    """Wait for the first connection; where none comes, the operator restarts the device."""
    while not scene.begun.is_set():
        with trio.move_on_after(how.wait_s):
            await scene.begun.wait()
            return
        text = f"Restart the device under test: it has not connected to {ports.host}:{ports.port}"
        if not await _unless_begun(scene, how.operator, Instruction(text)):
            return


async def _unless_begun(scene: Scene, operator: Operator, step: Instruction) -> bool:
    """Whether the operator does the step; a connection in the meantime is as good."""
    done = False

    async def ask() -> None:
        nonlocal done
        done = await operator.carry_out([step])
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await scene.begun.wait()
        nursery.cancel_scope.cancel()
    return done or scene.begun.is_set()


async def _tick(clock: SimClock) -> None:
    """Let the clock run on where no device of ours is stepped."""
    while True:
        clock.tick_done()
        await trio.sleep(clock.tick_s / 2)
