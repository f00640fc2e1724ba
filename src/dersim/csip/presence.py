"""Whether the client of one DER takes part: a fleet plan lets it leave, and cuts its connection.

A client that leaves ends the request under way, closes its connections and asks nothing more until it joins
again. A cut breaks its connections and lets none be made; the client tries again as after any loss. In both
cases the DER runs on, controls that it knows begin and end, and Responses wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from weakref import WeakSet

import trio

from dersim.errors import UtilityUnreachable

if TYPE_CHECKING:
    from dersim.csip.session import Session
    from dersim.csip.status import ClientStatus
    from dersim.http11.endpoint import OpenTcp


class CutOff(UtilityUnreachable):
    """The connection is cut on purpose."""


@runtime_checkable
class Breakable(Protocol):
    """A stream that any task may break."""

    def shut(self) -> None:
        """End both directions; who waits for data reads the end of the stream."""
        ...


class Presence:
    """The `PresenceService` of one client. on_leave: ends what the client does. open_tcp: how it connects."""

    __slots__ = (
        "_back", "_cut", "_on_leave", "_open_tcp", "_returns_at", "_status", "_streams", "_why", "open_tcp",
    )  # fmt: skip

    def __init__(self, status: ClientStatus, on_leave: Callable[[], None], open_tcp: OpenTcp) -> None:
        self._status = status
        self._on_leave = on_leave
        self._open_tcp = self.open_tcp = open_tcp
        self._back: trio.Event | None = None
        self._why = ""
        self._returns_at = 0.0
        self._cut = ""
        self._streams: WeakSet[trio.abc.Stream] | None = None

    def leave(self, why: str, for_s: float) -> None:
        """Stop taking part, until `join`. for_s: how long, real seconds, for the pages."""
        if self._back is None:
            self._back = trio.Event()
        self._why, self._returns_at = why, trio.current_time() + for_s
        self._on_leave()

    def join(self) -> None:
        """Take part again."""
        back, self._back = self._back, None
        if back is not None:
            back.set()

    @property
    def is_gone(self) -> bool:
        """Whether the DER is away or cut off: nobody can reach it, either."""
        return self._back is not None or bool(self._cut)

    async def wait_here(self, session: Session) -> None:
        """Return at once, or where the DER is away close its connections and wait until it joins."""
        if (back := self._back) is None:
            return
        await session.aclose()
        self._status.enter("away", self._why)
        self._status.retry_at = self._returns_at
        await back.wait()

    def can_be_cut(self) -> None:
        """Prepare for `cut`; called before the client connects."""
        self._streams = WeakSet()
        self.open_tcp = self._open

    def cut(self, why: str) -> None:
        """Break the connections, and let none be made until `restore`."""
        self._cut = why
        for stream in list(self._streams or ()):
            if isinstance(stream, Breakable):
                stream.shut()

    def restore(self) -> None:
        """Let the client connect again."""
        self._cut = ""

    async def _open(self, host: str, port: int) -> trio.abc.Stream:
        if self._cut:
            await trio.lowlevel.checkpoint()
            raise CutOff(f"{host}:{port} (connect): {self._cut}", "connect")
        stream = await self._open_tcp(host, port)
        if self._streams is not None:
            self._streams.add(stream)
        return stream
