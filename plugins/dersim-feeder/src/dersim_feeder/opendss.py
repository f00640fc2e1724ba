"""OpenDSS, and the one thread in which it solves.

The engine's run-time library keeps the process' environment as it was when it was loaded, and reads it in the
first call from every new thread. A variable set in between leaves it with freed memory, and the process ends.
So its thread makes its first call right here, and no other thread but the main one ever calls the engine.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import outcome
import trio
from dss import DSS, DSSException  # type: ignore[import-untyped] # it comes without types

__all__ = ["DSS", "DSSException", "in_thread"]

T = TypeVar("T")
_work: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[outcome.Outcome[Any]], object]]] = (
    queue.SimpleQueue()
)


def _run() -> None:
    while True:
        function, done = _work.get()
        done(outcome.capture(function))


def _begin() -> None:
    ready: queue.SimpleQueue[outcome.Outcome[Any]] = queue.SimpleQueue()
    threading.Thread(target=_run, name="OpenDSS", daemon=True).start()
    _work.put((lambda: DSS.Version, ready.put))
    ready.get().unwrap()


async def in_thread(function: Callable[[], T]) -> T:
    """Call `function` in the engine's thread, while other tasks run; a call that has begun is waited for."""
    token, finished = trio.lowlevel.current_trio_token(), trio.Event()
    results: list[outcome.Outcome[T]] = []

    def done(result: outcome.Outcome[T]) -> None:
        results.append(result)
        token.run_sync_soon(finished.set)

    await trio.lowlevel.checkpoint_if_cancelled()
    # Counted as trio's own threads are: virtual time does not jump on while one works.
    async with trio.to_thread.current_default_thread_limiter():
        _work.put((function, done))
        with trio.CancelScope(shield=True):
            await finished.wait()
    return results[0].unwrap()


_begin()
