"""The tree of tasks: the ticker, the fleet's front-ends, and one nursery per DER for its front-ends.

::

    root ─┬─ ticker: steps the whole fleet, then lets the clock run on
          ├─ supervised front-ends of the fleet (web, companion server)
          └─ per DER: a nursery with its supervised front-ends (CSIP client, Modbus)

All front-ends are made, then all are bound, then all run: a busy port is found before anything runs. The
ticker steps the fleet and wakes the readers; front-ends read states and submit setpoints. A stop cancels the
root.
"""

from __future__ import annotations

import contextlib
import inspect
import random
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from dersim.buffers import Buffers
from dersim.clock import SimClock
from dersim.draws import draws_of
from dersim.engine.checkpoints import Checkpoints
from dersim.engine.grids import Grids, make_grids
from dersim.engine.presence import Presences
from dersim.engine.supervision import Supervised, SupervisedPhysics
from dersim.engine.ticker import Ticker
from dersim.engine.trip_log import TripLog
from dersim.errors import ConfigError, PluginError, bare_errors
from dersim.fences import Fences, at_start
from dersim.logbuffer import LogBuffer
from dersim.metric_families import Metrics
from dersim.plugin.csip_profile import PLAIN
from dersim.plugin.extension import Frontend, FrontendContext, FrontendStatus, FrontendType
from dersim.plugin.registry import Registry
from dersim.plugin.routes import PluginRoutes
from dersim.plugin.services import Services
from dersim.plugin.sunspec_model import OwnedModel

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.fleet import Fleet
    from dersim.fleet_plan import FleetPlan

#: The ready line shows the addresses of this many DERs; the first DER's have no number in their keys.
SHOWN_DEVICES = 100


