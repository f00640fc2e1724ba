"""The search in a conversation: which exchanges match a filter.

A page asks again every few seconds. So the ids that matched are remembered for the last few filters, and only
exchanges that are new are looked at. The work is done in slices, between which the event loop runs.
"""

from __future__ import annotations

import re
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

if TYPE_CHECKING:
    from dersim.plugin.services import ExchangeFilter, ExchangeVerdict, HttpExchange

#: The longest time without a checkpoint, s.
SLICE_S = 0.005
ID_BYTES = 8
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z]\w*)")
#: Where a root element is looked for, after a declaration and comments.
_HEAD_BYTES = 400


def resource_of(exchange: HttpExchange) -> str:
    """The name of the document that was read or sent, without judging it; "" without one."""
    for body in (exchange.response_body, exchange.request_body):
        if found := _ROOT.search(body[:_HEAD_BYTES]):
            return found[1].decode("ascii", "replace")
    return ""


def path_of(url: str) -> str:
    """Path and query of a URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Search:
    """The ids of the exchanges that match one filter, as far as they have been looked at."""

    def __init__(self, wanted: ExchangeFilter, verdict: Callable[[HttpExchange], ExchangeVerdict]) -> None:
        self.ids = array("Q")
        self._wanted = wanted
        self._verdict = verdict
        self._seen_to = 0
        self._text = wanted.text.lower().encode()
        self._resource, self._cause = wanted.resource.lower(), wanted.cause.lower()

    async def extend(self, held: Sequence[HttpExchange]) -> None:
        """Look at what is new in `held` (oldest first), and forget what is no longer held."""
        first = held[0].id if held else self._seen_to + 1
        del self.ids[: bisect_left(self.ids, first)]
        texts: dict[int, bool] = {}
        started = time.perf_counter()
        for exchange in held[max(self._seen_to + 1 - first, 0) :]:
            if self._matches(exchange, texts):
                self.ids.append(exchange.id)
            self._seen_to = exchange.id
            if time.perf_counter() - started > SLICE_S:
                await trio.lowlevel.checkpoint()
                started = time.perf_counter()

    def _matches(self, exchange: HttpExchange, texts: dict[int, bool]) -> bool:
        """texts: what is known of bodies that many exchanges share, by identity; the cheapest test first."""
        wanted = self._wanted
        return (
            wanted.device in (None, exchange.device)
            and (not wanted.methods or exchange.method in wanted.methods)
            and (not wanted.statuses or _status_is_in(exchange.status, wanted.statuses))
            and self._cause in exchange.cause.lower()
            and (not self._resource or self._is_of_resource(exchange))
            and (
                not self._text
                or self._has_text(exchange.response_body, texts)
                or self._has_text(exchange.request_body, texts)
            )
            and (not wanted.verdicts or self._is_judged(exchange))
        )

    def _is_of_resource(self, exchange: HttpExchange) -> bool:
        return (
            self._resource in path_of(exchange.url).lower() or self._resource in resource_of(exchange).lower()
        )

    def _has_text(self, body: bytes, texts: dict[int, bool]) -> bool:
        found = texts.get(id(body))
        if found is None:
            found = texts[id(body)] = self._text in body.lower()
        return found

    def _is_judged(self, exchange: HttpExchange) -> bool:
        """By its own word; a bad body is found in an error answer too."""
        word, request, response = self._verdict(exchange)
        bad = {request.word, response.word} & {"violations", "invalid"}
        return bool(({word} | bad) & self._wanted.verdicts)


def _status_is_in(status: int, wanted: frozenset[str]) -> bool:
    """wanted: classes as "4xx", statuses as "404", and "none" for no answer."""
    if not status:
        return "none" in wanted
    return f"{status // 100}xx" in wanted or str(status) in wanted
