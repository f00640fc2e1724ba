"""The objects that make up the client of one identity, and how they are connected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from dersim import tls
from dersim.csip.client_context import ClientContext
from dersim.csip.clocks import Clocks
from dersim.csip.controls import DCAP_TIME, Controls
from dersim.csip.credentials import Credentials
from dersim.csip.discovery import Discovery
from dersim.csip.links import Origin
from dersim.csip.log_events import LogEvents
from dersim.csip.means import MeanCounter
from dersim.csip.measuring import MeasuredEndpoint, MeasuredSession
from dersim.csip.metering import Metering
from dersim.csip.mirror import MirrorKind
from dersim.csip.own_end_device import ExpectedEndDevice
from dersim.csip.polling import MAX_REREADS, Polling
from dersim.csip.profile_rounds import kinds_of_mirrors, rounds_of
from dersim.csip.programs import Programs
from dersim.csip.reader import Reader
from dersim.csip.reporting import Reporter
from dersim.csip.responses import Outbox
from dersim.csip.schedule import Schedule
from dersim.csip.session import CodecSettings, Session
from dersim.csip.several_meters import Meters, SeveralMeters
from dersim.csip.subscriptions.hub import NotifyHub
from dersim.csip.subscriptions.parts import Subscriptions
from dersim.csip.subscriptions.reading import NotedReader
from dersim.csip.time_sampling import TimeSampling
from dersim.csip.tree import Tree, branch_retry_s
from dersim.errors import CertificateError, ConfigError, RemoteProtocolError
from dersim.http11 import Endpoint, Requests
from dersim.ieee2030_5.event_types import EventSettings, Reread
from dersim.plugin.services import PeersService

if TYPE_CHECKING:
    from dersim.ieee2030_5.resources import DERControlResponse

#: DeviceCategoryType by DERType: PV, other storage, PV with storage. Events for others are not ours.
DEVICE_CATEGORY = {4: 1 << 21, 80: 1 << 25, 83: 1 << 23}

PostResponse = Callable[[str, "DERControlResponse"], Awaitable[int]]


class Parts:
    """Every object of one identity, made once.

    post_response: how the outbox reaches the server, once `may_post` has returned.
    """

    def __init__(
        self,
        client_context: ClientContext,
        credentials: Credentials,
        post_response: PostResponse,
        may_post: Callable[[], Awaitable[None]],
    ) -> None:
        config, device, clock = client_context.config, client_context.device, client_context.frontend.clock
        say, fence, lfdi = client_context.say, client_context.fence, credentials.lfdi
        self._client_context = client_context
        self.tree = Tree()
        self.clocks = Clocks(clock)
        self.schedule = load.schedule(clock) if (load := client_context.load) else Schedule(clock)
        self.rereads: list[Reread] = []
        self.means: MeanCounter | None = None
        self.settings_at_once = client_context.frontend.csip_profile.settings_at_once
        self.subscriptions = self._subscriptions()
        self.session = session = self._session(credentials)
        fences, documents = client_context.frontend.fences, client_context.documents
        make = Reader if self.subscriptions is None else NotedReader
        self.reader = make(session, say, fences, device.number, self.tree.unreadable)
        self.reader.retry_s = branch_retry_s(lfdi)
        saved = client_context.frontend.saved_states.barrier_of(device.number)
        self.outbox = self._outbox(lfdi, post_response, may_post)
        self.controls = self._controls()
        server_s = self.clocks.server_now_s
        self.reporter = Reporter(device, session, say, server_s, config.put_refresh_s, fence, documents)
        self.reporter.gen_connect_status = client_context.frontend.csip_profile.gen_connect_status
        self.metering = self._metering(lfdi, saved)
        self.log_events = self._log_events(saved)
        self.time = self._time_sampling()
        self.polling: Polling = self._maker_of_polling()(
            clock=clock,
            clocks=self.clocks,
            schedule=self.schedule,
            time=self.time,
            session=session,
            reader=self.reader,
            discovery=self._discovery(lfdi),
            rounds=rounds_of(client_context, session, self.tree),
            programs=Programs(self.reader, self.tree),
            controls=self.controls,
            reporter=self.reporter,
            metering=self.metering,
            log_events=self.log_events,
            rereads=self.rereads,
        )

    def _discovery(self, lfdi: str) -> Discovery:
        config, device = self._client_context.config, self._client_context.device
        more = self._client_context.frontend.csip_profile.end_device
        return Discovery(
            self.reader,
            self.tree,
            ExpectedEndDevice(lfdi, config.pin),
            config.dcap,
            dict if more is None else partial(more, device),
        )

    def _metering(self, lfdi: str, saved: Callable[[], Awaitable[None]]) -> Meters:
        """The mirrors; with the means that they need."""
        context, clock_s = self._client_context, self._client_context.frontend.clock.now_s
        kinds, phases = kinds_of_mirrors(context), context.device.nameplate.phases
        if any(item.mean is not None for kind in kinds for item in kind.quantities(phases)):
            self.means = MeanCounter(
                context.device,
                lambda: self.clocks.server_now_s() - clock_s(),
                lambda: self.schedule.set_earlier("meter", clock_s()),
            )

        def make(kind: MirrorKind) -> Metering:
            return Metering(
                context.device,
                self.session,
                context.say,
                lfdi,
                server_s=self.clocks.server_now_s,
                clock_s=clock_s,
                end_device_rate=lambda: self.tree.end_device.postRate if self.tree.end_device else None,
                on_lost=self._on_mirror_lost,
                kind=kind,
                saved=saved,
                mrid_end=context.frontend.csip_profile.mrid_end,
                means=self.means,
            )

        if len(kinds) == 1:
            return make(kinds[0])
        return SeveralMeters([make(kind) for kind in kinds], self.session, clock_s)

    def _log_events(self, saved: Callable[[], Awaitable[None]]) -> LogEvents:
        context, clock_s = self._client_context, self._client_context.frontend.clock.now_s
        return LogEvents(
            self.session,
            context.say,
            server_s=self.clocks.server_now_s,
            now_s=clock_s,
            on_waiting=lambda: self.schedule.set_earlier("log", clock_s()),
            fence=context.fence,
            saved=saved,
            repeats=lambda: context.frontend.saved_states.repeats,
        )

    def _subscriptions(self) -> Subscriptions | None:
        hub = self._client_context.frontend.service(NotifyHub)
        return None if hub is None else Subscriptions(hub, self._client_context)

    def _maker_of_polling(self) -> Callable[..., Polling]:
        return Polling if self.subscriptions is None else self.subscriptions.polling

    async def aclose(self) -> None:
        """Delete subscriptions and close all connections, both in bounded time, even when cancelled."""
        if self.subscriptions is not None:
            await self.subscriptions.leave()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
            await self.session.aclose()

    def _time_sampling(self) -> TimeSampling:
        return TimeSampling(
            clock=self._client_context.frontend.clock,
            clocks=self.clocks,
            schedule=self.schedule,
            reader=self.reader,
            on_offsets=self._on_offsets,
        )

    def _session(self, credentials: Credentials) -> Session:
        client_context = self._client_context
        config, load = client_context.config, client_context.load
        make = Session if load is None else partial(MeasuredSession, load)
        return make(
            config.origin,
            self.connector(credentials),
            client_context.frontend.clock,
            codec=CodecSettings(config.edition, config.validation, config.strict),
            counters=client_context.counters,
            conversation=client_context.conversation,
            say=client_context.say,
            device=client_context.device.number,
            documents=client_context.documents,
            connecting=client_context.joining.connecting,
            on_recovered=self._on_recovered,
        )

    def _outbox(self, lfdi: str, post: PostResponse, may_post: Callable[[], Awaitable[None]]) -> Outbox:
        client_context = self._client_context
        states = client_context.frontend.saved_states
        return Outbox(
            post,
            lfdi=lfdi,
            edition=lambda: client_context.config.edition,
            log=self._log,
            fence=client_context.fence,
            ready=may_post,
            saved=states.barrier_of(client_context.device.number),
            repeats=lambda: states.repeats,
        )

    def _controls(self) -> Controls:
        device, config = self._client_context.device, self._client_context.config
        frontend = self._client_context.frontend
        return Controls(
            device.setpoints,
            frontend.clock,
            rng=frontend.rng,
            on_response=self.outbox.put,
            on_reread=self._on_reread,
            on_clock_mismatch=self._on_clock_mismatch,
            turn=self._client_context.joining.turn,
            log=self._log,
            fence=lambda what: frontend.fences.around("csip_control", "CSIP", what, device.number),
            settings=EventSettings(
                device_category=DEVICE_CATEGORY.get(device.nameplate.der_type),
                event_removed=config.event_removed,
            ),
        )

    def _log(self, level: Any, message: str) -> None:
        self._client_context.say(level, message)

    def _on_mirror_lost(self) -> None:
        """PUT the four DER resources again: a server that lost the mirror has probably lost them too."""
        self.reporter.forget("the server lost our mirror")
        if self.subscriptions is not None:
            self.subscriptions.recovered()
        self.schedule.set_earlier("der", self._client_context.frontend.clock.now_s())

    def _on_recovered(self, failed: frozenset[str]) -> None:
        """Resume after a failure of the whole server. failed: the hrefs that failed until now.

        An href that fails alone while others work keeps its own pause.
        """
        self.outbox.resume(failed)
        if self.subscriptions is not None:
            self.subscriptions.recovered()
        metering = self.metering
        if metering.can_retry and failed - metering.hrefs - {self.tree.mirrors}:
            self.schedule.set_earlier("meter", self._client_context.frontend.clock.now_s())

    def _on_offsets(self, offsets_s: Mapping[str, float]) -> None:
        """The DeviceCapability's clock is that of programs that name no other."""
        main = self.clocks.main_href or ""
        own = {DCAP_TIME: offsets_s[main]} if main in offsets_s else {}
        self.controls.set_clock_offsets({**offsets_s, **own})

    def _on_clock_mismatch(self, time_href: str) -> None:
        self.time.sample_soon(time_href or self.clocks.main_href or "")

    def _on_reread(self, reread: Reread) -> None:
        self.rereads.append(reread)
        del self.rereads[:-MAX_REREADS]
        self.schedule.set_earlier("reread", self._client_context.frontend.clock.now_s())

    def connector(self, credentials: Credentials) -> Callable[[Origin], Requests]:
        """How to connect with these credentials."""

        peers = self._client_context.frontend.service(PeersService)

        def connect(origin: Origin) -> Requests:
            make = partial(self._connection, origin, credentials)
            number = self._client_context.device.number
            connection = make() if peers is None else peers.connection(number, origin.url(""), make)
            if self.subscriptions is not None and origin == self._client_context.config.origin:
                self.subscriptions.server.connection = connection
            return connection

        return connect

    def _connection(self, origin: Origin, credentials: Credentials) -> Requests:
        client_context = self._client_context
        context = _tls_context(credentials, origin) if origin.secure else None
        recorder, load, wrap = client_context.recorder, client_context.load, None
        if recorder is not None:
            wrap = partial(recorder.record, device=client_context.device.number, context=context)
        make = Endpoint if load is None else partial(MeasuredEndpoint, load)
        open_tcp = client_context.presence.open_tcp
        return make(origin.host, origin.port, context, open_tcp=open_tcp, wrap=wrap).connection()


def _tls_context(credentials: Credentials, origin: Origin) -> tls.ClientContext:
    """The context for an https link; RemoteProtocolError where `--csip_enc no` has no certificate for it."""
    try:
        return credentials.context()
    except (CertificateError, ConfigError) as error:
        raise RemoteProtocolError(
            f"{origin.url('')} needs TLS, and {error}; give --csip_cert, --csip_key and --csip_root_cert"
        ) from None
