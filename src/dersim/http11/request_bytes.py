"""A client's request as the bytes that are sent.

Most requests differ from earlier ones in their target and body only: what h11 makes of their headers is kept.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import h11

from dersim.errors import LocalProtocolError
from dersim.http11.messages import Headers, in_words
from dersim.http11.ordinary import METHODS
from dersim.numeric import shown

_KEPT = 32
_LENGTH = b"Content-Length: %d\r\n\r\n"
_TARGET = re.compile(r"[\x21-\x7e]+")
#: With one of these in a request, the response may be another or the connection may not go on as usual.
_UNUSUAL = frozenset({"connection", "transfer-encoding", "upgrade", "expect", "te", "content-length", "host"})


class Outgoing(NamedTuple):
    """A request to send.

    data: all of it. fields: Host and the caller's headers. length: that of its Content-Length, or None.
    is_plain: nothing in it changes how the response is read.
    """

    method: str
    target: str
    fields: Headers
    length: int | None
    body: bytes
    data: bytes
    is_plain: bool

    def by_h11(self, max_header_bytes: int) -> tuple[h11.Connection, bytes]:
        """h11's state once this request is sent, and the bytes that it sends."""
        wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=max_header_bytes)
        event = _event(self.method, self.target, self.fields, self.length)
        data = wire.send(event) or b""
        if self.body:
            data += wire.send(h11.Data(data=self.body)) or b""
        return wire, data + (wire.send(h11.EndOfMessage()) or b"")


class _Block(NamedTuple):
    """Host and the caller's headers, and h11's lines of them, where none has a length with the empty line."""

    fields: Headers
    lines: bytes
    is_plain: bool


class RequestWriter:
    """Writes the requests to one server. host: the value of the Host header."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._blocks: dict[tuple[Headers, bool], _Block] = {}

    def outgoing(self, method: str, target: str, headers: Headers, body: bytes) -> Outgoing:
        """The request, with Host and Content-Length; LocalProtocolError for what HTTP does not allow."""
        length = len(body) if body or method in {"POST", "PUT"} else None
        block = self._blocks.get((headers, length is None))
        try:
            if block is None or method not in METHODS or _TARGET.fullmatch(target) is None:
                block = self._checked(method, target, headers, length)
            head = f"{method} {target} HTTP/1.1\r\n".encode("ascii") + block.lines
            if length is not None:
                head += _LENGTH % length
            is_plain = block.is_plain and method in METHODS
            request = Outgoing(method, target, block.fields, length, body, head + body, is_plain)
            return request if is_plain else request._replace(data=request.by_h11(len(head))[1])
        except h11.LocalProtocolError as error:
            raise LocalProtocolError(f"{method} {shown(target)} cannot be sent: {in_words(error)}") from None
        except UnicodeEncodeError:
            raise LocalProtocolError(
                f"{method} {shown(target)} cannot be sent: not ASCII throughout"
            ) from None

    def _checked(self, method: str, target: str, headers: Headers, length: int | None) -> _Block:
        fields = (("Host", self._host), *headers)
        head = h11.Connection(h11.CLIENT).send(_event(method, target, fields, length)) or b""
        is_plain = _UNUSUAL.isdisjoint(name.lower() for name, _ in headers)
        lines = head.partition(b"\r\n")[2]
        block = _Block(fields, lines if length is None else lines.removesuffix(_LENGTH % length), is_plain)
        if len(self._blocks) < _KEPT:
            self._blocks[headers, length is None] = block
        return block


def _event(method: str, target: str, fields: Headers, length: int | None) -> h11.Request:
    sized = () if length is None else (("Content-Length", str(length)),)
    return h11.Request(method=method, target=target, headers=[*fields, *sized])


#: The writer for a server; the connections of a fleet have one.
writer_for = functools.lru_cache(maxsize=64)(RequestWriter)
