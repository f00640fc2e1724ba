"""The fixture `conversation`: what was asked and answered, and what should have been."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dersim.exchanges.verdicts import Judgements
from dersim.ieee2030_5 import decode
from dersim.plugin.services import ConversationService
from dersim.testing.handles.der import Der
from dersim.testing.live import LiveWorld
from dersim.testing.world import World

__tracebackhide__ = True  # pytest shows the line of the test, not ours


#: Kinds of requests that a failure lists.
_MOST_LISTED = 40
_MOST_ASKED = 1_000_000


class Seen(NamedTuple):
    """One request and its answer.

    source: who has seen it, 0 for the utility, else the first DER of a simulator; number: by source, from 1.
    time_s: UTC seconds. path: without query. status: 0 for no answer. faults: those planted that acted on it.
    """

    source: int
    number: int
    time_s: float
    method: str
    path: str
    status: int
    lfdi: str
    request_body: bytes
    response_body: bytes
    faults: tuple[str, ...] = ()

    def sent(self) -> Any:
        """The body of the request as a resource of `dersim.ieee2030_5.resources`."""
        return decode(self.request_body).resource

    def got(self) -> Any:
        """The body of the answer, in the same way."""
        return decode(self.response_body).resource

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """The documents in it: ("request", ...), ("answer", ...); what is said with an error is none."""
        if self.request_body:
            yield "request", self.request_body
        if self.response_body and 200 <= self.status < 300:
            yield "answer", self.response_body

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status or 'no answer'}"


class Conversation:
    """What the utility was asked, or where the server is not ours, what the DERs have asked."""

    def __init__(self, live: LiveWorld) -> None:
        self._live = live
        self._forgotten: dict[int, int] = {}

    # ---- what was seen

    def exchanges(
        self,
        method: str | None = None,
        path: str = "*",
        *,
        status: int | None = None,
        der: Der | str | None = None,
    ) -> list[Seen]:
        """The requests that match, oldest first. path: `*` is any text. der: whose, a DER or an LFDI."""
        lfdi = der.lfdi if isinstance(der, Der) else der
        return [
            each
            for each in self._all()
            if method in (None, each.method)
            and fnmatchcase(each.path, path)
            and status in (None, each.status)
            and lfdi in (None, each.lfdi)
        ]

    def clear(self) -> None:
        """Forget what was seen until now."""
        for each in self._all():
            self._forgotten[each.source] = each.number

    def _all(self) -> list[Seen]:
        found = self._live.portal.call(_seen, self._live.world)
        return [each for each in found if each.number > self._forgotten.get(each.source, 0)]

    # ---- what should have been

    def assert_get(self, path: str, **wanted: Any) -> list[Seen]:
        """As `assert_request`, of a GET."""
        return self.assert_request("GET", path, **wanted)

    def assert_put(self, path: str, **wanted: Any) -> list[Seen]:
        """As `assert_request`, of a PUT."""
        return self.assert_request("PUT", path, **wanted)

    def assert_post(self, path: str, **wanted: Any) -> list[Seen]:
        """As `assert_request`, of a POST."""
        return self.assert_request("POST", path, **wanted)

    def assert_delete(self, path: str, **wanted: Any) -> list[Seen]:
        """As `assert_request`, of a DELETE."""
        return self.assert_request("DELETE", path, **wanted)

    def assert_request(
        self,
        method: str,
        path: str,
        *,
        count: int | None = None,
        status: int | None = None,
        der: Der | str | None = None,
        where: Callable[[Seen], object] | None = None,
    ) -> list[Seen]:
        """The requests that match; AssertionError, with all that was seen, where they are not as wanted.

        count: exactly so many, 0 for none; without it at least one. where: of a request, whether it counts.
        """
        found = self.exchanges(method, path, status=status, der=der)
        if where is not None:
            found = [each for each in found if where(each)]
        if (len(found) != count) if count is not None else not found:
            wanted = "at least one" if count is None else str(count)
            raise AssertionError(self._told(_named(method, path, status, der), wanted, len(found)))
        return found

    def assert_none_refused(self) -> None:
        """AssertionError where a request was answered 4xx or 5xx, but by a planted fault."""
        refused = [each for each in self._all() if each.status >= 400 and not each.faults]
        if refused:
            raise AssertionError("\n".join([f"{len(refused)} requests were refused:", *listed(refused)]))

    def assert_valid(self, path: str = "*") -> None:
        """AssertionError with the reasons where the schema of no edition of IEEE 2030.5 takes a body."""
        reasons: dict[bytes, list[str]] = {}
        for each in self.exchanges(path=path):
            for whose, body in each.bodies():
                if body not in reasons:
                    reasons[body] = [f"{each}, {whose}: {why}" for why in _why_invalid(body)]
        lines = [line for each in reasons.values() for line in each]
        if lines:
            raise AssertionError("\n".join([f"{len(lines)} violations of the schema:", *lines]))

    def wait_for(
        self,
        method: str,
        path: str,
        *,
        count: int = 1,
        within_s: float = 60,
        status: int | None = None,
        der: Der | str | None = None,
    ) -> Any:
        """Let time pass until so many requests match; those that do. An awaitable in an async test."""
        name = _named(method, path, status, der)

        async def wait() -> list[Seen]:
            try:
                await self._live.until(
                    lambda: len(self.exchanges(method, path, status=status, der=der)) >= count, within_s, name
                )
            except AssertionError:
                seen = len(self.exchanges(method, path, status=status, der=der))
                raise AssertionError(self._told(name, f"{count} within {within_s:g} s", seen)) from None
            return self.exchanges(method, path, status=status, der=der)

        return self._live.portal.wait(wait)

    def _told(self, name: str, wanted: str, found: int) -> str:
        seen, live = self._all(), self._live
        passed_s = live.portal.call(live.world.now_s) - live.began_s
        lines = [f"{name}: wanted {wanted}, seen {found}"]
        if not seen:
            lines.append(f"no request was seen in {passed_s:.0f} simulated seconds")
            if live.portal.is_virtual and passed_s < 1:
                lines.append("time passes while the test waits: clock.advance(60), der.wait_connected()")
            return "\n".join(lines)
        lines.append(f"the {len(seen)} requests seen in {passed_s:.0f} simulated seconds:")
        lines += listed(seen)
        return "\n".join(lines)


def listed(seen: Sequence[Seen]) -> list[str]:
    """The kinds of requests with their numbers, by their first one."""
    counts = Counter((each.method, each.path, each.status) for each in seen)
    lines = [
        f"{count:6} x  {method:6} {path}  {status or 'no answer'}"
        for (method, path, status), count in list(counts.items())[:_MOST_LISTED]
    ]
    more = len(counts) - _MOST_LISTED
    return [*lines, f"       and {more} other kinds"] if more > 0 else lines


def _why_invalid(body: bytes) -> list[str]:
    judgement = Judgements().of(body)
    found = () if judgement.brief.word == "valid" else (*judgement.violations, *judgement.reader)
    return [f"{each.path}: {each.message}" for each in found]


def _named(method: str, path: str, status: int | None, der: Der | str | None) -> str:
    answered = "" if status is None else f" answered {status}"
    return f"{method} {path}{answered}" + ("" if der is None else f" of {der}")


def _seen(world: World) -> list[Seen]:
    if world.plan.server is None:
        return [
            Seen(
                0,
                each.number,
                each.time_s,
                each.method,
                each.path.partition("?")[0],
                each.status,
                each.lfdi or "",
                each.request_body,
                each.response_body,
                each.planted_faults,
            )
            for each in world.utility.requests()
        ]
    return [
        Seen(
            simulator.numbers.start,
            each.id,
            each.time_s,
            each.method,
            urlsplit(each.url).path,
            each.status,
            str(world.client(each.device).snapshot()["lfdi"]),
            each.request_body,
            each.response_body,
        )
        for simulator in world.simulators
        for each in _kept(simulator.services.find(ConversationService))
    ]


def _kept(conversation: ConversationService | None) -> list[Any]:
    return [] if conversation is None else conversation.entries(limit=_MOST_ASKED)
