"""Trio's clock for runs in which nothing waits: it jumps to the next deadline when all tasks sleep.

A run with the same seed takes the same steps: trio's draws of the order of ready tasks are seeded, too. What
is left to chance is TLS, whose random bytes come from OpenSSL.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import trio
import trio.testing

T = TypeVar("T")

#: How long it is waited for a thread before the next look, real seconds.
_LOOK_S = 0.0002


def virtual_clock() -> trio.testing.MockClock:
    """A clock that jumps, but not while a thread works: what is done there takes no simulated time."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    jump = clock._autojump

    def unless_threads_work() -> None:
        if trio.to_thread.current_default_thread_limiter().borrowed_tokens:
            time.sleep(_LOOK_S)
        else:
            jump()

    clock._autojump = unless_threads_work  # type: ignore[method-assign]  # the class is final: no other way
    return clock


def run_virtual(main: Callable[..., Awaitable[T]], *args: Any, seed: int = 1) -> T:
    """`trio.run` in virtual time."""
    with seeded_schedule(seed):
        return trio.run(main, *args, clock=virtual_clock())


@contextlib.contextmanager
def seeded_schedule(seed: int) -> Iterator[None]:
    """Meanwhile trio runs ready tasks in an order that the seed decides."""
    run: Any = trio._core._run  # as hypothesis does it
    before = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r
    run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = True, random.Random(seed)  # noqa: S311 - no secret
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = before
