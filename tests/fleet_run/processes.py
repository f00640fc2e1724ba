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

    def send(self, method: str, path: str, document: Any) -> None:
        request = urllib.request.Request(
            f"{self.admin}/api/utility/{path}",
            json.dumps(document).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def also(self, *words: str) -> contextlib.AbstractContextManager[Process]:
        """Another process in the same folder, stopped at the end."""
        return _running(self.process.log.parent, *words)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    found = Server(folder)
    try:
        yield found
    finally:
        found.process.popen.kill()
        found.process.ended()
        found.process.popen.stdout.close()


def fleet(folder: Path, at: Server, *words: str) -> contextlib.AbstractContextManager[Process]:
    return _running(folder, "fleet", "--port", "0", "--csip_server_port", at.port, *words)


@contextlib.contextmanager
def _running(folder: Path, *words: str) -> Iterator[Process]:
    process = Process(folder, *words)
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


def connections_to(at: Server, process: subprocess.Popen[bytes]) -> int:
    """How many connections a process has to the server."""
    import psutil

    if process.poll() is not None:
        return 0
    found = psutil.Process(process.pid).net_connections("tcp")
    return sum(bool(each.raddr) and each.raddr.port == int(at.port) for each in found)


def until(true: Callable[[], Any], seconds: float) -> float:
    """Wait for it; how long it took, s."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began


def workers_of(run: Process) -> list[int]:
    """The process ids of the workers that `dersim fleet` has started itself."""
    import psutil

    children = psutil.Process(run.popen.pid).children()
    return [each.pid for each in children if any("spawn_main" in word for word in each.cmdline())]


class Watched:
    """What the server has seen, read again and again: it must never get worse.

    fallen: energy registers that were lower than before. twice: Responses that came twice.
    """

    def __init__(self, at: Server) -> None:
        self.at = at
        self.fallen: list[Any] = []
        self._energy: dict[tuple[str, str], float] = {}
        self.readings = 0

    def look(self) -> None:
        for point in self.at.get("mirror-usage-points"):
            for reading in point["readings"]:
                if reading["uom"] != 72 or reading["value"] is None:
                    continue
                key = (point["lfdi"], reading["mRID"])
                if reading["value"] < self._energy.get(key, 0):
                    self.fallen.append((key, self._energy[key], reading["value"]))
                self._energy[key] = reading["value"]
                self.readings += 1

    @property
    def twice(self) -> list[Any]:
        seen = [(each["lfdi"], each["subject"], each["status"]) for each in self.at.get("responses")]
        return sorted({each for each in seen if seen.count(each) > 1})

    def seen_since(self, moment_s: float) -> int:
        """How many DERs were heard of after this moment, UTC s."""
        from datetime import datetime

        found = (each["last_seen"] for each in self.at.get("end-devices"))
        return sum(datetime.fromisoformat(each).timestamp() > moment_s for each in found if each)


class DaskCluster:
    """A scheduler and workers without nannies, as processes on loopback.

    environment: more variables for the workers.
    """

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder = folder
        self._file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        until(self._file.exists, 30)
        self.address = json.loads(self._file.read_text())["address"]
        self.workers = [self.start_worker() for _ in range(workers)]

    def start_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        return self._start("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", **environment)

    def _start(self, what: str, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"dask-{what}-{time.monotonic_ns()}.log").open("w")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, "--scheduler-file", str(self._file), *words],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={
                    **os.environ,
                    "DERSIM_FAIL_FAST": "no",
                    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10s",
                    **environment,
                },
            )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[DaskCluster]:
    folder.mkdir(exist_ok=True)
    found = DaskCluster(folder, workers)
    try:
        yield found
    finally:
        found.close()
