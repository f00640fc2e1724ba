"""What a plug-in hands over: plain objects, made once at start-up.

A plug-in's hooks (see `hookspecs.py`) return these. Nothing here runs on the tick except
`ControlFunction.step` and the `Source` of a device type.
"""

from __future__ import annotations

import math
import random
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from dersim.modes import ModeSpec, ModeValue

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.device import Device, Fleet
    from dersim.hardware.nameplate import Nameplate
    from dersim.hardware.settings import Settings
    from dersim.hardware.source import Source
    from dersim.logbuffer import LogBuffer


class FrontendStatus(NamedTuple):
    """What `overview.comm` shows of a front-end: state is one word, detail a line for people."""

    state: str
    detail: str = ""


class PluginInfo(NamedTuple):
    """An installed plug-in, for those who list them. loaded: whether this run selected it."""

    name: str
    version: str
    origin: str
    loaded: bool


class Frontend(Protocol):
    """A running protocol front-end: of one DER, or of the fleet.

    The engine calls `bind` of every front-end before it runs any; then `run` in a task of its own, which is
    cancelled to stop, and restarted with back-off when it raises. After a restart `bind` is called again.
    """

    async def bind(self) -> Mapping[str, str]:
        """Open what listens; return what the ready line shows, e.g. {"dashboard": "http://127.0.0.1:8111"}.

        Raises ConfigError where a port is busy or a file is bad: the program then ends with exit code 2.
        """
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def status(self) -> FrontendStatus:
        """Where it stands, for the overview."""
        ...


@dataclass(slots=True)
class FrontendContext:
    """All that a front-end is given. `device` is None for a front-end of the fleet.

    `services` holds every front-end that was made, by (name, device number or 0): how the web reaches the
    CSIP client of DER 2 is `services["csip", 2]`. `stop` ends the program cleanly. `statuses` tells where the
    front-ends of a DER (0: of the fleet) stand, "failed" included, which a front-end cannot say of itself.
    `panels` and `sunspec_models` are what the plug-ins registered; `plugins` is what is installed.
    """

    options: Namespace
    fleet: Fleet
    clock: SimClock
    log: LogBuffer
    services: dict[tuple[str, int], Any]
    stop: Callable[[], None]
    device: Device | None = None
    rng: random.Random = field(default_factory=random.Random)
    statuses: Callable[[int], Mapping[str, FrontendStatus]] = lambda _number: {}
    panels: Sequence[Panel] = ()
    plugins: Sequence[PluginInfo] = ()
    sunspec_models: Sequence[Mapping[str, Any]] = ()


Scope = Literal["device", "fleet"]


@dataclass(frozen=True, slots=True)
class FrontendType:
    """A kind of front-end. `make` is called once per DER or once per fleet, by `scope`.

    peer_follows_simulated_time: whether the other side is in this process and reads the simulated clock; a
    `--rate` other than 1 is refused for the front-ends that say False, unless overridden.
    order: front-ends are made, bound and started in rising order.
    """

    name: str
    scope: Scope
    make: Callable[[FrontendContext], Frontend]
    peer_follows_simulated_time: bool = True
    order: int = 100
    doc: str = ""


@dataclass(slots=True)
class Demand:
    """What a control function asks of the inverter in this step. Fields left alone ask for nothing.

    It is read at once: a function may keep one, change it and return it again in every step, which costs a
    tenth of making one. `NOTHING` is everybody's and never changed.

    limit_w, floor_w: the highest and the lowest active power (W, generation positive; a floor below 0 caps
    charging). Of several the tightest rules. From a reactive function limit_w bounds |P|, so that it can stay
    on its curve at the VA limit.
    target_w: the active power to hold, as far as the source can and the limits allow.
    override_w: the power that a response to frequency wants; it replaces targets and the limits of the stage
    ``command`` (1547-2018 4.7), not those of the stage ``grid``.
    q_var: reactive power to hold (var, injecting positive), reached with open-loop response `q_response_s`
    (time to 90 %); power_factor_first: at the VA limit P and Q shrink together, so that the factor holds.
    cease: no current now, no waiting before the return (momentary cessation). off: leave service without an
    alarm. trip: leave service with one. enter: the way back into service is free.
    """

    limit_w: float = math.inf
    floor_w: float = -math.inf
    target_w: float | None = None
    override_w: float | None = None
    q_var: float | None = None
    q_response_s: float = 0.0
    power_factor_first: bool = False
    cease: bool = False
    off: bool = False
    trip: bool = False
    enter: bool = False


