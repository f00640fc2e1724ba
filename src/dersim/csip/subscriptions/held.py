"""The subscriptions of one DER, as far as we know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from dersim.csip.subscriptions.wanted import Wanted
from dersim.timestamps import rfc3339_or_none

State = Literal["asked", "subscribed", "refused", "cancelled", "lost"]
#: What a page shows for each state.
WORDS: dict[State, str] = {
    "asked": "asking the server",
    "subscribed": "subscribed",
    "refused": "refused by the server; polled",
    "cancelled": "cancelled by the server; polled",
    "lost": "lost; polled until it is made again",
}


@dataclass(slots=True)
class Subscribed:
    """One subscription. href: where the server keeps it, None where it did not say. Times: simulated, s."""

    wanted: Wanted
    state: State = "asked"
    href: str | None = None
    why: str = ""
    since_s: float | None = None
    renewed_s: float | None = None
    renew_at_s: float = 0.0
    notifications: int = 0
    last_s: float | None = None

    @property
    def is_live(self) -> bool:
        """Whether the server notifies us."""
        return self.state == "subscribed"

    def end(self, state: State, why: str = "") -> None:
        """No longer subscribed."""
        self.state, self.why, self.href = state, why, None

    def shown(self) -> dict[str, Any]:
        """For `csip-client`."""
        return {
            "resource": self.wanted.href,
            "kind": self.wanted.kind.__name__,
            "href": self.href,
            "state": self.state,
            "state_text": WORDS[self.state],
            "why": self.why,
            "since": rfc3339_or_none(self.since_s),
            "renewed": rfc3339_or_none(self.renewed_s),
            "notifications": self.notifications,
            "last_notification": rfc3339_or_none(self.last_s),
        }


@dataclass(slots=True)
class Held:
    """The subscriptions of one DER by the href of the resource. moves: where a resource went, by old href."""

    by_resource: dict[str, Subscribed] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)

    def is_live(self, href: str) -> bool:
        """Whether this resource is subscribed to."""
        found = self.by_resource.get(href)
        return found is not None and found.is_live

    def of(self, uri: str) -> Subscribed | None:
        """The subscription to the resource that a subscribedResource names."""
        path = path_of(uri)
        return next((each for each in self.by_resource.values() if self.address(each.wanted) == path), None)

    def address(self, wanted: Wanted) -> str:
        """The subscribedResource: where the server says the resource has moved to, else its href."""
        return self.moves.get(wanted.href, wanted.href)


def path_of(uri: str) -> str:
    """The path of a URI: servers write absolute ones, too, some with the name that a proxy has inside."""
    try:
        return urlsplit(uri).path
    except ValueError:
        return ""
