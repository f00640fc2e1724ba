"""The outstation of one DER: its listener, its connections, and the steps that make events."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import trio
from py1815.observers import ProtocolAnomaly

from dersim.plugin import ConfigError, Flood, FrontendContext, FrontendStatus, listen
from dersim_dnp3.api import Api
from dersim_dnp3.association import Association
from dersim_dnp3.config import config_of
from dersim_dnp3.connection import Connection
from dersim_dnp3.conversation import Conversation
from dersim_dnp3.log_lines import MODULE, LogLines
from dersim_dnp3.masters import Masters
from dersim_dnp3.security import Peers, tls_context
from dersim_dnp3.services import Dnp3Service
from dersim_dnp3.station import Station

#: Connections of one DER at once; one more closes an old one.
_MOST = 16


class OutstationServer:
    """A front-end of scope "device". The points are made when the first master speaks, or the page asks."""

    def __init__(self, context: FrontendContext) -> None:
        if context.device is None:
            raise ConfigError("a DNP3 outstation belongs to a DER")
        self.device = context.device
        self._context = context
        self._options = context.options
        self._config = config_of(context.options)
        self._lines = context.services.shared(LogLines, lambda: LogLines(context.log))
        self._conversation = context.services.shared(Conversation, Conversation)
        context.buffers["dnp3_conversation"] = self._conversation.size
        self._flood = Flood(lambda line: self._say("Warning", line))
        self._arrivals = Flood(lambda line: self._say("Info", line))
        self.anomalies: dict[str, int] = {}
        self.masters = Masters(lambda: self.station, self._config, _real_s, self._flood.line, self._note)
        self.connections: list[Connection] = []
        self._listeners: list[trio.SocketListener] = []
        self._where = ""
        self._tls: ssl.SSLContext | None = None
        self._peers = Peers(context.options.dnp3_peers)
        self._someone = trio.Event()
        context.offer(Dnp3Service, self)
        self._is_first = self.device is context.fleet.devices[0]
        if self._is_first:
            self.station.check_profile()  # told at start-up
            Api(context)

    @cached_property
    def station(self) -> Station:
        """The points, made on first use."""
        clock, config = self._context.clock, self._config
        return Station(self.device, clock.now_s, config.profile, config.deadband_pct, self._fenced)

    def _fenced(self, what: str, act: Callable[[], None]) -> str:
        """Run it; why it failed, or ""."""
        with self._context.fences.around("dnp3_command", MODULE, f"a {what}", self.device.number) as ended:
            act()
        return str(ended)

    def checkpoint(self) -> dict[str, Any]:
        """What masters have written; nothing of points that nobody used."""
        return self.station.checkpoint() if "station" in self.__dict__ else {}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave. Masters begin anew: their events are gone, and they are told."""
        if document:
            self.station.restore(document)

    async def bind(self) -> Mapping[str, str]:
        """Open the listener; ConfigError for a busy port or a bad certificate."""
        options = self._options
        self._tls = tls_context(options) if options.dnp3_enc else None
        port = options.dnp3_port + self.device.number - 1 if options.dnp3_port else 0
        if self._where:  # after a restart: keep the port that was announced
            port = int(self._where.rpartition(":")[2])
        self._listeners = await listen(options.dnp3_host, port, flag="--dnp3_port")
        host, port = self._listeners[0].socket.getsockname()[:2]
        self._where = f"{host}:{port}"
        if self._is_first and self._tls is None and not ipaddress.ip_address(host).is_loopback:
            self._say(
                "Warning", f"{host} without TLS: whoever reaches it may command the DERs; see --dnp3_enc"
            )
        return {"dnp3": self._where}

    async def run(self) -> None:
        """Serve until cancelled."""
        listeners, self._listeners = self._listeners, []
        # One DER takes the library's lines for all.
        lines = self._lines if self._is_first else contextlib.nullcontext()
        with lines:
            await self._run(listeners)

    async def _run(self, listeners: list[trio.SocketListener]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_steps)
            nursery.start_soon(trio.serve_listeners, self._serve, listeners)

    async def aclose(self) -> None:
        """Close what `bind` opened, if `run` was never called."""
        while self._listeners:
            await self._listeners.pop().aclose()

    async def _follow_steps(self) -> None:
        """After each step: make events for every master, and report them where that is enabled."""
        while True:
            if not len(self.masters):
                self._someone = trio.Event()
                await self._someone.wait()
            await self._context.fleet.wait_step()
            with self._context.fences.around(
                "dnp3_events", MODULE, "the events of a step", self.device.number
            ):
                self._look()

    def _look(self) -> None:
        station = self.station
        station.timers.run_due()
        for association in self.masters.all():
            association.look()
        for connection in self.connections:
            connection.wake()

    async def _serve(self, stream: trio.SocketStream) -> None:
        peer = _name(stream)
        connection = Connection(
            self._config.address, self.masters, self._conversation, self._lines, self.device.number, peer
        )
        if len(self.connections) >= _MOST:
            self._make_room()
        self.connections.append(connection)
        try:
            with self._context.fences.around(
                "dnp3_connection", MODULE, f"{peer}: a connection", self.device.number
            ):
                why = await connection.serve(stream, self._tls, self._peers, self._arrived)
                if why:
                    self._flood.line(f"{peer}: {why}")
        finally:
            if connection in self.connections:
                self.connections.remove(connection)

    def _make_room(self) -> None:
        """Close the oldest connection, if there is one without a master."""
        oldest = next((each for each in self.connections if each.association is None), self.connections[0])
        self.connections.remove(oldest)
        oldest.close("a newer connection took its place")

    def _arrived(self, connection: Connection, association: Association) -> None:
        """A connection is this master's now; an older one of the same master ends."""
        for other in self.connections:
            if other is not connection and other.association is association:
                other.close("its master has come back over another connection")
        self._arrivals.line(f"{connection.peer}: master {association.master} has connected")
        self._someone.set()

    def _note(self, anomaly: ProtocolAnomaly) -> None:
        self.anomalies[anomaly.code.value] = self.anomalies.get(anomaly.code.value, 0) + 1

    def _say(self, level: str, message: str) -> None:
        self._context.log.log(level, MODULE, message, self.device.number)  # type: ignore[arg-type]  # a Level

    def status(self) -> FrontendStatus:
        """Where it listens, and the number of masters that are connected."""
        connected = sum(each.association is not None for each in self.connections)
        return FrontendStatus(
            "serving" if self._where else "starting", f"{self._where}, {connected} master(s)"
        )


def _real_s() -> float:
    """Real seconds, for time-outs of the protocol."""
    return trio.current_time()


def _name(stream: trio.SocketStream) -> str:
    try:
        name = stream.socket.getpeername()
    except OSError:
        return "a master that is gone"
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
