"""One identity on one server: how it gets in, stays in, and gets in again.

    discovering --walk complete--> connected --a poll fails--> retrying (that branch alone)
         ^  |                          |
         |  +--any failure--> retrying +--server unreachable--> retrying (everything)
         |                       |     +--a known link is gone, or asked to--> discovering
         +-----10 s, +-1 s-------+
    Registration's PIN wrong --> failed: only the Registration is read, at its poll rate

Whatever happens, what was read stays, the controls go on, and what is to be answered waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio

from dersim.csip.credentials import Credentials
from dersim.csip.discovery import NotRegistered, PinRefused
from dersim.csip.parts import Parts, Setting
from dersim.csip.polling import PUNCTUAL
from dersim.csip.reader import Moved
from dersim.csip.session import Refused
from dersim.csip.tree import BRANCH_RETRY_S
from dersim.errors import (
    DersimError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    UtilityUnreachable,
)

if TYPE_CHECKING:
    from dersim.ieee2030_5.resources import DERControlResponse

#: The seed's retry, s, and how far it is spread over a fleet either way.
RETRY_S = 10.0
RETRY_SPREAD_S = 1.0

#: Reads the certificate files again: the new ones, or None where they have not changed.
Reload = Callable[[], Credentials | None]


class _SomeoneElse(Exception):  # noqa: N818 - a signal within this module
    """The certificate files now hold another identity."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self.credentials = credentials


