"""A check of every DER after every step, for alarms and changes of status that cannot wait for a poll.

Waking a task costs more than the check, and a fleet has thousands of DERs. So the task of one client, the one
that holds the lock, checks all DERs. When that client ends, another takes the lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from dersim.fleet import Fleet

#: How many checks are made before other tasks may run.
_CHECKS_AT_ONCE = 200


class Watch:
    """The checks of all DERs of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._checks: dict[int, Callable[[], None]] = {}
        self._turn = trio.Lock()

    async def run(self, number: int, check: Callable[[], None]) -> None:
        """Have `check` called after every step of the fleet, until cancelled. number: of the DER."""
        self._checks[number] = check
        try:
            check()
            async with self._turn:
                while True:
                    await self._fleet.wait_step()
                    await self._check_all()
        finally:
            del self._checks[number]

    async def _check_all(self) -> None:
        for position, number in enumerate(list(self._checks)):
            if (check := self._checks.get(number)) is not None:
                check()
            if position % _CHECKS_AT_ONCE == _CHECKS_AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
