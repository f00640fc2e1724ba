"""A campaign: which procedures are run, one after the other, and what is told of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar, overload

from dersim import http11
from dersim.conformance import real, virtual
from dersim.conformance.kit import Kit
from dersim.conformance.live.board import Board
from dersim.conformance.operator import Instruction
from dersim.conformance.procedure import Outcome, Procedure, Record, Verdict
from dersim.conformance.procedures import ALL
from dersim.conformance.real import Ports, RealRun
from dersim.errors import ConfigError

Said = Callable[[str], None]

#: Of a device that is not ours, before all else.
FULL_SUN = Instruction("Set the sun of the device to full: a limit must be what binds")
#: A campaign ends where so many procedures in a row have waited for the device in vain.
MOST_MISSED = 2


R = TypeVar("R", bound=Record)


@overload
def chosen(patterns: Iterable[str]) -> list[Procedure]: ...


@overload
def chosen(patterns: Iterable[str], known: Mapping[str, R]) -> list[R]: ...


def chosen(patterns: Iterable[str], known: Mapping[str, Any] = ALL) -> list[Any]:
    """The procedures whose ids match a pattern (`*` and `?`), all without one; ConfigError for none.

    known: those to choose from by id, without it those for a client.
    """
    wanted = [pattern.upper() for pattern in patterns]
    found = [
        each for each in known.values() if not wanted or any(fnmatchcase(each.id, one) for one in wanted)
    ]
    if not found:
        raise ConfigError(
            f"--only {' '.join(wanted)}: no procedure has such an id; known are {', '.join(known)}"
        )
    return found


def run_virtual(procedures: Iterable[Procedure], kit: Kit, flags: tuple[str, ...] = ()) -> Iterator[Outcome]:
    """Our own client in virtual time; called outside trio."""
    for procedure in procedures:
        yield virtual.run(procedure, kit, flags)


async def run_real(
    procedures: Sequence[Procedure],
    how: RealRun,
    host: str,
    port: int,
    said: Said,
    board: Board | None = None,
) -> AsyncGenerator[Outcome, None]:
    """Our own client or another one over sockets. said: told where to connect, and what is waited for.

    board: follows what happens. ConfigError where no client connects to the first procedure; where none
    connects to two in a row later on, it ends.
    """
    board = board or Board(how.lfdi)
    board.plan(procedures)
    listeners = await http11.bind(host, port, flag="--port")
    try:
        ports = Ports(listeners)
        board.address = f"https://{ports.host}:{ports.port}/dcap"
        said(f"listening on {board.address}")
        await _light(procedures, how)
        async for outcome in _each(procedures, ports, how, said, board):
            board.conclude(outcome)
            yield outcome
    finally:
        board.over = True
        for listener in listeners:
            await listener.aclose()


async def _each(
    procedures: Sequence[Procedure], ports: Ports, how: RealRun, said: Said, board: Board
) -> AsyncGenerator[Outcome, None]:
    seen, missed = False, 0
    for procedure in procedures:
        lasts_s = procedure.lasts_s * procedure.scale(how.scale)
        said(f"{procedure.id}: {procedure.title}, {lasts_s:.0f} s")
        outcome = await real.run(procedure, ports, how, board)
        missed = missed + 1 if outcome.error is not None else 0
        seen = seen or outcome.error is None
        if not seen:
            raise ConfigError(f"{procedure.id}: {outcome.error}; start the device under test, or restart it")
        yield outcome
        if missed == MOST_MISSED:
            said("the device under test is away: the other procedures are not run")
            return


async def _light(procedures: Iterable[Procedure], how: RealRun) -> None:
    """Have the operator give a device that is not ours enough power to be limited."""
    with_power = any(each.window is not None for one in procedures for each in one.criteria)
    if with_power and not how.own:
        await how.operator.carry_out([FULL_SUN])


def has_failed(outcomes: Iterable[Outcome], *, strict: bool) -> bool:
    """Whether a verdict is fail; strict: whether one is not pass, what was not seen aside."""
    bad = (Verdict.FAIL, Verdict.WARN) if strict else (Verdict.FAIL,)
    return any(each.conformance in bad or each.compatibility in bad for each in outcomes)
