"""A client's keep-alive connection: one TCP connection per DER, one request at a time.

Why not an HTTP library: a DER asks the same server for the same few resources for years. A library's pool
costs three times the CPU and drops an idle connection after seconds, so that a poller pays a TLS handshake
for every poll. Here a connection stays until someone closes it.

If a server has closed an idle connection, the next request on it is lost, and it is not known whether it was
carried out. So before an idle connection is used again, it is checked for readability: no data is expected,
so readable means closed, and a new connection is opened first. A short race remains. A request lost in it is
sent once more only if its method is idempotent and no byte of the response has arrived.

Any exception or cancellation closes the connection, so that the response to a cancelled request is never
taken for the response to the next one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import trio

from dersim.errors import UtilityUnreachable
from dersim.http11.messages import Headers, Response
from dersim.http11.request_bytes import Outgoing, writer_for
from dersim.http11.response_reader import ClosedEarly, ResponseReader
from dersim.http11.sockets import ClientSocket
from dersim.receiving import RECEIVE_BYTES
from dersim.tls.handshake import peer_certificate
from dersim.tls.stream import TlsStream

Phase = Literal["resolve", "connect", "tls", "send", "receive"]
OpenStream = Callable[[], Awaitable[trio.abc.Stream]]

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
MAX_BODY_BYTES = 2 * 1024 * 1024


class Requests(Protocol):
    """What a client needs of a connection; described at `Connection`, which is one."""

    @property
    def connects(self) -> int:
        """How often it was opened."""
        ...

    @property
    def is_open(self) -> bool:
        """As of `Connection`."""
        ...

    @property
    def peer_certificate_der(self) -> bytes | None:
        """As of `Connection`."""
        ...

    async def due(self, method: str, target: str) -> None:
        """As of `Connection`."""
        ...

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        timeout_s: float = 30.0,
    ) -> Response:
        """As of `Connection`."""
        ...

    async def aclose(self) -> None:
        """As of `Connection`."""
        ...


class _Unanswered(UtilityUnreachable):
    """The connection broke before the first byte of the response; was_resumed: on a resumed TLS session."""

    was_resumed = False


class Connection:
    """A keep-alive connection to one server; requests of several tasks take turns.

    open_stream: connects and returns the stream; raises UtilityUnreachable with the phase.
    host: the value of the Host header, and the server's name in messages.
    on_broken: called when a connection broke before its first response (`Endpoint` forgets its session).
    read_s: how long the server may stay silent in the middle of a request. max_body_bytes: of a response.
    """

    def __init__(
        self,
        open_stream: OpenStream,
        host: str,
        *,
        on_broken: Callable[[], None] | None = None,
        read_s: float = 10.0,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.host = host
        self.connects = 0
        self._open_stream = open_stream
        self._on_broken = on_broken
        self._read_s = read_s
        self._max_body_bytes = max_body_bytes
        self._stream: trio.abc.Stream | None = None
        self._has_answered = False
        self._phase: Phase = "connect"
        self._turn = trio.Lock()
        self._writer = writer_for(host)

    async def due(self, method: str, target: str) -> None:
        """Wait until the request may be made: at once; in a replay at the recorded time."""

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        timeout_s: float = 30.0,
    ) -> Response:
        """Send one request and return its response, whatever its status.

        Host and Content-Length are added. timeout_s: for the whole of it, once the connection is free. Raises
        UtilityUnreachable (with `phase`), RemoteProtocolError for what is not HTTP or too large, and
        LocalProtocolError for a request that HTTP does not allow.
        """
        outgoing = self._writer.outgoing(method, target, headers, body)
        try:
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()
        try:
            now_s = trio.current_time()
            latest_s = now_s + timeout_s
            # Moving a deadline costs more than setting it; on a kept connection this first one is often the
            # only one.
            with trio.CancelScope(deadline=min(latest_s, now_s + self._read_s)) as scope:
                return await self._attempt_twice(outgoing, scope, latest_s)
            raise self._unreachable(self._overdue(latest_s, timeout_s))
        finally:
            self._turn.release()

    @property
    def peer_certificate_der(self) -> bytes | None:
        """The server's certificate; None without TLS, or while there is no connection."""
        return None if self._stream is None else peer_certificate(self._stream)

    @property
    def is_open(self) -> bool:
        """Whether the next request needs no new connection, unless the peer has closed this one."""
        return self._stream is not None

    async def aclose(self) -> None:
        """Close the connection, after the request under way; the next request opens a new one."""
        async with self._turn:
            await self._close()

    async def _attempt_twice(self, outgoing: Outgoing, scope: trio.CancelScope, latest_s: float) -> Response:
        if self._stream is not None and self._is_readable():
            await self._close()
        may_be_stale = self._stream is not None
        try:
            return await self._exchange(outgoing, scope, latest_s)
        except _Unanswered as failure:
            # A server may also close right after it was offered a TLS session that it does not accept.
            if outgoing.method not in IDEMPOTENT or not (may_be_stale or failure.was_resumed):
                raise
        return await self._exchange(outgoing, scope, latest_s)

    async def _exchange(self, outgoing: Outgoing, scope: trio.CancelScope, latest_s: float) -> Response:
        try:
            if self._stream is None:
                scope.deadline = latest_s  # `open_stream` has deadlines of its own
                await self._connect()
                scope.deadline = min(latest_s, trio.current_time() + self._read_s)
            await self._send(outgoing.data)
            response = await self._receive(outgoing, scope, latest_s)
        except BaseException:
            if not self._has_answered and self._on_broken is not None:
                self._on_broken()
            await self._close()
            raise
        return response

    async def _connect(self) -> None:
        self._phase = "connect"
        self._has_answered = False
        self.connects += 1
        self._stream = await self._open_stream()

    async def _send(self, data: bytes) -> None:
        self._phase = "send"
        assert self._stream is not None  # noqa: S101 - `_exchange` has connected
        try:
            await self._stream.send_all(data)
        except trio.BrokenResourceError as error:
            raise self._unanswered(_cause(error)) from None

    async def _receive(self, outgoing: Outgoing, scope: trio.CancelScope, latest_s: float) -> Response:
        """The whole response; afterwards the connection is kept for the next request, or closed."""
        self._phase = "receive"
        reader = ResponseReader(outgoing, self.host, self._max_body_bytes)
        try:
            while (response := reader.receive(await self._read(reader.has_begun))) is None:
                scope.deadline = min(latest_s, trio.current_time() + self._read_s)
        except ClosedEarly:
            raise self._unreachable("the server closed the connection in mid-response") from None
        self._has_answered = True
        if not reader.can_continue:
            await self._close()
        return response

    async def _read(self, has_begun: bool) -> bytes:
        assert self._stream is not None  # noqa: S101 - `_exchange` has connected
        try:
            data = await self._stream.receive_some(RECEIVE_BYTES)
        except trio.BrokenResourceError as error:
            if has_begun:
                raise self._unreachable(_cause(error)) from None
            raise self._unanswered(_cause(error)) from None
        if not data and not has_begun:
            raise self._unanswered("the server closed the connection without a response")
        return bytes(data)

    def _is_readable(self) -> bool:
        """Whether the idle stream is readable, which means that the server has closed it."""
        stream = self._stream
        if isinstance(stream, TlsStream):
            if stream.pending():
                return True
            stream = stream.transport
        return isinstance(stream, ClientSocket) and stream.is_readable()

    async def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await trio.aclose_forcefully(stream)

    def _unreachable(self, cause: str) -> UtilityUnreachable:
        return UtilityUnreachable(f"{self.host} ({self._phase}): {cause}", self._phase)

    def _unanswered(self, cause: str) -> _Unanswered:
        failure = _Unanswered(f"{self.host} ({self._phase}): {cause}", self._phase)
        stream = self._stream
        failure.was_resumed = isinstance(stream, TlsStream) and stream.session_reused
        return failure

    def _overdue(self, latest_s: float, timeout_s: float) -> str:
        if self._phase == "receive" and trio.current_time() < latest_s:
            return f"the server was silent for {self._read_s:g} s"
        return f"not done within {timeout_s if trio.current_time() >= latest_s else self._read_s:g} s"


def _cause(error: trio.BrokenResourceError) -> str:
    """The operating system's words for a broken connection, in one line."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return "the connection broke"
