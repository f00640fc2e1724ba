"""The exchanges of all clients with their servers, within one budget of bytes for the whole fleet.

The oldest exchanges are dropped first, whichever DER they belong to. PINs are masked before anything is kept.
Most polls bring the same bytes as the one before, and a fleet reads the same lists, so equal bodies, headers
and URLs are kept once.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import lru_cache

from dersim.buffers import BufferSize
from dersim.plugin.services import Headers, HttpExchange

MIB = 1024 * 1024
#: The default of --conversation, MiB, and the number of DERs above which it is 0 without a web site.
DEFAULT_MIB = 64
MOST_DEVICES_UNSEEN = 200
#: The longest body that is kept whole, bytes.
MAX_BODY_BYTES = 256 * 1024

#: What an exchange costs beside URL, headers and bodies, and a body beside its bytes (sys.getsizeof).
_OVERHEAD_BYTES = 350
_BODY_OVERHEAD_BYTES = 180
#: What a header costs beside its text.
_HEADER_OVERHEAD_BYTES = 40

_PIN = re.compile(rb"(<(?:[\w.-]+:)?pIN\b[^<>]*>)[^<]*", re.IGNORECASE)


def mask_pin(body: bytes) -> bytes:
    """The document with the content of every pIN element replaced."""
    return _PIN.sub(rb"\g<1>masked", body) if b"pin" in body or b"pIN" in body else body


def _kept(body: bytes) -> bytes:
    masked = mask_pin(body)
    if len(masked) <= MAX_BODY_BYTES:
        return masked
    return masked[:MAX_BODY_BYTES] + b"\n... (%d more bytes)" % (len(masked) - MAX_BODY_BYTES)


def default_bytes(devices: int, *, web_site: bool) -> int:
    """The default budget: nothing for a large fleet without a web site."""
    return 0 if devices > MOST_DEVICES_UNSEEN and not web_site else DEFAULT_MIB * MIB


@lru_cache(maxsize=4096)
def _pair(name: str, value: str) -> tuple[str, str]:
    return name, value


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    """One object for equal URLs or causes."""
    return text


class _Bodies:
    """Bodies that exchanges share, each with the number of its uses. held_bytes: of all, each once."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._uses: dict[bytes, tuple[bytes, int]] = {}

    def take(self, body: bytes) -> bytes:
        kept, uses = self._uses.get(body, (body, 0))
        self._uses[kept] = kept, uses + 1
        if not uses:
            self.held_bytes += len(kept) + _BODY_OVERHEAD_BYTES
        return kept

    def release(self, body: bytes) -> None:
        kept, uses = self._uses.pop(body)
        if uses > 1:
            self._uses[kept] = kept, uses - 1
        else:
            self.held_bytes -= len(kept) + _BODY_OVERHEAD_BYTES


class Conversation:
    """The newest exchanges of all DERs, oldest dropped when `budget_bytes` is full; 0 keeps none.

    `listeners` are called with each exchange as it ends, synchronously; they must be quick.
    """

    def __init__(self, budget_bytes: int = DEFAULT_MIB * MIB) -> None:
        self.budget_bytes = budget_bytes
        self.listeners: list[Callable[[HttpExchange], None]] = []
        self._exchanges: deque[HttpExchange] = deque()
        self._bodies = _Bodies()
        self._exchange_bytes = 0
        self._next_id = 1

    @property
    def held_bytes(self) -> int:
        """The size of all exchanges, bytes."""
        return self._exchange_bytes + self._bodies.held_bytes

    def add(
        self,
        time_s: float,
        device: int,
        method: str,
        url: str,
        request: tuple[Headers, bytes],
        response: tuple[int, Headers, bytes],
        outcome: str,
        elapsed_s: float,
        *,
        cause: str,
    ) -> None:
        """Keep one exchange; `response` has status 0 where none came. cause: why it was made."""
        if not self.budget_bytes and not self.listeners:
            return
        status, headers, body = response
        exchange = HttpExchange(
            self._next_id,
            time_s,
            device,
            method,
            _text(url),
            request[0],
            self._bodies.take(_kept(request[1])),
            status,
            tuple(_pair(*header) for header in headers),
            self._bodies.take(_kept(body)),
            outcome,
            elapsed_s,
            _text(cause),
        )
        self._next_id += 1
        self._exchanges.append(exchange)
        self._exchange_bytes += _size(exchange)
        while self._exchanges and self.held_bytes > self.budget_bytes:
            self._drop(self._exchanges.popleft())
        for listener in self.listeners:
            listener(exchange)

    def _drop(self, exchange: HttpExchange) -> None:
        self._exchange_bytes -= _size(exchange)
        self._bodies.release(exchange.request_body)
        self._bodies.release(exchange.response_body)

    def size(self) -> BufferSize:
        """The size of the exchanges kept, bytes."""
        return BufferSize(self.held_bytes, self.budget_bytes)

    def entries(self, device: int | None = None, after: int = 0, limit: int = 200) -> list[HttpExchange]:
        """The newest `limit` exchanges above id `after`, oldest first; of one DER, or of all (None)."""
        chosen: deque[HttpExchange] = deque(maxlen=limit)
        chosen.extend(e for e in self._exchanges if e.id > after and device in (None, e.device))
        return list(chosen)


def _size(exchange: HttpExchange) -> int:
    """What an exchange takes without its bodies, bytes; its request headers are the same for all."""
    headers = sum(
        len(name) + len(value) + _HEADER_OVERHEAD_BYTES for name, value in exchange.response_headers
    )
    return _OVERHEAD_BYTES + len(exchange.url) + len(exchange.outcome) + len(exchange.cause) + headers
