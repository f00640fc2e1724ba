"""Checks in order, each with one line of outcome; what needs a failed one is skipped.

A check returns what it found to be good, or raises `Failed` (what, where, what to do) or `Skipped` (why).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dersim.csip.config import CsipConfig
from dersim.ieee2030_5 import resources as r
from dersim.outcomes import FAILED, OK, SKIPPED, Failed, Result, Skipped
from dersim.tls import ClientContext

__all__ = ["Check", "Failed", "Found", "Result", "Skipped", "run_checks"]


@dataclass(slots=True)
class Found:
    """What the checks look at, and what they have found for those after them.

    timeout_s: of each step. now_s: this computer's clock, UTC seconds. lfdi: "" where it is not known.
    """

    config: CsipConfig
    timeout_s: float
    now_s: Callable[[], float]
    lfdi: str = ""
    context: ClientContext | None = None
    client: Any = None  # httpx.AsyncClient, which is imported late
    dcap: r.DeviceCapability | None = None
    end_device: r.EndDevice | None = None
    results: list[Result] = field(default_factory=list)


class Check(NamedTuple):
    """needs: the checks without which it cannot be done."""

    name: str
    needs: tuple[str, ...]
    act: Callable[[Found], Awaitable[str]]


async def run_checks(checks: Iterable[Check], found: Found) -> AsyncGenerator[Result, None]:
    """The outcome of each check, in order, as it comes."""
    for check in checks:
        result = await _outcome(check, found)
        found.results.append(result)
        yield result


async def _outcome(check: Check, found: Found) -> Result:
    outcomes = {each.name: each.result for each in found.results}
    for needed in check.needs:
        if outcomes.get(needed) != OK:
            return Result(check.name, SKIPPED, f"{needed} {_word(outcomes.get(needed))}")
    try:
        return Result(check.name, OK, await check.act(found))
    except Skipped as why:
        return Result(check.name, SKIPPED, str(why))
    except Failed as why:
        return Result(check.name, FAILED, " ".join(str(why).split()))


def _word(outcome: str | None) -> str:
    return "failed" if outcome == FAILED else "was skipped"
