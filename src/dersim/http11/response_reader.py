"""One response, read from the pieces in which it comes. No I/O.

An ordinary response is read by llhttp (`ordinary`), any other one by h11, from its first byte.
"""

from __future__ import annotations

import h11

from dersim.errors import RemoteProtocolError
from dersim.http11.messages import Response, decoded, in_words
from dersim.http11.ordinary import ResponseHead, response_head
from dersim.http11.request_bytes import Outgoing

#: All of a response's head, or one chunk header, or the trailers.
MAX_HEADER_BYTES = 32 * 1024
_MAX_INTERIM = 20


class ClosedEarly(Exception):  # noqa: N818 - what the server did
    """The server closed the connection in mid-response."""


class ResponseReader:
    """The response to one request. host: for messages.

    has_begun: whether a byte of the response has come. can_continue: whether the connection may carry another
    request after the whole response.
    """

    __slots__ = (
        "_body",
        "_head",
        "_host",
        "_max_body_bytes",
        "_missing",
        "_request",
        "_slow",
        "can_continue",
    )

    def __init__(self, request: Outgoing, host: str, max_body_bytes: int) -> None:
        self.can_continue = False
        self._request = request
        self._host = host
        self._max_body_bytes = max_body_bytes
        self._head: ResponseHead | None = None
        self._body: list[bytes] = []
        self._missing = 0
        self._slow: _H11Reader | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a byte of the response has come."""
        return self._head is not None or self._slow is not None

    def receive(self, data: bytes) -> Response | None:
        """The response, once it is whole. data: what came next, b"" at the end of the stream.

        RemoteProtocolError for what is not HTTP or too large; ClosedEarly where the end came too soon.
        """
        if self._head is not None:
            if not data:
                raise ClosedEarly
            return self._add(self._head, data)
        if self._slow is None:
            head = response_head(data, MAX_HEADER_BYTES) if self._request.is_plain else None
            if head is not None:
                _check_size(head.length, self._host, self._max_body_bytes)
                self._head, self._missing = head, head.length
                return self._add(head, data[head.size :])
            self._slow = _H11Reader(self._request, self._host, self._max_body_bytes)
        response = self._slow.receive(data)
        self.can_continue = response is not None and self._slow.can_continue
        return response

    def _add(self, head: ResponseHead, data: bytes) -> Response | None:
        self._missing -= len(data)
        if self._missing > 0:
            self._body.append(data)
            return None
        self.can_continue = not self._missing
        if self._missing:  # bytes after the response would be taken for the next response
            data = data[: self._missing]
        return Response(head.status, head.headers, b"".join((*self._body, data)) if self._body else data)


class _H11Reader:
    """The response as h11 reads it."""

    __slots__ = ("_body", "_head", "_host", "_interim", "_max_body_bytes", "_wire")

    def __init__(self, request: Outgoing, host: str, max_body_bytes: int) -> None:
        self._host = host
        self._max_body_bytes = max_body_bytes
        self._wire, _ = request.by_h11(MAX_HEADER_BYTES)
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._interim = 0

    @property
    def can_continue(self) -> bool:
        """As in ResponseReader."""
        wire = self._wire
        return wire.our_state is h11.DONE and wire.their_state is h11.DONE and not wire.trailing_data[0]

    def receive(self, data: bytes) -> Response | None:
        """As in ResponseReader."""
        self._wire.receive_data(data)
        while (event := self._next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Data):
                _check_size(len(self._body) + len(event.data), self._host, self._max_body_bytes)
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert self._head is not None  # noqa: S101 - h11 ends no message that it has not begun
                return Response(self._head.status_code, decoded(self._head.headers), bytes(self._body))
            elif isinstance(event, h11.Response):
                self._head = event
                self._check_head(event)
            elif isinstance(event, h11.InformationalResponse) and self._interim < _MAX_INTERIM:
                self._interim += 1
            else:
                raise RemoteProtocolError(f"{self._host}: no response follows {self._interim} interim ones")
        return None

    def _next_event(self) -> object:
        try:
            return self._wire.next_event()
        except h11.RemoteProtocolError as error:
            if self._wire.trailing_data[1]:  # the end of the stream was seen
                raise ClosedEarly from None
            raise RemoteProtocolError(f"{self._host}: the response is not HTTP: {in_words(error)}") from None

    def _check_head(self, head: h11.Response) -> None:
        for name, value in head.headers:
            if name == b"content-length":
                _check_size(int(value), self._host, self._max_body_bytes)
            elif name == b"content-encoding" and value != b"identity":
                raise RemoteProtocolError(
                    f"{self._host}: Content-Encoding {value.decode('latin-1')!r} was not asked for"
                )


def _check_size(size: int, host: str, limit: int) -> None:
    if size > limit:
        raise RemoteProtocolError(f"{host}: the response is larger than {limit} bytes")
