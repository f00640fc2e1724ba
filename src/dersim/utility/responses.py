"""The Responses that devices post to events."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from dersim.buffers import BufferSize
from dersim.ieee2030_5 import resources as r

#: Most Responses kept for the operator, and per device for the ResponseList; the oldest are dropped.
KEPT = 10_000
KEPT_PER_DEVICE = 500
_RESPONSE_BYTES = 450

#: The target of every replyTo: one ResponseSet for all programs.
SET_HREF = "/rsps/1"
LIST_HREF = f"{SET_HREF}/rsp"

STATUS_TEXT = {
    1: "event received",
    2: "event started",
    3: "event completed",
    4: "user opted out",
    5: "user opted in",
    6: "event cancelled",
    7: "event superseded",
    8: "partly completed, opted out",
    9: "partly completed, opted in",
    10: "completed without participation",
    11: "user acknowledged",
    12: "cannot be displayed",
    13: "aborted: event of another server",
    14: "aborted: event of another program",
    251: "rejected: mode not supported",
    252: "rejected: parameter not applicable",
    253: "rejected: invalid or out of range",
    254: "rejected: received after it had expired",
}


class NumberedResponse(NamedTuple):
    """A Response, its number in the list, its sender (None without TLS) and when it was received."""

    number: int
    response: r.Response
    lfdi: str | None
    received_s: float

    @property
    def href(self) -> str:
        """The path of the Response."""
        return f"{LIST_HREF}/{self.number}"


class Responses:
    """All Responses; `version` rises with each."""

    def __init__(self) -> None:
        self.version = 0
        self.all: deque[NumberedResponse] = deque(maxlen=KEPT)
        self._by_device: dict[str | None, deque[NumberedResponse]] = {}

    def post(self, response: r.Response, lfdi: str | None, now_s: float) -> NumberedResponse:
        """Add a Response."""
        entry = NumberedResponse(self.version + 1, response, lfdi, now_s)
        self.restore(entry)
        return entry

    def restore(self, entry: NumberedResponse) -> None:
        """Take over a Response with its number."""
        self.version = max(entry.number, self.version)
        if self.all and self.all[-1].number > entry.number:  # of an earlier run, and late
            self.all = deque(sorted((*self.all, entry), key=lambda each: each.number), KEPT)
        else:
            self.all.append(entry)
        self._by_device.setdefault(entry.lfdi, deque(maxlen=KEPT_PER_DEVICE)).append(entry)

    def dropped_since(self, time_s: float) -> bool:
        """Whether a Response that was received after this time may have been dropped."""
        return len(self.all) == KEPT and self.all[0].received_s > time_s

    def size(self) -> BufferSize:
        """What the Responses take, by their number."""
        return BufferSize(len(self.all) * _RESPONSE_BYTES, KEPT * _RESPONSE_BYTES)

    def listed(self, lfdi: str | None) -> list[NumberedResponse]:
        """One device's, in the order of ResponseList: createdDateTime descending, endDeviceLFDI ascending."""
        entries = sorted(
            self._by_device.get(lfdi, ()), key=lambda item: (item.response.endDeviceLFDI, -item.number)
        )
        return sorted(entries, key=lambda item: -created_s(item))


def created_s(entry: NumberedResponse) -> int:
    """createdDateTime; when it was received if the Response has none. UTC seconds since 1970."""
    created = entry.response.createdDateTime
    return int(entry.received_s) if created is None else created
