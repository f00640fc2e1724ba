"""I14: within five seconds the status says that something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.redirects import Redirects

if TYPE_CHECKING:
    from dersim.plugin.services import CsipService, HttpExchange

#: When it must be said, s after the end of the failed exchange, and for how long it is judged from then, s.
WITHIN_S, JUDGED_S = 5.0, 20.0
#: What the client itself has ended, as when it stops; the next run reads of it in the same conversation.
CANCELLED = "cancelled"
#: Addresses of one DER of which it is remembered that they were read.
MOST_READ = 200
#: Requests of which a failure is no trouble: their result is optional, or they are tried again at once.
_OPTIONAL = ("comparison with what was PUT", "time sample", "re-read", "Response", "log event", "end of a")


class _Failure(NamedTuple):
    """ended_s: when the exchange failed. was_read: whether the address was read before."""

    ended_s: float
    what: str
    was_read: bool


class Alertness(Invariant):
    """A failure shows: as a trouble, or, where an address was never read, among what could not be read."""

    id = "I14"
    statement = "The status says within 5 s that something is wrong."

    def __init__(self) -> None:
        self._redirects: dict[int, Redirects] = {}
        self._failing: dict[int, dict[tuple[str, str], _Failure]] = {}
        self._read: dict[int, dict[tuple[str, str], None]] = {}

    def check(self, look: Look) -> Iterator[Violation]:
        """Compare what failed on the wire with what the client says."""
        device = look.device
        if device.failed and not device.state.failed:
            yield look.violation(Alertness, "the state to say that the DER has failed", "it does not")
        failing = self._failing.setdefault(device.number, {})
        redirects = self._redirects.setdefault(device.number, Redirects())
        for exchange in look.exchanges:
            self._take(look, exchange, redirects.asked(exchange), failing)
        yield from self._say(look, failing)

    def _take(
        self, look: Look, exchange: HttpExchange, path: str, failing: dict[tuple[str, str], _Failure]
    ) -> None:
        key = exchange.method, path
        if exchange.outcome == CANCELLED:
            return
        read = self._read.setdefault(look.device.number, {})
        if exchange.status == 0 or exchange.status >= 500:
            if not exchange.cause.startswith(_OPTIONAL):
                what = f"{exchange.method} {path}: {exchange.outcome}"
                failing.setdefault(key, _Failure(look.ended_s(exchange), what, key in read))
            return
        if 200 <= exchange.status < 300:
            read.pop(key, None)
            read[key] = None
            if len(read) > MOST_READ:
                del read[next(iter(read))]
        if exchange.cause.startswith("discovery"):
            failing.clear()
        else:
            failing.pop(key, None)

    @staticmethod
    def _say(look: Look, failing: dict[tuple[str, str], _Failure]) -> Iterator[Violation]:
        client = look.client
        for key, failed in list(failing.items()):
            since_s = (look.now_s - failed.ended_s) / max(look.rate, 1.0)
            due_s = WITHIN_S + look.tick_s + look.starved_s
            # At least two ticks, however long they are.
            if since_s > due_s + max(JUDGED_S, 2 * look.tick_s):
                del failing[key]
            elif since_s > due_s and client is not None and client.state == "connected":
                if client.snapshot()["troubles"] or (not failed.was_read and _is_shown(client, key[1])):
                    continue
                del failing[key]
                yield look.violation(
                    Alertness, f"a trouble {since_s:.0f} s after {failed.what}", "connected, no trouble"
                )


def _is_shown(client: CsipService, path: str) -> bool:
    """Whether the client lists it among what could not be read."""
    found = client.found()
    return found is not None and any(href.partition("?")[0].endswith(path) for href in found.unreadable)
