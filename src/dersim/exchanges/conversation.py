"""The exchanges of all clients with their servers, within one budget of bytes for the whole fleet.

The oldest exchanges are dropped first, whichever DER they belong to. PINs are masked before anything is kept.
Most polls bring the same bytes as the one before, and a fleet reads the same lists, so equal bodies and URLs
are kept once (equal headers by http11).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache

import trio

from dersim.buffers import BufferSize
from dersim.exchanges import verdicts
from dersim.exchanges.search import ID_BYTES, Search
from dersim.exchanges.verdicts import MAX_BODY_BYTES, Judgements, mask_pin
from dersim.ieee2030_5.judging import Judgement
from dersim.plugin.services import (
    BodyVerdict,
    ExchangeFilter,
    ExchangeVerdict,
    FoundExchanges,
    Headers,
    HttpExchange,
)

MIB = 1024 * 1024
#: The default of --conversation, MiB, and the number of DERs above which it is 0 without a web site.
DEFAULT_MIB = 64
MOST_DEVICES_UNSEEN = 200
#: Searches whose matches are remembered.
MAX_SEARCHES = 4

#: What an exchange costs beside headers and bodies, and a body beside its bytes (sys.getsizeof). Its URL and
#: cause are those of many.
_OVERHEAD_BYTES = 280
_BODY_OVERHEAD_BYTES = 180
#: What a block of headers costs, and one of them beside the text of its value; most are in other blocks too.
_BLOCK_OVERHEAD_BYTES, _HEADER_OVERHEAD_BYTES = 250, 30


def _kept(body: bytes) -> bytes:
    masked = mask_pin(body)
    if len(masked) <= MAX_BODY_BYTES:
        return masked
    return masked[:MAX_BODY_BYTES] + b"\n... (%d more bytes)" % (len(masked) - MAX_BODY_BYTES)


def default_bytes(devices: int, *, web_site: bool) -> int:
    """The default budget: nothing for a large fleet without a web site."""
    return 0 if devices > MOST_DEVICES_UNSEEN and not web_site else DEFAULT_MIB * MIB


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    """One object for equal URLs or causes."""
    return text


@lru_cache(maxsize=512)
def _shared(verdict: BodyVerdict) -> BodyVerdict:
    return verdict


class _Body:
    """A body that exchanges share: how many do, and the verdict once someone has asked for it."""

    __slots__ = ("content", "uses", "verdict")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.uses = 0
        self.verdict: BodyVerdict | None = None


class _Bodies:
    """Bodies that exchanges share, each once. held_bytes: of all."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._held: dict[bytes, _Body] = {}

    def take(self, content: bytes) -> bytes:
        body = self._held.get(content)
        if body is None:
            body = self._held[content] = _Body(content)
            self.held_bytes += len(content) + _BODY_OVERHEAD_BYTES
        body.uses += 1
        return body.content

    def release(self, content: bytes) -> None:
        body = self._held[content]
        body.uses -= 1
        if not body.uses:
            del self._held[content]
            self.held_bytes -= len(content) + _BODY_OVERHEAD_BYTES

    def verdict(self, content: bytes) -> BodyVerdict:
        body = self._held.get(content)
        if body is None:
            return verdicts.body_verdict(content)
        if body.verdict is None:
            body.verdict = _shared(verdicts.body_verdict(content))
        return body.verdict


class _Blocks:
    """Response headers that exchanges share, each block once: those of one second are often equal.

    held_bytes: of all.
    """

    def __init__(self) -> None:
        self.held_bytes = 0
        self._held: dict[Headers, tuple[Headers, int]] = {}

    def take(self, headers: Headers) -> Headers:
        held, uses = self._held.get(headers) or (headers, 0)
        self._held[held] = held, uses + 1
        if not uses:
            self.held_bytes += _headers_size(held)
        return held

    def release(self, headers: Headers) -> None:
        held, uses = self._held[headers]
        if uses > 1:
            self._held[held] = held, uses - 1
        else:
            del self._held[held]
            self.held_bytes -= _headers_size(held)


