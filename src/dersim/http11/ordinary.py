"""Heads of ordinary messages, read by llhttp (httptools, in C) in a small part of the time that h11 takes.

Ordinary: HTTP/1.1, a whole head in one piece, a length known from Content-Length or no body, and nothing that
changes how the connection goes on. For anything else, and for everything that is wrong, the functions here
return None and h11 reads the same bytes: it alone refuses messages, and says why. So nothing may be read here
that h11 would refuse or read differently. llhttp is lenient in places: what it lets through is checked here,
and tests/http11/test_differential.py compares both over mutated messages.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from dersim.http11.messages import Headers

#: The methods whose responses have a body as their headers say.
METHODS = frozenset({"GET", "PUT", "POST", "DELETE"})
_END = b"\r\n\r\n"
_MAX_LENGTH_DIGITS = 15
_LONGEST_KEPT = 100
#: llhttp takes control characters in the reason.
_STATUS_LINE = re.compile(rb"HTTP/1\.1 [0-9]{3}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_TARGET = re.compile(rb"[\x21-\x7e]+")
#: Whatever stands in these changes the length of the body or how the connection goes on, or is an error.
_LEFT_TO_H11 = frozenset({"transfer-encoding", "upgrade", "expect", "content-encoding", "trailer", "te"})
_BODILESS = frozenset({204, 304})


class RequestHead(NamedTuple):
    """A request's head. size: its bytes. length: the bytes of the body that follows."""

    method: str
    target: str
    headers: Headers
    size: int
    length: int


class ResponseHead(NamedTuple):
    """A response's head. size: its bytes. length: the bytes of the body that follows."""

    status: int
    headers: Headers
    size: int
    length: int


class _Collected:
    """What llhttp calls while it reads one head."""

    __slots__ = ("fields", "is_complete", "on_header", "target")

    def __init__(self) -> None:
        self.target = b""
        self.fields: dict[bytes, bytes] = {}
        self.on_header = self.fields.__setitem__
        self.is_complete = False

    def on_url(self, piece: bytes) -> None:
        self.target += piece

    def on_headers_complete(self) -> None:
        self.is_complete = True


def request_head(data: bytes, max_bytes: int) -> RequestHead | None:
    """The head that `data` begins with, if it is whole, ordinary and of at most `max_bytes`."""
    head = _head(data, max_bytes)
    if head is None or not 0x41 <= head[0] <= 0x5A:  # llhttp skips blank lines
        return None
    collected = _Collected()
    parser = HttpRequestParser(collected)
    read = _read(parser, collected, head)
    if read is None:
        return None
    headers, length = read
    if not any(name == "host" for name, _ in headers):
        return None
    method, target = parser.get_method().decode("ascii"), collected.target
    if method not in METHODS or _TARGET.fullmatch(target) is None:
        return None
    # llhttp knows other protocols too, and takes several spaces between the parts.
    if not head.startswith(b"%s %s HTTP/1.1\r\n" % (parser.get_method(), target)):
        return None
    return RequestHead(method, target.decode("ascii"), headers, len(head), max(length, 0))


def response_head(data: bytes, max_bytes: int) -> ResponseHead | None:
    """The head that `data` begins with, if it is whole, ordinary and of at most `max_bytes`."""
    head = _head(data, max_bytes)
    if head is None or _STATUS_LINE.match(head) is None:
        return None
    collected = _Collected()
    parser = HttpResponseParser(collected)
    read = _read(parser, collected, head)
    if read is None:
        return None
    headers, length = read
    status = parser.get_status_code()
    if not 200 <= status <= 599:
        return None
    if status in _BODILESS:
        if length > 0:
            return None
        length = 0
    if length < 0:  # it ends with the connection
        return None
    return ResponseHead(status, headers, len(head), length)


def _head(data: bytes, max_bytes: int) -> bytes | None:
    """The bytes up to the blank line; None without one, or with a line that does not end in CR LF."""
    end = data.find(_END)
    if end < 0 or end + len(_END) > max_bytes:
        return None
    head = data[: end + len(_END)]
    lines = head.count(b"\r\n")
    return head if head.count(b"\n") == lines == head.count(b"\r") else None


def _read(
    parser: HttpRequestParser | HttpResponseParser, collected: _Collected, head: bytes
) -> tuple[Headers, int] | None:
    """Have llhttp read `head`: its headers and the length of the body, -1 where no header tells it."""
    try:
        parser.feed_data(head)
    except (HttpParserError, HttpParserUpgrade):
        return None
    if not collected.is_complete:
        return None
    headers = tuple([_pair(field) for field in collected.fields.items()])
    if len({name for name, _ in headers}) != head.count(b"\r\n") - 2:  # a name comes twice
        return None
    length = -1
    for name, value in headers:
        if name == "content-length":
            if not (value.isascii() and value.isdigit()) or len(value) > _MAX_LENGTH_DIGITS:
                return None
            length = int(value)
        elif name in _LEFT_TO_H11 or (name == "connection" and value != "keep-alive"):
            return None
    return headers, length


def _pair(field: tuple[bytes, bytes]) -> tuple[str, str]:
    return _kept_pair(field) if len(field[1]) <= _LONGEST_KEPT else _kept_pair.__wrapped__(field)


# Most headers repeat from message to message, and the pages keep those of thousands of messages.
@functools.lru_cache(maxsize=4096)
def _kept_pair(field: tuple[bytes, bytes]) -> tuple[str, str]:
    name, value = field
    return name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")
