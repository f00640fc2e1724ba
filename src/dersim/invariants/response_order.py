"""I2: the Responses on the wire: each once, in order, and none left out."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

from dersim.invariants.base import Invariant, Look, Violation
from dersim.plugin.services import HttpExchange

RECEIVED, STARTED = 1, 2
#: Completed, cancelled, superseded, ended by an opt-out or by another program, refused, expired.
FINAL = frozenset({3, 6, 7, 8, 9, 10, 14, 251, 252, 253, 254})
#: The user may opt out and in several times.
REPEATABLE = frozenset({4, 5})
#: The events of one DER that are remembered.
MOST_EVENTS = 2_000

_SUBJECT = re.compile(rb"<(?:\w+:)?subject[^>]*>\s*([0-9A-Fa-f]+)\s*<")
_STATUS = re.compile(rb"<(?:\w+:)?status[^>]*>\s*(\d+)\s*<")


class ResponseOrder(Invariant):
    """Each Response once a success, in order."""

    id = "I2"
    statement = "Each Response succeeds at most once, in the order received, started, ended."

    def __init__(self) -> None:
        self._told: dict[int, OrderedDict[str, list[int]]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Follow the Responses that the server took."""
        told = self._told.setdefault(look.device.number, OrderedDict())
        for exchange in look.exchanges:
            found = response_of(exchange)
            if found is None or not 200 <= exchange.status < 300:
                continue
            mrid, status = found
            before = told.setdefault(mrid, [])
            yield from _judge(look, mrid, status, before)
            before.append(status)
            while len(told) > MOST_EVENTS:
                told.popitem(last=False)


def response_of(exchange: HttpExchange) -> tuple[str, int] | None:
    """mRID and status of a Response that was sent; None for another request."""
    if exchange.method != "POST" or b"DERControlResponse" not in exchange.request_body:
        return None
    subject, status = _SUBJECT.search(exchange.request_body), _STATUS.search(exchange.request_body)
    if subject is None or status is None:
        return None
    return subject[1].decode().upper(), int(status[1])


def _judge(look: Look, mrid: str, status: int, before: list[int]) -> Iterator[Violation]:
    if status in before and status not in REPEATABLE:
        yield look.violation(ResponseOrder, f"Response {status} for {mrid} once", f"again after {before}")
        return
    ended = [each for each in before if each in FINAL]
    if ended and status not in REPEATABLE:
        wanted = f"no Response for {mrid} after {ended[0]}"
        yield look.violation(ResponseOrder, wanted, f"Response {status}")
    elif status == RECEIVED and STARTED in before:
        yield look.violation(ResponseOrder, f"Response 1 for {mrid} before 2", "1 after 2")
