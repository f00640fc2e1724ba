"""Fifty WebSocket listeners, half of which never read: what they cost the tick and the memory.

The whole simulator in a process of its own, 50 DERs, a tick of 0.1 s. The worst gap between two ticks is
taken from the documents' own times, by the listeners that read: first with one listener, then with all.
"""

from __future__ import annotations

import json
import re
import socket
import time
from datetime import datetime
from pathlib import Path

import trio
from tests.bench.measure import Result
from tests.interop.processes import Program, program
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request, TextMessage

TICK_S, SECONDS = 0.1, 10.0
LISTENERS = 50
GAP_TARGET_MS, MEMORY_TARGET_MIB, STOP_TARGET_S = 200.0, 20.0, 3.0


async def open_listener(port: int, *, reads: bool) -> tuple[trio.SocketStream, WSConnection]:
    """A listener whose upgrade has been sent."""
    sock = trio.socket.socket()
    if not reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await sock.connect(("127.0.0.1", port))
    stream, ws = trio.SocketStream(sock), WSConnection(ConnectionType.CLIENT)
    await stream.send_all(ws.send(Request(host=f"127.0.0.1:{port}", target="/api/dersim/telemetry/ws")))
    return stream, ws


async def watch(stream: trio.SocketStream, ws: WSConnection, times: list[float]) -> None:
    """Note the simulated time of every document, until cancelled."""
    text = ""
    while True:
        ws.receive_data(await stream.receive_some(65536))
        for event in ws.events():
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    times.append(datetime.fromisoformat(json.loads(text)["time"]).timestamp())
                    text = ""


async def drain(stream: trio.SocketStream) -> None:
    """Read and forget, until cancelled."""
    while await stream.receive_some(65536):
        pass


async def listen(port: int, reading: int, stuck: int, watched_process: int) -> tuple[float, float]:
    """The worst gap between ticks (ms), and the growth of the process (MiB), for SECONDS."""
    times: list[float] = []
    async with trio.open_nursery() as nursery:
        streams = [await open_listener(port, reads=k < reading) for k in range(reading + stuck)]
        nursery.start_soon(watch, *streams[0], times)
        for stream, _ in streams[1:reading]:
            nursery.start_soon(drain, stream)
        await trio.sleep(1)
        before, first = resident_mib(watched_process), len(times)
        await trio.sleep(SECONDS)
        nursery.cancel_scope.cancel()
    gaps = [after - before for before, after in zip(times[first:], times[first + 1 :], strict=False)]
    return 1000 * max(gaps), resident_mib(watched_process) - before


async def stop_beside(port: int, stuck: int, child: Program) -> float:
    """How long the program takes to stop, s, while its listeners do not read."""
    streams = [await open_listener(port, reads=False) for _ in range(stuck)]
    await trio.sleep(3)  # for their buffers to fill
    start = time.perf_counter()
    await trio.to_thread.run_sync(child.stop)
    stopped = time.perf_counter()
    for stream, _ in streams:
        await trio.aclose_forcefully(stream)
    return stopped - start


def resident_mib(process: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index] - Linux always tells it


def run() -> list[Result]:
    """The lines of this benchmark."""
    flags = ["--plugins", "rest", "--website_port", "0", "-N", "50", "--tick", str(TICK_S)]
    with program("dersim", "sim", *flags) as child:
        port = int(child.ready()["dashboard"].rpartition(":")[2])
        alone_ms, _ = trio.run(listen, port, 1, 0, child.process.pid)
        half = LISTENERS // 2
        beside_ms, grown_mib = trio.run(listen, port, half, half, child.process.pid)
        stop_s = trio.run(stop_beside, port, half, child)
    gap = f"{LISTENERS} listeners, half stuck: worst gap between ticks (alone: peer)"
    return [
        Result(gap, beside_ms, alone_ms, "ms", f"<= {GAP_TARGET_MS:g} ms", beside_ms <= GAP_TARGET_MS),
        Result(
            f"{LISTENERS} listeners, half stuck: growth in {SECONDS:g} s", grown_mib, None, "MiB",
            f"<= {MEMORY_TARGET_MIB:g} MiB", grown_mib <= MEMORY_TARGET_MIB,
        ),
        Result(
            "stop beside listeners that do not read", stop_s, None, "s", f"<= {STOP_TARGET_S:g} s",
            stop_s <= STOP_TARGET_S,
        ),
    ]  # fmt: skip
