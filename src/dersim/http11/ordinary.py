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
from collections.abc import Callable
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from dersim.http11.messages import Headers

#: The methods whose responses have a body as their headers say.
METHODS = frozenset({"GET", "PUT", "POST", "DELETE"})
_END = b"\r\n\r\n"
_VERSION = b" HTTP/1.1"
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


class _Callbacks:
    """What llhttp calls while it reads a head: `on_header(name, value)`."""

    __slots__ = ("on_header",)
    on_header: Callable[[bytes, bytes], None]


def request_head(data: bytes, max_bytes: int) -> RequestHead | None:
    """The head that `data` begins with, if it is whole, ordinary and of at most `max_bytes`."""
    head = _head(data, max_bytes)
    if head is None or not 0x41 <= head[0] <= 0x5A:  # llhttp skips blank lines
        return None
    callbacks, fields = _collector()
    parser = HttpRequestParser(callbacks)
    headers = _read(parser, head, fields)
    if headers is None:
        return None
    method = parser.get_method()
    target = _target(head[: head.index(b"\r\n")], method)
    length = _length(headers)
    if target is None or length is None or (name := method.decode("ascii")) not in METHODS:
        return None
    if not any(each == "host" for each, _ in headers):
        return None
    return RequestHead(name, target, headers, len(head), max(length, 0))


def _target(line: bytes, method: bytes) -> str | None:
    """The target of a request line; llhttp knows other protocols too, and takes several spaces."""
    if not line.startswith(method + b" ") or not line.endswith(_VERSION):
        return None
    target = line[len(method) + 1 : -len(_VERSION)]
    return None if _TARGET.fullmatch(target) is None else target.decode("ascii")


def response_head(data: bytes, max_bytes: int) -> ResponseHead | None:
    """The head that `data` begins with, if it is whole, ordinary and of at most `max_bytes`."""
    head = _head(data, max_bytes)
    if head is None or _STATUS_LINE.match(head) is None:
        return None
    callbacks, fields = _collector()
    parser = HttpResponseParser(callbacks)
    headers = _read(parser, head, fields)
    if headers is None:
        return None
    status, length = parser.get_status_code(), _length(headers)
    if length is None or not 200 <= status <= 599:
        return None
    if status in _BODILESS:
        return None if length > 0 else ResponseHead(status, headers, len(head), 0)
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


def _collector() -> tuple[_Callbacks, dict[bytes, bytes]]:
    """What collects headers, and where: no Python runs for each of them."""
    fields: dict[bytes, bytes] = {}
    callbacks = _Callbacks()
    callbacks.on_header = fields.__setitem__
    return callbacks, fields


def _read(
    parser: HttpRequestParser | HttpResponseParser, head: bytes, fields: dict[bytes, bytes]
) -> Headers | None:
    """Have llhttp read `head` into `fields`; the headers, None where that is not ordinary."""
    try:
        parser.feed_data(head)
    except (HttpParserError, HttpParserUpgrade):
        return None
    headers = tuple([_kept(f) if len(f[1]) <= _LONGEST_KEPT else _text(f) for f in fields.items()])
    names = dict(headers)
    # Fewer where a name comes twice, and where llhttp has not reached the end.
    if len(names) != head.count(b"\r\n") - 2 or not _LEFT_TO_H11.isdisjoint(names):
        return None
    return headers if names.get("connection", "keep-alive") == "keep-alive" else None


def _length(headers: Headers) -> int | None:
    """The length of the body: -1 where no header tells it, None where it is not a plain number."""
    text = next((value for name, value in headers if name == "content-length"), None)
    if text is None:
        return -1
    is_plain = text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS
    return int(text) if is_plain else None


def _text(field: tuple[bytes, bytes]) -> tuple[str, str]:
    name, value = field
    return name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")


# Most headers repeat from message to message, and the pages keep those of thousands of messages.
_kept = functools.lru_cache(maxsize=4096)(_text)