class Simulator:
    """A fleet, its clock and its front-ends, from start to stop.

    options: all flags. seed: of all random draws. `run` is called once. states: who keeps checkpoints sets
    `states.keeps` before `run` and calls `states.saved()` after each one. on_start, on_stop: called once the
    clock runs, and when all has ended.
    """

    def __init__(
        self,
        *,
        options: Namespace,
        registry: Registry,
        fleet: Fleet,
        clock: SimClock,
        log: LogBuffer,
        seed: int = 0,
    ) -> None:
        self.services = Services()
        self._options = options
        self._registry = registry
        self.fleet = fleet
        self._clock = clock
        self._log = log
        self._seed = seed
        self.stopping = trio.Event()
        self.addresses: dict[str, str] = {}
        self.on_start: list[Callable[[], object]] = []
        self.on_stop: list[Callable[[], object]] = []
        self._supervised: dict[int, list[Supervised]] = {}
        self._group_options: dict[int, Namespace] = {}  # by their flags
        self._grids = Grids(fleet, ())
        self._routes = PluginRoutes()
        #: How many processes have run this, with this one: a front-end draws anew in each.
        self.life = 1
        #: What others add to /metrics and to the rows of the overview, by name.
        self.metrics: Metrics = {}
        self.more_statuses: dict[str, Callable[[], FrontendStatus]] = {}
        self.buffers: Buffers = {"log": log.size, "setpoint_journals": fleet.journal_size}
        self.fences = Fences(log, fail_fast=options.fail_fast)
        self._checkpoints = Checkpoints(fleet, self._supervised, log, self.fences)
        self.states = self._checkpoints.states
        self._physics = SupervisedPhysics(
            self.fences, {**registry.functions.owners, **registry.device_types.owners}
        )

    def stop(self) -> None:
        """End the program cleanly; may be called from any task, and more than once."""
        self.stopping.set()

    def checkpoint(self, numbers: Iterable[int] | None = None) -> dict[str, Any]:
        """The states of all DERs (or of some) and of their front-ends as JSON, by number."""
        return self._checkpoints.take(numbers)

    def checkpoint_mark(self, number: int) -> Any:
        """Equal marks: of this DER's checkpoint no more than `Device.counted` has changed; None: unknown."""
        device = self.fleet.find(number)
        return None if device is None else self._checkpoints.mark(device)

    async def checkpoint_in_slices(self) -> dict[str, Any]:
        """The same of all DERs, 150 us each, while other tasks run in between."""
        return await self._checkpoints.take_in_slices()

    def restore(self, documents: Mapping[str, Any]) -> None:
        """Take over checkpoints, before `run`; ConfigError for one that this run cannot take over."""
        self._checkpoints.give(documents)

    def statuses(self, number: int = 0) -> dict[str, FrontendStatus]:
        """The states of the front-ends of DER `number` (0: of the fleet)."""
        found = {each.name: each.status() for each in self._supervised.get(number, ())}
        if number:
            return found | self._physics.status(number)
        more = {name: status() for name, status in self.more_statuses.items()}
        return found | self._physics.status(0) | self._grids.statuses() | more

    async def run(self, announce: Callable[[str], None]) -> None:
        """Make, bind and run everything until `stop`; `announce` is called with the ready line.

        ConfigError or PluginError if something cannot be made or bound: then nothing has run.
        FrontendFailed if a front-end failed under `fail_fast`.
        """
        try:
            with bare_errors():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._live, announce)
                    await self.stopping.wait()
                    nursery.cancel_scope.cancel()
        finally:
            for end in self.on_stop:
                end()

    async def _live(self, announce: Callable[[str], None]) -> None:
        check_rate(self._options, self._clock.rate, self._registry.frontends.values())
        self._make_all()
        self._checkpoints.give_frontends()
        shown = await self._bind_all()
        self.addresses.update({key: value for key, value in shown.items() if key != "token"})
        count = len(self.fleet.devices)
        self._log.log("Info", "Engine", f"{count} DER(s); --seed {self._seed} repeats this run")
        for device in self.fleet.devices:
            device.on_failure = partial(self._physics.failed, device)
            device.setpoints.fence = partial(
                self.fences.around, "function_check", "Engine", device=device.number
            )
        self._clock.start(held=bool(self._grids))
        for begin in self.on_start:
            begin()
        trip_log = TripLog(self.fleet, self._log)
        ticker = Ticker(self.fleet, self._clock, self._physics.step, self._grids, trip_log, self.fences)
        first_s = self._clock.now_s()
        await ticker.begin()
        presences = self._presences()
        presences.begin()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ticker.run, first_s)
            nursery.start_soon(presences.run)
            for each in self._supervised.get(0, ()):
                nursery.start_soon(each.run)
            for position, device in enumerate(self.fleet.devices):
                nursery.start_soon(self._live_device, device.number, position / self._options.ramp)
            announce(" ".join(["dersim ready", *(f"{key}={value}" for key, value in shown.items())]))

    async def _live_device(self, number: int, delay_s: float) -> None:
        """One DER's own nursery."""
        await trio.sleep(delay_s)
        supervised = self._supervised.get(number, ())
        if len(supervised) == 1:  # a task less for each DER
            await supervised[0].run()
            return
        async with trio.open_nursery() as nursery:
            for each in supervised:
                nursery.start_soon(each.run)

    def _make_all(self) -> None:
        self._grids = make_grids(
            self._registry, self.fleet, self._log, self.fences, self._context, self._at_start
        )
        self._checkpoints.grids = {each.name: each.grid for each in self._grids.running}
        if self._grids:
            self.metrics["grids"] = self._grids.metrics
        for kind in self._registry.ordered_frontends():
            if kind.scope == "fleet":
                self._make(kind, None)
            else:
                for device in self.fleet.devices:
                    self._make(kind, device)

    def _make(self, kind: FrontendType, device: Device | None) -> None:
        number = device.number if device else 0
        plugin = self._registry.frontends.owners[kind.name]
        with self._at_start(plugin, f"make of front-end {kind.name}"):
            frontend = kind.make(self._context(kind.name, plugin, device))
        _check(plugin, kind, frontend)
        supervised = Supervised(frontend, kind.name, number, self._log, self.fences, plugin=plugin)
        self._supervised.setdefault(number, []).append(supervised)

    def _context(self, name: str, plugin: str, device: Device | None = None) -> FrontendContext:
        """For a front-end of a DER, or for one or a grid of the fleet."""
        number = device.number if device else 0
        models = self._registry.sunspec_models
        return FrontendContext(
            options=self._options_of(number),
            fleet=self.fleet,
            clock=self._clock,
            log=self._log,
            services=self.services,
            stop=self.stop,
            device=device,
            rng=derived_rng(self._seed, name if self.life == 1 else f"{name}/{self.life}", number),
            statuses=self.statuses,
            csip_profile=self._registry.csip_profile() or PLAIN,
            panels=tuple(self._registry.panels.values()),
            plugins=self._registry.plugins,
            sunspec_models=tuple(OwnedModel(models.owners[name], model) for name, model in models.items()),
            addresses=self.addresses,
            buffers=self.buffers,
            metrics=self.metrics,
            fences=self.fences,
            saved_states=self.states,
            routes=self._routes,
            server_parts=self._registry.server,
            add_routes=self._routes.of(plugin, name),
        )

    def _options_of(self, number: int) -> Namespace:
        """The flags of a DER, which its group may change; those of the run for the fleet's front-ends."""
        plan: FleetPlan = self._options.plan
        if not number:
            return self._options
        group = plan.group_of(number)
        if id(group.flags) not in self._group_options:
            self._group_options[id(group.flags)] = group.options(self._options)
        return self._group_options[id(group.flags)]

    def _presences(self) -> Presences:
        options = self._options
        return Presences(options.plan, self._seed, self.services, self._clock, self._log, options.ramp)

    async def _bind_all(self) -> Mapping[str, str]:
        shown: dict[str, str] = {}
        first = self.fleet.devices[0].number
        for kind in self._registry.ordered_frontends():
            for number in [0] if kind.scope == "fleet" else [each.number for each in self.fleet.devices]:
                supervised = next(each for each in self._supervised[number] if each.name == kind.name)
                with self._at_start(self._registry.frontends.owners[kind.name], f"bind of {supervised}"):
                    addresses = await supervised.bind()
                for key, value in addresses.items():
                    if number < first + SHOWN_DEVICES:
                        shown[f"{key}_{number}" if number > first else key] = value
        return shown

    def _at_start(self, plugin: str, what: str) -> contextlib.AbstractContextManager[None]:
        """Errors of a plug-in's code become PluginErrors; those of built-in plug-ins are bugs of dersim."""
        return contextlib.nullcontext() if plugin in self._registry.own else at_start(plugin, what)


