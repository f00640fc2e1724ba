"""Posts of meter readings: as a MirrorMeterReadingList, or one by one where the server refuses lists."""

from __future__ import annotations

from collections.abc import Callable

from dersim.csip.causes import METER_POST
from dersim.csip.session import RequestRefused, Say, Session
from dersim.ieee2030_5 import resources as r

#: How long readings are posted one by one after a list was refused, s.
SINGLE_POSTS_S = 3_600.0
#: Statuses that may mean that the server does not accept a MirrorMeterReadingList.
_NO_LISTS = frozenset({400, 403, 404, 405, 415, 422, 500, 501})

Readings = tuple[r.MirrorMeterReading, ...]


class ReadingPosts:
    """Posts readings and remembers whether the server accepts lists. clock_s: simulated time, s."""

    def __init__(self, session: Session, say: Say, clock_s: Callable[[], float]) -> None:
        self._session = session
        self._say = say
        self._clock_s = clock_s
        self._singles_until_s = 0.0

    def forget(self) -> None:
        """Try a list again at the next post."""
        self._singles_until_s = 0.0

    @property
    def _as_list(self) -> bool:
        return self._clock_s() >= self._singles_until_s

    async def send(self, href: str, values: Readings) -> RequestRefused | None:
        """Post the readings; returns the refusal, if any. A Retry-After is raised."""
        try:
            await (self._send_list(href, values) if self._as_list else self._send_singles(href, values))
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            return error
        return None

    async def send_after(self, refusal: RequestRefused, href: str, values: Readings) -> None:
        """Post one by one what was refused as a list, and go on so for an hour; else raise `refusal`."""
        if not self._as_list or refusal.status not in _NO_LISTS:
            raise refusal
        await self._send_singles(href, values)
        self._singles_until_s = self._clock_s() + SINGLE_POSTS_S
        self._say("Info", f"{refusal}; posting meter readings one by one for {SINGLE_POSTS_S / 60:g} min")

    async def _send_list(self, href: str, values: Readings) -> None:
        session = self._session
        total = r.MirrorMeterReadingList(all=len(values), results=len(values), MirrorMeterReading=values)
        what = f"MirrorMeterReadingList of {len(values)}"
        await session.send("POST", href, session.encode(total), what, METER_POST)
        session.counters.meter_posts += 1

    async def _send_singles(self, href: str, values: Readings) -> None:
        """Post each reading; a 4xx to one of them costs that reading, unless it is the first."""
        session, refusals = self._session, list[RequestRefused]()
        for index, value in enumerate(values):
            try:
                await session.send("POST", href, session.encode(value), "MirrorMeterReading", METER_POST)
            except RequestRefused as error:
                if index == 0 or error.status >= 500 or error.retry_after_s is not None:
                    raise
                refusals.append(error)
            else:
                session.counters.meter_posts += 1
        if refusals:
            self._say("Warning", f"{len(refusals)} of {len(values)} meter readings refused: {refusals[0]}")
