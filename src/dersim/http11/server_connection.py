"""The server's side of one connection: request, response, request, response.

An ordinary request is read by llhttp (`ordinary`) and its response written without h11; any other one is read
by h11, from its first byte. What came behind a request belongs to the next one, which may be of either kind.
"""

from __future__ import annotations

import contextlib
from typing import Protocol

import trio

from dersim.http11.h11_request import BLANK, Gone, H11Request, RefusedRequest, slow_body
from dersim.http11.messages import Handler, Headers, Limits, Request, Response
from dersim.http11.ordinary import request_head
from dersim.http11.raw import Raw, play
from dersim.http11.response_bytes import whole
from dersim.http11.sockets import ServerSocket, tcp_stream
from dersim.receiving import SHORT_READ_BYTES
from dersim.tls.handshake import peer_certificate
from dersim.tls.stream import TlsStream

_LINGER_S = 1.0
_LINGER_BYTES = 4 * 1024 * 1024


class ConnectionOwner(Protocol):
    """What a connection needs of the server that runs it."""

    is_stopping: bool

    def is_idle(self, key: int, scope: trio.CancelScope) -> None: ...  # noqa: D102 - see the class
    def is_busy(self, key: int) -> None: ...  # noqa: D102 - see the class
    def log(self, line: str) -> None: ...  # noqa: D102 - see the class


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
        self._is_answering = False
        transport = stream.transport if isinstance(stream, TlsStream) else stream
        self._has_deadline = isinstance(transport, ServerSocket)
        self._certificate = peer_certificate(stream)
        self._rest = b""

    async def run(self) -> None:
        """Answer requests until one side closes. Raises only what the handler raises."""
        try:
            while await self._one_request():
                pass
            await self._say_goodbye()
        except Gone:
            await self._say_goodbye()
        except RefusedRequest as refused:
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
        self._rest = self._rest.lstrip(BLANK)
        if self._rest:  # came with the request before
            await trio.lowlevel.checkpoint()
        else:
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
        read = H11Request(self._stream, self._limits, self._rest)
        await read.read_head()
        if self._refusal:
            raise RefusedRequest(403, self._refusal)
        body = await read.read_body(self._send_interim)
        self._has_served = True
        self._rest = read.rest
        request = Request(read.method, read.target, read.headers, body, self._certificate, self._peer)
        return await self._answer(request, closing=read.is_last)

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
                    raise Gone
                data += more
            self._rest = bytes(data)
            return
        raise slow_body(self._limits)

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
            raise Gone
        return bytes(data).lstrip(BLANK)

    async def _send_interim(self, data: bytes) -> None:
        await self._send_all(data)
        self._is_answering = False

    async def _send_all(self, data: bytes) -> None:
        self._is_answering = True
        if self._has_deadline:
            await self._stream.send_all(data)
            return
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
    if isinstance(stream, TlsStream):
        await stream.send_close_notify()
    elif (tcp := tcp_stream(stream)) is not None:
        await tcp.send_eof()
