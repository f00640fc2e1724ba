"""The processes in which the cases run. They end with the command, however that ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process


@contextmanager
def workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes; when what is inside fails or is interrupted, none of them goes on."""
    # Each in a process of its own: there is one OpenDSS and one virtual clock a process.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin)
    try:
        yield pool
    except BaseException:
        for each in active_children():
            each.terminate()
        raise
    finally:
        pool.shutdown()


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ctrl-C, which a terminal sends to all processes, waits for the end of this."""
    met: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: met.append(number))
    try:
        with _inherited_mask():
            yield
    finally:
        signal.signal(signal.SIGINT, before)
    if met:
        raise KeyboardInterrupt


@contextmanager
def _inherited_mask() -> Iterator[None]:
    """New processes begin with what their creator blocks."""
    if sys.platform == "win32":  # it has nothing like it
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    threading.Thread(target=_end_with_the_command, daemon=True).start()


def _end_with_the_command() -> None:
    """A command that was killed told nobody; the case would run on, and wait for another for ever."""
    command = parent_process()
    if command is not None:
        command.join()
        os._exit(1)
