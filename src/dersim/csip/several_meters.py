"""The mirrors of a DER: that of the DER itself, and with a load behind its meter that of the site.

Each has a postRate of its own. They share the item of the schedule and the poll of the MirrorUsagePointList.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from dersim.csip.metering import Metering
from dersim.csip.paging import read_list
from dersim.csip.session import Session
from dersim.csip.status import Trouble
from dersim.csip.tree import poll_rate_s
from dersim.ieee2030_5 import resources as r

#: A mirror that is due within so many seconds is posted with the other.
_TOGETHER_S = 0.5


class Meters(Protocol):
    """What the polls of a DER need of its mirror, or of its mirrors."""

    @property
    def trouble(self) -> Trouble | None:
        """Why the last post was not accepted."""
        ...

    @property
    def hrefs(self) -> set[str | None]:
        """Where the mirrors are, as far as that is known."""
        ...

    @property
    def lost(self) -> bool:
        """Whether a mirror must be created, and nothing says to wait."""
        ...

    @property
    def can_retry(self) -> bool:
        """Whether the last post failed and none is in progress."""
        ...

    @property
    def wait_s(self) -> float:
        """The delay of the next post, s."""
        ...

    def checkpoint(self) -> list[str | None]:
        """Where the mirrors are, for a checkpoint."""
        ...

    def restore(self, hrefs: list[str | None]) -> None:
        """Look for the mirrors of a checkpoint before any is created."""
        ...

    def forget(self) -> None:
        """Create the mirrors again before the next post."""
        ...

    async def post(self, mirrors_href: str) -> float:
        """Post readings; the delay of the next post, s. Raises as `Metering.post`."""
        ...

    async def check_list(self, mirrors_href: str, cause: str) -> float:
        """Read the MirrorUsagePointList; its poll rate, s. Raises as `Session.fetch`."""
        ...


class SeveralMeters:
    """Several mirrors of one DER, posted in their order. clock_s: simulated time, s."""

    def __init__(self, meters: Sequence[Metering], session: Session, clock_s: Callable[[], float]) -> None:
        self._meters = meters
        self._session = session
        self._clock_s = clock_s
        #: When each is posted next.
        self._due_s = [0.0] * len(meters)

    @property
    def trouble(self) -> Trouble | None:
        """Of the first that has one."""
        return next((each.trouble for each in self._meters if each.trouble is not None), None)

    @property
    def hrefs(self) -> set[str | None]:
        """Of all."""
        return {each.href for each in self._meters}

    @property
    def lost(self) -> bool:
        """Whether one of them must be created."""
        return any(each.lost for each in self._meters)

    @property
    def can_retry(self) -> bool:
        """Whether one of them can be posted again."""
        return any(each.can_retry for each in self._meters)

    @property
    def wait_s(self) -> float:
        """The shortest of all."""
        return min(each.wait_s for each in self._meters)

    def checkpoint(self) -> list[str | None]:
        """Where they are."""
        return [href for each in self._meters for href in each.checkpoint()]

    def restore(self, hrefs: list[str | None]) -> None:
        """Look for them before they are created."""
        for each, href in zip(self._meters, hrefs, strict=False):
            each.restore([href])

    def forget(self) -> None:
        """All of them."""
        for index, each in enumerate(self._meters):
            each.forget()
            self._due_s[index] = 0.0

    async def post(self, mirrors_href: str) -> float:
        """Post those that are due; the delay until the next one is, s.

        A post before anything is due comes after a failure of the server: then those that failed are posted.
        """
        now_s = self._clock_s()
        self._due_s = [
            min(due_s, now_s + each.wait_s) for due_s, each in zip(self._due_s, self._meters, strict=True)
        ]
        ready = [
            index
            for index, each in enumerate(self._meters)
            if each.lost or self._due_s[index] <= now_s + _TOGETHER_S
        ]
        for index in ready or [index for index, each in enumerate(self._meters) if each.can_retry]:
            wait_s = await self._meters[index].post(mirrors_href)
            self._due_s[index] = self._clock_s() + wait_s
        return max(0.0, min(self._due_s) - self._clock_s())

    async def check_list(self, mirrors_href: str, cause: str) -> float:
        """Read the list once for all of them."""
        listing = await read_list(self._session, mirrors_href, r.MirrorUsagePointList, cause)
        for each in self._meters:
            each.compare(listing.items)
        return poll_rate_s(listing.head)
