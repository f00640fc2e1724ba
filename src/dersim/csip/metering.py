"""The MirrorUsagePoint of one DER on the server: created, posted to at postRate, created again when lost.

Readings are instantaneous values and counters, so a post that failed is not repeated: the next one carries
newer values and the same counters. No reading can arrive twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dersim.csip import mirror
from dersim.csip.links import with_query
from dersim.csip.paging import read_list
from dersim.csip.session import RequestRefused, Say, Session
from dersim.errors import ProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import resources as r

if TYPE_CHECKING:
    from dersim.device import Device

#: The default interval between posts, s, and the limits of what a server may ask for.
POST_INTERVAL_S = 60.0
MIN_POST_INTERVAL_S = 5.0
MAX_POST_INTERVAL_S = 3_600.0
#: Statuses that may mean that the server does not accept a MirrorMeterReadingList.
_NO_LISTS = frozenset({400, 403, 404, 405, 415, 422, 500, 501})


class Metering:
    """The MirrorUsagePoint of one DER. `href` None: not created yet."""

    def __init__(
        self, device: Device, session: Session, say: Say, lfdi: str, now_s: Callable[[], float]
    ) -> None:
        self.href: str | None = None
        self.interval_s = POST_INTERVAL_S
        self._device = device
        self._session = session
        self._say = say
        self._lfdi = lfdi
        self._now_s = now_s
        self._items = mirror.quantities(device.nameplate.phases)
        self._as_list = True
        self._slowed = 1.0

    def forget(self) -> None:
        """Create the mirror again before the next post: the server may have lost it."""
        self.href = None
        self._as_list = True
        self._slowed = 1.0

    async def post(self, mirrors_href: str) -> float:
        """Post one set of readings, creating the mirror first if needed; returns the delay of the next, s.

        UtilityUnreachable and a Retry-After are raised; other refusals are logged and lengthen the delay.
        """
        try:
            if self.href is None:
                await self._create(mirrors_href)
            await self._post_readings(mirrors_href)
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            self._say("Warning", f"meter readings not accepted: {error}")
            self._slowed = min(self._slowed * 2, MAX_POST_INTERVAL_S / self.interval_s)
        except ProtocolError as error:
            self._say("Warning", f"meter readings not accepted: {error}")
            self._slowed = min(self._slowed * 2, MAX_POST_INTERVAL_S / self.interval_s)
        else:
            self._slowed = 1.0
        return self.interval_s * self._slowed

    async def _create(self, mirrors_href: str) -> None:
        session = self._session
        point = mirror.usage_point(self._lfdi, self._items, self._device.name)
        answer = await session.send("POST", mirrors_href, session.encode(point), "MirrorUsagePoint")
        self.href = answer.location or await self._find(mirrors_href, point.mRID)
        await self.read_post_rate()

    async def _find(self, mirrors_href: str, mrid: str) -> str:
        """The href of our mirror on a server whose 201 has no Location header."""
        listing = await read_list(self._session, mirrors_href, r.MirrorUsagePointList)
        for point in listing.items:
            if point.mRID.upper() == mrid and point.href:
                return str(point.href)
        raise RemoteProtocolError(
            f"{mirrors_href} accepted our MirrorUsagePoint without a Location and does not list it"
        )

    async def read_post_rate(self) -> None:
        """Read postRate from the mirror; a missing mirror is created again at the next post."""
        if self.href is None:
            return
        try:
            fetched = await self._session.fetch(self.href, r.MirrorUsagePoint)
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            self._say("Info", f"postRate unknown: {error}; posting every {self.interval_s:g} s")
            return
        except RemoteProtocolError as error:
            self._say("Info", f"postRate unknown: {error}; posting every {self.interval_s:g} s")
            return
        rate = fetched.resource.postRate
        wanted_s = POST_INTERVAL_S if not rate else float(rate)
        self.interval_s = min(max(wanted_s, MIN_POST_INTERVAL_S), MAX_POST_INTERVAL_S)

    async def _post_readings(self, mirrors_href: str) -> None:
        values = mirror.readings(self._lfdi, self._items, self._device.state, int(self._now_s()))
        try:
            await self._send(values)
        except RequestRefused as error:
            if not await self._is_lost(error):
                raise
            self._say("Info", "the server has lost our MirrorUsagePoint: creating it again")
            self.href = None
            await self._create(mirrors_href)
            await self._send(values)

    async def _is_lost(self, error: RequestRefused) -> bool:
        """Whether the mirror itself is gone, not only the href for one kind of post."""
        if not error.gone or self.href is None:
            return False
        try:
            await self._session.exchange("GET", with_query(self.href, "l=1"))
        except RequestRefused as second:
            return second.gone
        return False

    async def _send(self, values: tuple[r.MirrorMeterReading, ...]) -> None:
        session, href = self._session, self.href or ""
        if self._as_list:
            total = r.MirrorMeterReadingList(all=len(values), results=len(values), MirrorMeterReading=values)
            try:
                await session.send(
                    "POST", href, session.encode(total), f"MirrorMeterReadingList of {len(values)}"
                )
            except RequestRefused as error:
                if error.status not in _NO_LISTS or await self._is_lost(error):
                    raise
                self._say("Info", f"{error}; posting meter readings one by one")
                self._as_list = False
            else:
                session.counters.meter_posts += 1
                return
        for value in values:
            await session.send("POST", href, session.encode(value), "MirrorMeterReading")
            session.counters.meter_posts += 1
