"""The lease of a shard, as its connections feel it: without a fresh one nothing is sent.

A worker that was stopped for a minute (SIGSTOP, a laptop's lid) wakes up while another worker runs its DERs.
So the age of the lease is looked at right before each send and each connect, not by a task that may wake up
after them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trio

from dersim.http11.sockets import ClientSocket

#: A lease that was not confirmed for so long is over, s.
LEASE_S = 5.0


def _boot_clock() -> float:
    """Seconds that run on while the machine sleeps, where the system has such a clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class LeaseGate:
    """Lets requests pass while the lease is fresh. It begins closed. now: a clock that no pause stops, s."""

    def __init__(self, lease_s: float = LEASE_S, now: Callable[[], float] = _boot_clock) -> None:
        self._lease_s = lease_s
        self._now = now
        self._until_s = 0.0
        self._renewed = trio.Event()
        self._ended = False

    def now_s(self) -> float:
        """The clock of `renew`."""
        return self._now()

    @property
    def is_open(self) -> bool:
        """Whether something may be sent now."""
        return not self._ended and self._now() < self._until_s

    def renew(self, asked_s: float) -> None:
        """The lease was ours at `asked_s`, when the question was sent."""
        self._until_s = max(self._until_s, asked_s + self._lease_s)
        if self.is_open:
            self._renewed.set()
            self._renewed = trio.Event()

    def end(self) -> None:
        """Another holds the lease: nothing passes any more."""
        self._ended = True

    async def passed(self) -> None:
        """Return when something may be sent."""
        while not self.is_open:
            await self._renewed.wait()

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A connection that sends only while the lease is fresh."""
        await self.passed()
        return GatedSocket(await trio.open_tcp_stream(host, port), self)


class GatedSocket(ClientSocket):
    """A client's socket behind the gate."""

    def __init__(self, stream: trio.SocketStream, gate: LeaseGate) -> None:
        super().__init__(stream)
        self._gate = gate

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`, as soon as the gate is open."""
        if not self._gate.is_open:
            await self._gate.passed()
        await super().send_all(data)
