"""I14: within five seconds the status says that something is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from dersim.invariants.base import Invariant, Look, Violation
from dersim.invariants.redirects import Redirects

if TYPE_CHECKING:
    from dersim.plugin.services import CsipService, HttpExchange

#: When it must be said, s after the end of the failed exchange, and for how long it is judged from then, s.
WITHIN_S, JUDGED_S = 5.0, 20.0
#: What the client itself has ended, as when it stops; the next run reads of it in the same conversation.
CANCELLED = "cancelled"
#: Addresses of one DER of which it is remembered that they were read; with more, all count as read.
MOST_READ = 2_000
#: Requests of which a failure is no trouble: their result is optional, or they are tried again at once.
_OPTIONAL = ("comparison with what was PUT", "time sample", "re-read", "Response", "log event", "end of a")
#: After a refused post of readings the client looks for its mirror, and goes on with the one that it finds.
_METER_POST = "meter post"


class _Failure(NamedTuple):
    """ended_s: when the exchange failed. unread: the path of an address that was never read, else None."""

    ended_s: float
    what: str
    unread: str | None
    cause: str


class Alertness(Invariant):
    """A failure shows: as a trouble, or, where an address was never read, among what could not be read."""

    id = "I14"
    statement = "The status says within 5 s that something is wrong."

    def __init__(self) -> None:
        self._redirects: dict[int, Redirects] = {}
        self._failing: dict[int, dict[tuple[str, str], _Failure]] = {}
        self._read: dict[int, set[str]] = {}

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
        if exchange.outcome == CANCELLED:
            return
        key = exchange.method, path
        address = f"{path}?{urlsplit(exchange.url).query}"  # a page of a list is an address of its own
        read = self._read.setdefault(look.device.number, set())
        if exchange.status == 0 or exchange.status >= 500:
            if not exchange.cause.startswith(_OPTIONAL):
                what = f"{exchange.method} {path}: {exchange.outcome}"
                known = exchange.method != "GET" or address in read or len(read) >= MOST_READ
                failing.setdefault(
                    key, _Failure(look.ended_s(exchange), what, None if known else path, exchange.cause)
                )
            return
        if exchange.method == "GET" and exchange.outcome == "ok" and len(read) < MOST_READ:
            read.add(address)
        if exchange.cause.startswith("discovery"):
            failing.clear()
        else:
            failing.pop(key, None)
            if exchange.cause == _METER_POST:
                _forget_moot(failing, exchange)

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
                if client.snapshot()["troubles"] or _is_shown(client, failed.unread):
                    continue
                del failing[key]
                yield look.violation(
                    Alertness, f"a trouble {since_s:.0f} s after {failed.what}", "connected, no trouble"
                )


def _forget_moot(failing: dict[tuple[str, str], _Failure], success: HttpExchange) -> None:
    """Readings were taken, or the mirror was found: what was tried before matters no more."""
    found = success.method == "GET" or success.status == 201
    for method, path in [each for each, failed in failing.items() if failed.cause == _METER_POST]:
        if found or method == "GET":
            del failing[method, path]


def _is_shown(client: CsipService, path: str | None) -> bool:
    """Whether the client lists it among what could not be read."""
    found = None if path is None else client.found()
    return found is not None and any(_is_at(href, path) for href in found.unreadable)


def _is_at(href: str, path: str | None) -> bool:
    with contextlib.suppress(ValueError):  # no address
        return urlsplit(urljoin("/", href)).path == path
    return False
