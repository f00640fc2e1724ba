"""The fixture `clock`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dersim.testing.live import LiveWorld

__tracebackhide__ = True  # pytest shows the line of the test, not ours


class Clock:
    """The simulated time of a test. In virtual time it stands still but for `advance` and what waits."""

    def __init__(self, live: LiveWorld) -> None:
        self._live = live

    @property
    def is_virtual(self) -> bool:
        """Whether an hour takes as long as the work in it."""
        return self._live.portal.is_virtual

    @property
    def now_s(self) -> float:
        """UTC seconds since 1970."""
        return self._live.portal.call(self._live.world.now_s)

    @property
    def elapsed_s(self) -> float:
        """Simulated seconds since the start of the test."""
        return self.now_s - self._live.began_s

    def advance(self, seconds: float) -> Any:
        """Let so many simulated seconds pass. An awaitable in an async test."""
        return self._live.portal.wait(self._live.world.sleep, seconds)

    def wait_for(
        self, happened: Callable[[], object], within_s: float = 60, what: str = "what was waited for"
    ) -> Any:
        """Let time pass until `happened()` is true; AssertionError where it is not in time.

        `happened` may ask all handles. An awaitable in an async test.
        """
        return self._live.portal.wait(self._live.world.until, happened, within_s, what)
