"""Runs the procedures for a server: our companion server in virtual time, or one at a URL in real time."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import trio
import trio.testing

from dersim.conformance.kit import SERVER, Kit
from dersim.conformance.live.board import Board, State
from dersim.conformance.operator import Operator
from dersim.conformance.procedure import Outcome
from dersim.conformance.server import procedure as runner
from dersim.conformance.server.admin import AdminOperator
from dersim.conformance.server.der import Der
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.target import Listening, Target, chains_of
from dersim.conformance.virtual import START_S
from dersim.http11 import Request, Response
from dersim.http11.raw import Raw
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet
from dersim.utility.config import DEFAULT_PIN, UtilityConfig
from dersim.utility.server import UtilityServer

Answerer = Callable[[Request], Awaitable[Response | Raw]]
#: What is between the DER and the server, for tests of the procedures: takes a request and who answers it.
Wire = Callable[[Request, Answerer], Awaitable[Response | Raw]]


class TrioClock:
    """Real time, or the virtual time of trio's mock clock. start_s: UTC seconds at its beginning."""

    def __init__(self, start_s: float) -> None:
        self._ahead_s = start_s - trio.current_time()

    def now_s(self) -> float:
        """UTC seconds since 1970."""
        return trio.current_time() + self._ahead_s

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until that time."""
        await trio.sleep_until(when_s - self._ahead_s)


class Companion(UtilityServer):
    """A companion server, whose answers a wire may change."""

    wire: Wire | None = None

    async def handle(self, request: Request) -> Response | Raw:
        """One request of a client."""
        if self.wire is None:
            return await super().handle(request)
        return await self.wire(request, super().handle)


def companion(kit: Kit, clock: TrioClock, log: LogBuffer) -> Companion:
    """A companion server that knows only the devices of its operator, and has no programs of its own."""
    config = UtilityConfig(registration="known", own_programs=False, pin=DEFAULT_PIN, notify_hosts="anywhere")
    config.certificate, config.key, config.root = kit.cert(SERVER), kit.key(SERVER), kit.root
    return Companion(config, clock.now_s, log)


Make = Callable[[Kit, TrioClock, LogBuffer], Companion]


#: An operator in place of the one that carries all out at once.
OperatorOf = Callable[[AdminOperator, TrioClock], Operator]


def run_on_companion(
    procedure: ServerProcedure,
    kit: Kit,
    make: Make = companion,
    operator_of: OperatorOf = lambda admin, _: admin,
) -> Outcome:
    """One run in virtual time; called outside trio.

    make, operator_of: another server than `companion`, and another operator, for tests.
    """
    clock = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(_run_on_companion, procedure, kit, make, operator_of, clock=clock)


async def _run_on_companion(
    procedure: ServerProcedure, kit: Kit, make: Make, operator_of: OperatorOf
) -> Outcome:
    clock, net = TrioClock(START_S), MemoryNet()
    server = make(kit, clock, LogBuffer(stream=io.StringIO()))
    chains = chains_of(kit)
    back = MemoryNet()
    server.sender.open_tcp = back.open_tcp

    async def listen() -> Listening:
        return [back], "https://127.0.0.1:9443"

    target = Target("127.0.0.1", 8443, "/dcap", kit.root, chains["B"], chains, 8443, net.open_tcp, listen)

    async def call(method: str, path: str, body: bytes) -> Response:
        headers = (("host", "127.0.0.1"), ("content-type", "application/json"))
        return await server.handle_admin(Request(method, path, headers, body, None, "127.0.0.1:1"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve, [net])
        operator = operator_of(AdminOperator(call), clock)
        outcome = await runner.run(procedure, Der(target, clock, operator))
        nursery.cancel_scope.cancel()
    return outcome


def run_virtual(procedures: Iterable[ServerProcedure], kit: Kit) -> Iterator[Outcome]:
    """Our companion server in virtual time, a new one for each procedure; called outside trio."""
    for procedure in procedures:
        yield run_on_companion(procedure, kit)


@runtime_checkable
class Clearing(Protocol):
    """An operator that can take back what it has done."""

    async def clear_up(self) -> None:
        """Remove what was made for a procedure."""
        ...


async def run_real(
    procedures: Sequence[ServerProcedure],
    target: Target,
    operator: Operator,
    now_s: float,
    scale: float,
    said: Callable[[str], None],
    board: Board | None = None,
) -> AsyncGenerator[Outcome, None]:
    """A server at a URL. now_s: UTC seconds; scale: real seconds per printed second.

    board: follows what happens.
    """
    clock, board = TrioClock(now_s), board or Board()
    board.plan(procedures)
    for procedure in procedures:
        board.move_to(procedure, State.RUNNING)
        said(f"{procedure.id}: {procedure.title}, {procedure.lasts_s * scale:.0f} s")
        try:
            outcome = await runner.run(procedure, Der(target, clock, operator, scale=scale))
            board.conclude(outcome)
            yield outcome
        finally:
            if isinstance(operator, Clearing):
                await operator.clear_up()
