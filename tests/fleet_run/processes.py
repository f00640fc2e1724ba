"""A companion server and `dersim fleet` as processes, and what a test asks of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def need_dask() -> None:
    pytest.importorskip("distributed", reason="needs Dask: pip install 'dersim[cluster]'")


class Process:
    """`python -m dersim WORDS`; ready: the pairs of its ready line."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "dersim", *words],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=folder,
                env={**os.environ, "DERSIM_FAIL_FAST": "no"},
            )

    def wait_ready(self) -> dict[str, str]:
        line = self.popen.stdout.readline()
        assert line.startswith("dersim ready"), f"{line!r} {self.log.read_text()}"
        return dict(pair.split("=", 1) for pair in line.split() if "=" in pair)

    def ended(self, seconds: float = 30) -> int:
        return self.popen.wait(seconds)

    def stop(self, seconds: float = 30) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.ended(seconds)


class Server:
    """The companion server, seen through its operator's REST."""

    def __init__(self, folder: Path) -> None:
        self.process = Process(folder, "server", "--port", "0", "--admin_port", "0")
        ready = self.process.wait_ready()
        self.admin = ready["utility_admin"]
        self.port = ready["utility"].rpartition(":")[2]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.admin}/api/utility/{path}", timeout=10) as answer:
            return json.load(answer)

    def violations(self) -> Any:
        return self.get("violations")


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    found = Server(folder)
    try:
        yield found
    finally:
        found.process.popen.kill()
        found.process.ended()
        found.process.popen.stdout.close()


@contextlib.contextmanager
def fleet(folder: Path, at: Server, *words: str) -> Iterator[Process]:
    process = Process(folder, "fleet", "--csip_server_port", at.port, *words)
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.ended(20)
        process.popen.kill()
        process.ended()
        process.popen.stdout.close()


def until(true: Callable[[], Any], seconds: float) -> float:
    """Wait for it; how long it took, s."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began
