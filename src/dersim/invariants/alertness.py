"""I14: within five seconds the status says that something is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.redirects import Redirects

#: When it must be said, s after the end of the failed exchange, and for how long it is judged from then, s.
WITHIN_S, JUDGED_S = 5.0, 20.0
#: What the client itself has ended, as when it stops; the next run reads of it in the same conversation.
CANCELLED = "cancelled"
#: Requests of which a failure is no trouble: their result is optional, or they are tried again at once.
_OPTIONAL = ("comparison with what was PUT", "time sample", "re-read", "Response", "log event", "end of a")


class Alertness(Invariant):
    """A failure shows."""

    id = "I14"
    statement = "The status says within 5 s that something is wrong."

    def __init__(self) -> None:
        self._redirects: dict[int, Redirects] = {}
        self._failing: dict[int, dict[tuple[str, str], tuple[float, str]]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Compare what failed on the wire with what the client says."""
        device = look.device
        if device.failed and not device.state.failed:
            yield look.violation(Alertness, "the state to say that the DER has failed", "it does not")
        failing = self._failing.setdefault(device.number, {})
        redirects = self._redirects.setdefault(device.number, Redirects())
        for exchange in look.exchanges:
            path = redirects.asked(exchange)
            key = exchange.method, path
            if exchange.outcome == CANCELLED:
                continue
            if exchange.status == 0 or exchange.status >= 500:
                if not exchange.cause.startswith(_OPTIONAL):
                    ended_s = look.ended_s(exchange)
                    failing.setdefault(key, (ended_s, f"{exchange.method} {path}: {exchange.outcome}"))
            elif exchange.cause.startswith("discovery"):
                failing.clear()
            else:
                failing.pop(key, None)
        yield from self._say(look, failing)

    @staticmethod
    def _say(look: Look, failing: dict[tuple[str, str], tuple[float, str]]) -> Iterator[Violation]:
        client = look.client
        for key, (ended_s, what) in list(failing.items()):
            since_s = (look.now_s - ended_s) / max(look.rate, 1.0)
            due_s = WITHIN_S + look.tick_s + look.starved_s
            # At least two ticks, however long they are.
            if since_s > due_s + max(JUDGED_S, 2 * look.tick_s):
                del failing[key]
            elif since_s > due_s and client is not None and client.state == "connected":
                if client.snapshot()["troubles"]:
                    continue
                del failing[key]
                yield look.violation(
                    Alertness, f"a trouble {since_s:.0f} s after {what}", "connected, no trouble"
                )
