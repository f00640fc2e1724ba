"""What `dersim sim --state` costs: CPU of 100 DERs with and without it, and the lag of the tick.

Two client processes at once, each with a server of its own, so that the machine's noise meets both alike.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.bench_fleet import Row, measured
from tests.bench.measure import Result, at_most

COUNT, SETTLE_S, WINDOW_S = 100, 20, 60
#: Of a core.
LIMIT_PERCENT = 3.0


def pair(count: int, window_s: float) -> tuple[Row, Row]:
    """With a state file and without."""
    settings = argparse.Namespace(settle=SETTLE_S, window=window_s, rates=60, ramp="50", profile="")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as threads:
        state = ("--state", str(Path(name) / "sim.db"))
        kept, bare = (threads.submit(measured, count, settings, more) for more in (state, ()))
        return kept.result(), bare.result()


def run() -> Iterator[Result]:
    """CPU in percent of a core, and in percent of what the fleet takes without it."""
    kept, bare = pair(COUNT, WINDOW_S)
    kept_s, bare_s = (row.found["cpu_s"] / row.found["window_s"] for row in (kept, bare))
    with_it, without = (row.found["tick_lag"]["p50"] for row in (kept, bare))
    name = f"state of {COUNT} DERs after every step"
    yield at_most(f"{name}: CPU, of a core", 100 * (kept_s - bare_s), LIMIT_PERCENT, "%")
    yield Result(f"{name}: CPU / without", kept_s / bare_s, None, "x", "-", met=True)
    yield at_most(f"{name}: p50 of the tick's lag", with_it, without + 2, "ms")
    yield Result(f"{name}: p50 without", without, None, "ms", "-", met=True)
