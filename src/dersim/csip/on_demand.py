"""Work of a DER for which there is a task only while something is to be done.

A task that waits takes some 3 KiB, and each DER of a fleet has several kinds of work that nearly always rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio


class OnDemand:
    """Runs `work` where it is wanted, one at a time. work: returns when nothing is left to do."""

    __slots__ = ("_nursery", "_running", "_wanted", "_work")

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._nursery: trio.Nursery | None = None
        self._running = self._wanted = False

    def run_in(self, nursery: trio.Nursery | None) -> None:
        """Run in this nursery from now on; None: not until there is another one."""
        self._nursery = nursery
        if self._wanted:
            self.want()

    def want(self) -> None:
        """There is something to do: start, unless it is being done."""
        self._wanted = True
        if self._nursery is not None and not self._running:
            self._running = True
            self._nursery.start_soon(self._run)

    async def _run(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                await self._work()
        except BaseException:
            self._wanted = True  # the next nursery goes on with it
            raise
        finally:
            self._running = False


def run_in(nursery: trio.Nursery | None, *works: OnDemand) -> None:
    """`OnDemand.run_in` for each of them."""
    for work in works:
        work.run_in(nursery)
