"""The interface of a control function, and the declaration of a function type.

The chain calls `ControlFunction.step` on every tick with the measurements (`Measured`) and reads the `Demand`
it returns. A `FunctionType` gives the stage of the step, the modes of the function, and the values it
accepts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, Protocol

from dersim.functions.filters import Lag
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue


@dataclass(slots=True)
class Demand:
    """What a control function asks of the inverter in this step. A field left alone asks for nothing.

    The chain reads it at once, so a function may keep one object and return it in every step, which costs a
    tenth of making a new one. `NOTHING` is shared and must not be changed.

    limit_w, floor_w: highest and lowest active power (W, generation positive; a floor below 0 caps charging).
    The tightest of all functions applies. From a reactive function limit_w bounds |P|, which keeps it on its
    curve at the VA limit.
    target_w: active power to hold, within the limits and the available power.
    override_w: power of a frequency response; it replaces targets and the limits of stage ``command``
    (1547-2018 4.7), not those of stage ``grid``.
    q_var: reactive power to hold (var, injecting positive), reached with open-loop response `q_response_s`
    (time to 90 %); power_factor_first: at the VA limit P and Q shrink together, which keeps the power factor.
    cease: no current now, and no delay before the return (momentary cessation). off: open the switch without
    an alarm. standby: leave service, switch closed. trip: open it with an alarm. enter: enter service now.
    follows_load: limit_w and floor_w of a function of stage ``command`` move with the load behind the meter;
    while its modes stay the same a change acts at once, without the ramp of a command.
    lag: the lag behind limit_w or override_w, if there is one, whose course the energy of a step follows;
    without one it is a straight line.
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
    standby: bool = False
    trip: bool = False
    enter: bool = False
    lag: Lag | None = None
    follows_load: bool = False


#: Returned by a function that asks for nothing.
NOTHING = Demand()


class ControlFunction(Protocol):
    """One control function of one DER, with its own filters and timers."""

    #: True while another step with the same `Measured` would ask for exactly the same.
    settled: bool

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the modes of this function in force; called when they or the settings change.

        seen: the measurements at the change, from which filters start.
        """
        ...

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Advance by dt_s >= 0 (s; 0 at the instant of a change) and return the demand."""
        ...

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until a timer runs out if nothing changes (inf: none); the step is split there."""
        ...


Stage = Literal["protect", "command", "grid", "frequency", "reactive"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a control function: its path in the mode's value, unit, range and source.

    path: "" for a plain number, else the field of the value ("open_loop_s", "percent"), or "x" and "y" for a
    curve's points. low, high: the range that the device accepts, both included, in `unit`.
    clause: the source of the range.
    """

    path: str
    unit: str
    low: float
    high: float
    clause: str
    doc: str = ""


def _always(_nameplate: Nameplate) -> bool:
    return True


def _every_mode(_mode: str, _nameplate: Nameplate) -> bool:
    return True


def _nothing(_nameplate: Nameplate) -> Mapping[str, ModeValue]:
    return {}


def _no_objection(_mode: str, _value: ModeValue, _nameplate: Nameplate, _settings: Settings) -> str:
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionType:
    """A type of control function.

    name: as in `--without NAME`. modes: its 2030.5 modes, or those of a schema extension.
    stage: when in the step it is called. make: called once per DER. parameters: per mode, for the range
    check; check: what ranges cannot express, returned as a reason in words, or "".
    standing: called in every step, with or without a mode in force. sunspec_models: models that show it.
    suits: whether a DER with this nameplate has the function; suits_mode: whether it has one of the modes,
    by its phases or storage. A mode that it does not have is neither advertised nor accepted.
    order: within the stage, lowest first. acts_without: by mode, what acts while it has no setpoint.
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
    suits_mode: Callable[[str, Nameplate], bool] = _every_mode
    acts_without: Callable[[Nameplate], Mapping[str, ModeValue]] = _nothing

    def of(self, nameplate: Nameplate) -> FunctionType:
        """The same type with only the modes of a DER with this nameplate."""
        modes = tuple(m for m in self.modes if self.suits_mode(m, nameplate))
        return self if modes == self.modes else _with_modes(self, modes)


@lru_cache(maxsize=1024)
def _with_modes(kind: FunctionType, modes: tuple[str, ...]) -> FunctionType:
    """One object for all DERs that have the same modes of a type."""
    return replace(kind, modes=modes)
