"""Real programs as child processes: start one, read its ready line, stop it, and never leave it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
CERTS = ROOT / "certs"


class Program:
    """A running child process whose output is collected line by line."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={**(os.environ if env is None else env), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._lines: Queue[str | None] = Queue()
        self._threads = [
            threading.Thread(target=self._collect, args=(self.process.stdout, self.out), daemon=True),
            threading.Thread(target=self._collect, args=(self.process.stderr, self.err), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream: Any, into: list[str]) -> None:
        for line in stream:
            into.append(line.rstrip("\n"))
            self._lines.put(line)
        self._lines.put(None)

    def wait_line(self, wanted: Callable[[str], bool], timeout_s: float = 30) -> str:
        """The first line of either stream that is wanted; fails with all that was printed."""
        deadline = time.monotonic() + timeout_s
        ended = 0
        while (left_s := deadline - time.monotonic()) > 0 and ended < 2:
            try:
                line = self._lines.get(timeout=left_s)
            except Empty:
                break
            if line is None:
                ended += 1
            elif wanted(line):
                return line.rstrip("\n")
        raise AssertionError(f"the line did not come. stdout: {self.out[-20:]} stderr: {self.err[-40:]}")

    def ready(self, timeout_s: float = 30) -> dict[str, str]:
        """The key=value pairs of the line `dersim ready ...`."""
        line = self.wait_line(lambda text: text.startswith("dersim ready"), timeout_s)
        return dict(pair.split("=", 1) for pair in line.split()[2:])

    def stop(self, timeout_s: float = 10) -> int:
        """SIGINT, then wait; returns the exit code. What does not stop is killed and fails."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not stop within {timeout_s} s; stderr: {self.err[-20:]}") from None

    def close(self) -> None:
        """End it whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for thread in self._threads:
            thread.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def program(*argv: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """`python -m ARGV...` as a child process for the length of the block; `env` instead of ours."""
    child = Program([sys.executable, "-m", *argv], cwd, env)
    try:
        yield child
    finally:
        child.close()


def get_json(url: str) -> Any:
    """GET one JSON document from this machine."""
    response = httpx.get(url, timeout=10, trust_env=False)
    response.raise_for_status()
    return response.json()


def eventually(what: str, look: Callable[[], Any], timeout_s: float = 30, every_s: float = 0.2) -> Any:
    """Ask until `look()` is truthy; the other side is another process, so there is no event to wait for."""
    deadline = time.monotonic() + timeout_s
    last: Any = None
    while time.monotonic() < deadline:
        last = look()
        if last:
            return last
        time.sleep(every_s)
    raise AssertionError(f"{what}: not within {timeout_s} s; last seen: {last!r}")
