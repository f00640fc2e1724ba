"""HTTP requests and responses as plain values."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import h11

from dersim.http11.raw import Raw

Headers = tuple[tuple[str, str], ...]

#: The header by which our companion server marks an answer that its planted faults have made.
PLANTED_FAULT = "x-dersim-planted-fault"


class Response(NamedTuple):
    """An HTTP response: what a client received, or what a server is to send.

    Names of headers are lower-case. A server adds Date and Content-Length if they are missing.
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


#: Answers a request, whatever its method; a `Raw` is sent as it is and ends the connection.
Handler = Callable[[Request], Awaitable[Response | Raw]]


class Limits(NamedTuple):
    """Limits of a server for each client: times in seconds, sizes in bytes."""

    connections: int = 4096
    handshake_s: float = 10.0
    head_s: float = 10.0
    body_s: float = 20.0
    send_s: float = 20.0
    idle_s: float = 3600.0
    grace_s: float = 2.0
    target_bytes: int = 8 * 1024
    head_bytes: int = 32 * 1024
    body_bytes: int = 2 * 1024 * 1024


DEFAULT_LIMITS = Limits()


def first(headers: Headers, name: str) -> str | None:
    """The first value of header `name` (lower-case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def in_words(error: h11.ProtocolError) -> str:
    """h11's message without the Python that it quotes: `bytearray(b'SM')` becomes "SM"."""
    text = _QUOTED_BYTES.sub(lambda match: f'"{match[2]}"', str(error))
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


_QUOTED_BYTES = re.compile(r"""(?:bytearray\()?\bb(['"])((?:\\.|(?!\1).)*)\1\)?""")
_MOST_SHOWN = 160


def decoded(raw: object) -> Headers:
    """h11's headers (pairs of bytes, names lower-case) as text; bytes beyond ASCII are read as Latin-1."""
    return tuple([_decoded_pair(pair) for pair in raw])  # type: ignore[attr-defined]  # h11 keeps the type to itself


# Most headers repeat from message to message, and the pages keep those of thousands of messages.
@functools.lru_cache(maxsize=256)
def _decoded_pair(pair: tuple[bytes, bytes]) -> tuple[str, str]:
    return pair[0].decode("latin-1"), pair[1].decode("latin-1")
