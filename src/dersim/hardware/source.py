"""What stands behind the inverter: the interface of every DC side, and one whose power is simply given."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from dersim.grid.conditions import Conditions
from dersim.hardware.nameplate import Nameplate


class DcPoint(NamedTuple):
    """Voltage (V), current (A) and power (W) on the DC side."""

    v: float
    i: float
    p: float


class Source(Protocol):
    """A DC side: a PV array, a battery, or both.

    available_w: what could be delivered now, on the AC side (W); charge_w: what could be taken in from the
    AC side (W, >= 0). rest_w: what it delivers when nobody asks (W): all of it for PV, 0 for a battery.
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
        """Of the array; ambient without one."""
        ...

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Work out `available_w` and `charge_w` for the coming dt_s seconds under these conditions."""
        ...

    def drew(self, p_w: float, dt_s: float) -> None:
        """The inverter delivered p_w (W, AC side, negative: took in) for dt_s seconds."""
        ...

    def dc(self, p_w: float) -> DcPoint:
        """The DC side's operating point while the AC side delivers p_w."""
        ...


class GivenSource:
    """A source whose available power is set from outside: for replays and tests."""

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
        """Nothing depends on the weather."""

    def drew(self, p_w: float, dt_s: float) -> None:
        """Nothing runs down."""

    def dc(self, p_w: float) -> DcPoint:
        """At the nominal voltage."""
        p = p_w / self._efficiency
        return DcPoint(self._v, p / self._v, p)
