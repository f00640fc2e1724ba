"""The conversation with the server, exchange by exchange, within one budget of bytes for the whole fleet.

A plain ring: the oldest exchanges go first, whoever's they are. PINs are masked before anything is kept.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from dersim.buffers import BufferSize
from dersim.plugin.services import Headers, HttpExchange

#: Budget for the fleet, bytes, and the longest body that is kept whole.
BUDGET_BYTES = 64 * 1024 * 1024
MAX_BODY_BYTES = 256 * 1024

#: What an exchange costs beside its texts: the tuples and the strings' heads, as measured with sys.getsizeof.
_OVERHEAD_BYTES = 900

_PIN = re.compile(rb"(<(?:[\w.-]+:)?pIN\b[^<>]*>)[^<]*", re.IGNORECASE)


def mask_pin(body: bytes) -> bytes:
    """The document with the content of every pIN element replaced."""
    return _PIN.sub(rb"\g<1>masked", body) if b"pin" in body or b"pIN" in body else body


def _kept(body: bytes) -> bytes:
    masked = mask_pin(body)
    if len(masked) <= MAX_BODY_BYTES:
        return masked
    return masked[:MAX_BODY_BYTES] + b"\n... (%d more bytes)" % (len(masked) - MAX_BODY_BYTES)


class Conversation:
    """The newest exchanges of all DERs, oldest dropped when `budget_bytes` is full.

    `listeners` are called with each exchange as it ends, synchronously; they must be quick.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self.budget_bytes = budget_bytes
        self.held_bytes = 0
        self.listeners: list[Callable[[HttpExchange], None]] = []
        self._exchanges: deque[HttpExchange] = deque()
        self._next_id = 1

    def add(
        self,
        time_s: float,
        device: int,
        method: str,
        url: str,
        request: tuple[Headers, bytes],
        response: tuple[int, Headers, bytes],
        verdict: str,
        elapsed_s: float,
    ) -> HttpExchange:
        """Keep one exchange; `response` has status 0 where none came."""
        status, headers, body = response
        exchange = HttpExchange(
            self._next_id,
            time_s,
            device,
            method,
            url,
            request[0],
            _kept(request[1]),
            status,
            headers,
            _kept(body),
            verdict,
            elapsed_s,
        )
        self._next_id += 1
        self._exchanges.append(exchange)
        self.held_bytes += _size(exchange)
        while self.held_bytes > self.budget_bytes:
            self.held_bytes -= _size(self._exchanges.popleft())
        for listener in self.listeners:
            listener(exchange)
        return exchange

    def size(self) -> BufferSize:
        """What the exchanges take."""
        return BufferSize(self.held_bytes, self.budget_bytes)

    def entries(self, device: int | None = None, after: int = 0, limit: int = 200) -> list[HttpExchange]:
        """The newest `limit` exchanges above id `after`, oldest first; of one DER, or of all (None)."""
        chosen: deque[HttpExchange] = deque(maxlen=limit)
        chosen.extend(e for e in self._exchanges if e.id > after and device in (None, e.device))
        return list(chosen)


def _size(exchange: HttpExchange) -> int:
    headers = sum(len(n) + len(v) for n, v in (*exchange.request_headers, *exchange.response_headers))
    texts = len(exchange.url) + len(exchange.verdict) + headers
    return _OVERHEAD_BYTES + texts + len(exchange.request_body) + len(exchange.response_body)
