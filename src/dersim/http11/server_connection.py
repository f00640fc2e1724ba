"""The server's side of one connection: request, response, request, response.

An ordinary request is read by llhttp (`ordinary`) and its response written without h11; any other one is read
by h11, from its first byte. What came behind a request belongs to the next one, which may be of either kind.
"""

from __future__ import annotations

import contextlib
from typing import Protocol

import h11
import trio

from dersim.http11.messages import Handler, Headers, Limits, Request, Response, decoded, in_words
from dersim.http11.ordinary import request_head
from dersim.http11.raw import Raw, play
from dersim.http11.response_bytes import whole
from dersim.receiving import SHORT_READ_BYTES
from dersim.tls.handshake import peer_certificate
from dersim.tls.stream import TlsStream

_LINGER_S = 1.0
_LINGER_BYTES = 4 * 1024 * 1024
_HEAD_TOO_LONG = 431  # h11's hint when its buffer is full
_BLANK = b"\r\n"  # lines before a request, which are skipped (RFC 9112 2.2)


class ConnectionOwner(Protocol):
    """What a connection needs of the server that runs it."""

    is_stopping: bool

    def is_idle(self, key: int, scope: trio.CancelScope) -> None: ...  # noqa: D102 - see the class
    def is_busy(self, key: int) -> None: ...  # noqa: D102 - see the class
    def log(self, line: str) -> None: ...  # noqa: D102 - see the class


