"""The outbox of Responses: sent in order, each once, kept until the server has accepted it.

Without its Responses the utility assumes that an event was not executed. So a Response that could not be
delivered is kept and sent again after a growing pause. A delivered one is never sent twice, even when a new
discovery finds the same event again (the key is mRID and status). A 4xx is final (2030.5-2018 5.6.3): the
Response is logged and dropped. A replyTo that answers 5xx delays only the Responses to the same replyTo.

In the 2018 edition 251 is reserved, so an unsupported mode is reported as 252, and there is no
modesResponded; in 2023 that bitmap is mandatory.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from dersim.csip.on_demand import OnDemand
from dersim.csip.session import Fence
from dersim.csip.told import Told
from dersim.draws import draws_of
from dersim.errors import RemoteProtocolError, UtilityUnreachable
from dersim.ieee2030_5.controlbase import modes_mask
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.event_types import EventResponse
from dersim.ieee2030_5.resources import DERControlResponse
from dersim.kept import plain, value
from dersim.saved_states import no_wait

#: Pause after the first failure and its maximum, s of real time; +-25 % to spread the retries of a fleet.
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0
#: Responses kept while the server cannot be reached: three for each of the 10,000 events that a DER may hold.
#: Beyond that the oldest is dropped and logged.
MAX_PENDING = 3 * 10_000
#: How many Responses are remembered, so that none is sent twice: those waiting and as many delivered ones.
MAX_DELIVERED = 2 * MAX_PENDING

#: How many Responses a checkpoint remembers.
MAX_KEPT = 1_000

_UNSUPPORTED_2018 = {251: 252}
#: 4xx answers that ask for another attempt later.
_LATER = frozenset({408, 425, 429})

#: Key for the whole server among the replyTo hrefs that are waiting after a failure.
_SERVER = ""


class Outbox:
    """The Responses of one DER. delivery: the task that posts them, while there are any.

    post: sends a resource to an href and returns the HTTP status; UtilityUnreachable keeps the Response,
    RemoteProtocolError drops it. edition: called for each post. log: (level, message). ready: waits until
    something can be posted. saved: waits until a checkpoint has what was queued and delivered so far.
    repeats: whether the Response that is being posted still waits in it. If so, a restored run may post it a
    second time, the same; else it repeats none, and loses one that a crash caught between save and post.
    """

    def __init__(
        self,
        post: Callable[[str, DERControlResponse], Awaitable[int]],
        *,
        lfdi: str,
        edition: Callable[[], Edition],
        log: Callable[[str, str], None],
        fence: Fence,
        ready: Callable[[], Awaitable[None]] = no_wait,
        saved: Callable[[], Awaitable[None]] = no_wait,
        repeats: Callable[[], bool] = bool,
    ) -> None:
        self.lfdi = lfdi
        self._repeats = repeats
        self._ready = ready
        self._saved = saved
        self.sent = 0
        self.dropped = 0
        self._post = post
        self._edition = edition
        self._log = log
        self._fence = fence
        self._queue: list[EventResponse] = []
        self._posting: EventResponse | None = None
        self._known = Told()
        #: Rises with whatever changes a checkpoint in which what is being posted still waits.
        self.changes = 0
        self._held: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._news = trio.Event()
        self.delivery = OnDemand(self._deliver_all)
        self._spread = draws_of(lfdi)

    @property
    def pending(self) -> int:
        """The number of Responses not delivered yet."""
        return len(self._queue)

    def put(self, response: EventResponse) -> None:
        """Queue a Response unless the same one was queued before. Never blocks."""
        if (response.mrid, response.status) in self._known or not response.reply_to:
            return
        self._known.add(response.mrid, response.status, MAX_DELIVERED)
        self.changes += 1
        self._queue.append(response)
        if len(self._queue) > MAX_PENDING:
            lost = self._queue.pop(0)
            self.dropped += 1
            self._log(
                "Error", f"Response {lost.status} for {lost.mrid} dropped: {MAX_PENDING} others are waiting"
            )
        self._news.set()
        self.delivery.want()

    def checkpoint(self) -> dict[str, Any]:
        """The Responses that wait, and the last of those that were queued or delivered, as rows."""
        known = self._known.newest(MAX_KEPT)
        told = None if self._repeats() else self._posting
        waiting = [response for response in self._queue if response is not told]
        return {"queue": [plain(response) for response in waiting], "known": known}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave; what waited is sent."""
        self._known.restore(document["known"], MAX_DELIVERED)
        self._queue.extend(EventResponse(*value(response)) for response in document["queue"])
        self._news.set()
        self.delivery.want()

    async def _deliver_all(self) -> None:
        """Deliver Responses until none is left."""
        while self._queue:
            response = self._next()
            if response is not None:
                await self._ready()
                await self._deliver_saved(response)
                continue
            self._news = trio.Event()
            pause_s = self._until_release_s()
            with trio.move_on_after(pause_s):
                await self._news.wait()

    async def _deliver_saved(self, response: EventResponse) -> None:
        self._posting = response
        try:
            await self._saved()
            await self._deliver(response)
        finally:
            self._posting = None
        if response in self._queue or self._repeats():
            # Not taken: it waits again in what is saved, too. Taken: a restored run does not repeat it.
            await self._saved()

    def _next(self) -> EventResponse | None:
        """The first whose replyTo is not in a pause; the order per replyTo is kept."""
        now = trio.current_time()
        if self._held.get(_SERVER, -math.inf) > now:
            return None
        return next((r for r in self._queue if self._held.get(r.reply_to, -math.inf) <= now), None)

    def _until_release_s(self) -> float:
        if not self._queue:
            return math.inf
        first = min(self._held.get(response.reply_to, -math.inf) for response in self._queue)
        return max(first, self._held.get(_SERVER, -math.inf), trio.current_time()) - trio.current_time()

    async def _deliver(self, response: EventResponse) -> None:
        what = f"Response {response.status} for {response.mrid} to {response.reply_to}"
        try:
            status = await self._post_fenced(what, response)
        except UtilityUnreachable as error:
            self._hold(_SERVER)
            self._log("Warning", f"{what} is kept: the server cannot be reached: {error}")
            return
        except RemoteProtocolError as error:
            self._log("Warning", f"{what} is dropped: {error}")
            self._done(response, delivered=False)
            return
        self._release(_SERVER)
        if status >= 500 or status in _LATER:
            self._hold(response.reply_to)
            self._log("Warning", f"{what} is kept: the server answered {status}")
        elif status >= 400:
            self._log("Warning", f"{what} was refused with {status}; it is not repeated")
            self._done(response, delivered=False)
        else:
            self._log("Info", f"{what} delivered ({status})")
            self._done(response, delivered=True)

    async def _post_fenced(self, what: str, response: EventResponse) -> int:
        with self._fence("csip_response", what):
            return await self._post(response.reply_to, self.body(response))
        raise RemoteProtocolError("unexpected error, see the log")

    def _done(self, response: EventResponse, *, delivered: bool) -> None:
        self.changes += 1
        # An overflow may have dropped it during the post.
        if response in self._queue:
            self._queue.remove(response)
        self._release(response.reply_to)
        self.sent += delivered
        self.dropped += not delivered

    def _hold(self, href: str) -> None:
        pause_s = self._pauses.get(href, FIRST_PAUSE_S)
        self._pauses[href] = min(2 * pause_s, MAX_PAUSE_S)
        self._held[href] = trio.current_time() + pause_s * self._spread.uniform(0.75, 1.25)

    def resume(self, failed: frozenset[str]) -> None:
        """End all pauses, because the server answers again. failed: the hrefs that failed until now.

        Where only replyTo hrefs failed, their own pauses stay.
        """
        if self._held and failed - set(self._held):
            self._held.clear()
            self._pauses.clear()
            self._news.set()

    def _release(self, href: str) -> None:
        self._held.pop(href, None)
        self._pauses.pop(href, None)

    def body(self, response: EventResponse) -> DERControlResponse:
        """The resource in the edition in use; createdDateTime is the time of the reported change."""
        edition = self._edition()
        old = edition is Edition.E2018
        modes, modes2 = modes_mask(response.modes, edition)
        status = _UNSUPPORTED_2018.get(response.status, response.status) if old else response.status
        return DERControlResponse(
            createdDateTime=math.floor(response.time_s),
            endDeviceLFDI=self.lfdi,
            status=status,
            subject=response.mrid,
            modesResponded=None if old else modes,
            modesResponded2=modes2 or None,
        )