#: What a function returns that has nothing to ask.
NOTHING = Demand()


@dataclass(slots=True)
class Measured:
    """What the inverter measures and knows when a control function is called; written by the device only.

    v_pu: the mean of the phases, corrected by setVRefOfs and setVRef, per unit; v_low_pu, v_high_pu: the
    lowest and highest of the phase-to-neutral and phase-to-phase voltages, per unit. frequency_hz.
    available_w: what the source could deliver, after the inverter; charge_w: what it could take in (>= 0).
    p_w, q_var: the output at the end of the last step. command_w: the limit by command, inf for none.
    wanted_w: P as far as it is decided in this step, for the stages that come later. in_service: whether
    connected. running: False until the first step, when filters start at their inputs. blocked: something
    holds the machine out of service at this moment.
    """

    v_pu: float = 1.0
    v_low_pu: float = 1.0
    v_high_pu: float = 1.0
    frequency_hz: float = 60.0
    available_w: float = 0.0
    charge_w: float = 0.0
    p_w: float = 0.0
    q_var: float = 0.0
    command_w: float = math.inf
    wanted_w: float = 0.0
    in_service: bool = True
    running: bool = False
    blocked: bool = False


class ControlFunction(Protocol):
    """One control function of one DER: a plain object with whatever filters and timers it needs."""

    #: True while another step with the same `Measured` would ask for exactly the same.
    settled: bool

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """The modes of this function that are in force now; called whenever they or the settings change.

        `seen` is the moment of the change, for filters that must start where the output is.
        """
        ...

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Advance by dt_s >= 0 (s; 0 at an instant where something changed) and say what is wanted."""
        ...

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until a timer runs out if nothing changes (inf: none); the step is split there."""
        ...


Stage = Literal["protect", "command", "grid", "frequency", "reactive"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a control function: where in the mode's value it stands, its unit, range and source.

    path: "" for a plain number, else the field of the value ("open_loop_s", "percent"), or "x" and "y" for a
    curve's points. low, high: the range that the device takes, both included, in `unit`.
    clause: where the range comes from.
    """

    path: str
    unit: str
    low: float
    high: float
    clause: str
    doc: str = ""


def _always(_nameplate: Nameplate) -> bool:
    return True


def _no_objection(_mode: str, _value: ModeValue, _nameplate: Nameplate, _settings: Settings) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A kind of control function.

    name: as in `--without NAME`. modes: the 2030.5 modes (or those of a schema extension) that it obeys.
    stage: when in the step it is called. make: called once per DER. parameters: per mode, from which the
    range check is derived; check: what ranges cannot say, as a reason in words or "".
    standing: called in every step, mode or no mode in force. sunspec_models: where registers show it.
    suits: whether a machine with this nameplate has it.
    """

    name: str
    modes: tuple[str, ...]
    stage: Stage
    make: Callable[[Nameplate, Settings], ControlFunction]
    parameters: Mapping[str, tuple[Parameter, ...]] = field(default_factory=dict)
    check: Callable[[str, ModeValue, Nameplate, Settings], str] = _no_objection
    standing: bool = False
    sunspec_models: tuple[int, ...] = ()
    suits: Callable[[Nameplate], bool] = _always
    order: int = 100
    doc: str = ""


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A kind of device. make_source: its DC side, once per DER.

    profile: its nameplate, the absolute path of a JSON file or the name of a bundled one.
    """

    name: str
    profile: str
    make_source: Callable[[Nameplate], Source]
    aliases: tuple[str, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True)
class SchemaExtension:
    """A foreign element of 2030.5 documents: a namespace, the element, where it may stand, and its mode.

    See docs/plugins.md. `parents` are names of 2030.5 types, e.g. "DERControlBase". An element that the DER
    tells of itself, in its DERCapability or DERSettings, has no mode but `tell`: from the modes that the DER
    supports to the value on the wire, None to leave the element out.
    """

    namespace: str
    element: str
    parents: tuple[str, ...]
    mode: ModeSpec | None
    wire_type: str
    tell: Callable[[frozenset[str]], Any] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A page of the dashboard: a title and the path of a static ES module."""

    name: str
    title: str
    module_path: str
    doc: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