def derived_rng(seed: int, name: str, number: int) -> random.Random:
    """A random generator for each user, so that one more draw of one does not change those of another."""
    return draws_of(f"{seed}/{name}/{number}")


def check_rate(options: Namespace, rate: float, kinds: Iterable[FrontendType]) -> None:
    """ConfigError for a rate other than 1 if the peer of a front-end runs in real time, unless overridden."""
    for kind in kinds:
        if rate != 1 and not kind.peer_follows_simulated_time and not options.rate_override:
            raise ConfigError(
                f"--rate {rate:g}: the peer of front-end {kind.name} runs in real time; "
                f"leave the rate at 1, leave it out with --without {kind.name}, "
                f"or insist with --rate_override yes"
            )


def _check(plugin: str, kind: FrontendType, frontend: Frontend) -> None:
    for method in ("bind", "run", "status"):
        if not callable(getattr(frontend, method, None)):
            raise PluginError(
                f"plug-in {plugin}: front-end {kind.name}: its make returned {frontend!r}, "
                f"which has no {method}(); dersim.plugin.Frontend says what is needed"
            )
    for method in ("bind", "run"):
        if not inspect.iscoroutinefunction(getattr(frontend, method)):
            raise PluginError(f"plug-in {plugin}: front-end {kind.name}: its {method} must be an async def")
