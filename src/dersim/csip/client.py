"""The CSIP client of one DER: the front-end that the engine runs and other front-ends call."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import trio

from dersim.buffers import BufferSize
from dersim.csip import checkpoint, recording, snapshot
from dersim.csip import credentials as credentials_of
from dersim.csip.actions import told
from dersim.csip.client_context import ClientContext
from dersim.csip.config import with_port_of_demo
from dersim.csip.credentials import Credentials
from dersim.csip.documents import Documents
from dersim.csip.joining import Joining, Retries
from dersim.csip.lifecycle import Lifecycle
from dersim.csip.log_events import BurstImpossible
from dersim.csip.measuring import ClientProbe
from dersim.csip.presence import Presence
from dersim.csip.profile_rounds import begin
from dersim.csip.session import COUNTER_NAMES, Counters
from dersim.csip.status import ClientStatus
from dersim.errors import CertificateError, ConfigError
from dersim.exchanges.conversation import MIB, Conversation, default_bytes
from dersim.http11.endpoint import OpenTcp, open_tcp
from dersim.load.recorder import LoadRecorder
from dersim.plugin.extension import FrontendStatus
from dersim.plugin.services import (
    ConversationService,
    CsipService,
    FoundResources,
    PeersService,
    PresenceService,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dersim.csip.config import CsipConfig
    from dersim.device import Device
    from dersim.ieee2030_5 import Edition
    from dersim.ieee2030_5.event_types import EventView
    from dersim.plugin.extension import FrontendContext
    from dersim.plugin.services import CertificateFiles, DerResource


#: The word, or the bits, of a burst of LogEvents.
AlarmStatus = Literal["Abnormal", "Normal"] | int

#: Of an event that is held, with its control, bytes; and the most that a client holds, over or not.
_EVENT_BYTES = 2_400
_MOST_EVENTS = 11_000


class CsipClient:
    """A front-end of scope "device".

    What other front-ends ask of it is `CsipService`, all synchronous. open_tcp: how it connects; replaced in
    tests.
    """

    def __init__(self, context: FrontendContext, *, open_tcp: OpenTcp = open_tcp) -> None:
        if context.device is None:
            raise ConfigError("the CSIP client belongs to a DER; register it with scope device")
        self.device: Device = context.device
        self.config = begin(context)
        self.counters = Counters()
        self.client_status = ClientStatus()
        self.conversation = _conversation_of(context, self.config)
        context.buffers["csip_conversation"] = self.conversation.size
        self._recorder = recording.recorder_of(context) if self.config.pcap else None
        held = context.services.shared(_HeldEvents, _HeldEvents)
        held.clients.append(self)
        context.buffers["csip_events"] = held.size
        self._joining = context.services.shared(
            Joining, partial(Joining, context.log, getattr(context.options, "ramp", 0.0))
        )
        self._context = context
        self._probe = _probe_of(context, self)
        self._pair = self.device.number if context.fleet.numbered else None
        self._lifecycle: Lifecycle | None = None
        self._loaded: Credentials | None = None
        self._restored: Mapping[str, Any] = {}
        self._files: Any = None
        self._asked = trio.Event()
        self.presence = Presence(self.client_status, self._begin_again, open_tcp)
        context.offer(CsipService, self)
        context.offer(PresenceService, self.presence)

    @property
    def edition(self) -> Edition:
        """The edition of what we send."""
        return self.config.edition

    @property
    def state(self) -> str:
        """One of discovering, connected, retrying, failed, away."""
        return self.client_status.state

    @property
    def bursting(self) -> bool:
        """Whether a burst of LogEvents is in progress."""
        return self._lifecycle is not None and self._lifecycle.log_events.next_due_s is not None

    @property
    def last_reaction_s(self) -> float | None:
        """From the effective start of the last control that was waiting until its setpoint, simulated s."""
        return None if self._lifecycle is None else self._lifecycle.controls.reaction.last_s

    def counts(self) -> dict[str, int]:
        """The counters by name."""
        return {name: getattr(self.counters, name) for name in COUNTER_NAMES}

    def found(self) -> FoundResources | None:
        """What was found on the server, last good state; None before there is an identity."""
        return None if self._lifecycle is None else snapshot.found(self._lifecycle.tree)

    @property
    def events_held(self) -> int:
        """How many events are held, those that are over too."""
        return 0 if self._lifecycle is None else self._lifecycle.controls.events_held

    def explain(self) -> list[EventView]:
        """Every event that is held, with its phase and why; times are the server's."""
        return [] if self._lifecycle is None else self._lifecycle.controls.explain()

    def server_now_s(self) -> float:
        """The server's time now, as far as it is known."""
        lifecycle, clock = self._lifecycle, self._context.clock
        return clock.now_s() if lifecycle is None else lifecycle.controls.server_now_s()

    def sent(self, name: DerResource) -> Any | None:
        """The resource as the server last took it; None before the first PUT."""
        return None if self._lifecycle is None else self._lifecycle.reporter.sent(name)

    def body(self, name: DerResource) -> Any | None:
        """The resource as it would be PUT now; None before there is an identity."""
        return None if self._lifecycle is None else self._lifecycle.reporter.body(name)

    @property
    def lifecycle(self) -> Lifecycle | None:
        """The connection under the present LFDI; None before certificates were read."""
        return self._lifecycle

    async def bind(self) -> Mapping[str, str]:
        """Check the certificate files; nothing listens. ConfigError where a given one is bad."""
        await trio.lowlevel.checkpoint()
        self.config = with_port_of_demo(self.config, self._context)
        credentials_of.check_given(self.config)
        if self._pair and self.config.cert is not None and self.device is self._context.fleet.devices[0]:
            self._context.log.log(
                "Info",
                "CSIP",
                "--csip_cert is not used: with -N or --first each DER has a certificate of the rotation",
            )
        if not credentials_of.missing_defaults(self.config, self._pair):
            try:
                self._load()
            except CertificateError as error:
                raise ConfigError(str(error)) from None
        return {}

    def peers(self) -> PeersService | None:
        """Who records this run, or answers from a record."""
        return self._context.service(PeersService)

    async def run(self) -> None:
        """Run until cancelled; a certificate with another LFDI starts a new lifecycle."""
        credentials = self._loaded or await self._wait_for_credentials()
        client_context = ClientContext(
            self._context,
            self.device,
            self.config,
            self.counters,
            self.conversation,
            self.client_status,
            self.presence,
            self._joining,
            self._context.services.shared(Documents, Documents),
            self._recorder,
            self._probe,
        )
        while True:
            self._lifecycle = lifecycle = Lifecycle(client_context, credentials, self._reload)
            if self._probe is not None:
                _measure(self._probe, lifecycle)
            checkpoint.give(lifecycle, self._restored, client_context.say)
            self._restored = {}
            credentials = await lifecycle.run()

    def checkpoint(self) -> Mapping[str, Any]:
        """What must be known after a restart, as JSON; see `csip/checkpoint.py`."""
        lifecycle, now_s = self._lifecycle, self._context.clock.now_s()
        return self._restored if lifecycle is None else checkpoint.taken(lifecycle, now_s)

    def checkpoint_mark(self) -> Any:
        """Equal as long as the checkpoint is; None where nobody knows."""
        return None if self._lifecycle is None else checkpoint.mark(self._lifecycle)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Go on from a checkpoint when the client runs; ConfigError for another format."""
        checkpoint.check(document)
        self._restored = document

    def status(self) -> FrontendStatus:
        """State, URL and last error, for the overview."""
        where = self.config.dcap_url
        error = self.client_status.last_error
        return FrontendStatus(self.client_status.state, f"{where}: {error}" if error else where)

    def snapshot(self) -> dict[str, Any]:
        """The public contract's `csip-client`; the list of all devices is added by the web."""
        return snapshot.snapshot(
            self.config,
            self.counters,
            self.client_status,
            credentials=self.identity(),
            lifecycle=self._lifecycle,
        )

    def identity(self) -> Credentials | None:
        """LFDI and SFDI; None before a certificate was read."""
        return self._loaded

    def certificate_files(self) -> CertificateFiles | None:
        """The files of this DER; None where a pair cannot be made."""
        try:
            files = credentials_of.files(self.config, self._pair)
        except (CertificateError, ConfigError):
            return None
        return type(files)(*(path.absolute() for path in files))

    @told
    def rediscover(self) -> None:
        """Read the certificate files again and start discovery from the DeviceCapability."""
        self._begin_again()

    def _begin_again(self) -> None:
        self._files = None
        self._asked.set()
        if self._lifecycle is not None:
            self._lifecycle.rediscover()

    @told
    def opt_out(self, mrid: str) -> None:
        """The user opts out of a control (Response 4); ConfigError for one that is not held."""
        self._require_lifecycle().controls.opt_out(mrid)

    @told
    def opt_in(self, mrid: str) -> None:
        """The user opts in again (Response 5); ConfigError for one that is not held."""
        self._require_lifecycle().controls.opt_in(mrid)

    @told
    def log_event_burst(
        self, alarm_status: AlarmStatus = "Abnormal", interval_s: float = 5.0, count: int = 5
    ) -> None:
        """Begin BASIC-027's burst; BurstImpossible (a 409) without a LogEventList or while one runs."""
        if self._lifecycle is None or self._lifecycle.tree.log_events is None:
            raise BurstImpossible("the server has no LogEventList for this DER, or was not reached yet")
        self._lifecycle.log_events.start_burst(alarm_status, interval_s, count)

    @told
    def stop_log_event_burst(self) -> None:
        """Stop BASIC-027's burst, if one runs."""
        if self._lifecycle is not None:
            self._lifecycle.log_events.stop_burst()

    def _require_lifecycle(self) -> Lifecycle:
        if self._lifecycle is None:
            raise ConfigError("no control is held: the client has not reached its server yet")
        return self._lifecycle

    def _load(self) -> Credentials:
        """Read the certificate files; CertificateError or ConfigError names the bad one."""
        self._files = _signature(self.config)
        self._loaded = credentials_of.load_for(self._context, self.config, self._pair, self.device)
        return self._loaded

    def _reload(self) -> Credentials | None:
        """The credentials, if the files have changed since they were read, or when asked to; else None."""
        if self._files is not None and self._files == _signature(self.config):
            return None
        try:
            return self._load()
        except (CertificateError, ConfigError):
            self._files = None
            raise

    async def _wait_for_credentials(self) -> Credentials:
        """Wait for the default certificate files: look every 10 s, and log what is missing."""
        while True:
            try:
                return self._load()
            except (CertificateError, ConfigError) as error:
                wait_s = Retries(self._context.rng).next_s()
                message = f"discovery of {self.config.dcap_url}: {error}; trying again in {wait_s:.0f} s"
                self._context.log.log("Warning", "CSIP", message, self.device.number)
                self.client_status.enter("retrying", str(error))
                self.client_status.retry_at = trio.current_time() + wait_s
            self._asked = trio.Event()
            with trio.move_on_after(wait_s):
                await self._asked.wait()


