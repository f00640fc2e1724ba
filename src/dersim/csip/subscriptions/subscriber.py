"""Subscriptions at the server: made, renewed, checked and deleted, by the task that polls.

A refused subscription is asked for again after the next walk, or with the daily renewal. 403, 404, 405 and
501 speak of the whole SubscriptionList, so nothing more is asked for then.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

from dersim.csip import causes
from dersim.csip.session import RequestRefused
from dersim.csip.subscriptions.held import Held, Subscribed, path_of
from dersim.csip.subscriptions.wanted import Wanted
from dersim.errors import DersimError
from dersim.ieee2030_5 import resources as r

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.csip.paging import Listing
    from dersim.csip.reader import Reader

#: How often the server's SubscriptionList is read, s; also the shortest safety poll of what is subscribed.
SAFETY_POLL_S = 900.0
#: Renewal by another POST, s; a fleet spreads it over the last tenth. Never sooner than hourly.
RENEW_S = 24 * 3600.0
RENEW_SPREAD = 0.1
SHORTEST_RENEWAL_S = 3600.0
#: How soon the SubscriptionList is read after a notification that we refused: the server may drop us, s.
CHECK_SOON_S = 60.0
_OF_THE_LIST = (403, 404, 405, 501)


class Subscriber:
    """Keeps the subscriptions of one DER as they are wanted. url, is_ours: of the notificationURI."""

    def __init__(
        self,
        held: Held,
        reader: Reader,
        clock: SimClock,
        rng: random.Random,
        *,
        url: Callable[[], str],
        is_ours: Callable[[str], bool],
    ) -> None:
        self.held = held
        self.check_at_s = 0.0
        #: Items of the schedule of which something was subscribed to anew.
        self.made: set[Hashable] = set()
        self._reader = reader
        self._session = reader.session
        self._clock = clock
        self._rng = rng
        self._url = url
        self._is_ours = is_ours

    def begin_walk(self) -> None:
        """After the walk the SubscriptionList is read, and all that is not subscribed is asked for again."""
        self.check_at_s = 0.0
        for record in self.held.by_resource.values():
            if not record.is_live:
                record.end("lost", record.why)

    def check_soon(self, in_s: float = 0.0) -> None:
        """Read the SubscriptionList within this time."""
        self.check_at_s = min(self.check_at_s, self._clock.now_s() + in_s)

    async def update(self, list_href: str | None, wanted: Mapping[str, Wanted]) -> float:
        """Have exactly the wanted subscriptions; returns in how many seconds to look again."""
        now_s, records = self._clock.now_s(), self.held.by_resource
        if list_href is None:
            records.clear()
            return SAFETY_POLL_S
        if now_s >= self.check_at_s:
            await self._check(list_href, wanted)
        for href in [href for href in records if href not in wanted]:
            await self._delete(records.pop(href).href)
        for href, each in wanted.items():
            record = records.get(href)
            if record is None:
                record = records[href] = Subscribed(each, "lost")
            record.wanted = each
            if self._is_due(record, now_s) and not await self._ask(list_href, record):
                self._give_up(wanted, record.why)
                break
        next_s = min((each.renew_at_s for each in records.values()), default=now_s + SAFETY_POLL_S)
        return max(min(next_s, self.check_at_s) - self._clock.now_s(), 1.0)

    def _give_up(self, wanted: Mapping[str, Wanted], why: str) -> None:
        """The server takes no Subscription: none is asked for until the next walk, or tomorrow."""
        for href, each in wanted.items():
            record = self.held.by_resource.setdefault(href, Subscribed(each, "lost"))
            if not record.is_live:
                record.end("refused", why)
                record.renew_at_s = self._clock.now_s() + RENEW_S

    def _is_due(self, record: Subscribed, now_s: float) -> bool:
        if record.state in ("lost", "asked"):
            return True
        return now_s >= record.renew_at_s

    async def _ask(self, list_href: str, record: Subscribed) -> bool:
        """POST one Subscription; whether the list takes any."""
        is_renewal = record.is_live
        body = self._session.encode(
            r.Subscription(
                subscribedResource=self.held.address(record.wanted),
                encoding=0,
                level="+S1",
                limit=record.wanted.limit,
                notificationURI=self._url(),
            )
        )
        if not is_renewal:
            record.state = "asked"
        record.renew_at_s = self._clock.now_s() + RENEW_S * (1.0 - RENEW_SPREAD * self._rng.random())
        what = f"Subscription to {record.wanted.href}"
        cause = causes.RENEWING if is_renewal else causes.SUBSCRIBING
        try:
            answer = await self._session.send("POST", list_href, body, what, cause)
        except RequestRefused as error:
            record.end("refused", str(error))
            if error.retry_after_s is not None:
                record.state = "lost"
                raise
            self._reader.say("Warning", f"{what}: {error}; polling goes on")
            return error.status not in _OF_THE_LIST
        self._made(record, answer.location)
        return True

    def _made(self, record: Subscribed, href: str | None) -> None:
        now_s = self._clock.now_s()
        if record.state == "cancelled":  # by a notification that overtook the answer
            return
        if not record.is_live:
            record.since_s = now_s
            self.made.add(record.wanted.key)
        record.state, record.why, record.renewed_s = "subscribed", "", now_s
        record.href = href or record.href

    async def _check(self, list_href: str, wanted: Mapping[str, Wanted]) -> None:
        """Compare with the SubscriptionList: stale ones of ours are deleted, missing ones are lost."""
        self.check_at_s = self._clock.now_s() + SAFETY_POLL_S
        self._reader.begin(causes.SUBSCRIPTION_CHECK)
        listing: Listing | None = await self._reader.optional(
            "SubscriptionList",
            list_href,
            lambda: self._reader.read_list(list_href, r.SubscriptionList),
            kept=None,
            gone=None,
        )
        if listing is None:
            self._doubt_old_ones()
            return
        found: set[str] = set()
        for item in listing.items:
            if self._is_ours(item.notificationURI) and not self._is_current(item, wanted, found):
                self._reader.say("Info", f"Subscription {item.href} is of an earlier run, or double: deleted")
                await self._delete(item.href)
        if not listing.left_out and not listing.warning:
            self._lose_missing(found)

    def _is_current(self, item: r.Subscription, wanted: Mapping[str, Wanted], found: set[str]) -> bool:
        """Whether this is the one subscription to its resource; one that we thought lost is ours again."""
        if item.notificationURI != self._url():
            return False
        path = path_of(item.subscribedResource)
        each = next((each for each in wanted.values() if self.held.address(each) == path), None)
        if each is None or each.href in found:
            return False
        record = self.held.by_resource.setdefault(each.href, Subscribed(each, "lost"))
        known = record.href if record.is_live else None
        if known is not None and item.href is not None and path_of(known) != path_of(item.href):
            return False
        if not record.is_live:
            self._made(record, item.href)
            record.state = "subscribed"
        record.href = item.href or record.href
        found.add(each.href)
        return True

    def _lose_missing(self, found: set[str]) -> None:
        for href, record in self.held.by_resource.items():
            if record.is_live and href not in found:
                self._reader.say("Info", f"the server no longer has our Subscription to {href}")
                record.end("lost", "the server no longer has it")

    def _doubt_old_ones(self) -> None:
        """The list cannot be read: make those anew that may be made, by their age."""
        now_s = self._clock.now_s()
        for record in self.held.by_resource.values():
            if record.is_live and now_s - (record.renewed_s or 0.0) >= SHORTEST_RENEWAL_S:
                record.renew_at_s = min(record.renew_at_s, now_s)

    async def _delete(self, href: str | None) -> None:
        if href is None:
            return
        try:
            await self._session.exchange("DELETE", href, causes.UNSUBSCRIBING)
        except RequestRefused as error:
            self._reader.say("Debug", str(error))

    async def leave(self) -> None:
        """Delete all of them; the caller sets the deadline. An error ends it."""
        records, self.held.by_resource = self.held.by_resource, {}
        try:
            for record in records.values():
                if record.is_live:
                    await self._delete(record.href)
        except DersimError as error:
            self._reader.say("Debug", f"subscriptions are left on the server: {error}")
