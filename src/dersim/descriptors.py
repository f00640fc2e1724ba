"""File descriptors are few on some machines: how many connections a server holds, and what it says beyond."""

from __future__ import annotations

import socket
from collections.abc import Callable

import trio

FEWEST_CONNECTIONS = 4
#: At most one line of log in so many seconds about connections that were refused.
COMPLAINT_INTERVAL_S = 60.0


def connection_limit(most: int) -> int:
    """How many connections a server may hold: `most`, or fewer where file descriptors are few.

    A third of those that are free now, so that two servers leave some for everything else.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
    except ImportError:
        return most
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return most
    # A new descriptor gets the lowest free number, so that number is about how many are open.
    with socket.socket() as probe:
        free = allowed - probe.fileno()
    return min(most, max(FEWEST_CONNECTIONS, free // 3))


class Refusals:
    """Tells that connections are refused: one line a minute with the number since the last one."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._count = 0
        self._told_s = -COMPLAINT_INTERVAL_S

    def note(self, reason: str) -> None:
        """One connection was refused."""
        self._count += 1
        now_s = trio.current_time()
        if now_s - self._told_s < COMPLAINT_INTERVAL_S:
            return
        since = f"; {self._count} since the last such line" if self._count > 1 else ""
        self._count, self._told_s = 0, now_s
        self._tell(f"connections refused: {reason}{since}")
