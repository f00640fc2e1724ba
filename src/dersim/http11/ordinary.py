"""Heads of ordinary messages, read by llhttp (httptools, in C) in a small part of the time that h11 takes.

Ordinary: HTTP/1.1, a whole head in one piece, a length known from Content-Length or no body, and nothing that
changes how the connection goes on. For anything else, and for everything that is wrong, the functions here
return None and h11 reads the same bytes: it alone refuses messages, and says why. So nothing may be read here
that h11 would refuse or read differently. llhttp is lenient in places: what it lets through is checked here,
and tests/http11/test_differential.py compares both over mutated messages.

The headers of most messages are those of earlier ones, byte by byte: all requests of one kind of client have
the same, all responses of one second and one length. What was read is kept by these bytes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from dersim.http11.messages import Headers

#: The methods whose responses have a body as their headers say.
METHODS = frozenset({"GET", "PUT", "POST", "DELETE"})
_REQUEST_LINE = re.compile(rb"(GET|PUT|POST|DELETE) ([\x21-\x7e]+) HTTP/1\.1\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_END = b"\r\n\r\n"
_MAX_LENGTH_DIGITS = 15
#: Longer headers and blocks of headers are read each time.
_LONGEST_KEPT, _LARGEST_KEPT = 100, 1000
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


class _Block(NamedTuple):
    """The headers of a message. length: of its body, -1 where no header tells it."""

    headers: Headers
    length: int
    has_host: bool


class _Callbacks:
    """What llhttp calls while it reads headers: `on_header(name, value)`."""

    __slots__ = ("on_header",)
    on_header: Callable[[bytes, bytes], None]


def request_head(data: bytes, max_bytes: int) -> RequestHead | None:
    """The head that `data` begins with, if it is whole, ordinary and of at most `max_bytes`."""
    line = _REQUEST_LINE.match(data)
    if line is None or (size := _size(data, line, max_bytes)) < 0:
        return None
    block = _block(data[line.end() : size])
    if block is None or not block.has_host:
        return None
    method, target = line.groups()
    return RequestHead(
        method.decode("ascii"), target.decode("ascii"), block.headers, size, max(block.length, 0)
    )


def response_head(data: bytes, max_bytes: int) -> ResponseHead | None:
    """The head that `data` begins with, if it is whole, ordinary and of at most `max_bytes`."""
    line = _STATUS_LINE.match(data)
    if line is None or (size := _size(data, line, max_bytes)) < 0:
        return None
    block = _block(data[line.end() : size])
    if block is None:
        return None
    status, length = int(line[1]), block.length
    if status in _BODILESS:
        return None if length > 0 else ResponseHead(status, block.headers, size, 0)
    if length < 0:  # it ends with the connection
        return None
    return ResponseHead(status, block.headers, size, length)


def _size(data: bytes, line: re.Match[bytes], max_bytes: int) -> int:
    """The bytes up to the blank line; -1 without one, and where they are too many."""
    size = data.find(_END, line.end() - 2) + len(_END)
    return size if len(_END) <= size <= max_bytes else -1


def _block(raw: bytes) -> _Block | None:
    return _kept_block(raw) if len(raw) <= _LARGEST_KEPT else _read(raw)


def _read(raw: bytes) -> _Block | None:
    """The headers in `raw`, which ends with the blank line; None where they are not ordinary."""
    lines = raw.count(b"\r\n")
    if not raw.count(b"\n") == lines == raw.count(b"\r"):
        return None
    fields: dict[bytes, bytes] = {}
    callbacks = _Callbacks()
    callbacks.on_header = fields.__setitem__
    try:
        HttpRequestParser(callbacks).feed_data(b"PUT / HTTP/1.1\r\n" + raw)
    except (HttpParserError, HttpParserUpgrade):
        return None
    headers = tuple([_kept(f) if len(f[1]) <= _LONGEST_KEPT else _text(f) for f in fields.items()])
    names = dict(headers)
    # Fewer where a name comes twice, and where llhttp has not reached the end.
    if len(names) != lines - 1 or not _LEFT_TO_H11.isdisjoint(names):
        return None
    length = _length(names.get("content-length"))
    if length is None or names.get("connection", "keep-alive") != "keep-alive":
        return None
    return _Block(headers, length, "host" in names)


def _length(text: str | None) -> int | None:
    if text is None:
        return -1
    is_plain = text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS
    return int(text) if is_plain else None


def _text(field: tuple[bytes, bytes]) -> tuple[str, str]:
    name, value = field
    return name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")


_kept_block = functools.lru_cache(maxsize=1024)(_read)
# The pages keep the headers of thousands of messages.
_kept = functools.lru_cache(maxsize=4096)(_text)
