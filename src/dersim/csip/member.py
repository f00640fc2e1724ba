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

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio

from dersim.csip.agenda import Agenda
from dersim.csip.clocks import Clocks
from dersim.csip.controls import Controls
from dersim.csip.conversation import Conversation
from dersim.csip.credentials import Credentials
from dersim.csip.discovery import Discovery, Identity, NotRegistered, PinRefused
from dersim.csip.links import Origin
from dersim.csip.log_events import LogEvents
from dersim.csip.metering import Metering
from dersim.csip.programs import Programs
from dersim.csip.reader import Moved, Reader
from dersim.csip.reporting import Reporter
from dersim.csip.responses import Outbox
from dersim.csip.rounds import PUNCTUAL, Rounds
from dersim.csip.session import Counters, Reading, Refused, Session
from dersim.csip.standing import Standing
from dersim.csip.tree import BRANCH_RETRY_S, Tree
from dersim.errors import DersimError, ProtocolError, UtilityUnreachable
from dersim.http11 import Connection, Endpoint
from dersim.ieee2030_5.event_types import EventSettings, Reread

if TYPE_CHECKING:
    from dersim.csip.config import CsipConfig
    from dersim.extension import FrontendContext
    from dersim.fleet import Device
    from dersim.http11.endpoint import OpenTcp
    from dersim.ieee2030_5.resources import DERControlResponse
    from dersim.logbuffer import Level

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


