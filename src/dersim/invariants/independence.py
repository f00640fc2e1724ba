"""I11: a DER without a fault of its own goes on polling, whatever happens to others.

That the bytes of a DER are the same with and without the fault of another is a comparison of two runs, for
which there is `repeat`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.calm import Calm

#: A poll may come so many times its rate late, and so many seconds, simulated and real.
TIMES, SLACK_S = 2.0, 60.0
#: Of a server that names no pollRate (2030.5-2018).
DEFAULT_S = 900.0
_POLL_RATE = re.compile(rb'\spollRate="(\d+)"')


class Independence(Invariant):
    """A connected client asks at its rate."""

    id = "I11"
    statement = "A DER that is connected keeps polling, whatever happens to others."

    def __init__(self) -> None:
        self._calm = Calm()
        self._rates: dict[int, dict[str, float]] = {}
        self._asked_s: dict[int, tuple[float, float]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Compare the time since the last request with the shortest pollRate."""
        number = look.device.number
        rates = self._rates.setdefault(number, {})
        for exchange in look.exchanges:
            if exchange.method == "GET" and exchange.status == 200 and exchange.cause.startswith("poll "):
                found = _POLL_RATE.search(exchange.response_body[:600])
                if found:
                    rates[exchange.url] = float(found[1])
            if exchange.cause.startswith("safety poll"):
                rates.clear()
        calm_s = self._calm.lasts_s(look)
        if look.exchanges or number not in self._asked_s or not min(calm_s):
            self._asked_s[number] = look.now_s, look.real_s
            return
        most_s = TIMES * min(rates.values(), default=DEFAULT_S) + SLACK_S
        since, real_since = self._asked_s[number]
        if min(look.now_s - since, look.real_s - real_since) > most_s:
            self._asked_s[number] = look.now_s, look.real_s
            yield look.violation(Independence, f"a request in {most_s:.0f} s, connected", "none")
