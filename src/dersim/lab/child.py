"""One program as a child process: start it, read its output, stop it, leave no process behind.

The child has its own process group, so that Ctrl-C in the terminal reaches only the lab, which then stops its
children. Its output is kept line by line, bounded, without the secrets of its command line.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import trio

#: A clean stop takes at most 10 s, with thousands of DERs; after that the child is killed.
STOP_DEADLINE_S = 12.0
KEPT_LINES = 2000
MAX_LINE = 4000

_TOKEN = re.compile(r"\btoken=\S+")
MASK = "******"


class State(StrEnum):
    """Of a child. EXITED: it ended by itself; STOPPED: not yet started, or stopped on request."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    EXITED = "exited"


class Line(NamedTuple):
    """One line of output. stream: out, err, or lab for messages of the lab itself."""

    id: int
    time_s: float
    stream: str
    text: str


class Child:
    """One program's process, if any, and its output. `changed` is called after every change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.state = State.STOPPED
        self.exit_code: int | None = None
        self.pid: int | None = None
        self.command = ""
        self.started_s: float | None = None
        self.addresses: Mapping[str, str] = {}
        self._changed = changed
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self._last_id = 0
        self._secrets: tuple[str, ...] = ()
        self._process: trio.Process | None = None
        self._ended = trio.Event()
        self._ended.set()

    @property
    def is_up(self) -> bool:
        """From the start button until the process has ended."""
        return self.state in (State.STARTING, State.RUNNING, State.STOPPING)

    def lines(self, after: int) -> list[Line]:
        """The kept lines that came after the one with that id."""
        return [line for line in self._lines if line.id > after]

    async def run(
        self,
        argv: Sequence[str],
        command: str,
        secrets: Iterable[str],
        environment: Mapping[str, str] | None = None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run the process until it ends; `started` once it exists or could not be made.

        `command`: the command line as it is shown. `secrets` are masked in the output.
        `environment` is added to ours.
        """
        self._secrets = tuple(each for each in secrets if len(each) > 2)
        self.command, self.exit_code, self.addresses = command, None, {}
        self._ended, self.started_s = trio.Event(), time.time()
        self._enter(State.STARTING)
        self._say(f"starting: {command}")
        try:
            await self._run_process(argv, environment or {}, task_status)
        finally:
            self._process = self.pid = None
            self._ended.set()
            self._changed()

    async def _run_process(
        self, argv: Sequence[str], environment: Mapping[str, str], task_status: trio.TaskStatus[None]
    ) -> None:
        try:
            process = await trio.lowlevel.open_process(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
                process_group=0,
            )
        except OSError as error:
            self._enter(State.EXITED)
            self._say(f"cannot be started: {error.strerror}")
            task_status.started()
            return
        self._process, self.pid = process, process.pid
        if self.state is State.STOPPING:  # `stop` was called while the process was being made
            process.terminate()
        task_status.started()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, process.stdout, "out")
                nursery.start_soon(self._listen, process.stderr, "err")
                code = await process.wait()
        finally:
            with trio.CancelScope(shield=True):
                await _end(process)
        self._over(code)

    async def stop(self) -> None:
        """Ask it to stop and wait until it has; kill it where it does not within STOP_DEADLINE_S."""
        if self.is_up and self.state is not State.STOPPING:
            self._enter(State.STOPPING)
            self._say("stopping")
            if self._process is not None:
                self._process.terminate()
        with trio.move_on_after(STOP_DEADLINE_S):
            await self._ended.wait()
            return
        self._say(f"it did not stop within {STOP_DEADLINE_S:g} s and is killed")
        if self._process is not None:
            self._process.kill()
        await self._ended.wait()

    def _over(self, code: int) -> None:
        asked = self.state is State.STOPPING
        self.exit_code, self.addresses = code, {}
        # SIGTERM itself ends a Python that has not yet set its handler.
        self._enter(State.STOPPED if asked and code in (0, -signal.SIGTERM) else State.EXITED)
        self._say(f"ended: {explain_exit(code)}")

    async def _listen(self, stream: Any, name: str) -> None:
        """Read lines of any length, holding at most one of them."""
        rest = b""
        async for chunk in stream:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self._hear(line, name)
            if len(rest) > MAX_LINE:
                self._hear(rest, name)
                rest = b""
            self._changed()
        if rest:
            self._hear(rest, name)
            self._changed()

    def _hear(self, raw: bytes, name: str) -> None:
        text = raw[:MAX_LINE].decode(errors="replace").rstrip()
        if name == "out" and text.startswith("dersim ready") and self.state is State.STARTING:
            pairs = (pair.partition("=") for pair in text.split()[2:])
            self.addresses = {key: url for key, _, url in pairs if key != "token"}
            self.state = State.RUNNING
        self._keep(name, text)

    def _enter(self, state: State) -> None:
        self.state = state

    def _say(self, text: str) -> None:
        self._keep("lab", text)
        self._changed()

    def _keep(self, stream: str, text: str) -> None:
        self._last_id += 1
        self._lines.append(Line(self._last_id, time.time(), stream, mask(text, self._secrets)))


async def _end(process: trio.Process) -> None:
    """Kill the process if it still runs and close its pipes."""
    if process.returncode is None:
        process.kill()
        await process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            await stream.aclose()


def mask(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets and without the token of a ready line."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, MASK)
    return _TOKEN.sub(f"token={MASK}", text)


def explain_exit(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"ended by signal {-code} ({signal.strsignal(-code)})"
    words = {0: "a clean stop", 2: "a flag, file or port that cannot be used"}
    return f"exit code {code} ({words.get(code, 'an error')})"
