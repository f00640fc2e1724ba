"""Looking at every DER after every step, for alarms and changes of status that may not wait for a poll.

To wake a task costs more than the look itself, and a fleet has thousands of DERs. So one task looks for all:
whichever client holds the lock. The others wait for it; when the looking client ends, the next takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from dersim.fleet import Fleet

#: So many looks are made before other tasks get a turn.
_LOOKS_AT_ONCE = 200


class Watch:
    """One per fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._looks: dict[int, Callable[[], None]] = {}
        self._turn = trio.Lock()

    async def run(self, number: int, look: Callable[[], None]) -> None:
        """Have `look` called after every step of the fleet, until cancelled. number: of the DER."""
        self._looks[number] = look
        try:
            look()
            async with self._turn:
                while True:
                    await self._fleet.wait_step()
                    await self._look_at_all()
        finally:
            del self._looks[number]

    async def _look_at_all(self) -> None:
        for position, number in enumerate(list(self._looks)):
            if (look := self._looks.get(number)) is not None:
                look()
            if position % _LOOKS_AT_ONCE == _LOOKS_AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
