"""The interface of a DC side, and a source whose power is set from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol, cast

from dersim.grid.conditions import Conditions
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

#: By mode, the rampTms (s) of the setpoint in force and since when (s).
Ramps = Mapping[str, tuple[float, float]]
SourceKind = Literal["pv", "battery", "generator"]


class DcPoint(NamedTuple):
    """Voltage (V), current (A) and power (W) on the DC side."""

    v: float
    i: float
    p: float


class Source(Protocol):
    """A DC side: a PV array, a battery, or both.

    available_w: available power on the AC side (W); charge_w: available charging power on the AC side (W,
    >= 0). rest_w: power without a command (W): inf for PV (all there is), 0 for a battery.
    settled: True while `see` and `drew` with the same arguments would change nothing.
    """

    available_w: float
    charge_w: float
    rest_w: float
    settled: bool

    @property
    def soc_pct(self) -> float | None:
        """State of charge in percent; None without a battery."""
        ...

    @property
    def cell_temperature_c(self) -> float:
        """Cell temperature of the PV array, C; ambient temperature without one."""
        ...

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Compute `available_w` and `charge_w` for the next dt_s seconds under these conditions."""
        ...

    def drew(self, p_w: float, dt_s: float) -> None:
        """Count p_w (W, AC side, negative: charging) for dt_s seconds."""
        ...

    def dc(self, p_w: float) -> DcPoint:
        """The DC side's operating point while the AC side delivers p_w."""
        ...


class Part(NamedTuple):
    """One source of several behind one inverter."""

    kind: SourceKind
    source: Source


class Combined(Protocol):
    """A source made of several; optional."""

    parts: tuple[Part, ...]

    def shares(self, p_w: float) -> tuple[float, ...]:
        """Each part's share (W, AC side) of p_w, in the order of `parts`."""
        ...


class Metered(Protocol):
    """A source that counts its own energy, Wh; optional. ac_net_wh: given less taken, on the AC side."""

    @property
    def delivered_wh(self) -> float:
        """DC energy given; counts up only."""
        ...

    @property
    def taken_wh(self) -> float:
        """DC energy taken; counts up only."""
        ...

    @property
    def ac_net_wh(self) -> float:
        """What it gave less what it took, on the AC side."""
        ...


def combined(source: Source) -> Combined | None:
    """The source as one made of several; None if it is not."""
    return cast("Combined", source) if hasattr(source, "parts") and hasattr(source, "shares") else None


def beside_battery_w(source: Source) -> float:
    """The available power of the sources beside a battery, W; 0 for a source that is not made of several."""
    several = combined(source)
    if several is None:
        return 0.0
    return sum(part.source.available_w for part in several.parts if part.kind != "battery")


def metered(source: Source) -> Metered | None:
    """The source as one that counts its own energy; None if it does not."""
    names = ("delivered_wh", "taken_wh", "ac_net_wh")
    return cast("Metered", source) if all(hasattr(source, name) for name in names) else None


def limiting(source: Source, *, gives: bool) -> str:
    """The setting or command by which a source gives or takes not more than it does; "" for its own power."""
    several = combined(source)
    for each in [source] if several is None else [part.source for part in several.parts]:
        told = getattr(each, "limiting", None)
        if told is not None and (name := told(gives=gives)):
            return str(name)
    return ""


def steered_by(source: Source) -> str:
    """The command that gives a source another power of its own; "" for none."""
    several = combined(source)
    sources = [source] if several is None else [part.source for part in several.parts]
    return next((name for each in sources if (name := getattr(each, "steered_by", ""))), "")


def configure_source(
    source: Source, settings: Settings, values: Mapping[str, ModeValue], ramps: Ramps
) -> None:
    """Let a source take over settings and modes, if it has methods `configure` and `steer` for that."""
    configure, steer = getattr(source, "configure", None), getattr(source, "steer", None)
    if configure is not None:
        configure(settings)
    if steer is not None:
        steer(values, ramps)


def tell_service(source: Source, *, in_service: bool) -> None:
    """Tell a source that its DER entered or left service, if it has a method `serve` for that."""
    serve = getattr(source, "serve", None)
    if serve is not None:
        serve(in_service)


class GivenSource:
    """A source whose available power is set from outside: for replays and tests."""

    KEPT = ("available_w", "charge_w", "soc_pct", "cell_temperature_c", "rest_w")

    def __init__(self, nameplate: Nameplate) -> None:
        self._efficiency = nameplate.inverter_efficiency
        self._v = nameplate.pv_v
        self.available_w = nameplate.rtgMaxW
        self.charge_w = 0.0
        self.soc_pct: float | None = None
        self.cell_temperature_c = 25.0
        self.rest_w = math.inf
        self.settled = True

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Do nothing: the power is given."""

    def drew(self, p_w: float, dt_s: float) -> None:
        """Do nothing: there is no energy limit."""

    def dc(self, p_w: float) -> DcPoint:
        """The operating point at the nominal voltage."""
        p = p_w / self._efficiency
        return DcPoint(self._v, p / self._v, p)
