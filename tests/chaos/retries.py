"""How clients try again: neither too often nor all at one instant."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

import trio

from dersim.http11.endpoint import OpenTcp

if TYPE_CHECKING:
    from tests.chaos.machine import Machine

#: Connections of one DER in a minute, at most: a walk every 10 s, with a connection for each of its requests
#: where the server closes each of them.
MOST_A_MINUTE = 260
#: What comes sooner after the last attempt belongs to it, and what comes later is no retry, s.
PAUSE_S, RETRY_S = 3.0, 200.0
#: What is one instant, s, and how often in a row two DERs may meet in it by chance.
INSTANT_S, MOST_IN_STEP = 0.05, 4


class RetryCheck:
    """Every connection that a client tries to make."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._recent: dict[int, deque[float]] = {}
        self._in_step: Counter[tuple[int, int]] = Counter()

    def wire(self, open_tcp: OpenTcp, number: int) -> OpenTcp:
        """The way to the server of one DER, noted."""

        async def opened(host: str, port: int) -> trio.abc.Stream:
            self._note(number)
            return await open_tcp(host, port)

        return opened

    def _note(self, number: int) -> None:
        now_s = trio.current_time()
        recent = self._recent.setdefault(number, deque(maxlen=MOST_A_MINUTE))
        if len(recent) == MOST_A_MINUTE and now_s - recent[0] < 60:
            wanted = f"at most {MOST_A_MINUTE} connections a minute"
            self._machine.find("retries", number, wanted, "more")
        if recent and PAUSE_S <= now_s - recent[-1] < RETRY_S:
            self._compare(number, recent[-1])
        recent.append(now_s)

    def _compare(self, number: int, at_s: float) -> None:
        """Whether others tried in the same instant as this DER at its last attempt, again and again."""
        for other, times in self._recent.items():
            if other <= number:
                continue
            together = any(abs(each - at_s) <= INSTANT_S for each in times)
            self._in_step[number, other] = self._in_step[number, other] + 1 if together else 0
            if self._in_step[number, other] > MOST_IN_STEP:
                self._machine.find("retries", number, f"retries not in step with DER {other}", "in step")
