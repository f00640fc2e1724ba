"""All the parts of a client under one identity, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dersim.csip.clocks import Clocks
from dersim.csip.controls import Controls
from dersim.csip.credentials import Credentials
from dersim.csip.discovery import Discovery, Identity
from dersim.csip.links import Origin
from dersim.csip.log_events import LogEvents
from dersim.csip.metering import Metering
from dersim.csip.polling import Polling
from dersim.csip.programs import Programs
from dersim.csip.reader import Reader
from dersim.csip.reporting import Reporter
from dersim.csip.responses import Outbox
from dersim.csip.schedule import Schedule
from dersim.csip.session import Counters, Reading, Session
from dersim.csip.tree import Tree
from dersim.http11 import Connection, Endpoint
from dersim.ieee2030_5.event_types import EventSettings, Reread

if TYPE_CHECKING:
    from dersim.csip.config import CsipConfig
    from dersim.csip.conversation import Conversation
    from dersim.csip.status import ClientStatus
    from dersim.csip.watch import Watch
    from dersim.device import Device
    from dersim.http11.endpoint import OpenTcp
    from dersim.ieee2030_5.resources import DERControlResponse
    from dersim.logbuffer import Level
    from dersim.plugin.extension import FrontendContext

#: DeviceCategoryType by DERType: PV, other storage, PV with storage. Events for others are not ours.
DEVICE_CATEGORY = {4: 1 << 21, 80: 1 << 25, 83: 1 << 23}

PostResponse = Callable[[str, "DERControlResponse"], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a client is given and keeps, whoever it is: the DER, the flags, where it is counted and shown."""

    context: FrontendContext
    device: Device
    config: CsipConfig
    counters: Counters
    conversation: Conversation
    standing: ClientStatus
    open_tcp: OpenTcp
    watch: Watch


class Parts:
    """The parts; who calls whom is theirs. post_response: how the outbox reaches the server."""

    def __init__(self, setting: Setting, credentials: Credentials, post_response: PostResponse) -> None:
        config, device, clock = setting.config, setting.device, setting.context.clock
        self._setting = setting
        self.tree = Tree()
        self.clocks = Clocks(clock)
        self.agenda = Schedule(clock)
        self.session = Session(
            config.origin,
            self.connector(credentials),
            clock,
            reading=Reading(config.edition, config.validation, config.strict),
            counters=setting.counters,
            conversation=setting.conversation,
            say=self.say,
            device=device.number,
        )
        self.outbox = Outbox(
            post_response, lfdi=credentials.lfdi, edition=lambda: config.edition, log=self._log
        )
        self.controls = Controls(
            device.setpoints,
            self.clocks,
            rng=setting.context.rng,
            on_response=self.outbox.put,
            on_reread=self._on_reread,
            log=self._log,
            settings=EventSettings(
                device_category=DEVICE_CATEGORY.get(device.nameplate.der_type),
                event_removed=config.event_removed,
            ),
        )
        self._add_readers_and_writers(credentials.lfdi)

    def _add_readers_and_writers(self, lfdi: str) -> None:
        """What reads and writes, on top of the session."""
        setting, session, say = self._setting, self.session, self.say
        config, clock, server_s = setting.config, setting.context.clock, self.clocks.server_now_s
        self.reader = reader = Reader(session, say)
        self.rounds = rounds = Polling(
            clock=clock,
            clocks=self.clocks,
            agenda=self.agenda,
            session=session,
            reader=reader,
            discovery=Discovery(reader, self.tree, Identity(lfdi, config.pin), config.dcap),
            programs=Programs(reader, self.tree),
            controls=self.controls,
        )
        rounds.reporter = Reporter(setting.device, session, say, server_s, config.put_refresh_s)
        rounds.metering = Metering(setting.device, session, say, lfdi, server_s)
        rounds.log_events = LogEvents(
            session,
            say,
            server_s=server_s,
            now_s=clock.now_s,
            on_waiting=lambda: self.agenda.set_earlier("log", clock.now_s()),
        )

    def say(self, level: Level, message: str) -> None:
        """A line for the log, under CSIP and this DER."""
        self._setting.context.log.log(level, "CSIP", message, self._setting.device.number)

    def _log(self, level: Any, message: str) -> None:
        self.say(level, message)

    def _on_reread(self, reread: Reread) -> None:
        self.rounds.rereads.append(reread)
        self.agenda.set_earlier("reread", self._setting.context.clock.now_s())

    def connector(self, credentials: Credentials) -> Callable[[Origin], Connection]:
        """How to connect with these credentials."""

        def connect(origin: Origin) -> Connection:
            tls = credentials.context if origin.secure else None
            return Endpoint(origin.host, origin.port, tls, open_tcp=self._setting.open_tcp).connection()

        return connect
