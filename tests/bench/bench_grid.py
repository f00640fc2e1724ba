"""What a grid behind 1,000 DERs costs a tick beside its solve: reading P and Q, and handing over voltages.

The DERs have Volt-Var, Volt-Watt and droop in force, and every voltage moves at every tick. CPU of the
medians; the solve is a list that is there already.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Iterator

import trio
from tests.bench.bench_device import three_functions
from tests.bench.measure import Result, at_most

from dersim.device import ManualClock
from dersim.fleet import Fleet
from dersim.grid.contract import Settled
from dersim.plugin.builtin import make_device

FLEET, TICKS = 1000, 30
MOST_MS = 15.0
_KINDS = ("PV-3Phase", "PV-1Phase", "PV-2Phase", "Batt-3Phase")


async def spans_ms(fleet: Fleet) -> dict[str, list[float]]:
    """CPU ms of each part of a tick, tick by tick."""
    spans: dict[str, list[float]] = {"step": [], "read P and Q": [], "hand over": [], "response time": []}
    for k in range(TICKS):
        tick = [1.0 + 0.05 * math.sin((k + i / 50) / 5) for i in range(3 * FLEET)]
        answer = Settled(array("d", tick))
        start = time.thread_time()
        fleet.response_s()
        asked = time.thread_time()
        await fleet.advance(float(k + 1))
        stepped = time.thread_time()
        fleet.outputs(float(k + 1))
        read = time.thread_time()
        await fleet.meet(answer)
        met = time.thread_time()
        times = {"response time": asked - start, "step": stepped - asked, "read P and Q": read - stepped}
        for name, seconds in (times | {"hand over": met - read}).items():
            spans[name].append(seconds * 1e3)
    return spans


def run() -> Iterator[Result]:
    """The two hand-overs against their target, and the step beside them."""
    fleet = Fleet(
        [make_device(n, device_type=_KINDS[n % 4], clock=ManualClock()) for n in range(1, FLEET + 1)]
    )
    for device in fleet.devices:
        device.inputs.offer_grid(["voltage_pu"])
        device.step(0.0)
        three_functions(device)
    spans = trio.run(spans_ms, fleet)
    medians = {name: sorted(values)[len(values) // 2] for name, values in spans.items()}
    for name, ms in medians.items():
        yield Result(f"{FLEET} DERs behind a grid: {name}", ms, None, "ms", "none", met=True)
    beside = sum(ms for name, ms in medians.items() if name != "step")
    yield at_most(f"{FLEET} DERs behind a grid: a tick beside step and solve", beside, MOST_MS, "ms")
