"""Paging of lists: the query parameters `s`, `l` and `a` of a GET (2030.5-2018 4.4.2).

`l` is the most items, 1 by default. `s` is the 0-based index of the first one. `a` keeps the items after a
time, on lists whose first sort key is a time, before `s` counts; other lists ignore it. If a parameter is
repeated the first one counts; unknown parameters are ignored. The list's `all` does not depend on the query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from dersim.errors import RemoteProtocolError

Item = TypeVar("Item")


class Page(NamedTuple):
    """Index of the first item, most items, and the time (UTC seconds) they must be after, or None."""

    start: int = 0
    limit: int = 1
    after_s: int | None = None


DEFAULT_PAGE = Page()


def parse_page(query: str) -> Page:
    """Parse the text after the question mark; RemoteProtocolError for a value that is no whole number."""
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