class Conversation:
    """The newest exchanges of all DERs, oldest dropped when `budget_bytes` is full; 0 keeps none.

    first_id: of the first exchange.
    `listeners` are called with each exchange as it ends, synchronously; they must be quick.
    """

    def __init__(self, budget_bytes: int = DEFAULT_MIB * MIB, first_id: int = 1) -> None:
        self.budget_bytes = budget_bytes
        self.listeners: list[Callable[[HttpExchange], None]] = []
        self._exchanges: deque[HttpExchange] = deque()
        self._bodies = _Bodies()
        self._headers = _Blocks()
        self._exchange_bytes = 0
        self._next_id = first_id
        self._judgements = Judgements()
        self._searches: OrderedDict[ExchangeFilter, Search] = OrderedDict()
        self._searching = trio.Lock()

    @property
    def held_bytes(self) -> int:
        """The size of all exchanges, bytes."""
        return self._exchange_bytes + self._bodies.held_bytes + self._headers.held_bytes

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
    ) -> int:
        """Keep one exchange; returns its id, 0 where none is kept.

        response: with status 0 where none came. cause: why it was made.
        """
        if not self.budget_bytes and not self.listeners:
            return 0
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
            self._headers.take(headers),
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
        return exchange.id

    def amend(self, number: int, outcome: str) -> None:
        """Tell of an exchange how it ended after all, if it is still held."""
        exchange = self.exchange(number)
        if exchange is not None:
            self._exchange_bytes += len(outcome) - len(exchange.outcome)
            self._exchanges[number - self._exchanges[0].id] = exchange._replace(outcome=outcome)

    def _drop(self, exchange: HttpExchange) -> None:
        self._exchange_bytes -= _size(exchange)
        self._headers.release(exchange.response_headers)
        self._bodies.release(exchange.request_body)
        self._bodies.release(exchange.response_body)

    def size(self) -> BufferSize:
        """The size of the exchanges kept, and of what is remembered of searches and judgements, bytes."""
        beside = self._judgements.held_bytes + sum(
            ID_BYTES * len(search.ids) for search in self._searches.values()
        )
        ids = MAX_SEARCHES * ID_BYTES * self.budget_bytes // (_OVERHEAD_BYTES + 1)
        return BufferSize(self.held_bytes + beside, self.budget_bytes + verdicts.MAX_JUDGEMENT_BYTES + ids)

    def entries(self, device: int | None = None, after: int = 0, limit: int = 200) -> list[HttpExchange]:
        """The newest `limit` exchanges above id `after`, oldest first; of one DER, or of all (None)."""
        chosen: deque[HttpExchange] = deque(maxlen=limit)
        chosen.extend(e for e in self._exchanges if e.id > after and device in (None, e.device))
        return list(chosen)

    async def find(
        self, wanted: ExchangeFilter, after: int = 0, before: int | None = None, limit: int = 200
    ) -> FoundExchanges:
        """The newest `limit` exchanges that match, with ids above `after` and below `before`."""
        async with self._searching:
            held = list(self._exchanges)
            search = self._searches.get(wanted) or Search(wanted, self.verdict)
            self._searches[wanted] = search
            self._searches.move_to_end(wanted)
            while len(self._searches) > MAX_SEARCHES:
                self._searches.popitem(last=False)
            await search.extend(held)
            ids = search.ids
            low = bisect_right(ids, after)
            high = len(ids) if before is None else bisect_left(ids, before)
            chosen = ids[max(low, high - limit) : max(high, 0)]
            found = [held[number - held[0].id] for number in chosen]
            return FoundExchanges(found, len(ids), len(held), chosen[0] if high - low > limit else None)

    def exchange(self, number: int) -> HttpExchange | None:
        """The exchange of this id, None where it is not held (any more)."""
        first = self._exchanges[0].id if self._exchanges else 0
        known = 0 <= number - first < len(self._exchanges)
        return self._exchanges[number - first] if known else None

    def previous(self, exchange: HttpExchange) -> HttpExchange | None:
        """The one before of the same DER, method and URL that has a body to compare with."""
        for each in reversed(self._exchanges):
            if (
                each.id < exchange.id
                and (each.method, each.url, each.device) == (exchange.method, exchange.url, exchange.device)
                and (each.request_body or (each.response_body and 200 <= each.status < 300))
            ):
                return each
        return None

    def verdict(self, exchange: HttpExchange) -> ExchangeVerdict:
        """The verdict of the schema check, without reasons; each body is judged once."""
        request = self._body_verdict(exchange.request_body, verdicts.request_is_judged(exchange))
        response = self._body_verdict(exchange.response_body, verdicts.response_is_judged(exchange))
        return verdicts.whole(exchange, request, response)

    def _body_verdict(self, body: bytes, judged: bool) -> BodyVerdict:
        if not body:
            return verdicts.NO_BODY
        return self._bodies.verdict(body) if judged else verdicts.NOT_JUDGED

    def judgements(self, exchange: HttpExchange) -> tuple[Judgement | None, Judgement | None]:
        """The reasons, of what was sent and of what was received; None for a body that is not judged."""
        request, response = exchange.request_body, exchange.response_body
        return (
            self._judgements.of(request) if request and verdicts.request_is_judged(exchange) else None,
            self._judgements.of(response) if response and verdicts.response_is_judged(exchange) else None,
        )


def _size(exchange: HttpExchange) -> int:
    """What an exchange takes without headers and bodies, bytes; its request headers are the same for all."""
    return _OVERHEAD_BYTES + len(exchange.outcome)


def _headers_size(headers: Headers) -> int:
    return _BLOCK_OVERHEAD_BYTES + sum(len(value) + _HEADER_OVERHEAD_BYTES for _name, value in headers)
