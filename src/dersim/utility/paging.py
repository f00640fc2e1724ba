"""Paging of lists: the query `s`, `l`, `a` of a GET, and which items it asks for (2030.5-2018 4.4.2).

Without a query a list answers its first item alone: the default of `l` is 1. `s` is the 0-based ordinal to
start from. `a`, on a list whose first sort key is a time, keeps only the items after that time, and `s` then
counts in what is left; on other lists it means nothing. Of a key that comes twice the first one counts, and
unknown keys are passed over. `all` is always what the list holds for this reader, whatever was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from dersim.errors import RemoteProtocolError

Item = TypeVar("Item")


class Page(NamedTuple):
    """What a GET asks of a list: start ordinal, most items, and the time after which, or None."""

    start: int = 0
    limit: int = 1
    after_s: int | None = None


DEFAULT_PAGE = Page()


def parse_page(query: str) -> Page:
    """Read the text after the question mark; RemoteProtocolError where a value is no whole number."""
    if not query:
        return DEFAULT_PAGE
    first: dict[str, str] = {}
    for part in query.split("&"):
        key, _, value = part.partition("=")
        first.setdefault(key, value)
    return Page(
        _whole(first, "s", 0),
        _whole(first, "l", 1),
        _whole(first, "a", 0, negative=True) if "a" in first else None,
    )


def _whole(values: dict[str, str], key: str, default: int, *, negative: bool = False) -> int:
    text = values.get(key)
    if text is None:
        return default
    digits = text[1:] if negative and text.startswith("-") else text
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19:
        raise RemoteProtocolError(f"query parameter {key}={text[:40]!r}: a whole number is needed")
    return int(text)


def select(
    items: Sequence[Item], page: Page, time_of: Callable[[Item], float] | None = None
) -> Sequence[Item]:
    """The items of `page`; `time_of` gives the first sort key where that is a time, in seconds."""
    if page.after_s is not None and time_of is not None:
        items = [item for item in items if time_of(item) > page.after_s]
    return items[page.start : page.start + page.limit]