class _HeldEvents:
    """The events of all clients: with its control one takes some 2.4 kB."""

    def __init__(self) -> None:
        self.clients: list[CsipClient] = []

    def size(self) -> BufferSize:
        """What the events take, by their number."""
        held = sum(client.events_held for client in self.clients)
        return BufferSize(held * _EVENT_BYTES, len(self.clients) * _MOST_EVENTS * _EVENT_BYTES)


def _conversation_of(context: FrontendContext, config: CsipConfig) -> Conversation:
    """The conversation of the whole fleet, which the first client offers."""
    # A plug-in's flags are there only where it is selected.
    web_site = any(hasattr(context.options, flag) for flag in ("website_port", "csip_website_port"))
    size = default_bytes(len(context.fleet.devices), web_site=web_site)
    if config.conversation_mib is not None:
        size = config.conversation_mib * MIB
    held = context.services.shared(Conversation, lambda: Conversation(size))
    if context.service(ConversationService) is None:
        context.services.offer(ConversationService, held)
    return held


def _probe_of(context: FrontendContext, client: CsipClient) -> ClientProbe | None:
    """What measures this client, where load is recorded."""
    recorder = context.service(LoadRecorder)
    if recorder is None:
        return None
    recorder.clients.append(client)
    return ClientProbe(recorder, client.device, context.clock)


def _measure(load: ClientProbe, lifecycle: Lifecycle) -> None:
    lifecycle.polling.load = load
    lifecycle.controls.reaction.observer = load.noted
    load.held_until = lambda: lifecycle.held_until


def _signature(config: CsipConfig) -> tuple[Any, ...]:
    """A value that changes when a certificate file does; cheap, since it is read before every attempt."""
    paths = credentials_of.watched(config)
    return tuple(_stat(path) for path in paths)


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, on every attempt of every DER
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


if TYPE_CHECKING:
    _client: type[CsipService] = CsipClient
