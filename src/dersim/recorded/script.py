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
from dersim.recorded.server_clock import ServerClock, is_time

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.http11 import Requests
    from dersim.recorded.comparing import Allowed
    from dersim.recorded.lines import Exchange
    from dersim.recorded.reader import Record

_Key = tuple[int, str, str]
_STEPS_A_SECOND = 10**DIGITS
#: How much earlier than in the record a Time may be asked for, so that it waits, s: less than half of the 15
#: between two samples, so that one too many is still found. Not by what is allowed: the record of a
#: replay is replayed with less.
TIME_WAITS_S = 7.0
#: Times that differ by less are the same: those in a record are rounded, s.
_SOON_S = 2 / _STEPS_A_SECOND


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
        self._clocks: defaultdict[tuple[int, str], ServerClock] = defaultdict(ServerClock)
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
            if at_s <= self._end_s - within_s:  # else the recorded run may have ended just before it
                self.differences.add(Difference(number, at_s, method, url, "unexpected", next_s=next_s))
            return None
        expected = self._last[key] = waiting.popleft()
        self._clocks[number, url].take(expected.answer, expected.at_s, expected.until_s)
        lines = [*comparing.headers(expected.headers, headers, self._allowed)]
        lines += comparing.bodies(expected.body, body, self._allowed)
        if at_s > expected.at_s + within_s:
            lines.insert(0, f"recorded {at_s - expected.at_s:.3f} s earlier")
        if lines:
            self.differences.add(Difference(number, at_s, method, url, "differs", tuple(lines)))
        self.differences.compared += 1
        return expected

    async def wait_until_sent(self, number: int, method: str, url: str) -> None:
        """Until the recorded request was sent, of a Time that this may be: its instant is what it measures.

        Others need not wait: their answers come at their recorded times, so none can run away.
        """
        waiting = self._waiting[number, method, url]
        if not waiting or not is_time(waiting[0].answer):
            return
        if _SOON_S < (left_s := waiting[0].at_s - self.now_s()) <= TIME_WAITS_S:
            await trio.sleep(left_s / self._clock.rate)

    def stand_in(self, number: int, method: str, url: str) -> Response:
        """The answer to a request that was not recorded: the last one, a Time as it is now."""
        last = self._last.get((number, method, url))
        return Response(404) if last is None or not last.status else self.answer(last, number)

    def answer(self, exchange: Exchange, number: int) -> Response:
        """The recorded answer; where it comes later than in the record, a Time has gone on."""
        late, body = self.now_s() > exchange.until_s + _SOON_S, exchange.answer
        if late:
            body = self._clocks[number, exchange.url].at(body, self.now_s())
        return Response(exchange.status, exchange.answer_headers, body)

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


class ScriptedConnection:
    """A connection of a replay, in place of `http11.Connection`."""

    peer_certificate_der = None

    def __init__(self, script: Script, number: int, url: str) -> None:
        self.connects = 0
        self.is_open = False
        self._script = script
        self._number = number
        self._url = url
        self._under_way = 0
        self._idle = trio.Event()

    async def due(self, method: str, target: str) -> None:
        """Wait where the recorded request came a little later, as the run that was recorded was late."""
        await self._script.wait_until_sent(self._number, method, self._url + target)

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
        if expected is None:
            return script.stand_in(self._number, method, self._url + target)
        self.connects += expected.connects
        self._under_way += 1
        try:
            return await self._end_of(expected, sent_s)
        finally:
            self._under_way -= 1
            self._idle.set()

    async def _end_of(self, expected: Exchange, sent_s: float) -> Response:
        """The recorded answer. Requests do not wait for one another: that they did is in their times."""
        await self._script.wait_for(expected, sent_s)
        self.is_open = expected.is_open
        if (failure := expected.failure) is not None:
            if not failure.phase:
                raise RemoteProtocolError(failure.message)
            no_descriptors = failure.no_descriptors
            raise UtilityUnreachable(failure.message, failure.phase, no_descriptors=no_descriptors)
        if not expected.status:
            await trio.sleep_forever()  # its client cancelled it
        return self._script.answer(expected, self._number)

    async def aclose(self) -> None:
        """Close it, after the requests under way."""
        while self._under_way:
            self._idle = trio.Event()
            await self._idle.wait()
        self.is_open = False
