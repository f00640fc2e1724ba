"""A day of conversation between a DER and its utility over mutual TLS, in virtual time.

Polls every five minutes, a control every hour from publication to its last Response, readings every minute,
ticks of a minute: some four thousand requests, all of client and server, nothing scripted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import trio
import trio.testing
from tests.bench.measure import Result
from tests.test_day import Lab

from dersim import pki

HOURS = 24
LIMIT_S = 30.0


async def day(folder: Path) -> int:
    """Live it; the number of requests."""
    async with trio.open_nursery() as nursery:
        lab = Lab(nursery, folder, "--csip_pin", "111115", tick_s=60.0)
        lab.head_end.rates.change(dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 300))
        await lab.start(for_s=30)
        for hour in range(HOURS):
            control = lab.publish(900, 1200, opModMaxLimW=float(20 + hour))
            await trio.sleep(3600)
            assert lab.responses(control.mrid) == [1, 2, 3]
        requests = lab.clients[0].snapshot()["counters"]["requests"]
        nursery.cancel_scope.cancel()
    return int(requests)


def run() -> Iterator[Result]:
    """CPU seconds for the day, client and server in this one process."""
    with tempfile.TemporaryDirectory() as folder:
        pki.create(Path(folder) / "certs", 1)
        start = time.process_time()
        requests = trio.run(day, Path(folder) / "certs", clock=trio.testing.MockClock(autojump_threshold=0))
        spent = time.process_time() - start
    yield Result(
        f"a simulated day, {requests} requests, client and server, CPU",
        spent,
        None,
        "s",
        f"<= {LIMIT_S:g} s",
        spent <= LIMIT_S,
    )
