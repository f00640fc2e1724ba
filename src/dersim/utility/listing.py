"""List resources: one page of items that are in the order of the standard."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from dersim.ieee2030_5.edition import Edition
from dersim.utility.paging import select
from dersim.utility.request_context import Document, RequestContext

Item = TypeVar("Item")

#: The attribute `subscribable` of what accepts Subscriptions without a Condition.
UNCONDITIONAL = 1


def listing(
    context: RequestContext,
    list_class: type[Any],
    items: Callable[[], Sequence[Item]],
    build: Callable[[Item, Edition], Any],
    *,
    version: Hashable,
    own: bool = False,
    time_of: Callable[[Item], float] | None = None,
    poll_rate: int | None = None,
    edition: Edition | None = None,
    subscribable: bool = False,
) -> Document:
    """The document of a list. items: returns all items in order. build: makes the resource of an item.

    time_of: the first sort key of lists sorted by time, for the query parameter `a`. edition: of the body;
    None takes the client's. subscribable: Subscriptions to it are accepted.
    """
    item_name = list_class.__name__.removesuffix("List")

    def make(edition: Edition) -> Any:
        all_items = items()
        chosen = tuple(build(item, edition) for item in select(all_items, context.page, time_of))
        fields: dict[str, Any] = {item_name: chosen}
        if poll_rate is not None:
            fields["pollRate"] = poll_rate
        if subscribable and context.head_end.config.subscriptions:
            fields["subscribable"] = UNCONDITIONAL
        return list_class(href=context.path, all=len(all_items), results=len(chosen), **fields)

    return Document((version, poll_rate), make, own, edition)
