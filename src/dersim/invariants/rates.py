"""I10: nobody is asked too often, and a fleet does not try again in one instant."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from dersim.invariants.base import FleetLook, Invariant, Look, Violation
from dersim.invariants.calm import Calm

if TYPE_CHECKING:
    from dersim.plugin.services import HttpExchange

#: The shortest interval of polls that is always allowed, s; 2030.5's default pollRate is 900.
SHORTEST_S = 10.0
#: How many requests may come at once: re-reads of controls, a discovery.
BURST = 6
#: Simulated seconds without trouble before rates are judged.
CALM_S = 60.0
#: The addresses of one DER that are remembered.
MOST_ADDRESSES = 200
_POLL_RATE = re.compile(rb'\spollRate="(\d+)"')

#: DERs whose retries make a fleet's; the shortest pause that is judged; what failed together and is looked at
#: together, real s; the spread that there must be, of the pause.
ENOUGH, PAUSE_S, TOGETHER_S, LOOK_S, SPREAD = 10, 4.0, 1.0, 60.0, 0.15
#: Clients of a process that connect at the same time, at most.
AT_ONCE = 30
#: Bodies of one DER that are remembered until it tries again.
MOST_BODIES = 50


class Rates(Invariant):
    """Requests for each address, in steady state."""

    id = "I10"
    statement = "An address is asked at most once in min(pollRate, 10 s) in steady state."

    def __init__(self) -> None:
        self._calm = Calm()
        self._buckets: dict[int, dict[str, tuple[float, float]]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """A bucket for each address: it fills by the rate, each request takes one out."""
        calm_s, _ = self._calm.lasts_s(look)
        buckets = self._buckets.setdefault(look.device.number, {})
        if calm_s < CALM_S:
            buckets.clear()
            return
        for exchange in look.exchanges:
            if exchange.method != "GET" or exchange.cause.startswith(("notification", "time sample")):
                continue
            found = _POLL_RATE.search(exchange.response_body[:600])
            every_s = min(max(float(found[1]), 1.0), SHORTEST_S) if found else SHORTEST_S
            left, last_s = buckets.pop(exchange.url, (float(BURST), exchange.time_s))
            left = min(left + (exchange.time_s - last_s) / every_s, BURST) - 1
            if left < 0:
                left = float(BURST)
                wanted = f"{exchange.url} asked once in {every_s:g} s, {BURST} times at once"
                yield look.violation(Rates, wanted, f"more, the last for: {exchange.cause}")
            buckets[exchange.url] = left, exchange.time_s
            while len(buckets) > MOST_ADDRESSES:
                del buckets[next(iter(buckets))]
        # Longest ago first; a bucket that has filled again is as one that there is not.
        for url, (_, last_s) in list(buckets.items()):
            if look.now_s - last_s <= BURST * SHORTEST_S:
                break
            del buckets[url]


class _Failed(NamedTuple):
    """When the requests of a DER failed that was connected, and the bodies that it could not hand over."""

    at_s: float
    bodies: frozenset[bytes]

    def is_tried_again(self, exchange: HttpExchange) -> bool:
        """A Response at the start of a control or a reading of a set time is sent then by all: no retry."""
        return exchange.time_s > self.at_s and (
            exchange.method == "GET" or exchange.request_body in self.bodies
        )

    def and_then(self, exchange: HttpExchange, ended_s: float) -> _Failed:
        """One more that failed before anything was tried again."""
        sent = {exchange.request_body} if len(self.bodies) < MOST_BODIES else set()
        return _Failed(ended_s, self.bodies | sent)


class Spread(Invariant):
    """The first retry of each DER after a loss; where a server names a time by Retry-After, it has chosen.

    Later ones keep the distance that the first had from those of others. As many as connect at once in any
    case are no storm: where a server does not answer, they come as those before them give up.
    """

    id = "I10"
    statement = "Retries of a fleet are spread over their pause."

    def __init__(self) -> None:
        self._failed: dict[int, _Failed] = {}
        self._away: set[int] = set()
        self._retries: deque[tuple[float, float]] = deque(maxlen=20_000)
        self._next_s = 0.0

    def check(self, look: Look) -> Iterator[Violation]:
        """Note when a DER failed and when it tried again."""
        number = look.device.number
        for exchange in look.exchanges:
            failed = self._failed.get(number)
            if failed is not None and failed.is_tried_again(exchange):
                self._retries.append((failed.at_s, exchange.time_s))
                del self._failed[number]
            self._note(number, exchange, look.ended_s(exchange))
        yield from ()

    def _note(self, number: int, exchange: HttpExchange, ended_s: float) -> None:
        if exchange.status != 0 and exchange.status < 500:
            self._away.discard(number)
            return
        if any(name == "retry-after" for name, _ in exchange.response_headers):
            self._failed.pop(number, None)
        elif number in self._failed or number not in self._away:
            before = self._failed.get(number, _Failed(0.0, frozenset()))
            self._failed[number] = before.and_then(exchange, ended_s)
        self._away.add(number)

    def check_fleet(self, look: FleetLook) -> Iterator[Violation]:
        """Compare the retries of those that failed in one second."""
        if look.real_s < self._next_s:
            return
        self._next_s = look.real_s + LOOK_S
        groups: dict[int, list[tuple[float, float]]] = {}
        for failed_s, again_s in self._retries:
            groups.setdefault(int(failed_s / TOGETHER_S), []).append((failed_s, again_s))
        self._retries.clear()
        enough = ENOUGH if len(look.fleet.devices) <= AT_ONCE else AT_ONCE + 1
        for group in groups.values():
            pause_s = median(again_s - failed_s for failed_s, again_s in group)
            times = sorted(again_s for _, again_s in group)
            if len(group) < enough or pause_s < PAUSE_S:
                continue
            middle = times[len(times) // 10 : len(times) - len(times) // 10]
            spread_s = middle[-1] - middle[0]
            if spread_s < SPREAD * pause_s:
                wanted = f"retries of {len(group)} DERs after {pause_s:.0f} s over {SPREAD * pause_s:.1f} s"
                yield look.violation(Spread, wanted, f"within {spread_s:.2f} s")
