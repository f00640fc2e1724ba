"""A request of any form, read from a client by h11; and why a request is not taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import h11
import trio

from dersim.http11.messages import Headers, Limits, decoded, in_words
from dersim.receiving import SHORT_READ_BYTES

#: Lines before a request, which are skipped (RFC 9112 2.2).
BLANK = b"\r\n"
_HEAD_TOO_LONG = 431  # h11's hint when its buffer is full


class RefusedRequest(Exception):  # noqa: N818 - never leaves the connection
    """The request cannot be taken: the status to answer before closing."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Gone(Exception):  # noqa: N818 - never leaves the connection
    """The client closed the connection, or the server ended an idle one: there is nothing to answer."""


def slow_body(limits: Limits) -> RefusedRequest:
    """The body did not come in time."""
    return RefusedRequest(408, f"the body of the request took more than {limits.body_s:g} s")


class H11Request:
    """One request. begun: what has come of it.

    After `read_body`: method, target, headers; rest, what came behind it; is_last: whether no second request
    may be read from this connection.
    """

    def __init__(self, stream: trio.abc.Stream, limits: Limits, begun: bytes) -> None:
        self.method = self.target = ""
        self.headers: Headers = ()
        self._stream = stream
        self._limits = limits
        self._head: h11.Request | None = None
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)
        if begun:
            self._wire.receive_data(begun)

    @property
    def rest(self) -> bytes:
        """What came behind this request."""
        return bytes(self._wire.trailing_data[0])

    @property
    def is_last(self) -> bool:
        """Whether no second request may be read from this connection."""
        names = {name for name, _ in self.headers}
        # Two lengths of one body may be request smuggling (RFC 9112 6.1).
        is_ambiguous = names >= {"transfer-encoding", "content-length"}
        return is_ambiguous or self._wire.their_state is h11.MUST_CLOSE or self.method == "CONNECT"

    async def read_head(self) -> None:
        """Read the head, within its deadline; RefusedRequest or Gone."""
        event = self._next_event()
        with trio.move_on_after(self._limits.head_s):
            while event is h11.NEED_DATA:
                await self._read()
                event = self._next_event()
        if event is h11.NEED_DATA:
            raise RefusedRequest(408, f"the head of the request took more than {self._limits.head_s:g} s")
        if not isinstance(event, h11.Request):
            raise Gone
        self._head = event
        self.method, self.target = event.method.decode("ascii"), event.target.decode("latin-1")
        self.headers = decoded(event.headers)
        if not event.http_version.startswith(b"1."):
            version = event.http_version.decode("ascii")
            raise RefusedRequest(505, f"HTTP/{version} is not supported; HTTP/1.1 is")
        if len(event.target) > self._limits.target_bytes:
            raise RefusedRequest(414, f"the target is longer than {self._limits.target_bytes} bytes")

    async def read_body(self, send: Callable[[bytes], Awaitable[None]]) -> bytes:
        """Read the body, within its deadline. send: sends a `100 Continue` where the client waits for it."""
        limit = self._limits.body_bytes
        for name, value in self.headers:
            if name == "content-length" and int(value) > limit:
                raise RefusedRequest(413, f"a body of {int(value)} bytes; at most {limit} are taken")
        if self._wire.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await send(self._wire.send(go_on) or b"")
        event = self._next_event()
        if isinstance(event, h11.EndOfMessage):
            return b""
        with trio.move_on_after(self._limits.body_s):
            return await self._collect(event)
        raise slow_body(self._limits)

    async def _collect(self, event: object) -> bytes:
        """The whole body; `event` is the first event after the head."""
        limit = self._limits.body_bytes
        body = bytearray()
        while not isinstance(event, h11.EndOfMessage):
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Data):
                if len(body) + len(event.data) > limit:
                    raise RefusedRequest(413, f"the body is larger than {limit} bytes")
                body += event.data
            else:
                raise Gone
            event = self._next_event()
        return bytes(body)

    def _next_event(self) -> object:
        try:
            return self._wire.next_event()
        except h11.RemoteProtocolError as error:
            rest, is_closed = self._wire.trailing_data
            if is_closed:
                raise Gone from None
            if error.error_status_hint == _HEAD_TOO_LONG and b"\n" not in rest and self._head is None:
                raise RefusedRequest(414, f"the request line is longer than {len(rest)} bytes") from None
            raise RefusedRequest(error.error_status_hint, f"not HTTP/1.1: {in_words(error)}") from None

    async def _read(self) -> None:
        data = bytes(await self._stream.receive_some(SHORT_READ_BYTES))
        if data and self._wire.their_state is h11.IDLE and not self._wire.trailing_data[0]:
            data = data.lstrip(BLANK)
            if not data:
                return
        self._wire.receive_data(data)
