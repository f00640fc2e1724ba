"""Plays the DER: sends what a record asks for, keeps the bytes, and notes what must hold.

What a request gets is never taken for granted: `read` ends the procedure with a fail where the answer is not
what the next request needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dersim.conformance.checks.finding import failed, not_seen, passed, warned
from dersim.conformance.evidence import Evidence, Exchange
from dersim.conformance.operator import Operator, Step
from dersim.conformance.procedure import Criterion, Finding, Judged
from dersim.conformance.server.orders import items_of
from dersim.conformance.server.raw_http import ask
from dersim.conformance.server.target import Identity, Target
from dersim.conformance.stage import Clock
from dersim.errors import DersimError, UtilityUnreachable
from dersim.http11 import Connection, Headers, Response
from dersim.ieee2030_5 import MEDIA_TYPE, Edition, decode, encode

T = TypeVar("T")

#: A page of a list, as CSIP asks for it, and the most pages of one list.
PAGE, MOST_PAGES = 255, 40
_ACCEPT = ("Accept", MEDIA_TYPE)
_XML = ("Content-Type", MEDIA_TYPE)


def asked(href: str, query: str) -> str:
    """An href with a query, where it has none itself yet or has one."""
    return f"{href}{'&' if '?' in href else '?'}{query}" if query else href


class Stopped(DersimError):  # noqa: N818 - says what happened
    """The procedure cannot go on; why is among what was judged."""


class Der:
    """One run of one procedure against a server.

    scale: real seconds per printed second. judged: what was found so far, in order.
    """

    def __init__(self, target: Target, clock: Clock, operator: Operator, *, scale: float = 1.0) -> None:
        self.target, self.clock, self.operator, self.scale = target, clock, operator, scale
        self.evidence = Evidence(clock.now_s(), scale, lfdi=target.own.lfdi)
        self.judged: list[Judged] = []
        self._connections: dict[str, Connection] = {}

    @property
    def lfdi(self) -> str:
        """Of the DER that plays."""
        return self.target.own.lfdi

    async def sleep(self, seconds: float) -> None:
        """Wait so many printed seconds."""
        await self.clock.sleep_until(self.clock.now_s() + seconds * self.scale)

    async def carry_out(self, *steps: Step) -> None:
        """Have the operator do the steps; Stopped where nobody does."""
        if not await self.operator.carry_out(steps):
            self.not_seen("what the server's owner sets up", "the operator has not done it")
            raise Stopped

    async def prepare(self, *steps: Step) -> None:
        """Have the operator do the steps; without an operator, what is there already must do."""
        await self.operator.carry_out(steps)

    # ---- requests

    async def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Headers | None = None,
        who: Identity | None = None,
    ) -> Exchange:
        """One request and its answer, whatever its status; Stopped where there is none.

        headers: instead of Accept for a reading, Content-Type for a writing method.
        """
        given = (_XML if body or method in ("PUT", "POST") else _ACCEPT,) if headers is None else headers
        who = who or self.target.own
        try:
            connection = self._connection(who)
            answer = await connection.request(method, self.target_of(target), headers=given, body=body)
        except DersimError as error:
            self.check(f"{method} {target} is answered", False, str(error))
            raise Stopped from None
        return self.keep(method, target, given, body, answer, who.lfdi)

    def _connection(self, who: Identity) -> Connection:
        if who.lfdi not in self._connections:
            self._connections[who.lfdi] = self.target.endpoint(who).connection()
        return self._connections[who.lfdi]

    def target_of(self, href: str) -> str:
        """What is sent for an href: an absolute URI of this server without its origin."""
        parts = urlsplit(href)
        if parts.scheme:
            return f"{parts.path}?{parts.query}" if parts.query else parts.path
        return href

    def keep(
        self, method: str, target: str, headers: Headers, body: bytes, answer: Response, lfdi: str | None
    ) -> Exchange:
        """Keep an exchange as evidence."""
        kept = self.evidence.exchanges
        lower = tuple((name.lower(), value) for name, value in headers)
        exchange = Exchange(
            len(kept),
            self.clock.now_s(),
            method,
            target,
            lfdi,
            lower,
            body,
            answer.status,
            answer.headers,
            answer.body,
        )
        kept.append(exchange)
        return exchange

    async def raw(self, data: bytes, *, encrypted: bool = True) -> Exchange | None:
        """Bytes as they are on a connection of their own, and the answer; None where there is none."""
        endpoint = self.target.endpoint(self.target.own) if encrypted else self.target.plain_endpoint()
        method, _, rest = data.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        try:
            answer = await ask(endpoint, data)
        except UtilityUnreachable:
            return None
        if answer is None:
            return None
        return self.keep(method, rest.rpartition(" ")[0], (), b"", answer, self.lfdi if encrypted else None)

    async def get(self, href: str, who: Identity | None = None) -> Exchange:
        """GET."""
        return await self.send("GET", href, who=who)

    async def put(self, href: str, resource: Any) -> Exchange:
        """PUT of a resource, in the edition of 2018."""
        return await self.send("PUT", href, encode(resource, Edition.E2018))

    async def post(self, href: str, resource: Any) -> Exchange:
        """POST in the same way."""
        return await self.send("POST", href, encode(resource, Edition.E2018))

    async def read(self, cls: type[T], href: str | None) -> T:
        """GET of a resource that the procedure cannot do without; Stopped without it."""
        return (await self.exchange(cls, href))[0]

    async def exchange(self, cls: type[T], href: str | None) -> tuple[T, Exchange]:
        """As `read`, with the exchange."""
        if not href:
            self.check(f"{cls.__name__} is linked", False, "there is no link to it")
            raise Stopped
        got = await self.get(href)
        found = got.got(cls) if got.status == 200 else None
        if found is None:
            self.check(f"{cls.__name__} is served", False, self._instead(got, cls), got)
            raise Stopped
        return found, got

    def _instead(self, got: Exchange, cls: type[Any]) -> str:
        if got.status != 200:
            return f"GET {got.target} is answered {got.status}"
        try:
            other = type(decode(got.answer).resource).__name__
        except DersimError as error:
            return f"GET {got.target}: {error}"
        return f"GET {got.target} gives a {other} instead of a {cls.__name__}"

    async def items(self, cls: type[Any], href: str | None) -> list[Any]:
        """All items of a list, page by page with l=255."""
        if not href:
            self.check(f"{cls.__name__} is linked", False, "there is no link to it")
            raise Stopped
        found: list[Any] = []
        for _ in range(MOST_PAGES):
            start = f"s={len(found)}&" if found else ""
            listed = await self.read(cls, asked(href, f"{start}l={PAGE}"))
            page = items_of(listed)
            found += page
            if not page or len(found) >= (getattr(listed, "all", None) or 0):
                break
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            await connection.aclose()

    # ---- what must hold

    def check(
        self, text: str, holds: bool, said: str, *exchanges: Exchange, printed_only: bool = False
    ) -> bool:
        """Note a criterion: text says what must hold, said what was seen. Returns `holds`."""
        finding = passed(said, exchanges) if holds else failed(said, exchanges)
        self.note(text, finding, printed_only=printed_only)
        return holds

    def warn(self, text: str, said: str, *exchanges: Exchange) -> None:
        """Note a criterion that holds by the wider reading only."""
        self.note(text, warned(said, exchanges))

    def not_seen(self, text: str, said: str) -> None:
        """Note a criterion that could not be judged."""
        self.note(text, not_seen(said))

    def note(self, text: str, finding: Finding, *, printed_only: bool = False) -> None:
        """Note a criterion with its finding."""
        self.judged.append(Judged(Criterion(text, lambda _: finding, printed_only), finding))

    def status(self, text: str, exchange: Exchange, *expected: int) -> bool:
        """Note that a request is answered with one of these statuses."""
        wanted = " or ".join(map(str, expected))
        said = f"{exchange.method} {exchange.target} is answered {exchange.status}"
        return self.check(text, exchange.status in expected, f"{said}, {wanted} is due", exchange)

    def all_of(
        self, text: str, wrong: Sequence[tuple[str, Exchange]], right: str, *, printed_only: bool = False
    ) -> bool:
        """Note a criterion about many things: wrong has what violates it, with what shows it."""
        if wrong:
            shown = "; ".join(said for said, _ in wrong[:3])
            more = f"; {len(wrong) - 3} more" if len(wrong) > 3 else ""
            finding = failed(f"{shown}{more}", [each for _, each in wrong])
        else:
            finding = passed(right)
        self.note(text, finding, printed_only=printed_only)
        return not wrong
