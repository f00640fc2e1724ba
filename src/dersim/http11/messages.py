"""Requests and responses as values."""

from __future__ import annotations

import functools
from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]


class Response(NamedTuple):
    """An HTTP response: what a client received, or what a server is to send.

    Names of headers are lower-case. A server adds Date and Content-Length where they lack.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of header `name` (lower-case), or None."""
        return first(self.headers, name)


class Request(NamedTuple):
    """An HTTP request as a server's handler gets it.

    target: path and query as sent. peer_certificate_der: the client's certificate, None without TLS.
    peer: the client's address for logs, "host:port".
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    peer_certificate_der: bytes | None
    peer: str

    def header(self, name: str) -> str | None:
        """The first value of header `name` (lower-case), or None."""
        return first(self.headers, name)


def first(headers: Headers, name: str) -> str | None:
    """The first value of header `name` (lower-case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def decoded(raw: object) -> Headers:
    """h11's headers (pairs of bytes, names lower-case) as text; bytes beyond ASCII are read as Latin-1."""
    return tuple([_decoded_pair(pair) for pair in raw])  # type: ignore[attr-defined]  # h11 keeps the type to itself


# Nearly all are the same from message to message, and those of thousands of messages are kept for the pages.
@functools.lru_cache(maxsize=256)
def _decoded_pair(pair: tuple[bytes, bytes]) -> tuple[str, str]:
    return pair[0].decode("latin-1"), pair[1].decode("latin-1")
