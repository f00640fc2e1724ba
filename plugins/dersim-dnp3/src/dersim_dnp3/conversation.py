"""What was said between the masters and the DERs: the newest octets of the fleet, within a budget."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from dersim.plugin import BufferSize

_LIMIT_BYTES = 4 * 1024 * 1024
_ENTRY_BYTES = 200  # of an entry without its octets


class Said(NamedTuple):
    """Octets of one direction. time_s: simulated UTC. direction: "in" from the master, "out" to it."""

    id: int
    time_s: float
    device: int
    connection: int
    master: int
    direction: str
    octets: bytes


class Conversation:
    """The buffer; ids rise by one."""

    def __init__(self, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._said: deque[Said] = deque()
        self._held = 0
        self._limit = limit_bytes
        self._last_id = 0
        self._connections = 0

    def connection(self) -> int:
        """A number for a new connection."""
        self._connections += 1
        return self._connections

    def add(
        self, time_s: float, device: int, connection: int, master: int, direction: str, octets: bytes
    ) -> None:
        """Keep it, and forget the oldest beyond the budget."""
        self._last_id += 1
        self._said.append(Said(self._last_id, time_s, device, connection, master, direction, octets))
        self._held += _ENTRY_BYTES + len(octets)
        while self._held > self._limit:
            self._held -= _ENTRY_BYTES + len(self._said.popleft().octets)

    def size(self) -> BufferSize:
        """What it takes."""
        return BufferSize(self._held, self._limit)

    def of(self, device: int) -> list[Said]:
        """What was said with one DER, oldest first."""
        return [each for each in self._said if each.device == device]
