"""A published control and its Notifications to many subscribers, each a TLS listener with a port of its own.

All listen in this process. Measured from the order until the last one has it: the first time, with a
handshake for each, and again on the kept connections; with one list that all have, and with a list for each.
CPU and the longest pause of the loop, in CPU time, are those of the server's process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import trio
from tests.bench.measure import Result, at_most

from dersim import http11, pki, tls
from dersim.descriptors import raise_limit
from dersim.http11 import Request, Response

SUBSCRIBERS = 1_000
LIMIT_S, WITHIN_S = 60.0, 5.0


class Told(NamedTuple):
    """One control: seconds until all had it; of the server CPU seconds, and those of its longest pause."""

    all_s: float
    cpu_s: float
    lag_s: float


class Listeners:
    """So many subscribers, and how many of them have been told since `begin`."""

    def __init__(self, subscribers: int) -> None:
        self._subscribers = subscribers
        self._told: set[str] = set()
        self._done = trio.Event()

    def begin(self) -> None:
        """Count from now on."""
        self._told, self._done = set(), trio.Event()

    async def answer(self, request: Request) -> Response:
        """One Notification."""
        self._told.add(request.target)
        if len(self._told) == self._subscribers:
            self._done.set()
        return Response(201)

    async def all_told(self) -> None:
        """Wait for the last one."""
        with trio.fail_after(LIMIT_S):
            await self._done.wait()


class Server:
    """The server's process."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._rest = b""

    async def ask(self, command: str) -> float:
        """The answer to a command; 0 where it has none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        await self._process.stdin.send_all(f"{command}\n".encode())
        while b"\n" not in self._rest:
            data = await self._process.stdout.receive_some()
            if not data:
                raise AssertionError("the server has ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return float(json.loads(line) or 0.0)


async def _publish(server: Server, listeners: Listeners, word: str) -> Told:
    listeners.begin()
    await server.ask("lag")
    before_s, began_s = await server.ask("cpu"), trio.current_time()
    await server.ask(word)
    await listeners.all_told()
    all_s = trio.current_time() - began_s
    return Told(all_s, await server.ask("cpu") - before_s, await server.ask("lag"))


async def measure(folder: Path, subscribers: int) -> dict[str, Told]:
    """What was measured, by its name."""
    names = ("cert_1.pem", "key_1.pem", "cert_root.pem")
    context = tls.server_context(*(folder / name for name in names))
    listeners = Listeners(subscribers)
    bound = [(await http11.bind("127.0.0.1", 0, flag=""))[0] for _ in range(subscribers)]
    argv = [sys.executable, "-m", "tests.bench.notify_child", str(folder)]
    pipe = subprocess.PIPE
    found = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(http11.serve, listeners.answer, bound, tls=context))
        process = await nursery.start(partial(trio.run_process, argv, stdin=pipe, stdout=pipe))
        server = Server(process)
        await server.ask(" ".join(["subscribe", *(str(http11.address([each])[1]) for each in bound)]))
        for name, word in (("cold", "one"), ("kept", "one"), ("each", "each")):
            await trio.sleep(1.5)
            found[name] = await _publish(server, listeners, word)
        await process.stdin.aclose()
        await process.wait()
        nursery.cancel_scope.cancel()
    return found


def _results(found: dict[str, Told], subscribers: int) -> Iterator[Result]:
    words = {
        "cold": "with a handshake for each",
        "kept": "on kept connections",
        "each": "a list for each, kept connections",
    }
    for name, told in found.items():
        what = f"{subscribers:,} subscribers, {words[name]}"
        yield at_most(f"{what}: all told", told.all_s, WITHIN_S, "s")
        yield at_most(f"{what}: CPU of the server", told.cpu_s, WITHIN_S, "s")
        yield at_most(f"{what}: longest pause of its loop", told.lag_s * 1000, 100, "ms")


def run(subscribers: int = SUBSCRIBERS) -> Iterator[Result]:
    """Publish to all."""
    raise_limit()
    with tempfile.TemporaryDirectory() as name:
        folder = pki.create(Path(name) / "pki", 1)
        yield from _results(trio.run(measure, folder, subscribers), subscribers)


def main(args: list[str]) -> int:
    """With --n."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench notify")
    parser.add_argument("--n", type=int, default=SUBSCRIBERS, help="subscribers")
    missed = 0
    for result in run(parser.parse_args(args).n):
        print(result.line(), flush=True)
        missed += not result.met
    return 1 if missed else 0
