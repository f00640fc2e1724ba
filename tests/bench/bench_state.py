"""State files: what that of a simulator costs, and how long one of the companion server takes to open.

The latter has a million readings and a thousand devices.

Each device has its mirror, a post of readings and its four documents in the file.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import trio
from tests.bench import bench_sim_state
from tests.bench.measure import Result, at_most

from dersim.csip import der_bodies, mirror
from dersim.http11 import Request
from dersim.ieee2030_5 import Edition, encode, identity
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

DEVICES, READINGS = 1000, 1_000_000


def _server(path: Path) -> UtilityServer:
    return UtilityServer(UtilityConfig(state=path), time.time, LogBuffer(stream_level="Error"))


def _posts(lfdi: str, number: int) -> Iterator[tuple[str, str, object]]:
    device = make_device()
    device.step(1000.0)
    items, modes = mirror.quantities(3), device.setpoints.supported_modes
    plate, edition, der = device.nameplate, Edition.E2018, f"/edev/{number}/der/1"
    values = mirror.readings(lfdi, items, device.state, 1_700_000_000)
    yield "POST", "/mup", mirror.usage_point(lfdi, items, "DER")
    yield (
        "POST",
        f"/mup/{number}",
        r.MirrorMeterReadingList(all=len(values), results=len(values), MirrorMeterReading=values),
    )
    yield "PUT", f"{der}/dercap", der_bodies.capability(plate, modes, edition)
    yield "PUT", f"{der}/derg", der_bodies.settings(plate, device.settings, modes, 5, edition)
    yield "PUT", f"{der}/dera", der_bodies.availability(device.state, 5, edition)


async def _fill(path: Path) -> None:
    server = _server(path)
    assert server.state is not None
    await server.state.open()
    server.begin()
    headers = (("host", "x"), ("content-type", "application/sep+xml"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.state.run)
        for number in range(1, DEVICES + 1):
            certificate = b"certificate %d" % number
            server.answer(Request("GET", "/dcap", headers[:1], b"", certificate, "x"))
            for method, target, resource in _posts(identity.lfdi(certificate), number):
                body = encode(resource, Edition.E2018)
                answer = server.answer(Request(method, target, headers, body, certificate, "x"))
                assert getattr(answer, "status", 500) < 300, target
        nursery.cancel_scope.cancel()
    db = sqlite3.connect(path)
    rows = ((1.7e9 + n / 400, n % DEVICES + 1, n % 24 + 1, 1_700_000_000, 0, n, 1) for n in range(READINGS))
    with db:
        db.executemany("INSERT INTO reading VALUES(NULL,?,?,?,?,?,?,?)", rows)
    db.close()


async def _open_s(path: Path) -> float:
    server = _server(path)
    assert server.state is not None
    begun_s = time.perf_counter()
    await server.state.open()
    elapsed_s = time.perf_counter() - begun_s
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.state.run)
        await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    return elapsed_s


def run() -> Iterator[Result]:
    """Open it three times; the shortest counts, because others use the machine."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "state.db"
        trio.run(_fill, path)
        best_s = min(trio.run(_open_s, path) for _ in range(3))
    yield from bench_sim_state.run()
    yield at_most(f"open a state file of {READINGS:,} readings and {DEVICES:,} devices", best_s, 2, "s")
