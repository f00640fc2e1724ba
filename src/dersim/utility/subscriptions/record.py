"""One Subscription, and how far its Notifications are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dersim.ieee2030_5.edition import Edition

#: `status` of a Notification (2030.5-2018 8.7.4).
CHANGED, CANCELLED, MOVED, REDEFINED, DELETED = 0, 1, 2, 3, 4
STATUS_TEXT = {
    CANCELLED: "cancelled",
    MOVED: "the resource has moved",
    REDEFINED: "the definition of the resource has changed",
    DELETED: "the resource is deleted",
}


class Ending(NamedTuple):
    """Why a Subscription ends: the status of its last Notification; new_resource: where it has moved."""

    status: int
    new_resource: str | None = None


class Wanted(NamedTuple):
    """What makes two Subscriptions the same. lfdi: of the client that posted it, None without TLS."""

    device: int
    lfdi: str | None
    resource: str
    uri: str


@dataclass(slots=True, eq=False)
class SubscriptionRecord:
    """A Subscription. Times are UTC seconds since 1970.

    wanted: what it is about. edition: of its Notifications. told: digest of what the client knows.
    ending: its last Notification is still to be sent. not_before_s: none is sent earlier. due_s: when the
    next one is to be sent; None: nothing to send. failures: in a row, the first one at failing_since_s.
    """

    number: int
    wanted: Wanted
    limit: int
    level: str
    edition: Edition
    created_s: float
    renewed_s: float
    told: str = ""
    ending: Ending | None = None
    not_before_s: float = 0.0
    due_s: float | None = None
    sending: bool = False
    again: bool = False
    failures: int = 0
    failing_since_s: float | None = None
    sent: int = 0
    failed: int = 0
    last_sent_s: float | None = None
    last_answer: str | None = None

    @property
    def href(self) -> str:
        """The path of the Subscription."""
        return f"/edev/{self.wanted.device}/sub/{self.number}"

    def __str__(self) -> str:
        """For log lines."""
        return f"Subscription {self.href} to {self.wanted.resource} for {self.wanted.uri}"
