"""A server's responses as bytes: plain ones written here, the others checked and written by h11."""

from __future__ import annotations

import re
import time
from email.utils import formatdate

import h11

from dersim.http11.messages import Headers, Response

_BODILESS = frozenset({204, 304})
#: What the server adds itself, or what changes how the body is sent.
_UNUSUAL = frozenset({"content-length", "transfer-encoding", "connection", "date", "upgrade"})
#: A header as nearly all are; h11 judges others.
_LINE = re.compile(r"[A-Za-z][A-Za-z-]*: [\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def _for_h11(response: Response, method: str, *, closing: bool) -> tuple[h11.Response, bytes]:
    """The response as h11 wants it, with Content-Length and Date, and the body that goes with it."""
    fields = list(response.headers)
    names = {name.lower() for name, _ in response.headers}
    has_body = response.status not in _BODILESS
    if has_body and "content-length" not in names:
        fields.append(("content-length", str(len(response.body))))
    if "date" not in names:
        fields.append(("date", _date()))
    if closing and "connection" not in names:
        fields.append(("connection", "close"))
    event = h11.Response(status_code=response.status, headers=fields)
    return event, response.body if has_body and method != "HEAD" else b""


def whole(response: Response, method: str, *, closing: bool) -> tuple[bytes, bool]:
    """All bytes of a response, and whether the connection ends with it.

    closing: tell the client that it ends. h11.LocalProtocolError for what HTTP does not allow.
    """
    if closing or method == "HEAD" or (lines := _lines(response.status, response.headers)) is None:
        wire = h11.Connection(h11.SERVER)
        event, content = _for_h11(response, method, closing=closing)
        data = wire.send(event) or b""
        if method != "HEAD":
            data += (wire.send(h11.Data(data=content)) or b"") + (wire.send(h11.EndOfMessage()) or b"")
        return data, closing or response.header("connection") == "close"
    date = _date().encode("ascii")
    if response.status in _BODILESS:
        return b"%sdate: %s\r\n\r\n" % (lines, date), False
    body = response.body
    return b"%scontent-length: %d\r\ndate: %s\r\n\r\n%s" % (lines, len(body), date, body), False


def _lines(status: int, headers: Headers) -> bytes | None:
    """The status line and these headers; None where h11 must take a closer look."""
    lines = [f"HTTP/1.1 {status} "]
    for name, value in headers:
        line = f"{name}: {value}"
        if name.lower() in _UNUSUAL or _LINE.fullmatch(line) is None:
            return None
        lines.append(line)
    return "\r\n".join((*lines, "")).encode("ascii")


_last_date = (0, "")


def _date() -> str:
    """The Date header of now; made once a second."""
    global _last_date  # noqa: PLW0603 - a cache of one
    now = int(time.time())
    if _last_date[0] != now:
        _last_date = (now, formatdate(now, usegmt=True))
    return _last_date[1]
