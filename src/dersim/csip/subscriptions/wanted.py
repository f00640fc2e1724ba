"""What there is to subscribe to: the resources that concern this DER and are offered for it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dersim.ieee2030_5 import resources as r

if TYPE_CHECKING:
    from dersim.csip.tree import Tree

#: Values of `subscribable` that allow a subscription without conditions (2030.5-2018 B.2.3.4).
UNCONDITIONAL = (1, 3)
#: The most items of a list in one notification; more are read.
LIST_LIMIT = 255


class Wanted(NamedTuple):
    """A resource to subscribe to. key: the item of the schedule that polls it."""

    href: str
    kind: type[Any]
    key: Hashable

    @property
    def limit(self) -> int:
        """The `limit` of the Subscription: items of a list; 1 brings a single resource whole."""
        return LIST_LIMIT if issubclass(self.kind, r.List | r.SubscribableList) else 1


def wanted(tree: Tree, read: Mapping[str, Any]) -> dict[str, Wanted]:
    """What to subscribe to, by href, each once; empty where our EndDevice has no SubscriptionListLink.

    read: documents as last read, by href; of lists the first page.
    """
    device = tree.end_device
    if device is None or device.SubscriptionListLink is None:
        return {}
    found: dict[str, Wanted] = {}
    for href, kind, key in _candidates(tree):
        document = read.get(href, device if kind is r.EndDevice else None)
        if href not in found and getattr(document, "subscribable", None) in UNCONDITIONAL:
            found[href] = Wanted(href, kind, key)
    return found


def hrefs_of(tree: Tree, key: Hashable) -> list[str]:
    """What one item of the schedule reads, as far as it can be subscribed to."""
    return [href for href, _, each in _candidates(tree) if each == key]


def _candidates(tree: Tree) -> Iterator[tuple[str, type[Any], Hashable]]:
    """Those on our server; a subscribedResource has no query (2030.5-2018 8.7.3.2)."""
    return (each for each in _all(tree) if each[0].startswith("/") and "?" not in each[0])


def _all(tree: Tree) -> Iterator[tuple[str, type[Any], Hashable]]:
    yield tree.end_device_href or "", r.EndDevice, "edev"
    assignments = tree.end_device.FunctionSetAssignmentsListLink if tree.end_device else None
    if assignments is not None:
        yield assignments.href, r.FunctionSetAssignmentsList, "fsa"
    for node in tree.program_lists.values():
        key = ("derp", node.href)
        yield node.href, r.DERProgramList, key
        for child in node.programs.values():
            yield child.controls_href, r.DERControlList, key
            if (default := child.program.DefaultDERControlLink) is not None:
                yield default.href, r.DefaultDERControl, key
