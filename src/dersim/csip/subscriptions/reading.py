"""A reader that knows what it has read, and compares it with what a notification brought."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from dersim.csip.paging import Listing
from dersim.csip.reader import Reader
from dersim.csip.session import Fetched
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import Level

T = TypeVar("T")

#: Documents that are remembered, per DER; then all are forgotten, and read again by the next polls.
_MOST = 4_096
#: What a notification may have otherwise than an answer to GET; a list is cut to the subscription's limit.
_OWN = ("href", "results", "pollRate", "subscribable")


class NotedReader(Reader):
    """read: documents by href, of lists the first page. expected: what a notification brought, by href."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.read: dict[str, Any] = {}
        self.expected: dict[str, Any] = {}
        self.on_compared: Callable[[str, bool], None] = lambda _href, _same: None

    async def fetch(self, href: str, kind: type[T], *, level: Level = "Info") -> Fetched[T]:
        """As `Reader.fetch`."""
        fetched = await super().fetch(href, kind, level=level)
        self._remember(href, fetched.resource, ())
        return fetched

    async def read_list(self, href: str, kind: type[Any]) -> Listing:
        """As `Reader.read_list`."""
        listing = await super().read_list(href, kind)
        self._remember(href, listing.head, listing.items)
        return listing

    def _remember(self, href: str, resource: Any, items: tuple[Any, ...]) -> None:
        if len(self.read) >= _MOST:
            self.read.clear()
        self.read[href] = resource
        if (expected := self.expected.pop(href, None)) is not None:
            self.on_compared(href, is_same(expected, resource, items))


def is_same(notified: Any, read: Any, items: tuple[Any, ...]) -> bool:
    """Whether a GET gives what the notification brought (CORE-018). items: of the list that was read."""
    if type(notified) is not type(read):
        return False
    if not isinstance(notified, r.List | r.SubscribableList):
        return bool(_bare(notified) == _bare(read))
    brought = items_of(notified)
    return notified.all == len(items) and brought == items[: len(brought)]


def items_of(listing: Any) -> tuple[Any, ...]:
    """The items of a list."""
    found: tuple[Any, ...] = getattr(listing, type(listing).__name__.removesuffix("List"))
    return found


def _bare(resource: Any) -> Any:
    bare = copy.copy(resource)
    for name in _OWN:
        if hasattr(bare, name):
            setattr(bare, name, None)
    return bare
