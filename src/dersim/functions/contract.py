"""What a control function is: the interface that the chain calls, and how a kind of function declares itself.

The chain calls `ControlFunction.step` on every tick, with what the inverter measures (`Measured`), and reads
the `Demand` that comes back. A `FunctionType` says in which stage of the step that happens, which modes the
function obeys, and which values it accepts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue


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
