"""Stopping at a signal, and the watchdog that ends a stop at its deadline.

A task that shields itself from cancellation, or a plug-in that never returns to the event loop, would keep
the process alive. So the signal handler itself starts the watchdog, a thread that needs no event loop. It
says what did not end and ends the process with exit code 1.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import trio

from dersim.cli.terminal import RESTORE, is_tty

#: The longest stop, real seconds.
STOP_DEADLINE_S = 2.7

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_TRIO = str(Path(trio.__file__).parent)
_LIBRARY = sysconfig.get_path("stdlib")

#: The longest wait for the last line on stderr, s: stderr may be a full pipe.
_LAST_LINE_S = 0.5


class Watchdog:
    """Ends the process `deadline_s` real seconds after `begin`, unless `cancel` comes first."""

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._over = threading.Event()
        self._main = threading.get_ident()
        # Made now: to start a thread takes locks, which is not safe in a signal handler.
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """The stop has begun. May be called in a signal handler, and more than once."""
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")

    def cancel(self) -> None:
        """The stop is over, or never came."""
        self._over.set()
        self.begin()
        self._thread.join()
        os.close(self._wake_write)
        os.close(self._wake_read)

    def _watch(self) -> None:
        os.read(self._wake_read, 1)
        if not self._over.wait(self._deadline_s):
            self._end_process(
                f"dersim: the stop took longer than {self._deadline_s:g} s: {_occupation(self._main)}; "
                f"the process ends without it"
            )

    @staticmethod
    def _end_process(message: str) -> None:
        if is_tty(sys.stderr):
            message = RESTORE + message
        line = threading.Thread(target=print, args=(message,), kwargs={"file": sys.stderr, "flush": True})
        line.daemon = True
        line.start()
        line.join(_LAST_LINE_S)
        os._exit(1)


@contextlib.contextmanager
def stop_at_signals(stop: Callable[[], None], watchdog: Watchdog) -> Iterator[None]:
    """Within the block, in the main thread, SIGINT and SIGTERM call `stop` in the event loop."""
    token = trio.lowlevel.current_trio_token()

    def handle(_number: int, _frame: FrameType | None) -> None:
        watchdog.begin()
        token.run_sync_soon(stop, idempotent=True)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _occupation(thread: int) -> str:
    """What the thread of the event loop is doing, for people."""
    frame = sys._current_frames().get(thread)
    while frame is not None and frame.f_back is not None and _is_in(_LIBRARY, frame):
        frame = frame.f_back  # e.g. enum or json, called by what does not return
    if frame is None or _is_in(_TRIO, frame):
        return "a task does not end"
    name = frame.f_globals.get("__name__", "?")
    return f"{name}:{frame.f_lineno} ({frame.f_code.co_name}) does not return to the event loop"


def _is_in(folder: str, frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith(folder) and "site-packages" not in name.removeprefix(folder)
