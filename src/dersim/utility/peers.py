"""Whether two clients use one certificate: the requests of one LFDI alternate between two connections.

A client that connects again never comes back to its old connection, so that it is not taken for two.
"""

from __future__ import annotations

import math

#: Two connections that alternate for so long are in use at the same time, s.
SPAN_S = 5.0
#: After so long without alternating, it is told again, s.
QUIET_S = 900.0
#: Connections that are remembered for each LFDI.
KEPT = 8


class Peers:
    """The connections of one LFDI. newest: "host:port" of its last request."""

    __slots__ = ("_came_back", "_first_s", "_shared_s", "newest")

    def __init__(self) -> None:
        self.newest = ""
        self._first_s: dict[str, float] = {}
        self._came_back: set[str] = set()
        self._shared_s = -math.inf

    def note(self, peer: str, now_s: float) -> tuple[str, str] | None:
        """A request came from another connection than the last one. The two, once they begin to alternate."""
        before, self.newest = self.newest, peer
        if peer not in self._first_s:
            self._remember(peer, now_s)
            return None
        self._came_back.add(peer)
        if before not in self._came_back:
            return None
        if now_s - max(self._first_s[peer], self._first_s[before]) < SPAN_S:
            return None
        is_new = now_s - self._shared_s > QUIET_S
        self._shared_s = now_s
        return (before, peer) if is_new else None

    def _remember(self, peer: str, now_s: float) -> None:
        if len(self._first_s) >= KEPT:
            oldest = next(iter(self._first_s))
            del self._first_s[oldest]
            self._came_back.discard(oldest)
        self._first_s[peer] = now_s
