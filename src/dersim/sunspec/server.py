"""The Modbus front-end of one DER: its register map, its listener, its timers."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import trio

from dersim.errors import ConfigError
from dersim.fences import at_start
from dersim.floods import Flood
from dersim.http11.listen import address, bind
from dersim.kept import attributes, set_attributes
from dersim.local_control.refused import Refused
from dersim.local_control.reversion import Timers
from dersim.local_control.view import View
from dersim.plugin.extension import FrontendStatus
from dersim.plugin.services import CsipService, SunspecService
from dersim.saved_states import Barrier
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.catalog import models_of
from dersim.sunspec.connections import Connections
from dersim.sunspec.exceptions import code_of
from dersim.sunspec.mbap import Stream
from dersim.sunspec.pdu import Service
from dersim.sunspec.points_by_name import apply_points, restore, shown_points
from dersim.sunspec.ratings import Common
from dersim.sunspec.rights import EVERYTHING
from dersim.sunspec.security import rights_of, server_context
from dersim.sunspec.unit import Unit

if TYPE_CHECKING:
    from dersim.plugin.extension import FrontendContext

#: Unit ids that mean "any device at this address" (Modbus Messaging on TCP/IP 1.0b, 4.4.2).
_ANYONE = (0, 255)
_LAST_UNIT = 247


class ModbusServer:
    """A front-end of scope "device".

    What other front-ends ask of it is `SunspecService`.
    """

    def __init__(self, context: FrontendContext) -> None:
        if context.device is None:
            raise ConfigError("the Modbus server belongs to a DER; register it with scope device")
        self.device = context.device
        self._context = context
        self._options = context.options
        self.timers = Timers(context.clock.now_s, self._timer_fence)
        self.view = View(self.device, context.clock.now_s, self._say)
        self._printed = int(self.device.nameplate.points["1.DA"])
        self._last_refusal = ""
        self._refusals = Flood(lambda line: self._say("Warning", line))
        self._unsaved = False
        self._listeners: list[trio.SocketListener] = []
        self._connections: Connections | None = None
        self._where = ""
        context.offer(SunspecService, self)
        if self._is_first:
            self._try_models_of_plugins()
            if self.device.nameplate.registers:
                _ = self.unit  # made now, so that a register that cannot be is told at start-up

    @property
    def _is_first(self) -> bool:
        return self.device is self._context.fleet.devices[0]

    def _try_models_of_plugins(self) -> None:
        """Encode them once, so that a bad one is told at start-up; PluginError."""
        for plugin, kind in self._context.sunspec_models:
            with at_start(plugin, f"SunSpec model {kind.definition['id']}"):
                if kind.suits(self.device.nameplate):
                    self.unit.block(int(kind.definition["id"])).try_out()

    @cached_property
    def unit(self) -> Unit:
        """The register map, made on first use: of a thousand DERs few are ever read."""
        csip, more = self._csip_client, self._context.sunspec_models
        address, fences = self._address_at_first(), self._context.fences
        models = models_of(self.view, self.timers, address, csip=csip, more=more, fences=fences)
        unit = Unit(models, before=self.timers.run_due)
        restore(unit, self.device.nameplate)
        return unit

    @cached_property
    def service(self) -> Service:
        """The service that answers requests, made on first use."""
        return Service(self.unit, self._identity(), on_write=self._wrote, on_refused=self._refused)

    def checkpoint(self) -> dict[str, Any]:
        """What is written and not in force, by model, and the timers; nothing of a map that nobody used."""
        if "unit" not in self.__dict__:
            return {}
        models = [block.model for block in self.unit.blocks]
        kept = {str(each.model_id): attributes(each, each.KEPT) for each in models if each.KEPT}
        return {"models": kept, "timers": self.timers.checkpoint()}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave; models that this run does not have are left out."""
        if document:
            for model in (block.model for block in self.unit.blocks):
                set_attributes(model, model.KEPT, document["models"].get(str(model.model_id), {}))
            self.timers.restore(document["timers"])

    def _csip_client(self) -> CsipService | None:
        return self._context.service(CsipService, self.device.number)

    def answer(self, pdu: bytes) -> bytes:
        """The answer to a PDU, with all rights."""
        return self.service.answer(pdu)

    def _identity(self) -> dict[int, str]:
        plate = self.device.nameplate
        return {0: plate.manufacturer, 1: plate.model, 2: plate.version, 4: plate.model, 5: self.device.name}

    @property
    def unit_id(self) -> int:
        """The device address in 1.DA: the nameplate's for the first DER, one more for each after it."""
        common = self.unit.blocks[0].model
        assert isinstance(common, Common)  # noqa: S101 - model 1 is always the first
        return common.device_address

    def answers_to(self, unit_id: int) -> bool:
        """Whether a unit id is ours: the one in 1.DA, and those that mean any device at this address."""
        own = self.unit_id
        if unit_id == own or unit_id in _ANYONE:
            return True
        # Every DER has a port of its own: until the address is changed, the nameplate's is right on each.
        return unit_id == self._printed and own == self._address_at_first()

    def _address_at_first(self) -> int:
        return min(self._printed + self.device.number - 1, _LAST_UNIT)

    async def bind(self) -> Mapping[str, str]:
        """Open the listener; ConfigError for a busy port or a bad certificate."""
        options = self._options
        if not options.mb_enable:
            await trio.lowlevel.checkpoint()
            return {}
        tls = self._tls_context() if options.mb_enc else None
        port = options.mb_port + self.device.number - 1 if options.mb_port else 0
        if self._where:  # after a restart: keep the port that was announced
            port = int(self._where.rpartition(":")[2])
        self._listeners = await bind(options.mb_host, port, flag="--mb_port")
        fences, number = self._context.fences, self.device.number
        self._connections = Connections(
            self._open_stream, self._say, fences=fences, device=number, tls=tls, to_save=self._to_save
        )
        host, port = address(self._listeners)
        self._where = f"{host}:{port}"
        return {"modbus": self._where}

    def _tls_context(self) -> ssl.SSLContext:
        o = self._options
        return server_context(
            o.mb_cert, o.mb_key, o.mb_root_cert, ciphers=o.mb_ciphers, version=o.mb_tls_version
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        listeners, self._listeners = self._listeners, []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run_timers)
            for listener in listeners:
                nursery.start_soon(self._accept, listener)

    async def aclose(self) -> None:
        """Close what `bind` opened, if `run` was never called."""
        while self._listeners:
            await self._listeners.pop().aclose()

    async def _accept(self, listener: trio.SocketListener) -> None:
        assert self._connections is not None  # noqa: S101 - made with the listeners
        async with listener:
            await self._connections.accept(listener)

    async def _run_timers(self) -> None:
        """Fire reversion timers also while no request arrives."""
        while True:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._end_on_change, nursery.cancel_scope)
                if self.timers.next_s < float("inf"):
                    await self._context.clock.sleep_until(self.timers.next_s)
                    self.timers.run_due()
                else:
                    await trio.sleep_forever()

    def _timer_fence(self) -> AbstractContextManager[object]:
        return self._context.fences.around("modbus_timer", "Modbus", "a reversion timer", self.device.number)

    async def _end_on_change(self, scope: trio.CancelScope) -> None:
        await self.timers.wait_changed()
        scope.cancel()

    def _open_stream(self, peer: str, certificate: bytes | None) -> Stream:
        rights, who = EVERYTHING, ""
        if certificate is not None:
            rights, why = rights_of(certificate)
            who = f", role {rights.role}"
            if why:
                self._say("Warning", f"{peer}: {why}: every request is refused")
        self._say("Debug", f"{peer}: connected{who}")
        return Stream(self.service, self.answers_to, rights)

    def apply_points(
        self, model: int, points: Mapping[str, Any], source: SetpointSource = SetpointSource.REST
    ) -> dict[str, Any]:
        """Write points of a model by name, in plain units; ConfigError says why not. See `points_by_name`."""
        return apply_points(self.unit, model, points, source)

    def shown_points(self, model: int | None = None) -> dict[str, Any]:
        """The points of a model, or of all, in plain units."""
        return shown_points(self.unit, model)

    def _to_save(self) -> Barrier | None:
        """What to wait for before an answer says that something is written; None where nothing was."""
        unsaved, self._unsaved = self._unsaved, False
        states = self._context.saved_states
        return states.barrier_of(self.device.number) if unsaved and states.keeps else None

    def _wrote(self, what: str) -> None:
        self._unsaved = True
        self._last_refusal = ""
        self._say("Info", f"written: {what}")

    def _refused(self, function: int, why: Refused) -> None:
        text = f"function {function} refused with exception {code_of(why)}: {why}"
        if text != self._last_refusal:  # one that repeats itself needs no second line
            self._last_refusal = text
            self._refusals.line(text)

    def _say(self, level: Any, message: str) -> None:
        self._context.log.log(level, "Modbus", message, self.device.number)

    def status(self) -> FrontendStatus:
        """Where it listens, and the number of connections."""
        if not self._options.mb_enable:
            return FrontendStatus("disabled", "--mb_enable no")
        count = len(self._connections) if self._connections else 0
        return FrontendStatus("serving" if self._where else "starting", f"{self._where}, {count} client(s)")


if TYPE_CHECKING:
    _server: type[SunspecService] = ModbusServer
