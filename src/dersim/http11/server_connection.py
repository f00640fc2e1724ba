"""The server's side of one connection: request, response, request, response."""

from __future__ import annotations

import contextlib
import time
from email.utils import formatdate
from typing import Protocol

import h11
import trio

from dersim.http11.messages import Handler, Headers, Limits, Request, Response, decoded, in_words
from dersim.http11.raw import Raw, play
from dersim.receiving import SHORT_READ_BYTES
from dersim.tls.handshake import peer_certificate
from dersim.tls.stream import TlsStream

_LINGER_S = 1.0
_LINGER_BYTES = 4 * 1024 * 1024
_HEAD_TOO_LONG = 431  # h11's hint when its buffer is full
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
        self._certificate = peer_certificate(stream)
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)

    async def run(self) -> None:
        """Answer requests until one side closes. Raises only what the handler raises."""
        try:
            while await self._one_request():
                self._next_cycle()
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
        head = await self._head()
        if self._refusal:
            raise _RefusedRequest(403, self._refusal)
        body = await self._body(head)
        request = Request(
            head.method.decode("ascii"),
            head.target.decode("latin-1"),
            decoded(head.headers),
            body,
            self._certificate,
            self._peer,
        )
        answer = await self._handled(request)
        if isinstance(answer, Raw):
            await self._play(answer)
            return False
        await self._send(*answer)
        return self._wire.our_state is h11.DONE and self._wire.their_state is h11.DONE

    def _next_cycle(self) -> None:
        """Be ready for the next request; blank lines before it are skipped (RFC 9112 2.2)."""
        rest, is_closed = self._wire.trailing_data
        if not rest.startswith((b"\r", b"\n")):
            self._wire.start_next_cycle()
            return
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes)
        if rest := rest.lstrip(b"\r\n"):
            self._wire.receive_data(rest)
        if is_closed:
            self._wire.receive_data(b"")

    async def _handled(self, request: Request) -> tuple[h11.Response, bytes] | Raw:
        try:
            response = await self._handler(request)
            if isinstance(response, Raw):
                return response
            # Two lengths of one body may be request smuggling: no second request is read (RFC 9112 6.1).
            is_ambiguous = bool(request.header("transfer-encoding") and request.header("content-length"))
            return _for_h11(response, request.method, closing=self._owner.is_stopping or is_ambiguous)
        except trio.Cancelled:
            raise
        except BaseException:
            # A bug in the handler: the client gets an answer, the server decides what else ends.
            with trio.move_on_after(1, shield=True):
                await self._refuse(500, "internal server error")
            raise

    async def _play(self, raw: Raw) -> None:
        """Send bytes that are no response; a stop of the server ends it at once."""
        with trio.CancelScope() as scope:
            self._owner.is_idle(id(self), scope)
            try:
                await play(self._stream, raw, self._limits.send_s)
            finally:
                self._owner.is_busy(id(self))

    async def _head(self) -> h11.Request:
        """The next request's head. Idle until its first byte; from there the whole head has its deadline."""
        self._has_head = False
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
        self._has_served = self._has_head = True
        self._check_head(event)
        return event

    def _check_head(self, head: h11.Request) -> None:
        if not head.http_version.startswith(b"1."):
            version = head.http_version.decode("ascii")
            raise _RefusedRequest(505, f"HTTP/{version} is not supported; HTTP/1.1 is")
        if len(head.target) > self._limits.target_bytes:
            raise _RefusedRequest(414, f"the target is longer than {self._limits.target_bytes} bytes")

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
            data = data.lstrip(b"\r\n")  # blank lines before a request are skipped
            if not data:
                return
        self._wire.receive_data(data)

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
                await self._send_end()
                source = self._stream.transport if isinstance(self._stream, TlsStream) else self._stream
                left = _LINGER_BYTES
                while left > 0 and (data := await source.receive_some(SHORT_READ_BYTES)):
                    left -= len(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async def _send_end(self) -> None:
        if isinstance(self._stream, trio.SocketStream):
            await self._stream.send_eof()
        elif isinstance(self._stream, TlsStream):
            await self._stream.send_close_notify()

    async def _say_goodbye(self) -> None:
        """Send close_notify before the connection is closed, unless the client is gone already."""
        with (
            trio.move_on_after(_LINGER_S),
            contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
        ):
            await self._send_end()


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
