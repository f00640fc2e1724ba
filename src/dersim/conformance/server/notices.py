"""The DER's listener for Notifications, and its Subscriptions.

Notifications come over mutual TLS, as to a 2030.5 server. Each is answered 201 and kept as evidence, with the
server's request as the request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import trio
from lxml import etree

from dersim import http11, tls
from dersim.conformance.evidence import Exchange
from dersim.conformance.server import walk
from dersim.conformance.server.der import PAGE, Der, asked
from dersim.conformance.server.observed import NOTIFIED_AT
from dersim.http11 import Request, Response
from dersim.ieee2030_5 import judging
from dersim.ieee2030_5 import resources as r

#: How long a Notification may take, s: a server sends at most one in 30 s for a resource (2030.5 8.7.3.4).
NOTICE_S = 40.0
#: How long nothing must follow where one Notification is due, s.
QUIET_S = 35.0
_NS = "{urn:ieee:std:2030.5:ns}"


class Subscribed(NamedTuple):
    """A Subscription of the DER. href: the Location that the server has given it."""

    resource: str
    href: str


class Inbox:
    """What has arrived. uri: for notificationURI. answers: what each Notification is answered."""

    def __init__(self, der: Der, uri: str) -> None:
        self._der = der
        self.uri = uri
        self.notices: list[tuple[Exchange, r.Notification]] = []
        self.answers = Response(201)
        self._arrived = trio.Event()

    async def handle(self, request: Request) -> Response:
        """Answer a Notification; 400 for anything else."""
        der, answer = self._der, self.answers
        exchange = Exchange(
            len(der.evidence.exchanges), der.clock.now_s(), request.method, request.target, None,
            request.headers, request.body, answer.status, answer.headers, b"",
        )  # fmt: skip
        found = exchange.sent(r.Notification) if request.method == "POST" else None
        if found is None:
            exchange = exchange._replace(status=400)
        der.evidence.exchanges.append(exchange)
        if found is not None:
            self.notices.append((exchange, found))
        self._arrived.set()
        return answer._replace(status=exchange.status)

    async def subscribe(
        self, list_href: str | None, resource: str | None, limit: int = PAGE
    ) -> Subscribed | None:
        """POST a Subscription, and note that it is answered 201 with a Location."""
        der = self._der
        text = f"the Subscription to {resource} is answered 201"
        if list_href is None or resource is None:
            der.check(text, False, f"SubscriptionListLink {list_href}, resource {resource}")
            return None
        wanted = r.Subscription(
            subscribedResource=resource, encoding=0, level="+S1", limit=limit, notificationURI=self.uri
        )
        made = await der.post(list_href, wanted)
        if not der.status(text, made, 201):
            return None
        der.check(f"{text}: with its Location", bool(made.location), f"Location {made.location}", made)
        return Subscribed(resource, made.location or "")

    def of(self, subscribed: Subscribed, since: int = 0) -> list[tuple[Exchange, r.Notification]]:
        """The Notifications to a Subscription, from exchange number `since` on."""
        return [
            (exchange, each)
            for exchange, each in self.notices
            if exchange.number >= since and each.subscribedResource == subscribed.resource
        ]

    async def next(self, subscribed: Subscribed, since: int) -> tuple[Exchange, r.Notification] | None:
        """The first Notification from exchange number `since` on; None if none comes in time."""
        with trio.move_on_after(NOTICE_S):
            while not (found := self.of(subscribed, since)):
                self._arrived = trio.Event()
                await self._arrived.wait()
            return found[0]
        return None

    async def told(self, subscribed: Subscribed, since: int) -> Exchange | None:
        """Note that a change is told by one right Notification with what a GET gives; the exchange."""
        der, name = self._der, subscribed.resource
        found = await self.next(subscribed, since)
        if (
            not der.check(
                f"the change of {name} is notified",
                found is not None,
                f"{len(self.of(subscribed, since))} Notifications",
            )
            or found is None
        ):
            return None
        exchange, notice = found
        self._judge(subscribed, exchange, notice, status=0)
        got = await der.get(asked(name, f"l={PAGE}") if _is_list(exchange.body) else name)
        said = body_differs(exchange.body, got.answer)
        der.check(
            f"the Notification of {name} is what GET gives", said is None, said or "identical", exchange, got
        )
        return exchange

    def _judge(self, subscribed: Subscribed, exchange: Exchange, notice: r.Notification, status: int) -> None:
        der, name = self._der, subscribed.resource
        wrong = []
        if notice.status != status:
            wrong.append(f"status {notice.status} instead of {status}")
        if der.target_of(notice.subscriptionURI) != der.target_of(subscribed.href):
            wrong.append(f"subscriptionURI {notice.subscriptionURI} instead of {subscribed.href}")
        if judging.brief(exchange.body).word != "valid":
            wrong.append("not valid by the schema")
        der.check(f"the Notification of {name} is right", not wrong, "; ".join(wrong) or "as due", exchange)

    async def ended(self, subscribed: Subscribed, since: int, *statuses: int) -> None:
        """Note that the end of a Subscription is told with one of these statuses."""
        der = self._der
        found = await self.next(subscribed, since)
        status = None if found is None else found[1].status
        wanted = " or ".join(map(str, statuses))
        shown = () if found is None else (found[0],)
        der.check(
            f"the end of the Subscription to {subscribed.resource} is told", status in statuses,
            f"status {status}, {wanted} is due", *shown,
        )  # fmt: skip

    async def quiet(self, subscribed: Sequence[Subscribed], since: int, most: int, text: str) -> None:
        """Note that no more than so many Notifications come to these Subscriptions."""
        await self._der.clock.sleep_until(self._der.clock.now_s() + QUIET_S)
        found = [each for one in subscribed for each, _ in self.of(one, since)]
        self._der.check(text, len(found) <= most, f"{len(found)} Notifications, {most} is due", *found)

    @property
    def now(self) -> int:
        """The number of the next exchange, for `since`."""
        return len(self._der.evidence.exchanges)


@asynccontextmanager
async def listening(der: Der) -> AsyncIterator[Inbox]:
    """A listener for the time of a procedure."""
    listeners, base = await der.target.listen()
    inbox = Inbox(der, f"{base}{NOTIFIED_AT}")
    own = der.target.own
    context = tls.server_context(own.cert, own.key, der.target.root)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_serve, inbox, listeners, context)
        yield inbox
        nursery.cancel_scope.cancel()


async def _serve(
    inbox: Inbox, listeners: Sequence[trio.abc.Listener[Any]], context: tls.ServerContext
) -> None:
    await http11.serve(inbox.handle, listeners, tls=context)


def list_of(device: r.EndDevice) -> str | None:
    """The SubscriptionList of an EndDevice."""
    return walk.link(device, "SubscriptionListLink")


def _within(body: bytes) -> Any:
    """The Resource in a Notification; None without."""
    return etree.fromstring(body).find(f"{_NS}Resource")


def _is_list(body: bytes) -> bool:
    found = _within(body)
    return found is not None and found.get("results") is not None


def body_differs(notification: bytes, served: bytes) -> str | None:
    """How the Resource of a Notification differs from what a GET gives, None if it does not."""
    inner = _within(notification)
    if inner is None:
        return "it has no Resource"
    try:
        outer = etree.fromstring(served)
    except etree.XMLSyntaxError as error:
        return str(error)
    if inner.get("results") != outer.get("results") or inner.get("all") != outer.get("all"):
        counts = [f"results {each.get('results')} of {each.get('all')}" for each in (inner, outer)]
        return f"{counts[0]}, GET: {counts[1]}"
    if len(inner) != len(outer):
        return f"{len(inner)} elements, GET: {len(outer)}"
    pairs = zip(inner, outer, strict=True)
    return next((f"{etree.QName(a).localname} differs" for a, b in pairs if _plain(a) != _plain(b)), None)


def _plain(element: Any) -> list[tuple[str, list[tuple[str, str]], str]]:
    """What an element says, without the spaces between what is in it."""
    return [(each.tag, sorted(each.attrib.items()), (each.text or "").strip()) for each in element.iter()]
