"""A part of a world that runs in the world's nursery until it is stopped, and can be started again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio


class Running:
    """One task at a time."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scope: trio.CancelScope | None = None
        self._ended = trio.Event()

    @property
    def is_up(self) -> bool:
        """Whether the task runs."""
        return self._scope is not None

    def start(self, work: Callable[[], Awaitable[None]]) -> None:
        """Start the task."""
        self._scope, self._ended = trio.CancelScope(), trio.Event()
        self._nursery.start_soon(self._run, work, self._scope, self._ended)

    async def _run(
        self, work: Callable[[], Awaitable[None]], scope: trio.CancelScope, ended: trio.Event
    ) -> None:
        try:
            with scope:
                await work()
        finally:
            self._scope = None
            ended.set()

    async def ended(self) -> None:
        """Wait for the end of the task."""
        if self.is_up:
            await self._ended.wait()

    async def stop(self) -> None:
        """Cancel the task and wait for its end."""
        if self._scope is not None:
            self._scope.cancel()
            await self._ended.wait()
