"""Front-ends and grids as plug-ins declare them, and the context that a front-end gets.

A plug-in's hooks (`hookspecs.py`) return these objects, once at start-up.
"""

from __future__ import annotations

import random
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar

from dersim.buffers import Buffers
from dersim.fences import Fences
from dersim.logbuffer import LogBuffer
from dersim.metric_families import Metrics
from dersim.plugin.csip_profile import PLAIN, CsipProfile
from dersim.plugin.panel import Panel
from dersim.plugin.routes import PluginRoutes
from dersim.plugin.server_parts import ServerParts
from dersim.plugin.services import Services
from dersim.plugin.sunspec_model import OwnedModel
from dersim.saved_states import SavedStates

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.device import Device
    from dersim.fleet import Fleet
    from dersim.grid.contract import Grid

T = TypeVar("T")


class FrontendStatus(NamedTuple):
    """A front-end's row in `overview.comm`: `state` is one word, `detail` a line for people."""

    state: str
    detail: str = ""


class PluginInfo(NamedTuple):
    """An installed plug-in, as the dashboard lists it. loaded: whether this run selected it."""

    name: str
    version: str
    origin: str
    loaded: bool


class Frontend(Protocol):
    """A protocol front-end of one DER or of the fleet.

    The engine calls `bind` of every front-end before it runs any. Then each `run` has its own task,
    which is cancelled to stop. When it raises or returns, `bind` and `run` are called again after a pause.
    """

    async def bind(self) -> Mapping[str, str]:
        """Open the listeners; the addresses for the ready line, e.g. {"dashboard": "http://127.0.0.1:8111"}.

        ConfigError for a busy port or a bad file: the program then ends with exit code 2.
        """
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def status(self) -> FrontendStatus:
        """Its row in the overview; called at every look at it."""
        ...


@dataclass(slots=True)
class FrontendContext:
    """What a front-end is given. `device` is None for a front-end of the fleet.

    `offer` and `service` are how front-ends reach one another, by the protocols of `plugin/services.py`.
    `stop` ends the program cleanly. `statuses` gives the states of the front-ends of a DER (0: of the fleet),
    "failed" included, which a front-end cannot say of itself. `fences` keep an unforeseen error to the one
    unit of work that met it (`Fences.around`).
    `addresses`: where everything listens, by the keys of the ready line; filled once all is bound.
    `buffers`: a front-end adds its bounded buffers by name, for /metrics; `metrics`: what more is there.
    add_routes: adds `Route`s to REST, below /api/NAME/, NAME the plug-in's, the front-end's or the grid's;
    their handlers get a `Call`. `routes`: those of all plug-ins.
    saved_states: `barrier` waits until the present state is saved, in a run that keeps checkpoints.
    server_parts: what plug-ins have added to the companion server. `csip_profile`: that of the run.
    `panels` and `sunspec_models` are those of the plug-ins; `plugins` lists what is installed.
    """

    options: Namespace
    fleet: Fleet
    clock: SimClock
    log: LogBuffer
    services: Services
    stop: Callable[[], None]
    device: Device | None = None
    rng: random.Random = field(default_factory=random.Random)
    statuses: Callable[[int], Mapping[str, FrontendStatus]] = lambda _number: {}
    csip_profile: CsipProfile = PLAIN
    panels: Sequence[Panel] = ()
    plugins: Sequence[PluginInfo] = ()
    sunspec_models: Sequence[OwnedModel] = ()
    buffers: Buffers = field(default_factory=dict)
    metrics: Metrics = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    fences: Fences = field(default_factory=lambda: Fences(LogBuffer()))
    saved_states: SavedStates = field(default_factory=SavedStates)
    routes: PluginRoutes = field(default_factory=PluginRoutes)
    server_parts: ServerParts = field(default_factory=ServerParts)
    add_routes: Callable[..., None] = field(default_factory=lambda: PluginRoutes().of("plug-in", "front-end"))

    def offer(self, kind: type[T], service: T) -> None:
        """Offer a service of this front-end to the others, once, while it is made."""
        self.services.offer(kind, service, self.device.number if self.device else 0)

    def service(self, kind: type[T], number: int = 0) -> T | None:
        """What the front-end of DER `number` (0: of the fleet) offers; None where this run has none.

        Ask when it is needed, not while you are made: front-ends that are made later have offered nothing.
        """
        return self.services.find(kind, number)


Scope = Literal["device", "fleet"]


@dataclass(frozen=True, slots=True)
class FrontendType:
    """A kind of front-end. `make` is called once per DER or once per fleet, by `scope`.

    peer_follows_simulated_time: False if the peer runs in real time; `--rate` other than 1 is then refused
    without `--rate_override`.
    order: front-ends are made, bound and started in rising order.
    """

    name: str
    scope: Scope
    make: Callable[[FrontendContext], Frontend]
    peer_follows_simulated_time: bool = True
    order: int = 100
    doc: str = ""


@dataclass(frozen=True, slots=True)
class GridType:
    """A grid behind the fleet. `make` is called once, before the front-ends are made.

    holds: which inputs of all DERs it gives, of `grid.contract.HELD`; two that hold the same are refused.
    order: grids are made and settled in rising order.
    """

    name: str
    make: Callable[[FrontendContext], Grid]
    holds: tuple[str, ...] = ("voltage_pu",)
    order: int = 100
    doc: str = ""
