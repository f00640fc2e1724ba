"""The server's side of one connection: request, response, request, response."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Protocol

import h11
import trio

from dersim.http11.messages import Handler, Headers, Limits, Request, Response, decoded
from dersim.tls.handshake import peer_certificate

_READ_BYTES = 65536
_LINGER_S = 1.0
_LINGER_BYTES = 4 * 1024 * 1024
_END = h11.EndOfMessage()
_BODILESS = frozenset({204, 304})


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
    """One connection of a server, from its first byte to its close."""

    def __init__(
        self, stream: trio.abc.Stream, peer: str, handler: Handler, limits: Limits, owner: ConnectionOwner
    ) -> None:
        self._stream = stream
        self._peer = peer
        self._handler = handler
        self._limits = limits
        self._owner = owner
        self._has_served = False
        self._certificate = peer_certificate(stream)
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)

    async def run(self) -> None:
        """Answer requests until one side closes. Raises only what the handler raises."""
        try:
            while await self._one_request():
                self._wire.start_next_cycle()
        except _Gone:
            return
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
        head = await self._head()
        body = await self._body(head)
        request = Request(
            head.method.decode("ascii"),
            head.target.decode("latin-1"),
            decoded(head.headers),
            body,
            self._certificate,
            self._peer,
        )
        event, content = await self._handled(request)
        await self._send(event, content)
        return self._wire.our_state is h11.DONE and self._wire.their_state is h11.DONE

    async def _handled(self, request: Request) -> tuple[h11.Response, bytes]:
        try:
            response = await self._handler(request)
            return _for_h11(response, request.method, closing=self._owner.is_stopping)
        except trio.Cancelled:
            raise
        except BaseException:
            # A bug in the handler: the client gets an answer, the server decides what else ends.
            with trio.move_on_after(1, shield=True):
                await self._refuse(500, "internal server error")
            raise

    async def _head(self) -> h11.Request:
        """The next request's head. Idle until its first byte; from there the whole head has its deadline."""
        event = self._next_event()
        if event is h11.NEED_DATA and not self._wire.trailing_data[0]:
            await self._wait_idle()
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
        self._has_served = True
        return event

    async def _wait_idle(self) -> None:
        key = id(self)
        wait_s = self._limits.idle_s if self._has_served else self._limits.head_s
        with trio.CancelScope(deadline=trio.current_time() + wait_s) as scope:
            self._owner.is_idle(key, scope)
            try:
                await self._read()
            finally:
                self._owner.is_busy(key)
        if scope.cancelled_caught:
            raise _Gone

    async def _body(self, head: h11.Request) -> bytes:
        limit = self._limits.body_bytes
        for name, value in head.headers:
            if name == b"content-length" and int(value) > limit:
                raise _RefusedRequest(413, f"a body of {int(value)} bytes; at most {limit} are taken")
        if self._wire.they_are_waiting_for_100_continue:
            await self._send_all(self._wire.send(h11.InformationalResponse(status_code=100, headers=[])))
        event = self._next_event()
        if isinstance(event, h11.EndOfMessage):
            return b""
        with trio.move_on_after(self._limits.body_s):
            return await self._collect(event)
        raise _RefusedRequest(408, f"the body of the request took more than {self._limits.body_s:g} s")

    async def _collect(self, event: object) -> bytes:
        """The whole body; `event` is the first event after the head."""
        limit = self._limits.body_bytes
        parts: list[bytes] = []
        size = 0
        while not isinstance(event, h11.EndOfMessage):
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > limit:
                    raise _RefusedRequest(413, f"the body is larger than {limit} bytes")
                parts.append(event.data)
            else:
                raise _Gone
            event = self._next_event()
        return b"".join(parts)

    def _next_event(self) -> object:
        try:
            return self._wire.next_event()
        except h11.RemoteProtocolError as error:
            if self._wire.trailing_data[1]:
                raise _Gone from None
            raise _RefusedRequest(error.error_status_hint, f"not HTTP/1.1: {error}") from None

    async def _read(self) -> None:
        self._wire.receive_data(bytes(await self._stream.receive_some(_READ_BYTES)))

    async def _send(self, event: h11.Response, content: bytes) -> None:
        data = self._wire.send(event) or b""
        if content:
            data += self._wire.send(h11.Data(data=content)) or b""
        await self._send_all(data + (self._wire.send(_END) or b""))

    async def _send_all(self, data: bytes | None) -> None:
        with trio.fail_after(self._limits.send_s):
            await self._stream.send_all(data or b"")

    async def _refuse(self, status: int, why: str) -> None:
        """Answer and close. Read on for a moment: closing with unread data would reset the connection."""
        if self._wire.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        headers: Headers = (("content-type", "text/plain; charset=utf-8"),)
        with trio.move_on_after(_LINGER_S):
            try:
                response = Response(status, headers, f"{why}\n".encode())
                await self._send(*_for_h11(response, "", closing=True))
                if isinstance(self._stream, trio.SocketStream):
                    await self._stream.send_eof()
                left = _LINGER_BYTES
                while left > 0 and (data := await self._stream.receive_some(_READ_BYTES)):
                    left -= len(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return


def _for_h11(response: Response, method: str, *, closing: bool) -> tuple[h11.Response, bytes]:
    """The response as h11 wants it, with Content-Length and Date, and the body that goes with it."""
    fields = list(response.headers)
    names = {name.lower() for name, _ in response.headers}
    has_body = response.status not in _BODILESS
    if has_body and "content-length" not in names:
        fields.append(("content-length", str(len(response.body))))
    if "date" not in names:
        fields.append(("date", _date()))
    if closing:
        fields.append(("connection", "close"))
    event = h11.Response(status_code=response.status, headers=fields)
    return event, response.body if has_body and method != "HEAD" else b""


_last_date = (0, "")


def _date() -> str:
    """The Date header of now; made once a second."""
    global _last_date  # noqa: PLW0603 - a cache of one
    now = int(time.time())
    if _last_date[0] != now:
        _last_date = (now, formatdate(now, usegmt=True))
    return _last_date[1]
