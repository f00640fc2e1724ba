"""The conversation with the devices, as the operator may read it: bounded, and with the PIN masked."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, NamedTuple

from dersim.timestamps import rfc3339

#: Bounds of what is kept: exchanges, and bytes of their bodies.
EXCHANGES_KEPT = 5_000
BYTES_KEPT = 8 * 1024 * 1024
BODY_SHOWN = 64 * 1024

_PIN = re.compile(rb"(<(?:[\w.-]+:)?pIN\b[^>]*>).*?(?=</)", re.DOTALL)


class Exchange(NamedTuple):
    """One request and its answer. time_s is the server's time, UTC seconds since 1970."""

    number: int
    time_s: float
    method: str
    path: str
    status: int
    lfdi: str | None
    request_body: bytes
    response_body: bytes

    def to_json(self) -> dict[str, Any]:
        """The form of `GET /api/utility/requests`."""
        return {
            "id": self.number,
            "time": rfc3339(self.time_s),
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "lfdi": self.lfdi,
            "request_body": shown(self.request_body),
            "response_body": shown(self.response_body),
        }


class Conversation:
    """The newest exchanges, oldest first."""

    def __init__(self) -> None:
        self.count = 0
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0

    def add(
        self,
        time_s: float,
        method: str,
        path: str,
        status: int,
        lfdi: str | None,
        request_body: bytes,
        response_body: bytes,
    ) -> None:
        """Note an exchange; the oldest leave when there are too many, or too many bytes of bodies."""
        self.count += 1
        exchange = Exchange(self.count, time_s, method, path, status, lfdi, request_body, response_body)
        self._exchanges.append(exchange)
        self._bytes += len(request_body) + len(response_body)
        while len(self._exchanges) > EXCHANGES_KEPT or self._bytes > BYTES_KEPT:
            gone = self._exchanges.popleft()
            self._bytes -= len(gone.request_body) + len(gone.response_body)

    def newest(self, limit: int) -> list[Exchange]:
        """The newest `limit` exchanges, oldest of them first."""
        return list(self._exchanges)[-limit:] if limit > 0 else []


def shown(body: bytes) -> str:
    """A body as text, PINs masked, cut where it is long."""
    return _PIN.sub(rb"\1******", body[:BODY_SHOWN]).decode("utf-8", "replace")
