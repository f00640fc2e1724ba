"""The log of requests and responses that the operator can read: bounded, with PINs masked."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, NamedTuple

from dersim.buffers import BufferSize
from dersim.timestamps import rfc3339

#: Most requests kept, and most bytes of their bodies.
REQUESTS_KEPT = 5_000
BYTES_KEPT = 8 * 1024 * 1024
BODY_SHOWN = 64 * 1024

_PIN = re.compile(rb"(<(?:[\w.-]+:)?pIN\b[^>]*>).*?(?=</)", re.DOTALL)


class LoggedRequest(NamedTuple):
    """One request and its response. time_s: the server's time, UTC seconds since 1970.

    status: 0 where a planted fault kept the request from the head-end. planted_faults: those that acted.
    """

    number: int
    time_s: float
    method: str
    path: str
    status: int
    lfdi: str | None
    request_body: bytes
    response_body: bytes
    planted_faults: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form of `GET /api/utility/requests`."""
        return {
            "id": self.number,
            "time": rfc3339(self.time_s),
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "lfdi": self.lfdi,
            "request_body": body_text(self.request_body),
            "response_body": body_text(self.response_body),
            "planted_faults": list(self.planted_faults),
        }


class RequestLog:
    """The newest requests with their responses; `count` counts all since the start."""

    def __init__(self) -> None:
        self.count = 0
        self._requests: deque[LoggedRequest] = deque()
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
        planted_faults: tuple[str, ...] = (),
    ) -> None:
        """Log a request; the oldest are dropped beyond REQUESTS_KEPT or BYTES_KEPT."""
        self.count += 1
        logged = LoggedRequest(
            self.count, time_s, method, path, status, lfdi, request_body, response_body, planted_faults
        )
        self._requests.append(logged)
        self._bytes += len(request_body) + len(response_body)
        while len(self._requests) > REQUESTS_KEPT or self._bytes > BYTES_KEPT:
            dropped = self._requests.popleft()
            self._bytes -= len(dropped.request_body) + len(dropped.response_body)

    def size(self) -> BufferSize:
        """The size of the bodies kept, bytes."""
        return BufferSize(self._bytes, BYTES_KEPT)

    def newest(self, limit: int) -> list[LoggedRequest]:
        """The newest `limit` requests, oldest of them first."""
        return list(self._requests)[-limit:] if limit > 0 else []


def body_text(body: bytes) -> str:
    """A body as text with PINs masked, at most BODY_SHOWN bytes of it."""
    return _PIN.sub(rb"\1******", body[:BODY_SHOWN]).decode("utf-8", "replace")
