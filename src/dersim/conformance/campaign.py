"""A campaign: which procedures are run, one after the other, and what is told of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar, overload

from dersim import http11
from dersim.conformance import real, virtual
from dersim.conformance.kit import Kit
from dersim.conformance.procedure import Outcome, Procedure, Record, Verdict
from dersim.conformance.procedures import ALL
from dersim.conformance.real import Ports, RealRun
from dersim.errors import ConfigError

Said = Callable[[str], None]


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
    procedures: Iterable[Procedure], how: RealRun, host: str, port: int, said: Said
) -> AsyncGenerator[Outcome, None]:
    """Our own client or another one over sockets. said: told where to connect, and what is waited for."""
    listeners = await http11.bind(host, port, flag="--port")
    try:
        ports = Ports(listeners)
        said(f"listening on https://{ports.host}:{ports.port}/dcap")
        for procedure in procedures:
            said(f"{procedure.id}: {procedure.title}, {procedure.lasts_s * how.scale:.0f} s")
            yield await real.run(procedure, ports, how)
    finally:
        for listener in listeners:
            await listener.aclose()


def has_failed(outcomes: Iterable[Outcome], *, strict: bool) -> bool:
    """Whether a verdict is fail; strict: whether one is not pass, what was not seen aside."""
    bad = (Verdict.FAIL, Verdict.WARN) if strict else (Verdict.FAIL,)
    return any(each.conformance in bad or each.compatibility in bad for each in outcomes)
