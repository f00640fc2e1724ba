"""Connection lifecycle of one LFDI on one server.

    discovering --walk complete--> connected --a poll fails--> retrying (that branch alone)
         ^  |                          |
         |  +--any failure--> retrying +--server unreachable--> retrying (everything)
         |                       |     +--a known link is gone, or asked to--> discovering
         +-----10 s, +-1 s; after a loss 10 to 15 s
    Registration's PIN wrong --> failed: only the Registration is read, at its poll rate
    any state --the DER leaves--> away --it joins--> discovering

In every state the last good documents are kept, controls keep running and Responses wait in the outbox.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import trio

from dersim.csip import causes
from dersim.csip.client_context import ClientContext
from dersim.csip.credentials import Credentials
from dersim.csip.discovery import PinRefused
from dersim.csip.joining import RETRY_S, Retries
from dersim.csip.on_demand import run_in
from dersim.csip.parts import Parts
from dersim.csip.polling import PUNCTUAL
from dersim.csip.reader import LinkGone, Moved
from dersim.csip.session import RequestRefused
from dersim.csip.tree import Tree
from dersim.csip.watch import Watch
from dersim.errors import (
    DersimError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
)

if TYPE_CHECKING:
    from dersim.ieee2030_5.resources import DERControlResponse

#: Reads the certificate files again: the new ones, or None where they have not changed.
Reload = Callable[[], Credentials | None]


class UnexpectedError(DersimError):
    """An error that a fence has logged and counted."""


class Lifecycle:
    """The client of one LFDI; `run` returns when the certificate files hold another LFDI."""

    def __init__(self, client_context: ClientContext, credentials: Credentials, reload: Reload) -> None:
        self.lfdi = credentials.lfdi
        self._client_context = client_context
        self._status = client_context.client_status
        self._say = client_context.say
        self._clock = client_context.frontend.clock
        self._reload = reload
        self._successor: Credentials | None = None
        self._parts = parts = Parts(client_context, credentials, self._post_response, self._may_post)
        self.tree, self.clocks = parts.tree, parts.clocks
        parts.reader.on_failing = self._note_failing
        self.schedule, self.session = parts.schedule, parts.session
        self.controls, self.outbox, self.polling = parts.controls, parts.outbox, parts.polling
        self.reporter, self.log_events = parts.reporter, parts.log_events
        self.metering, self.subscriptions = parts.metering, parts.subscriptions
        self._asked = trio.Event()
        self._outbox_open = trio.Event()
        self.held_until = 0.0
        self._walked_at = 0.0
        self._answering = False
        self._retries = Retries(client_context.frontend.rng)
        fences, changed = client_context.frontend.fences, parts.polling.status_changed
        self._watch = Watch(client_context.device, parts.log_events, changed, fences)
        self._watch.follow(parts)

    def rediscover(self) -> None:
        """Read the certificate files and walk the server again, after the request in progress."""
        self._asked.set()
        self.schedule.wake()

    async def run(self) -> Credentials:
        """Run until the certificate files hold another identity; returns it."""
        context = self._client_context
        fleet, number = context.frontend.fleet, context.device.number
        on_demand = self.controls.timing, self.outbox.delivery
        try:
            async with trio.open_nursery() as nursery:
                run_in(nursery, *on_demand)
                fleet.add_check(number, self._watch.check)
                while self._successor is None:
                    await self._run_once()
                nursery.cancel_scope.cancel()
        finally:
            run_in(None, *on_demand)
            fleet.remove_check(number, self._watch.check)
            await self._parts.aclose()
        self.controls.withdraw()
        return self._successor

    async def _run_once(self) -> None:
        """Walk, then poll until a failure ends it; then wait before the next walk."""
        failure = await self._fenced("csip_walk", "discovery and polling", self._walk_and_work)
        match failure:
            case Moved():
                self._say("Info", str(failure))
                self._status.enter("discovering", str(failure))
                await self._pause(max(self._walked_at + RETRY_S - trio.current_time(), 0.0))
            case PinRefused():
                await self._stay_failed(failure)
            case RequestRefused():
                await self._retry(failure, failure.retry_after_s)
            case DersimError():
                await self._retry(failure)

    async def _fenced(self, place: str, what: str, work: Callable[[], Awaitable[None]]) -> DersimError | None:
        """Do one unit of work; returns what went wrong. An unexpected error ends this unit alone."""
        failure: DersimError | None = UnexpectedError(f"{what}: unexpected error; see the log")
        with self._client_context.fence(place, what):
            try:
                await work()
            except DersimError as error:
                failure = error
            else:
                failure = None
        return failure

    async def _walk_and_work(self) -> None:
        self._close_outbox()
        await self._client_context.presence.wait_here(self.session)
        self._status.enter("discovering")
        self._walked_at = trio.current_time()
        await self._renew_credentials()
        if self._successor is not None:
            return
        await self.polling.walk()
        self._outbox_open.set()
        self._status.enter("connected")
        self._retries.connected()
        self._say(
            "Info", f"discovery of {self._client_context.config.dcap_url} is complete: {_summary(self.tree)}"
        )
        while not self._asked.is_set():
            await self._hold()
            for key in self.schedule.take_due(PUNCTUAL):
                await self._hold()
                await self._poll(key)
            if not self._asked.is_set():
                await self.schedule.wait()

    def _close_outbox(self) -> None:
        if self._outbox_open.is_set():
            self._outbox_open = trio.Event()

    async def _renew_credentials(self) -> None:
        asked = self._asked.is_set()
        self._asked = trio.Event()
        credentials = self._reload()
        if credentials is None:
            if asked:
                await self.session.aclose()
            return
        if credentials.lfdi != self.lfdi:
            self._say("Info", f"the certificate files now hold LFDI {credentials.lfdi}")
            self._successor = credentials
            return
        await self.session.renew(self._parts.connector(credentials))

    async def _poll(self, key: Any) -> None:
        """Do one item of the schedule; a failure of this branch alone is shown and tried again later."""
        begun_s = self.schedule.begin(key)
        again_s: float | None = None

        async def poll() -> None:
            nonlocal again_s
            again_s = await self.polling.poll(key)

        match await self._fenced("csip_poll", f"poll of {_name(key)}", poll):
            case None:
                self._status.clear_trouble(key)
                self.schedule.release(key, begun_s)
            case LinkGone() as gone:
                again_s = self._read_parent(key, gone, begun_s)
            case ProtocolError() | UnexpectedError() as error if not isinstance(error, Moved):
                again_s = self._parts.reader.retry_s
                self.schedule.release(key, begun_s + again_s)
                if isinstance(error, RequestRefused) and error.retry_after_s is not None:
                    again_s = self._hold_for(error)
                if isinstance(error, ProtocolError):
                    self._say("Warning", str(error))
                self._status.add_trouble(key, str(error), begun_s)
            case error:
                self.schedule.set(key, begun_s)
                raise error
        self._note_failing()
        if again_s is not None:
            self.schedule.set_earlier(key, begun_s + again_s)

    def _read_parent(self, key: Any, gone: LinkGone, begun_s: float) -> float | None:
        """Read again the document that links to what is gone, then this item; Moved where there is none."""
        parent = self.polling.parent(key, gone.href)
        if parent is None:
            raise Moved(f"{gone}: discovering again")
        self._say("Info", f"{gone}: reading {_name(parent)} again")
        self.schedule.set(parent, begun_s)
        self.schedule.hold(key, parent)
        return None

    def _note_failing(self) -> None:
        if failing := self._parts.reader.failing_in(self.tree):
            self._status.add_trouble("links", next(iter(failing.values())), self._clock.now_s())
        else:
            self._status.clear_trouble("links")

    def _hold_for(self, refusal: RequestRefused) -> float:
        seconds = refusal.retry_after_s or 0.0
        self._status.retry_at = self.held_until = trio.current_time() + seconds
        self._say("Warning", f"{refusal}; waiting {seconds:.0f} s, as its Retry-After asks")
        return 0.0

    async def _hold(self) -> None:
        """Wait for the time of the last Retry-After."""
        left_s = self.held_until - trio.current_time()
        if left_s > 0:
            await self._pause(left_s)
        self._status.retry_at = None

    async def _retry(self, error: DersimError, wait_s: float | None = None) -> None:
        """Log the error and wait before the next walk."""
        self._close_outbox()
        if wait_s is None:
            wait_s = self._retries.next_s()
        self._status.enter("retrying", str(error))
        message = f"discovery of {self._client_context.config.dcap_url}: {error}"
        self._client_context.joining.tell(self._say, error, f"{message}; trying again in {wait_s:.0f} s")
        await self._pause(wait_s)

    async def _stay_failed(self, refusal: PinRefused) -> None:
        """A wrong PIN: withdraw all controls and read only the Registration, at its poll rate."""
        self._close_outbox()
        self.controls.withdraw()
        self._status.enter("failed", str(refusal))
        self._say("Error", str(refusal))
        rate_s = refusal.rate_s
        while True:
            await self._pause(rate_s / self._clock.rate)
            if self._asked.is_set():
                return
            try:
                await self.polling.registration()
            except PinRefused as again:
                rate_s = again.rate_s
            except DersimError as error:
                self._status.last_error = str(error)
            else:
                return

    async def _pause(self, seconds: float) -> None:
        """Wait `seconds` of real time, less if a re-discovery is requested."""
        self._status.retry_at = trio.current_time() + seconds
        with trio.move_on_after(seconds):
            await self._asked.wait()

    async def _may_post(self) -> None:
        """Wait until discovery is complete and no Retry-After holds us."""
        await self._outbox_open.wait()
        await trio.sleep_until(self.held_until)

    async def _post_response(self, href: str, response: DERControlResponse) -> int:
        """POST one Response for the outbox, once discovery is complete; returns the HTTP status."""
        await self._may_post()
        href = self.controls.reply_to(response.subject) or href
        try:
            body = self.session.encode(response)
        except LocalProtocolError as error:
            # The subject is the server's mRID as it was sent: one that is no mRID cannot be answered.
            raise RemoteProtocolError(f"cannot be written: {error}") from None
        try:
            cause = causes.response(response.status, response.subject)
            answer = await self.session.exchange("POST", href, cause, body)
        except RequestRefused as refusal:
            return self._not_taken(refusal)
        self.session.counters.responses += 1
        self._answering = True
        return answer.status

    def _not_taken(self, refusal: RequestRefused) -> int:
        """The status that tells the outbox what to do: 503 keeps a Response that another walk may deliver."""
        if refusal.retry_after_s is not None:
            self._hold_for(refusal)
        if refusal.gone and self._answering:
            # Responses were taken until now: after another walk the control may name a new replyTo.
            self._answering = False
            self._say("Info", f"{refusal}; Responses were accepted before: discovering again")
            self.rediscover()
            return 503
        return refusal.status


def _summary(tree: Tree) -> str:
    """What discovery has found, for the log."""
    programs, way = len(tree.program_nodes()), tree.end_device_href
    verified = {True: "PIN verified", False: "PIN wrong", None: "PIN not checked"}
    return f"EndDevice {way}, {verified[tree.registration.verified]}, {programs} program(s)"


def _name(key: Any) -> str:
    """A key of the schedule, for the log."""
    return f"the DERProgramList {key[1]}" if isinstance(key, tuple) else f"{key!s}"
