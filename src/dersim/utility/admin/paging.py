"""Paging of the lists: `limit` and `after`, by the ids of their items, which rise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dersim.pages.routes import Query
from dersim.utility.head_end import normal_lfdi

Item = TypeVar("Item")

LIMIT = Query("limit", int, None, "At most so many, by rising id; left out: all.", 0, 1_000_000)
NEWEST = Query("limit", int, None, "The newest so many; with `after` the first so many.", 0, 1_000_000)
AFTER = Query("after", int, None, "Only items whose id is above this one.", 0)


def page(items: Iterable[Item], query: Mapping[str, Any], id_of: Callable[[Item], int]) -> list[Item]:
    """The items that the query asks for: in their own order where it has neither limit nor after."""
    limit, after = query["limit"], query["after"]
    if limit is None and after is None:
        return list(items)
    chosen = sorted((item for item in items if after is None or id_of(item) > after), key=id_of)
    return chosen[:limit]


def newest(items: Iterable[Item], query: Mapping[str, Any], id_of: Callable[[Item], int]) -> list[Item]:
    """Of items that arrive one after the other: the newest ones, or the next ones after an id."""
    limit, after = query["limit"], query["after"]
    if after is not None:
        return page(items, query, id_of)
    found = list(items)
    return found if limit is None else found[len(found) - min(limit, len(found)) :]


def wanted_lfdi(query: Mapping[str, Any], name: str = "lfdi") -> str | None:
    """The LFDI of a filter, leading zeros or not; ConfigError for a text that is none."""
    return None if query[name] is None else normal_lfdi(name, query[name].zfill(40))


def matches(value: object, wanted: object) -> bool:
    """Whether a filter that may be left out lets the value through; texts in any case."""
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    return wanted is None or value == wanted
