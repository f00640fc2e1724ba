"""Programs of a test as child processes: start one, wait until it is ready, and never leave it behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import IO

__tracebackhide__ = True  # pytest shows the line of the test, not ours


_LOOK_S = 0.02
#: Lines of a stream that a failure shows.
_MOST_TOLD = 40


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A running child process. out, err: its lines so far."""

    def __init__(
        self, argv: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self.argv = [str(word) for word in argv]
        self.process = subprocess.Popen(  # noqa: S603 - the program of the test itself
            self.argv,
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

    def _collect(self, stream: IO[str], into: list[str]) -> None:
        for line in stream:
            into.append(line.rstrip("\n"))
            self._lines.put(line)
        self._lines.put(None)

    # ---- until it is ready

    def wait_line(self, wanted: Callable[[str], object] | str, timeout_s: float = 30) -> str:
        """The first line of either stream that is wanted, by a function or a regular expression.

        AssertionError with all that was printed where none comes.
        """
        matches = re.compile(wanted).search if isinstance(wanted, str) else wanted
        deadline_s = time.monotonic() + timeout_s
        ended = 0
        while (left_s := deadline_s - time.monotonic()) > 0 and ended < len(self._threads):
            try:
                line = self._lines.get(timeout=left_s)
            except Empty:
                break
            if line is None:
                ended += 1
            elif matches(line):
                return line.rstrip("\n")
        raise AssertionError(f"the line did not come; {self.told()}")

    def ready(self, timeout_s: float = 30) -> dict[str, str]:
        """The key=value pairs of the line `dersim ready ...`."""
        line = self.wait_line(lambda text: text.startswith("dersim ready"), timeout_s)
        return dict(pair.split("=", 1) for pair in line.split()[2:])

    def wait_listening(self, port: int, timeout_s: float = 30, host: str = "127.0.0.1") -> None:
        """Return once it takes connections; AssertionError where it has ended, or takes none in time."""
        deadline_s = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < deadline_s:
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                time.sleep(_LOOK_S)
            else:
                return
        ended = self.process.poll()
        why = f"within {timeout_s:g} s" if ended is None else f"and has ended with {ended}"
        raise AssertionError(f"it does not listen on {host}:{port} {why}; {self.told()}")

    def told(self) -> str:
        """Its command, and the newest lines that it has printed."""
        lines = [" ".join(self.argv)]
        for name, printed in (("stdout", self.out[-_MOST_TOLD:]), ("stderr", self.err[-_MOST_TOLD:])):
            lines += [f"{name}: {line}" for line in printed]
        return "\n".join(lines)

    # ---- its end

    def stop(self, timeout_s: float = 30) -> int:
        """SIGINT, then wait; returns the exit code. What does not stop is killed: an AssertionError."""
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
