"""Whether the server's notifications reach us.

A server may accept a Subscription and then fail to reach our listener, or use a certificate that we refuse.
So a poll that finds a new control or default that was not notified, or a notification that was refused, makes
polls come as before, until a notification is taken or the next walk begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dersim.csip.subscriptions.reading import items_of
from dersim.ieee2030_5 import resources as r


class Hearing:
    """What is known of it for one DER. say: a warning for the log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.is_deaf = False
        self._say = say

    def heard(self) -> None:
        """A notification was taken, or a walk begins."""
        self.is_deaf = False

    def refused(self) -> None:
        """A notification was refused; its reason is in the log."""
        if not self.is_deaf:
            self._say("a notification was refused: polling as before until one is taken")
        self.is_deaf = True

    def compare(self, before: Mapping[str, Any], read: Mapping[str, Any]) -> None:
        """Look for what a poll has found and no notification has told, by href."""
        for href in missed(before, read):
            if not self.is_deaf:
                self._say(f"{href} has changed without a notification: polling as before until one comes")
            self.is_deaf = True


def missed(before: Mapping[str, Any], read: Mapping[str, Any]) -> Iterable[str]:
    """Where there is a new control, or another default.

    Links carry counts, and controls a status, of which not every server notifies.
    """
    for href, old in before.items():
        new = read.get(href)
        if new is old or type(new) is not type(old):
            continue
        if isinstance(new, r.DERControlList):
            if {each.mRID for each in items_of(new)} - {each.mRID for each in items_of(old)}:
                yield href
        elif isinstance(new, r.DefaultDERControl) and new != old:
            yield href
