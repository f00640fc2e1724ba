"""Reading a list page by page, from servers whose counts may be wrong.

Without a query a server gives one item (2030.5-2018 6.6.2.4), so we ask `?s=<start>&l=255` until we have all.
`all` and `results` are the server's claims; we count the items that came, unreadable ones included. The list
ends when we hold exactly `all` items, when a page is empty, or when a page brings nothing new (a server that
ignores `s` would send its first page for ever). If `all` changes while we read, the list has changed, and we
start again; a list whose `all` rises from page to page has no end. Where a second attempt finds the same two
counts, the list has not changed: the server's pages do not agree, and the list is read on. So it is at later
polls at once, where `all` rises or falls as before. The caps below bound every read.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, NamedTuple

from dersim.csip.links import with_query
from dersim.csip.session import Session
from dersim.logbuffer import Level

Odds = tuple[int, int]

PAGE_ITEMS = 255
MAX_PAGES = 1_000
MAX_ITEMS = 10_000
_MAX_RESTARTS = 2
#: Pages with a higher `all` than the page before, after which the list is taken to have no end.
_MAX_RISES = 20
#: Lists of one session whose pages do not agree, of which it is remembered.
_MAX_ODD_LISTS = 100


class Listing(NamedTuple):
    """A list that was read: its items, the first page for its attributes, and what was wrong with it.

    warning: empty, or one line for the log. pages: how many were read. left_out: items that were sent and
    could not be read. odds: `all` of the first page and of the first later one where it was not the same.
    again: whether it is to be read again, from the start.
    """

    items: tuple[Any, ...]
    head: Any
    warning: str
    pages: int
    left_out: int = 0
    odds: Odds | None = None
    again: bool = False

    def is_of(self, items: tuple[Any, ...]) -> bool:
        """Whether these were read from the same pages: what was read from them need not be read again."""
        return len(items) == len(self.items) and all(map(operator.is_, items, self.items))

    def with_known(self, known: Iterable[Any]) -> tuple[Any, ...]:
        """The items, and those known before that may be among the ones that could not be read this time."""
        if not self.left_out:
            return self.items
        listed = {_key(item, 0) for item in self.items}
        return (*self.items, *(item for item in known if _key(item, 0) not in listed))


async def read_list(
    session: Session, href: str, kind: type[Any], cause: str, *, level: Level = "Info"
) -> Listing:
    """All items of the list at `href`; raises as `Session.fetch`. cause: why it is read."""
    rises = session.odd_lists.pop(href, None)
    before: Odds | None = None
    for left in range(_MAX_RESTARTS, -1, -1):
        known = _Known(rises, before, last=left == 0)
        listing = await _read_once(session, href, kind, cause, level, known)
        before = listing.odds
        if listing.again:
            continue
        if listing.odds is not None and known.is_like(listing.odds):
            _remember(session.odd_lists, href, listing.odds)
        return listing
    raise AssertionError("the last attempt always answers")


class _Known(NamedTuple):
    """rises: whether `all` rose at the last poll, if it changed; before: the odds of the attempt before."""

    rises: bool | None
    before: Odds | None
    last: bool

    def is_odd(self, odds: Odds) -> bool:
        """Whether these tell of a server whose pages do not agree, not of a list that has changed."""
        return self.last or self.is_like(odds)

    def is_like(self, odds: Odds) -> bool:
        """Whether they are as they were before."""
        return odds == self.before or _rises(odds) is self.rises


def _rises(odds: Odds) -> bool:
    return odds[1] > odds[0]


def _remember(lists: dict[str, bool], href: str, odds: Odds) -> None:
    lists[href] = _rises(odds)
    while len(lists) > _MAX_ODD_LISTS:
        del lists[next(iter(lists))]


async def _read_once(
    session: Session, href: str, kind: type[Any], cause: str, level: Level, known: _Known
) -> Listing:
    """One attempt."""
    item_name = kind.__name__.removesuffix("List")
    items: dict[Any, Any] = {}
    head: Any = None
    start, warning, pages, left_out, rises, total = 0, "", 0, 0, 0, None
    odds: Odds | None = None
    while not warning:
        page_href = with_query(href, f"s={start}&l={PAGE_ITEMS}")
        fetched = await session.fetch(page_href, kind, cause, level=level)
        page, pages = fetched.resource, pages + 1
        if head is None:
            head = page
        elif page.all != head.all and odds is None:
            odds = head.all, page.all
            if not known.is_odd(odds):
                return Listing((), head, "", pages, odds=odds, again=True)
        rises += total is not None and page.all > total
        total = page.all
        found: tuple[Any, ...] = getattr(page, item_name)
        held = len(items)
        items.update((_key(item, start + i), item) for i, item in enumerate(found))
        sent = len(found) + fetched.left_out
        left_out += fetched.left_out
        start += sent
        if not sent or len(items) + left_out == page.all:
            break
        if len(items) == held and (found or start >= page.all):
            warning = f"list {href} repeats itself after {held} items; all={page.all} is not true"
        elif rises >= _MAX_RISES:
            warning = (
                f"list {href} has no end: all rose on {rises} pages, to {total}; {len(items)} items are used"
            )
        elif pages >= MAX_PAGES or len(items) + left_out >= MAX_ITEMS:
            warning = f"list {href} is cut after {pages} pages and {len(items)} items; all={page.all}"
    return Listing(tuple(items.values())[:MAX_ITEMS], head, warning, pages, left_out, odds)


def _key(item: Any, position: int) -> Any:
    """The identity of an item: its href, else its mRID, else its position."""
    return item.href or getattr(item, "mRID", None) or position
