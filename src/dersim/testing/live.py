"""A world in a thread of its own, which a test reaches by handles."""

from __future__ import annotations

from collections.abc import Callable

import trio

from dersim.testing.plan import WorldPlan
from dersim.testing.portal import Portal, Waits
from dersim.testing.world import World, open_world

#: Violations that a failure shows.
_MOST_TOLD = 20


class LiveWorld:
    """A running world. began_s: simulated UTC seconds."""

    def __init__(self, plan: WorldPlan, waits: Waits, *, virtual: bool) -> None:
        self.plan = plan
        self.began_s = 0.0
        self.portal = Portal(self._main, waits, virtual=virtual, seed=plan.seed)
        self._world: World | None = None

    @property
    def world(self) -> World:
        """The world itself, for use in its own thread."""
        assert self._world is not None, "the world has not started"  # noqa: S101 - `start` was not called
        return self._world

    def start(self) -> None:
        """Start it; an error of its start is raised here."""
        self.portal.start()

    def stop(self) -> None:
        """Stop it; an error that has ended it, and violations of invariants are raised here."""
        self.portal.stop()
        if self._world is not None and (found := self._world.violations):
            lines = [f"DER {each.device}: {each}" for each in found[:_MOST_TOLD]]
            raise AssertionError("\n".join([f"{len(found)} violations of invariants:", *lines]))

    def told(self) -> str:
        """The newest lines of the world's log."""
        return "" if self._world is None else self._world.told()

    async def _main(self, portal: Portal) -> None:
        async with open_world(self.plan) as world:
            self._world, self.began_s = world, world.now_s()
            await portal.serve()

    async def until(self, happened: Callable[[], object], within_s: float, what: str) -> None:
        """Let time pass until something has happened; AssertionError where it has not."""
        if within_s > 0:
            await self.world.until(happened, within_s, what)
        else:
            await trio.lowlevel.checkpoint()
