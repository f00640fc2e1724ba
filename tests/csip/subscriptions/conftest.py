"""A scripted server that takes subscriptions, and a client that subscribes."""

from __future__ import annotations

import random
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import pytest
import trio
from tests.csip.conftest import World, links, listing

from dersim.csip import plugin
from dersim.csip.subscriptions import polling, subscriber
from dersim.csip.subscriptions.listener import NotifyListener
from dersim.http11 import Request, Response
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.options import OptionParser
from dersim.plugin.extension import FrontendContext

LIST = "/edev/1/sub"
FSA, DERP, DERC, DDERC = "/edev/1/fsa", "/edev/1/fsa/1/derp", "/derp/1/derc", "/derp/1/dderc"
ALL = ("/edev/1", FSA, DERP, DERC, DDERC)
XML = (("content-type", "application/sep+xml"),)


class SubscribedWorld:
    """The world whose server offers subscriptions. url: of the listener, as the server is told it."""

    def __init__(self, world: World, url: str = "http://127.0.0.1:9999") -> None:
        self.world = world
        self.url = url
        self.subscriptions: dict[str, r.Subscription] = {}
        self.refusal: dict[str, Any] = {}
        self.with_location = True
        self.deleted: list[str] = []
        self.posted: list[r.Subscription] = []
        self.listener: NotifyListener
        self._next = 1

    def offer_listener(self, *flags: str) -> NotifyListener:
        world = self.world
        parser = OptionParser()
        plugin.add_options(parser)
        options = parser.parse_args(["--csip_enc", "no", *flags], Namespace(demo=False))
        context = FrontendContext(
            options=options,
            fleet=world.fleet,
            clock=world.clock,
            log=world.log,
            services=world.services,
            stop=lambda: None,
            rng=random.Random(1),
            fences=world.fences,
        )
        self.listener = NotifyListener(context)
        self.listener.hub.base_url = self.url
        return self.listener

    async def ready(self, *flags: str, poll: int = 10, subscribable: int = 1) -> Any:
        self.offer_listener(*flags)
        client = await self.world.ready(*flags, poll=poll)
        self.plant(subscribable)
        return client

    async def start(self, *flags: str, poll: int = 10, for_s: float = 2.0, subscribable: int = 1) -> Any:
        client = await self.ready(*flags, poll=poll, subscribable=subscribable)
        self.world.begin()
        await trio.sleep(for_s)
        return client

    def plant(self, subscribable: int = 1) -> None:
        tree, server = self.world.tree, self.world.server
        tree["/edev/1"].SubscriptionListLink = links(LIST, 0)
        for href in ALL:
            tree[href].subscribable = subscribable
        server.answers["POST", LIST] = self._post
        server.answers["GET", LIST] = self._list

    def _list(self, _request: Request) -> r.SubscriptionList:
        return listing(r.SubscriptionList, LIST, *self.subscriptions.values())

    def _post(self, request: Request) -> Response:
        found = decode(request.body, r.Subscription).resource
        self.posted.append(found)
        refusal = self.refusal.get(found.subscribedResource, self.refusal.get("*"))
        if refusal is not None:
            return refusal if isinstance(refusal, Response) else Response(refusal)
        known = [href for href, each in self.subscriptions.items() if _same(each, found)]
        href = known[0] if known else self.put(found)
        return Response(201, (("location", href),) if self.with_location else ())

    def put(self, found: r.Subscription) -> str:
        found.href = href = f"{LIST}/{self._next}"
        self._next += 1
        self.subscriptions[href] = found
        self.world.server.answers["DELETE", href] = self._delete
        return href

    def _delete(self, request: Request) -> Response:
        self.deleted.append(request.target)
        return Response(204 if self.subscriptions.pop(request.target, None) else 404)

    def href_of(self, resource: str) -> str:
        return next(href for href, each in self.subscriptions.items() if each.subscribedResource == resource)

    def notify(self, resource: str, body: Any = None, status: int = 0, **more: Any) -> Response:
        """The server's Notification for the subscription to `resource`."""
        href = self.href_of(resource)
        fields = {"subscribedResource": resource, "status": status, "subscriptionURI": href, "Resource": body}
        found = r.Notification(**{**fields, **more})
        return self.post(self.subscriptions[href].notificationURI, encode(found, Edition.E2023))

    def post(self, uri: str, body: bytes, *, method: str = "POST", headers: Any = XML) -> Response:
        target = uri.removeprefix(self.url)
        return self.listener.hub.answer(Request(method, target, headers, body, None, "10.0.0.1:5"))

    def resources(self) -> list[str]:
        """What the server holds subscriptions to."""
        return sorted(each.subscribedResource for each in self.subscriptions.values())

    def states(self) -> dict[str, str]:
        return {each["resource"]: each["state"] for each in self.world.client.snapshot()["subscriptions"]}


def _same(known: r.Subscription, new: r.Subscription) -> bool:
    return (known.subscribedResource, known.notificationURI) == (new.subscribedResource, new.notificationURI)


@pytest.fixture
def subscribed(world: World) -> SubscribedWorld:
    return SubscribedWorld(world)


@pytest.fixture
def rarely_is_120_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safety polls and checks come every 120 s instead of every 900, which a test need not wait for."""
    for module in (polling, subscriber):
        monkeypatch.setattr(module, "SAFETY_POLL_S", 120.0)


@pytest.fixture
def controls_of() -> Callable[..., r.DERControlList]:
    def make(*items: r.DERControl) -> r.DERControlList:
        found = listing(r.DERControlList, DERC, *items)
        found.subscribable = 1
        return found

    return make
