"""How the benchmarks measure: CPU time of this thread, interleaved rounds, medians, a ratio, a target."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Result(NamedTuple):
    """One line of the report. They are costs: a higher peer / ours is better for us. peer None: no peer."""

    name: str
    ours: float
    peer: float | None
    unit: str
    target: str
    met: bool

    def line(self) -> str:
        """The line as printed."""
        verdict = "ok" if self.met else "MISSED"
        beside = " " * 35
        if self.peer is not None:
            ratio = self.peer / self.ours if self.ours else float("inf")
            beside = f"peer {self.peer:>10.3f}  peer/ours {ratio:>7.2f} "
        ours = f"{self.name:<58} ours {self.ours:>10.3f} {self.unit:<8}"
        return f"{ours} {beside} target {self.target:<22} {verdict}"


def cpu_per_call_us(function: Callable[[], object], calls: int) -> float:
    """Mean CPU microseconds of one call, garbage collection off as in timeit."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        start = time.thread_time_ns()
        for _ in range(calls):
            function()
        return (time.thread_time_ns() - start) / calls / 1000
    finally:
        if was_on:
            gc.enable()


def interleaved(ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Medians of both, measured in turn so that the machine's noise meets both alike."""
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def at_least(name: str, ours: float, peer: float, times: float, unit: str = "us") -> Result:
    """A cost that shall be at least `times` smaller than the peer's."""
    return Result(name, ours, peer, unit, f">= {times:g} x", peer / ours >= times)


def at_most(name: str, ours: float, limit: float, unit: str) -> Result:
    """A cost without a peer that must not exceed `limit`."""
    return Result(name, ours, None, unit, f"<= {limit:g}", ours <= limit)