class Member:
    """The life of one identity; `run` returns the next identity, when the certificate files hold one."""

    def __init__(
        self,
        context: FrontendContext,
        device: Device,
        config: CsipConfig,
        credentials: Credentials,
        *,
        counters: Counters,
        conversation: Conversation,
        standing: Standing,
        reload: Reload,
        open_tcp: OpenTcp,
        rng: random.Random,
    ) -> None:
        self.lfdi = credentials.lfdi
        self.sfdi = credentials.sfdi
        self.tree = Tree()
        self.clocks = Clocks(context.clock)
        self.agenda = Agenda(context.clock)
        self._context = context
        self._device = device
        self._config = config
        self._standing = standing
        self._reload = reload
        self._open_tcp = open_tcp
        self._rng = rng
        self._asked = trio.Event()
        self._let_in = trio.Event()
        self._held_until = 0.0
        self._walked_at = 0.0
        self.session = Session(
            config.origin,
            self._connector(credentials),
            context.clock,
            reading=Reading(config.edition, config.validation, config.strict),
            counters=counters,
            conversation=conversation,
            say=self._say,
            device=device.number,
        )
        self.outbox = Outbox(
            self._post_response, lfdi=credentials.lfdi, edition=lambda: config.edition, log=self._log
        )
        self.controls = Controls(
            device.setpoints,
            self.clocks,
            rng=rng,
            on_response=self.outbox.put,
            on_reread=self._on_reread,
            log=self._log,
            settings=EventSettings(event_removed=config.event_removed),
        )
        self._assemble(config)

    def _assemble(self, config: CsipConfig) -> None:
        """The parts that read and write, on top of the session."""
        self._reader = reader = Reader(self.session, self._say)
        who = Identity(self.lfdi, config.pin)
        self.rounds = rounds = Rounds(
            clock=self._context.clock,
            clocks=self.clocks,
            agenda=self.agenda,
            session=self.session,
            reader=reader,
            discovery=Discovery(reader, self.tree, who, config.dcap),
            programs=Programs(reader, self.tree),
            controls=self.controls,
        )
        server_s = self.clocks.server_now_s
        rounds.reporter = self.reporter = Reporter(
            self._device, self.session, self._say, server_s, config.put_refresh_s
        )
        rounds.metering = Metering(self._device, self.session, self._say, self.lfdi, server_s)
        rounds.log_events = self.log_events = LogEvents(
            self.session,
            self._say,
            server_s=server_s,
            now_s=self._context.clock.now_s,
            on_waiting=lambda: self.agenda.set_earlier("log", self._context.clock.now_s()),
        )

    def _say(self, level: Level, message: str) -> None:
        self._context.log.log(level, "CSIP", message, self._device.number)

    def _log(self, level: Any, message: str) -> None:
        self._say(level, message)

    def _connector(self, credentials: Credentials) -> Callable[[Origin], Connection]:
        def connect(origin: Origin) -> Connection:
            tls = credentials.context if origin.secure else None
            return Endpoint(origin.host, origin.port, tls, open_tcp=self._open_tcp).connection()

        return connect

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
                nursery.start_soon(self._watch)
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
            self._say("Info", str(moved))
            self._standing.enter("discovering", str(moved))
            await self._pause(max(self._walked_at + RETRY_S - trio.current_time(), 0.0))
        except PinRefused as refusal:
            await self._stay_failed(refusal)
        except Refused as refusal:
            await self._retry(refusal, refusal.retry_after_s)
        except DersimError as error:
            await self._retry(error)

    async def _walk_and_work(self) -> None:
        self._shut_out()
        self._standing.enter("discovering")
        self._walked_at = trio.current_time()
        await self._renew_credentials()
        await self.rounds.walk()
        self._let_in.set()
        self._standing.enter("connected")
        self._say("Info", f"discovery of {self._config.dcap_url} is complete: {self._summary()}")
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
            self._say("Info", f"the certificate files now hold LFDI {credentials.lfdi}")
            raise _SomeoneElse(credentials)
        await self.session.renew(self._connector(credentials))

    async def _visit(self, key: Any) -> None:
        """One item of the agenda; what concerns only its branch is noted and tried again at its time."""
        begun_s = self._context.clock.now_s()
        try:
            again_s = await self.rounds.visit(key)
        except (Moved, PinRefused, NotRegistered, UtilityUnreachable):
            self.agenda.set(key, begun_s)
            raise
        except ProtocolError as error:
            again_s = BRANCH_RETRY_S
            if isinstance(error, Refused) and error.retry_after_s is not None:
                again_s = self._hold_for(error)
            self._say("Warning", str(error))
            self._standing.trouble(key, str(error))
        else:
            self._standing.well(key)
        self._note_failing()
        if again_s is not None:
            self.agenda.set_earlier(key, begun_s + again_s)

    def _note_failing(self) -> None:
        if failing := self._reader.failing:
            self._standing.trouble("links", next(iter(failing.values())))
        else:
            self._standing.well("links")

    def _hold_for(self, refusal: Refused) -> float:
        seconds = refusal.retry_after_s or 0.0
        self._held_until = trio.current_time() + seconds
        self._standing.retry_at = self._held_until
        self._say("Warning", f"{refusal}; as it asks, we come back in {seconds:.0f} s")
        return 0.0

    async def _hold(self) -> None:
        """Leave the server alone for as long as it has asked us to."""
        left_s = self._held_until - trio.current_time()
        if left_s > 0:
            await self._pause(left_s)
        self._standing.retry_at = None

    async def _retry(self, error: DersimError, wait_s: float | None = None) -> None:
        """Say what went wrong and where, and wait."""
        self._shut_out()
        if wait_s is None:
            wait_s = RETRY_S + self._rng.uniform(-RETRY_SPREAD_S, RETRY_SPREAD_S)
        self._standing.enter("retrying", str(error))
        self._say("Warning", f"discovery of {self._config.dcap_url}: {error}; trying again in {wait_s:.0f} s")
        await self._pause(wait_s)

    async def _stay_failed(self, refusal: PinRefused) -> None:
        """A wrong PIN: use nothing of this server, and look at the Registration alone, at its rate."""
        self._shut_out()
        self.controls.withdraw()
        self._standing.enter("failed", str(refusal))
        self._say("Error", str(refusal))
        rate_s = refusal.rate_s
        while True:
            await self._pause(rate_s / self._context.clock.rate)
            if self._asked.is_set():
                return
            try:
                await self.rounds.registration()
            except PinRefused as again:
                rate_s = again.rate_s
            except DersimError as error:
                self._standing.last_error = str(error)
            else:
                return

    async def _pause(self, seconds: float) -> None:
        """Wait, in real time, or until someone asks for a re-discovery."""
        self._standing.retry_at = trio.current_time() + seconds
        with trio.move_on_after(seconds):
            await self._asked.wait()

    async def _post_response(self, href: str, response: DERControlResponse) -> int:
        """The outbox's way out; it waits there until the server has let us in."""
        await self._let_in.wait()
        await trio.sleep_until(self._held_until)
        try:
            answer = await self.session.exchange("POST", href, self.session.encode(response))
        except Refused as refusal:
            return refusal.status
        self.session.counters.responses += 1
        return answer.status

    def _on_reread(self, reread: Reread) -> None:
        self.rounds.rereads.append(reread)
        self.agenda.set_earlier("reread", self._context.clock.now_s())

    async def _watch(self) -> None:
        """After every step: alarms become LogEvents, and a changed status does not wait for the next poll."""
        device, fleet = self._device, self._context.fleet
        seen = _urgent(device)
        while True:
            self.log_events.watch(device.state.alarms)
            now = _urgent(device)
            if now != seen:
                seen = now
                self.rounds.status_changed()
            await fleet.wait_step()

    def _summary(self) -> str:
        tree = self.tree
        programs, way = len(tree.program_nodes()), tree.end_device_href
        verified = {True: "PIN verified", False: "PIN wrong", None: "PIN not checked"}
        return f"EndDevice {way}, {verified[tree.registration.verified]}, {programs} program(s)"


def _urgent(device: Device) -> tuple[Any, ...]:
    state = device.state
    return state.alarms, state.connection, state.inverter_status, state.operational_mode