class Lifecycle:
    """The life of one identity; `run` returns the next identity, when the certificate files hold one."""

    def __init__(self, setting: Setting, credentials: Credentials, reload: Reload) -> None:
        self.lfdi = credentials.lfdi
        self._setting = setting
        self._clock = setting.context.clock
        self._reload = reload
        self._kit = kit = Parts(setting, credentials, self._post_response)
        self.tree, self.clocks, self.agenda, self.session = kit.tree, kit.clocks, kit.agenda, kit.session
        self.controls, self.outbox, self.rounds = kit.controls, kit.outbox, kit.rounds
        self.reporter, self.log_events = kit.rounds.reporter, kit.rounds.log_events
        self._asked = trio.Event()
        self._let_in = trio.Event()
        self._held_until = 0.0
        self._walked_at = 0.0
        self._answering = False
        self._urgent: tuple[Any, ...] = ()

    def rediscover(self) -> None:
        """Read the certificate files and walk the server again, as soon as the exchange under way is over."""
        self._asked.set()
        self.agenda.wake()

    async def run(self) -> Credentials:
        """Live until the certificate files hold another identity; returns that."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.controls.run)
                nursery.start_soon(self.outbox.run)
                nursery.start_soon(self._setting.watch.run, self._setting.device.number, self._look)
                try:
                    while True:
                        await self._live_once()
                except _SomeoneElse as change:
                    nursery.cancel_scope.cancel()
                    successor = change.credentials
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await self.session.aclose()
        self.controls.withdraw()
        return successor

    async def _live_once(self) -> None:
        """One walk and all that follows, until something goes wrong; then wait as long as is due."""
        try:
            await self._walk_and_work()
        except Moved as moved:
            self._kit.say("Info", str(moved))
            self._setting.standing.enter("discovering", str(moved))
            await self._pause(max(self._walked_at + RETRY_S - trio.current_time(), 0.0))
        except PinRefused as refusal:
            await self._stay_failed(refusal)
        except Refused as refusal:
            await self._retry(refusal, refusal.retry_after_s)
        except DersimError as error:
            await self._retry(error)

    async def _walk_and_work(self) -> None:
        self._shut_out()
        self._setting.standing.enter("discovering")
        self._walked_at = trio.current_time()
        await self._renew_credentials()
        await self.rounds.walk()
        self._let_in.set()
        self._setting.standing.enter("connected")
        self._kit.say("Info", f"discovery of {self._setting.config.dcap_url} is complete: {self._summary()}")
        while not self._asked.is_set():
            await self._hold()
            for key in self.agenda.take_due(PUNCTUAL):
                await self._visit(key)
            if not self._asked.is_set():
                await self.agenda.wait()

    def _shut_out(self) -> None:
        if self._let_in.is_set():
            self._let_in = trio.Event()

    async def _renew_credentials(self) -> None:
        asked = self._asked.is_set()
        self._asked = trio.Event()
        credentials = self._reload()
        if credentials is None:
            if asked:
                await self.session.aclose()
            return
        if credentials.lfdi != self.lfdi:
            self._kit.say("Info", f"the certificate files now hold LFDI {credentials.lfdi}")
            raise _SomeoneElse(credentials)
        await self.session.renew(self._kit.connector(credentials))

    async def _visit(self, key: Any) -> None:
        """One item of the agenda; what concerns only its branch is noted and tried again at its time."""
        begun_s = self._clock.now_s()
        try:
            again_s = await self.rounds.visit(key)
        except (Moved, PinRefused, NotRegistered, UtilityUnreachable):
            self.agenda.set(key, begun_s)
            raise
        except ProtocolError as error:
            again_s = BRANCH_RETRY_S
            if isinstance(error, Refused) and error.retry_after_s is not None:
                again_s = self._hold_for(error)
            self._kit.say("Warning", str(error))
            self._setting.standing.trouble(key, str(error))
        else:
            self._setting.standing.well(key)
        self._note_failing()
        if again_s is not None:
            self.agenda.set_earlier(key, begun_s + again_s)

    def _note_failing(self) -> None:
        if failing := self._kit.reader.failing:
            self._setting.standing.trouble("links", next(iter(failing.values())))
        else:
            self._setting.standing.well("links")

    def _hold_for(self, refusal: Refused) -> float:
        seconds = refusal.retry_after_s or 0.0
        self._held_until = trio.current_time() + seconds
        self._setting.standing.retry_at = self._held_until
        self._kit.say("Warning", f"{refusal}; as it asks, we come back in {seconds:.0f} s")
        return 0.0

    async def _hold(self) -> None:
        """Leave the server alone for as long as it has asked us to."""
        left_s = self._held_until - trio.current_time()
        if left_s > 0:
            await self._pause(left_s)
        self._setting.standing.retry_at = None

    async def _retry(self, error: DersimError, wait_s: float | None = None) -> None:
        """Say what went wrong and where, and wait."""
        self._shut_out()
        if wait_s is None:
            wait_s = RETRY_S + self._setting.context.rng.uniform(-RETRY_SPREAD_S, RETRY_SPREAD_S)
        self._setting.standing.enter("retrying", str(error))
        self._kit.say(
            "Warning",
            f"discovery of {self._setting.config.dcap_url}: {error}; trying again in {wait_s:.0f} s",
        )
        await self._pause(wait_s)

    async def _stay_failed(self, refusal: PinRefused) -> None:
        """A wrong PIN: use nothing of this server, and look at the Registration alone, at its rate."""
        self._shut_out()
        self.controls.withdraw()
        self._setting.standing.enter("failed", str(refusal))
        self._kit.say("Error", str(refusal))
        rate_s = refusal.rate_s
        while True:
            await self._pause(rate_s / self._clock.rate)
            if self._asked.is_set():
                return
            try:
                await self.rounds.registration()
            except PinRefused as again:
                rate_s = again.rate_s
            except DersimError as error:
                self._setting.standing.last_error = str(error)
            else:
                return

    async def _pause(self, seconds: float) -> None:
        """Wait, in real time, or until someone asks for a re-discovery."""
        self._setting.standing.retry_at = trio.current_time() + seconds
        with trio.move_on_after(seconds):
            await self._asked.wait()

    async def _post_response(self, href: str, response: DERControlResponse) -> int:
        """The outbox's way out; it waits there until the server has let us in."""
        await self._let_in.wait()
        await trio.sleep_until(self._held_until)
        href = self.controls.reply_to(response.subject) or href
        try:
            body = self.session.encode(response)
        except LocalProtocolError as error:
            # The subject is the server's mRID as it was sent: one that is no mRID cannot be answered.
            raise RemoteProtocolError(f"cannot be written: {error}") from None
        try:
            answer = await self.session.exchange("POST", href, body)
        except Refused as refusal:
            return self._not_taken(refusal)
        self.session.counters.responses += 1
        self._answering = True
        return answer.status

    def _not_taken(self, refusal: Refused) -> int:
        """The status for the outbox: it gives up what is refused, and keeps it where we know better."""
        if refusal.retry_after_s is not None:
            self._hold_for(refusal)
        if refusal.gone and self._answering:
            # Responses were taken until now: after another walk the control may name a new replyTo.
            self._answering = False
            self._kit.say("Info", f"{refusal}; Responses used to be taken: discovering anew")
            self.rediscover()
            return 503
        return refusal.status

    def _look(self) -> None:
        """After every step: alarms become LogEvents, and a changed status does not wait for the next poll."""
        state = self._setting.device.state
        self.log_events.watch(state.alarms)
        urgent = state.alarms, state.connection, state.inverter_status, state.operational_mode
        if urgent != self._urgent:
            self._urgent = urgent
            self.rounds.status_changed()

    def _summary(self) -> str:
        tree = self.tree
        programs, way = len(tree.program_nodes()), tree.end_device_href
        verified = {True: "PIN verified", False: "PIN wrong", None: "PIN not checked"}
        return f"EndDevice {way}, {verified[tree.registration.verified]}, {programs} program(s)"