class _RefusedRequest(Exception):  # noqa: N818 - never leaves this module
    """The request cannot be taken: the status to answer before closing."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Gone(Exception):  # noqa: N818 - never leaves this module
    """The client closed the connection, or the server ended an idle one: there is nothing to answer."""


class ServerConnection:
    """One connection of a server, from its first byte to its close.

    refusal: why the client's certificate chain is refused; its first request is then answered 403.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        peer: str,
        handler: Handler,
        limits: Limits,
        owner: ConnectionOwner,
        *,
        refusal: str = "",
    ) -> None:
        self._stream = stream
        self._peer = peer
        self._handler = handler
        self._limits = limits
        self._owner = owner
        self._refusal = refusal
        self._has_served = False
        self._has_head = False
        self._is_answering = False
        self._certificate = peer_certificate(stream)
        self._rest = b""
        self._wire: h11.Connection  # made when h11 is needed

    async def run(self) -> None:
        """Answer requests until one side closes. Raises only what the handler raises."""
        try:
            while await self._one_request():
                pass
            await self._say_goodbye()
        except _Gone:
            await self._say_goodbye()
        except _RefusedRequest as refused:
            self._owner.log(f"{self._peer}: {refused.status}: {refused}")
            await self._refuse(refused.status, str(refused))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._owner.log(f"{self._peer}: the client went away in mid-request")
        except trio.TooSlowError:
            self._owner.log(
                f"{self._peer}: the client did not take its response in {self._limits.send_s:g} s"
            )

    async def _one_request(self) -> bool:
        """Serve one request; whether the connection may carry another."""
        self._is_answering = False
        self._rest = self._rest.lstrip(_BLANK)
        if not self._rest:
            self._rest = await self._wait_idle()
        limits = self._limits
        head = None if self._refusal else request_head(self._rest, limits.head_bytes)
        if head is None or len(head.target) > limits.target_bytes or head.length > limits.body_bytes:
            return await self._any_request()
        self._has_served = True
        end = head.size + head.length
        if len(self._rest) < end:
            await self._read_up_to(end)
        body, self._rest = self._rest[head.size : end], self._rest[end:]
        request = Request(head.method, head.target, head.headers, body, self._certificate, self._peer)
        return await self._answer(request, closing=False)

    async def _any_request(self) -> bool:
        """As `_one_request`, by h11."""
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes)
        if self._rest:
            self._wire.receive_data(self._rest)
        head = await self._head()
        if self._refusal:
            raise _RefusedRequest(403, self._refusal)
        body = await self._body(head)
        method = head.method.decode("ascii")
        request = Request(
            method, head.target.decode("latin-1"), decoded(head.headers), body, self._certificate, self._peer
        )
        self._rest = self._wire.trailing_data[0]
        # Two lengths of one body may be request smuggling: no second request is read (RFC 9112 6.1).
        is_ambiguous = bool(request.header("transfer-encoding") and request.header("content-length"))
        is_last = self._wire.their_state is h11.MUST_CLOSE or method == "CONNECT"
        return await self._answer(request, closing=is_ambiguous or is_last)

    async def _answer(self, request: Request, *, closing: bool) -> bool:
        """Have the handler answer, and send that; whether the connection may carry another request."""
        try:
            response = await self._handler(request)
            if isinstance(response, Raw):
                await self._play(response)
                return False
            closing = closing or self._owner.is_stopping
            data, is_last = whole(response, request.method, closing=closing)
        except trio.Cancelled:
            raise
        except BaseException:
            # A bug in the handler: the client gets an answer, the server decides what else ends.
            with trio.move_on_after(1, shield=True):
                await self._refuse(500, "internal server error")
            raise
        await self._send_all(data)
        return not is_last

    async def _play(self, raw: Raw) -> None:
        """Send bytes that are no response; a stop of the server ends it at once."""
        self._is_answering = True
        with trio.CancelScope() as scope:
            self._owner.is_idle(id(self), scope)
            try:
                await play(self._stream, raw, self._limits.send_s)
            finally:
                self._owner.is_busy(id(self))

    async def _read_up_to(self, size: int) -> None:
        """Read until `size` bytes of this request are there."""
        data = bytearray(self._rest)
        with trio.move_on_after(self._limits.body_s):
            while len(data) < size:
                if not (more := await self._stream.receive_some(SHORT_READ_BYTES)):
                    raise _Gone
                data += more
            self._rest = bytes(data)
            return
        raise self._slow_body()

    async def _head(self) -> h11.Request:
        """The head of a request that has begun."""
        self._has_head = False
        event = self._next_event()
        if event is h11.NEED_DATA:
            with trio.move_on_after(self._limits.head_s):
                while event is h11.NEED_DATA:
                    await self._read()
                    event = self._next_event()
        if event is h11.NEED_DATA:
            raise _RefusedRequest(408, f"the head of the request took more than {self._limits.head_s:g} s")
        if not isinstance(event, h11.Request):
            raise _Gone
        self._has_served = self._has_head = True
        self._check_head(event)
        return event

    def _check_head(self, head: h11.Request) -> None:
        if not head.http_version.startswith(b"1."):
            version = head.http_version.decode("ascii")
            raise _RefusedRequest(505, f"HTTP/{version} is not supported; HTTP/1.1 is")
        if len(head.target) > self._limits.target_bytes:
            raise _RefusedRequest(414, f"the target is longer than {self._limits.target_bytes} bytes")

    async def _wait_idle(self) -> bytes:
        """The first bytes of the next request, without blank lines."""
        key = id(self)
        wait_s = self._limits.idle_s if self._has_served else self._limits.head_s
        with trio.CancelScope(deadline=trio.current_time() + wait_s) as scope:
            self._owner.is_idle(key, scope)
            try:
                data = await self._stream.receive_some(SHORT_READ_BYTES)
            finally:
                self._owner.is_busy(key)
        if scope.cancelled_caught or not data:
            raise _Gone
        return bytes(data).lstrip(_BLANK)

    async def _body(self, head: h11.Request) -> bytes:
        limit = self._limits.body_bytes
        for name, value in head.headers:
            if name == b"content-length" and int(value) > limit:
                raise _RefusedRequest(413, f"a body of {int(value)} bytes; at most {limit} are taken")
        if self._wire.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self._send_all(self._wire.send(go_on) or b"")
            self._is_answering = False
        event = self._next_event()
        if isinstance(event, h11.EndOfMessage):
            return b""
        with trio.move_on_after(self._limits.body_s):
            return await self._collect(event)
        raise self._slow_body()

    def _slow_body(self) -> _RefusedRequest:
        return _RefusedRequest(408, f"the body of the request took more than {self._limits.body_s:g} s")

    async def _collect(self, event: object) -> bytes:
        """The whole body; `event` is the first event after the head."""
        limit = self._limits.body_bytes
        body = bytearray()
        while not isinstance(event, h11.EndOfMessage):
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Data):
                if len(body) + len(event.data) > limit:
                    raise _RefusedRequest(413, f"the body is larger than {limit} bytes")
                body += event.data
            else:
                raise _Gone
            event = self._next_event()
        return bytes(body)

    def _next_event(self) -> object:
        try:
            return self._wire.next_event()
        except h11.RemoteProtocolError as error:
            rest, is_closed = self._wire.trailing_data
            if is_closed:
                raise _Gone from None
            if error.error_status_hint == _HEAD_TOO_LONG and b"\n" not in rest and not self._has_head:
                raise _RefusedRequest(414, f"the request line is longer than {len(rest)} bytes") from None
            raise _RefusedRequest(error.error_status_hint, f"not HTTP/1.1: {in_words(error)}") from None

    async def _read(self) -> None:
        data = bytes(await self._stream.receive_some(SHORT_READ_BYTES))
        if data and self._wire.their_state is h11.IDLE and not self._wire.trailing_data[0]:
            data = data.lstrip(_BLANK)
            if not data:
                return
        self._wire.receive_data(data)

    async def _send_all(self, data: bytes) -> None:
        self._is_answering = True
        with trio.fail_after(self._limits.send_s):
            await self._stream.send_all(data)

    async def _refuse(self, status: int, why: str) -> None:
        """Answer and close. Read on for a moment: closing with unread data would reset the connection."""
        if self._is_answering:
            return
        headers: Headers = (("content-type", "text/plain; charset=utf-8"),)
        with trio.move_on_after(_LINGER_S):
            try:
                response = Response(status, headers, f"{why}\n".encode())
                await self._send_all(whole(response, "", closing=True)[0])
                await _send_end(self._stream)
                source = self._stream.transport if isinstance(self._stream, TlsStream) else self._stream
                left = _LINGER_BYTES
                while left > 0 and (data := await source.receive_some(SHORT_READ_BYTES)):
                    left -= len(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async def _say_goodbye(self) -> None:
        """Send close_notify before the connection is closed, unless the client is gone already."""
        with (
            trio.move_on_after(_LINGER_S),
            contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
        ):
            await _send_end(self._stream)


async def _send_end(stream: trio.abc.Stream) -> None:
    if isinstance(stream, trio.SocketStream):
        await stream.send_eof()
    elif isinstance(stream, TlsStream):
        await stream.send_close_notify()
