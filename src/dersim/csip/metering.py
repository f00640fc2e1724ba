"""The MirrorUsagePoint of one DER on the server: created, posted to at postRate, created again when lost.

A mirror with means (`mirror_values.py`) is posted to at the end of each interval instead, and what the server
did not get while it was away is posted later.

Readings are instantaneous values and counters, so a post that failed is not repeated: the next one carries
newer values and the same counters. No reading can arrive twice.

Whether the server still has the mirror is read from its MirrorUsagePointList, by mRID: at the pollRate of the
list, and after a post that was refused with one of `_MAYBE_LOST`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from dersim.csip import mirror
from dersim.csip.causes import METER_POST
from dersim.csip.links import resolve
from dersim.csip.mirror_checkpoint import KeepsMirror
from dersim.csip.mirror_values import MirrorValues
from dersim.csip.paging import read_list
from dersim.csip.reading_posts import ReadingPosts, Readings
from dersim.csip.session import RequestRefused, Say, Session
from dersim.csip.status import Trouble
from dersim.csip.tree import poll_rate_s
from dersim.errors import ProtocolError, RemoteProtocolError, UtilityUnreachable
from dersim.ieee2030_5 import resources as r
from dersim.saved_states import no_wait

if TYPE_CHECKING:
    from dersim.csip.means import MeanCounter
    from dersim.device import Device

#: The default interval between posts, s, and the limits of what a server may ask for.
POST_INTERVAL_S = 60.0
MIN_POST_INTERVAL_S = 5.0
MAX_POST_INTERVAL_S = 3_600.0
#: The longest wait after failed posts is this, s, or two intervals where that is more.
MAX_WAIT_S = 60.0
#: Statuses that may mean that the server no longer has the mirror.
_MAYBE_LOST = frozenset({403, 404, 409, 410, 500})


class Metering(KeepsMirror):
    """A MirrorUsagePoint of one DER, of this kind. href None: not created yet.

    trouble None: the last post was accepted.

    server_s: server time, s. clock_s: simulated time, s. end_device_rate: EndDevice.postRate, s, or None.
    on_lost: called when the server had lost the mirror, and probably our other resources too.
    saved: waits until a checkpoint has the present registers, so that those of a restored run are not lower.
    mrid_end: see `CsipProfile`. means: of the DER, for a mirror that has quantities that are means.
    """

    def __init__(
        self,
        device: Device,
        session: Session,
        say: Say,
        lfdi: str,
        *,
        server_s: Callable[[], float],
        clock_s: Callable[[], float],
        end_device_rate: Callable[[], int | None],
        on_lost: Callable[[], None],
        kind: mirror.MirrorKind = mirror.OF_DER,
        saved: Callable[[], Awaitable[None]] = no_wait,
        mrid_end: str = "",
        means: MeanCounter | None = None,
    ) -> None:
        self.href: str | None = None
        self.trouble: Trouble | None = None
        self._device = device
        self._session = session
        self._say = say
        self._clock_s = clock_s
        self._end_device_rate = end_device_rate
        self._on_lost = on_lost
        self._saved = saved
        self._values = MirrorValues(device, lfdi, kind, server_s, mrid_end, means)
        self._mrid = mirror.derived_mrid(lfdi, kind.key, mrid_end)
        self._mirror_rate: int | None = None
        self._listed = False
        self._posts = ReadingPosts(session, say, clock_s)
        self._failures = 0
        self._posting = False

    @property
    def interval_s(self) -> float:
        """The interval between posts: postRate of the mirror, else of the EndDevice, else 60 s."""
        wanted_s = float(self._mirror_rate or self._end_device_rate() or POST_INTERVAL_S)
        return min(max(wanted_s, MIN_POST_INTERVAL_S), MAX_POST_INTERVAL_S)

    @property
    def wait_s(self) -> float:
        """The delay of the next post, s: doubled by each failure, at most two intervals or 60 s."""
        interval_s = self.interval_s
        if not self._failures:
            return self._values.wait_s(interval_s)
        return min(interval_s * 2.0 ** min(self._failures, 10), max(2 * interval_s, MAX_WAIT_S))

    @property
    def can_retry(self) -> bool:
        """Whether the last post failed and none is in progress."""
        return self._failures > 0 and not self._posting

    @property
    def hrefs(self) -> set[str | None]:
        """Where the mirror is, if that is known."""
        return {self.href}

    @property
    def lost(self) -> bool:
        """Whether the mirror must be created, and nothing says to wait."""
        return self.href is None and not self.can_retry

    def forget(self) -> None:
        """Create the mirror again before the next post: the server may have lost it."""
        self.href = None
        self._listed = False
        self._posts.forget()
        self._failures = 0

    async def post(self, mirrors_href: str) -> float:
        """Post one set of readings, creating the mirror first if needed; returns the delay of the next, s.

        UtilityUnreachable and a Retry-After are raised; other refusals are logged and lengthen the delay.
        """
        self._posting = True
        try:
            if self.href is None:
                await self._create(mirrors_href)
            await self._post_readings(mirrors_href)
        except UtilityUnreachable:
            self._failures += 1
            raise
        except ProtocolError as error:
            self._note(error)
            if isinstance(error, RequestRefused) and error.retry_after_s is not None:
                raise
            self._say("Warning", f"meter readings not accepted: {error}")
        else:
            self._failures, self.trouble = 0, None
        finally:
            self._posting = False
        return self.wait_s

    def _note(self, error: ProtocolError) -> None:
        self._failures += 1
        since_s = self._clock_s() if self.trouble is None else self.trouble.since_s
        self.trouble = Trouble(since_s, str(error))

    async def check_list(self, mirrors_href: str, cause: str) -> float:
        """Read the MirrorUsagePointList for our mirror and its postRate; returns the list's poll rate, s.

        Raises as `Session.fetch`.
        """
        listing = await read_list(self._session, mirrors_href, r.MirrorUsagePointList, cause)
        self.compare(listing.items)
        return poll_rate_s(listing.head)

    def compare(self, points: tuple[r.MirrorUsagePoint, ...]) -> None:
        """Find our mirror among those that the server lists."""
        point = self._ours(points)
        if point is not None:
            moved = self.href is not None and not self._is_at(point.href)
            self._use(point)
            if moved:
                self._lost("has moved our MirrorUsagePoint")
        elif self._listed and self.href is not None:
            self.href, self._listed = None, False
            self._lost("no longer lists our MirrorUsagePoint: creating it again")

    def _ours(self, points: tuple[r.MirrorUsagePoint, ...]) -> r.MirrorUsagePoint | None:
        return next((each for each in points if each.href and each.mRID.upper() == self._mrid), None)

    def _use(self, point: r.MirrorUsagePoint) -> None:
        """Take over the href and the postRate of a listed mirror."""
        self._listed = True
        self._mirror_rate = point.postRate
        if not self._is_at(point.href):
            self.href = point.href

    def _is_at(self, href: str | None) -> bool:
        """Whether our mirror is known to be at `href`, however either of them is written."""
        if href is None or self.href is None:
            return False
        origin = self._session.origin
        try:
            return resolve(origin, href) == resolve(origin, self.href)
        except RemoteProtocolError:
            return False

    def _lost(self, what: str) -> None:
        self._say("Info", f"the server {what}")
        self._on_lost()

    async def _create(self, mirrors_href: str) -> int:
        """POST the mirror and find its href; returns the HTTP status."""
        if self._was_at is not None and await self._is_listed(mirrors_href):
            return 200
        session = self._session
        try:
            body = session.encode(self._values.usage_point())
            answer = await session.send("POST", mirrors_href, body, "MirrorUsagePoint", METER_POST)
        except RequestRefused as error:
            known = await self._find(mirrors_href) if error.status in (403, 409) else None
            if known is None:
                raise
            self._use(known)
            return error.status
        location = answer.location
        if location is None or not self._can_follow(location):
            await self._use_listed(mirrors_href, location)
        else:
            self.href = location
            await self._read_post_rate(location)
        return answer.status

    def _can_follow(self, href: str) -> bool:
        try:
            resolve(self._session.origin, href)
        except RemoteProtocolError as error:
            self._say(
                "Info", f"Location of our MirrorUsagePoint: {error}; searching the MirrorUsagePointList"
            )
            return False
        return True

    async def _use_listed(self, mirrors_href: str, location: str | None) -> None:
        point = await self._find(mirrors_href)
        if point is None:
            sent = "without a Location" if location is None else f"with the unusable Location {location!r}"
            raise RemoteProtocolError(
                f"{mirrors_href} accepted our MirrorUsagePoint {sent} and does not list it"
            )
        self._use(point)

    async def _find(self, mirrors_href: str) -> r.MirrorUsagePoint | None:
        """Our mirror in the MirrorUsagePointList, by mRID."""
        listing = await read_list(self._session, mirrors_href, r.MirrorUsagePointList, METER_POST)
        return self._ours(listing.items)

    async def _read_post_rate(self, href: str) -> None:
        """Read postRate from the mirror that was just created (CSIP BASIC-029)."""
        try:
            fetched = await self._session.fetch(href, r.MirrorUsagePoint, METER_POST)
        except RemoteProtocolError as error:
            if isinstance(error, RequestRefused) and error.retry_after_s is not None:
                raise
            self._say("Info", f"postRate unknown: {error}; posting every {self.interval_s:g} s")
            return
        self._mirror_rate = fetched.resource.postRate

    async def _post_readings(self, mirrors_href: str) -> None:
        for values, taking in self._values.due(self.interval_s):
            with taking:
                await self._send(mirrors_href, values)

    async def _send(self, mirrors_href: str, values: Readings) -> None:
        await self._saved()
        refusal = await self._posts.send(self.href or "", values)
        if (
            refusal is not None
            and refusal.status in _MAYBE_LOST
            and await self._restored(mirrors_href, refusal)
        ):
            refusal = await self._posts.send(self.href or "", values)
        if refusal is not None:
            await self._posts.send_after(refusal, self.href or "", values)

    async def _restored(self, mirrors_href: str, refusal: RequestRefused) -> bool:
        """Find or create the mirror; False where it was not lost or the list cannot be read."""
        before = self.href
        try:
            point = await self._find(mirrors_href)
        except RemoteProtocolError as error:
            if isinstance(error, RequestRefused) and error.retry_after_s is not None:
                raise
            if not refusal.gone:
                return False
            point = None
        if point is not None:
            if self._is_at(point.href):
                return False
            self._use(point)
        elif await self._create(mirrors_href) != 201 and self._is_at(before):
            return False
        self._lost("has lost our MirrorUsagePoint")
        return True
