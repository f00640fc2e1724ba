"""The server of a replay: answers what was recorded, at the recorded times, and compares what it is asked.

The requests of one DER are matched with the recorded ones by method and URL, the oldest first. So two
requests that are due at the same instant may change places, but the sequence of each resource may not
change. An answer comes at its recorded time, so that what a real network added never sums up. What was not
recorded is answered as the last time, or with a 404.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import trio

from dersim.errors import CertificateError, RemoteProtocolError, UtilityUnreachable
from dersim.http11 import Headers, Request, Response
from dersim.recorded import comparing
from dersim.recorded.differences import Difference, Differences
from dersim.recorded.lines import DIGITS

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.http11 import Requests
    from dersim.recorded.comparing import Allowed
    from dersim.recorded.lines import Exchange
    from dersim.recorded.reader import Record

_Key = tuple[int, str, str]
_STEPS_A_SECOND = 10**DIGITS


class Script:
    """The `PeersService` of a replay. differences: what was found so far."""

    def __init__(self, record: Record, clock: SimClock, allowed: Allowed) -> None:
        self.differences = Differences(record.head["start_s"])
        self.lfdis: dict[int, str | None] = {each["number"]: each["lfdi"] for each in record.head["ders"]}
        self._clock = clock
        self._allowed = allowed
        self._end_s = record.end_s
        self._waiting: defaultdict[_Key, deque[Exchange]] = defaultdict(deque)
        self._last: dict[_Key, Exchange] = {}
        for number, exchanges in record.exchanges.items():
            for each in exchanges:
                self._waiting[number, each.method, each.url].append(each)

    def connection(self, number: int, url: str, _make: Callable[[], Requests]) -> Requests:
        """A connection that answers from the record."""
        return ScriptedConnection(self, number, url)

    def lfdi(self, number: int) -> str | None:
        """The recorded one."""
        if (lfdi := self.lfdis.get(number)) is None:
            raise CertificateError("no certificate yet, as in the record")
        return lfdi

    def identified(self, _number: int, _lfdi: str) -> None:
        """It is the recorded one."""

    def acted(self, _number: int, _action: str, _args: Sequence[Any], _named: Mapping[str, Any]) -> None:
        """It is in the record."""

    def inbox(self, _number: int, receive: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """As it is: `ReplayHub` delivers."""
        return receive

    @property
    def rate(self) -> float:
        """Simulated seconds per second."""
        return self._clock.rate

    def now_s(self) -> float:
        """Simulated seconds since the start."""
        return self._clock.now_s() - self._clock.start_s

    def take(self, number: int, method: str, url: str, headers: Headers, body: bytes) -> Exchange | None:
        """The recorded exchange that this request is, compared with it; None where there is none."""
        at_s, key = self.now_s(), (number, method, url)
        waiting = self._waiting[key]
        within_s = self._allowed.within_s
        if not waiting or waiting[0].at_s > at_s + within_s:
            next_s = waiting[0].at_s if waiting else None
            self.differences.add(Difference(number, at_s, method, url, "unexpected", next_s=next_s))
            return None
        expected = self._last[key] = waiting.popleft()
        lines = [*comparing.headers(expected.headers, headers, self._allowed)]
        lines += comparing.bodies(expected.body, body, self._allowed)
        if at_s > expected.at_s + within_s:
            lines.insert(0, f"recorded {at_s - expected.at_s:.3f} s earlier")
        if lines:
            self.differences.add(Difference(number, at_s, method, url, "differs", tuple(lines)))
        self.differences.compared += 1
        return expected

    def stand_in(self, number: int, method: str, url: str) -> Response:
        """The answer to a request that was not recorded."""
        last = self._last.get((number, method, url))
        return Response(404) if last is None or not last.status else _answer(last)

    async def wait_for(self, expected: Exchange, sent_s: float) -> None:
        """Until the answer is due: at its recorded time, or after as long where the request is too late."""
        due_s, now_s = expected.until_s, self.now_s()
        if sent_s > expected.at_s + self._allowed.within_s:
            due_s = sent_s + expected.until_s - expected.at_s
        if due_s <= now_s or due_s != expected.until_s:
            # On a time that a record can hold: a replay of this replay then does it at the same instant.
            due_s = math.ceil(max(due_s, now_s) * _STEPS_A_SECOND) / _STEPS_A_SECOND
        # Not `sleep_until`, which wakes again where the floats of the two clocks differ in the last digit.
        await trio.sleep(max(due_s - now_s, 0.0) / self._clock.rate)

    def finish(self) -> None:
        """The run is over: what was not asked for is missing, unless it was due just now."""
        latest_s = self._end_s - self._allowed.within_s
        for (number, method, url), waiting in self._waiting.items():
            for each in waiting:
                if each.at_s <= latest_s:
                    self.differences.add(Difference(number, each.at_s, method, url, "missing"))


def _answer(exchange: Exchange) -> Response:
    return Response(exchange.status, exchange.answer_headers, exchange.answer)


class ScriptedConnection:
    """A connection of a replay, in place of `http11.Connection`."""

    peer_certificate_der = None

    def __init__(self, script: Script, number: int, url: str) -> None:
        self.connects = 0
        self.is_open = False
        self._script = script
        self._number = number
        self._url = url
        self._turn = trio.Lock()

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        timeout_s: float = 30.0,  # noqa: ARG002 - what was recorded ended in time, or says that it did not
    ) -> Response:
        """The recorded answer, or failure."""
        script, sent_s = self._script, self._script.now_s()
        expected = script.take(self._number, method, self._url + target, headers, body)
        async with self._turn:
            if expected is None:
                return script.stand_in(self._number, method, self._url + target)
            self.connects += expected.connects
            await script.wait_for(expected, sent_s)
            self.is_open = expected.is_open
            if (failure := expected.failure) is not None:
                if not failure.phase:
                    raise RemoteProtocolError(failure.message)
                no_descriptors = failure.no_descriptors
                raise UtilityUnreachable(failure.message, failure.phase, no_descriptors=no_descriptors)
            if not expected.status:
                await trio.sleep_forever()  # its client cancelled it
            return _answer(expected)

    async def aclose(self) -> None:
        """Close it, after the request under way."""
        async with self._turn:
            self.is_open = False
