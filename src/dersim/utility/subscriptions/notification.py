"""A Notification as it is sent: encoded once for all who are told the same, then addressed to each."""

from __future__ import annotations

from typing import Any

from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r
from dersim.utility.subscriptions.record import CHANGED, Ending

#: subscriptionURI is the last element, so the last occurrence of its tag is its own.
_TAG = b"<subscriptionURI>"
_NOBODY = "/"


def of_change(path: str, resource: Any | None, edition: Edition, now_s: float) -> bytes:
    """The resource has changed; None: only that."""
    notification = r.Notification(
        subscribedResource=path,
        createdDateTime=int(now_s) if edition is Edition.E2023 else None,
        Resource=resource,
        status=CHANGED,
        subscriptionURI=_NOBODY,
    )
    return encode(notification, edition)


def of_ending(path: str, ending: Ending, edition: Edition, now_s: float) -> bytes:
    """The Subscription ends."""
    notification = r.Notification(
        subscribedResource=path,
        createdDateTime=int(now_s) if edition is Edition.E2023 else None,
        newResourceURI=ending.new_resource,
        status=ending.status,
        subscriptionURI=_NOBODY,
    )
    return encode(notification, edition)


def addressed(shared: bytes, href: str) -> bytes:
    """The Notification for one Subscription."""
    before, tag, after = shared.rpartition(_TAG)
    return before + tag + href.encode() + after[len(_NOBODY) :]
