"""Polling with subscriptions: what is subscribed is polled rarely, and notifications are taken in at once.

A notification's body takes effect first, in the same way as a document that was polled. Then the resource is
read: what the server answers is right, and a difference that no newer notification explains is a warning
(CORE-018; `differences`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import partial
from typing import Any

from dersim.csip import causes
from dersim.csip.discovery import PinRefused
from dersim.csip.links import resolve
from dersim.csip.paging import Listing
from dersim.csip.polling import Polling
from dersim.csip.reader import Moved
from dersim.csip.subscriptions.differences import Differences
from dersim.csip.subscriptions.hearing import Hearing
from dersim.csip.subscriptions.inbox import CANCELLED, CHANGED, DELETED, MOVED, Inbox, Notice
from dersim.csip.subscriptions.reading import NotedReader, items_of
from dersim.csip.subscriptions.subscriber import CHECK_SOON_S, SAFETY_POLL_S, Subscriber
from dersim.csip.subscriptions.wanted import hrefs_of, wanted
from dersim.csip.tree import ProgramNode, poll_rate_s
from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import resources as r

#: Items of the schedule.
SUBSCRIBE, NOTIFIED, DIFFERENCES = "subscribe", "notified", "differences"
#: How often a recovery makes us read everything, and a reconnection the SubscriptionList, s.
RECOVERY_SPACING_S = 300.0
#: Moves that are remembered, and notifications that wait for the comparison with a GET.
_MOST = 100


class SubscribedPolling(Polling):
    """The discovery walk and the polls of one DER that subscribes where it can."""

    def __init__(self, subscriber: Subscriber, inbox: Inbox, reader: NotedReader, **parts: Any) -> None:
        super().__init__(reader=reader, **parts)
        self.subscriber = subscriber
        self._inbox = inbox
        self._noted = reader
        self._slow: set[Hashable] = set()
        self._hearing = Hearing(lambda message: reader.say("Warning", message))
        self._recovered_s = self._checked_s = -RECOVERY_SPACING_S
        self._connects = 0
        self._was_same = False
        self._differences = Differences(reader.say, self._clock.now_s, partial(self._at_once, DIFFERENCES))
        inbox.on_notice = self._on_notice
        reader.on_compared = self._on_compared

    async def walk(self) -> None:
        """As `Polling.walk`; then the server's SubscriptionList is compared with ours."""
        self.subscriber.begin_walk()
        self._inbox.waiting.clear()
        self._noted.read.clear()
        self._noted.expected.clear()
        self._slow.clear()
        self._differences.forget()
        self._hearing.heard()
        try:
            await super().walk()
        except PinRefused:
            self.subscriber.held.by_resource.clear()  # this server is not used
            raise
        self._connects = self._inbox.server.connects
        self._at_once(SUBSCRIBE)

    def parent(self, key: Hashable, href: str) -> Hashable | None:
        """As `Polling.parent`."""
        if key == SUBSCRIBE:
            key = "der"  # both links are in our EndDevice
        elif key == NOTIFIED:
            key = next((each for each in self._rare_keys() if href in hrefs_of(self.tree, each)), NOTIFIED)
        return super().parent(key, href)

    async def poll(self, key: Hashable) -> float | None:
        """As `Polling.poll`; what is subscribed is due again after 15 min or its pollRate, if longer."""
        if key == SUBSCRIBE:
            return await self._subscribe()
        if key == NOTIFIED:
            await self._take_in_all()
            return None
        if key == DIFFERENCES:
            return self._differences.tell()
        hrefs = hrefs_of(self.tree, key) if key in self._slow else []
        before = {href: self._noted.read.get(href) for href in hrefs}
        again_s = await super().poll(key)
        self._hearing.compare(before, self._noted.read)
        if self._connects != self._inbox.server.connects:
            self._check_after_reconnection()
        if again_s is None or not self._is_rare(key):
            return again_s
        self._compared(hrefs_of(self.tree, key))
        if wanted(self.tree, self._noted.read).keys() != self.subscriber.held.by_resource.keys():
            self._at_once(SUBSCRIBE)
        if not self._is_covered(key):
            self._slow.discard(key)
            return again_s
        self._slow.add(key)
        again_s = max(again_s, SAFETY_POLL_S)
        self._situations[key] = causes.safety_poll(again_s)
        return again_s

    def _check_after_reconnection(self) -> None:
        """A server that was restarted in between may have lost our subscriptions."""
        self._connects = self._inbox.server.connects
        now_s = self._clock.now_s()
        if now_s - self._checked_s >= RECOVERY_SPACING_S:
            self._checked_s = now_s
            self.subscriber.check_soon()
            self._at_once(SUBSCRIBE)

    def recovered(self) -> None:
        """The server answers again: read everything, and whether it still has our subscriptions."""
        if not self._discovery.polling:
            return
        wait_s = max(self._recovered_s + RECOVERY_SPACING_S - self._clock.now_s(), 0.0)
        self._recovered_s = self._clock.now_s() + wait_s
        self.subscriber.check_soon(wait_s)
        self._at_once(SUBSCRIBE, wait_s)
        for key in self._slow:
            self._situations[key] = causes.RECOVERED
            self._at_once(key, wait_s)

    def _at_once(self, key: Hashable, in_s: float = 0.0) -> None:
        self.schedule.set_earlier(key, self._clock.now_s() + in_s)

    def _is_rare(self, key: Hashable) -> bool:
        return key in ("edev", "fsa") or isinstance(key, tuple)

    def _rare_keys(self) -> list[Hashable]:
        return ["edev", "fsa", *(("derp", href) for href in self.tree.program_lists)]

    def _is_covered(self, key: Hashable) -> bool:
        """Whether all that this item reads is subscribed to, and could be read."""
        if self._hearing.is_deaf:
            return False
        hrefs = hrefs_of(self.tree, key)
        failing = self.tree.unreadable
        if not hrefs or any(href in failing or not self.subscriber.held.is_live(href) for href in hrefs):
            return False
        # An empty FSAList is read again soon, before its programs end.
        return key != "fsa" or getattr(self._noted.read.get(hrefs[0]), "all", 0) > 0

    async def _subscribe(self) -> float:
        link = self.tree.end_device.SubscriptionListLink if self.tree.end_device else None
        offered = wanted(self.tree, self._noted.read)
        try:
            return await self.subscriber.update(None if link is None else link.href, offered)
        finally:
            self._repace()

    def _repace(self, *, was_read: bool = False) -> None:
        """What is no longer subscribed is polled as before, and at once unless it was just read.

        So is what was polled rarely and is subscribed anew: changes in between were not notified. What is
        subscribed after a walk is polled once more as before, which makes good what changed during the walk.
        """
        made, self.subscriber.made = self.subscriber.made, set()
        for key in list(self._slow):
            lost = not self._is_covered(key)
            if lost or key in made:
                self._situations[key] = causes.LOST_SUBSCRIPTION
                self._at_once(key, self._rate_s(key) if was_read else 0.0)
            if lost:
                self._slow.remove(key)

    def _rate_s(self, key: Hashable) -> float:
        """The rate of what an item reads, s; those without pollRate follow their list."""
        found = [self._noted.read.get(href) for href in hrefs_of(self.tree, key)]
        rates_s = (poll_rate_s(each, 0.0) for each in found if each is not None)
        return max(rates_s, default=self._reader.retry_s)

    # ---- notifications

    def _on_notice(self, taken: bool) -> None:
        """One waits; or one was refused, after which the server may drop the subscription."""
        if taken:
            self._hearing.heard()
            self._at_once(NOTIFIED)
        else:
            self._hearing.refused()
            self.subscriber.check_soon(CHECK_SOON_S)
            self._at_once(SUBSCRIBE, CHECK_SOON_S)
            self._repace()

    def _on_compared(self, href: str, same: bool) -> None:
        self._was_same = same
        self._differences.compared(href, same=same)

    def _compared(self, hrefs: Iterable[str]) -> None:
        """What could not be read now is not compared with what is read later."""
        for href in hrefs if self._noted.expected else ():
            self._noted.expected.pop(href, None)

    async def _take_in_all(self) -> None:
        waiting = self._inbox.waiting
        while waiting:
            await self._take_in(waiting.pop(next(iter(waiting))))
        self._repace(was_read=True)

    async def _take_in(self, notice: Notice) -> None:
        record = notice.record
        href, kind = record.wanted.href, record.wanted.kind
        self._differences.notified(href)
        if notice.status in (CANCELLED, DELETED):
            self._noted.say("Info", f"the server has ended our Subscription to {href}: polling it again")
        elif notice.status == CHANGED:
            record.end("lost", "its definition has changed")
            self._at_once(SUBSCRIBE)
        elif notice.status == MOVED:
            self._follow(notice)
        if notice.resource is not None and len(self._noted.expected) < _MOST:
            self._noted.expected[href] = notice.resource
        self._noted.begin(causes.NOTIFIED)
        nodes = [node for each in self.tree.program_lists.values() for node in each.programs.values()]
        if kind is r.DERControlList:
            await self._take_in_controls(notice, [node for node in nodes if node.controls_href == href])
        elif kind is r.DefaultDERControl:
            await self._take_in_default(notice, [node for node in nodes if _default_href(node) == href])
        else:
            if kind is r.EndDevice:
                self._discovery.reread_end_device()
            elif kind is r.DERProgramList and notice.resource is not None:
                await self._take_in_programs(notice.resource, href)
            self._situations[record.wanted.key] = causes.NOTIFIED
            self._at_once(record.wanted.key)

    def _follow(self, notice: Notice) -> None:
        """A resource has moved: discover again, and subscribe to it where it is; Moved."""
        href, new = notice.record.wanted.href, notice.new_uri or ""
        notice.record.end("lost", f"moved to {new}")
        try:
            origin, target = resolve(self._session.origin, new, base_path=href)
        except RemoteProtocolError as error:
            raise Moved(f"{href} has moved, but {error}: discovering again") from None
        moves = self.subscriber.held.moves
        if origin == self._session.origin and len(moves) < _MOST:
            moves[href] = target
        raise Moved(f"{href} has moved to {new}: discovering again")

    async def _take_in_controls(self, notice: Notice, nodes: list[ProgramNode]) -> None:
        if not nodes:
            return
        is_whole = False
        if (brought := notice.resource) is not None:
            items = items_of(brought)
            missing = max(brought.all - len(items), notice.left_out)
            listing = Listing(items, brought, "", 1, missing)
            is_whole = not missing
            for node in nodes:
                node.controls = listing.with_known(node.controls or ())
            await self._dispatch()
        self._noted.begin(causes.NOTIFIED)
        self._was_same = False
        await self._programs.read_controls(nodes[0])
        self._compared([nodes[0].controls_href])
        for node in nodes[1:]:
            node.controls = nodes[0].controls
        if not (is_whole and self._was_same):
            await self._dispatch()

    async def _take_in_default(self, notice: Notice, nodes: list[ProgramNode]) -> None:
        if not nodes:
            return
        if notice.resource is not None:
            for node in nodes:
                node.default = notice.resource
            await self._dispatch()
        self._noted.begin(causes.NOTIFIED)
        await self._programs.read_default(nodes[0])
        self._compared([_default_href(nodes[0])])
        for node in nodes[1:]:
            node.default = nodes[0].default
        await self._dispatch()

    async def _take_in_programs(self, brought: Any, href: str) -> None:
        """What it says of programs that we know, such as a new primacy; a poll follows."""
        node = self.tree.program_lists.get(href)
        for item in items_of(brought) if node is not None else ():
            if node is not None and (child := node.programs.get(item.href or item.mRID)) is not None:
                child.program = item
        await self._dispatch()


def _default_href(node: ProgramNode) -> str:
    link = node.program.DefaultDERControlLink
    return "" if link is None else link.href
