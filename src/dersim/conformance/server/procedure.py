"""A procedure for a server under test, and one run of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dersim.conformance.procedure import Outcome
from dersim.conformance.server.der import Der, Stopped
from dersim.conformance.server.observed import judge_all
from dersim.errors import DersimError, bare_errors


@dataclass(frozen=True, slots=True)
class ServerProcedure:
    """One procedure.

    run: sends the requests and notes what must hold. lasts_s: printed seconds, about. reading: what the
    record leaves open, and how it is read here. required: for which profiles (C, A, S).
    """

    id: str
    title: str
    run: Callable[[Der], Awaitable[None]]
    lasts_s: float = 1.0
    reading: str = ""
    required: str = "CAS"


async def run(procedure: ServerProcedure, der: Der) -> Outcome:
    """One run, and its outcome."""
    error = None
    try:
        with bare_errors():
            await procedure.run(der)
    except Stopped:  # why is among what was judged
        error = None
    except DersimError as failure:
        error = str(failure)
    judge_all(der)
    der.evidence.ended_s = der.clock.now_s()
    await der.aclose()
    return Outcome(procedure, tuple(der.judged), der.evidence, error)
