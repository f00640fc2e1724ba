"""I2: the Responses on the wire: each once, in order, and none left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.remembering import ENTRY_BYTES, forget_over
from dersim.plugin.services import HttpExchange

RECEIVED, STARTED = 1, 2
#: Completed, cancelled, superseded, ended by an opt-out or by another program, refused, expired.
FINAL = frozenset({3, 6, 7, 8, 9, 10, 14, 251, 252, 253, 254})
#: The user may opt out and in several times.
REPEATABLE = frozenset({4, 5})
#: The Responses to one event that are remembered.
MOST_STATUSES = 50

_SUBJECT = re.compile(rb"<(?:\w+:)?subject[^>]*>\s*([0-9A-Fa-f]+)\s*<")
_STATUS = re.compile(rb"<(?:\w+:)?status[^>]*>\s*(\d+)\s*<")


class ResponseOrder(Invariant):
    """Each Response once a success, in order."""

    id = "I2"
    statement = "Each Response succeeds at most once, in the order received, started, ended."

    def __init__(self) -> None:
        self._told: dict[int, dict[str, tuple[int, ...]]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Follow the Responses that the server took."""
        told = self._told.setdefault(look.device.number, {})
        for exchange in look.exchanges:
            found = response_of(exchange)
            if found is None or not 200 <= exchange.status < 300:
                continue
            mrid, status = found
            before = told.get(mrid, ())
            yield from _judge(look, mrid, status, before)
            told[mrid] = _shared((*before[-MOST_STATUSES:], status))
        forget_over(told, look)

    def held_bytes(self) -> int:
        """What is remembered of the Responses."""
        return ENTRY_BYTES * sum(map(len, self._told.values()))


@lru_cache(maxsize=512)
def _shared(statuses: tuple[int, ...]) -> tuple[int, ...]:
    """One object for equal statuses: those of most events are."""
    return statuses


@lru_cache(maxsize=512)
def _mrid(text: bytes) -> str:
    """One object for an mRID: all DERs of a program have the same."""
    return text.decode().upper()


def response_of(exchange: HttpExchange) -> tuple[str, int] | None:
    """mRID and status of a Response that was sent; None for another request."""
    if exchange.method != "POST" or b"DERControlResponse" not in exchange.request_body:
        return None
    subject, status = _SUBJECT.search(exchange.request_body), _STATUS.search(exchange.request_body)
    if subject is None or status is None:
        return None
    return _mrid(subject[1]), int(status[1])


def _judge(look: Look, mrid: str, status: int, before: tuple[int, ...]) -> Iterator[Violation]:
    if status in before and status not in REPEATABLE:
        yield look.violation(
            ResponseOrder, f"Response {status} for {mrid} once", f"again after {list(before)}"
        )
        return
    ended = [each for each in before if each in FINAL]
    if ended and status not in REPEATABLE:
        wanted = f"no Response for {mrid} after {ended[0]}"
        yield look.violation(ResponseOrder, wanted, f"Response {status}")
    elif status == RECEIVED and STARTED in before:
        yield look.violation(ResponseOrder, f"Response 1 for {mrid} before 2", "1 after 2")
