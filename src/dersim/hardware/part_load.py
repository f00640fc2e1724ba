"""The efficiency of a PV inverter at part load.

PVWatts (Dobos 2014), as in pvlib: eta = eta_nom / 0.9637 * (-0.0162 z - 0.0059 / z + 0.9858), where z is the
DC power over its rating, and eta_nom the efficiency at z = 1. Below z = 0.006 the inverter gives nothing.
"""

from __future__ import annotations

import math
from typing import Protocol

from dersim.hardware.nameplate import Nameplate

_REFERENCE = 0.9637
_LINEAR, _CONSTANT, _SQUARE = 0.9858, 0.0059, 0.0162


class Efficiency(Protocol):
    """AC power (W) from DC power and back, both >= 0."""

    def ac(self, dc_w: float) -> float:
        """AC power from dc_w."""
        ...

    def dc(self, ac_w: float) -> float:
        """DC power for ac_w."""
        ...


class Flat:
    """The same efficiency at every power."""

    def __init__(self, efficiency: float) -> None:
        self._efficiency = efficiency

    def ac(self, dc_w: float) -> float:
        """AC power from dc_w, W."""
        return dc_w * self._efficiency

    def dc(self, ac_w: float) -> float:
        """DC power for ac_w, W."""
        return ac_w / self._efficiency


class PvWatts:
    """The curve of PVWatts; rated_dc_w: where the efficiency is the nominal one."""

    def __init__(self, nominal: float, rated_dc_w: float) -> None:
        self._scale = nominal / _REFERENCE
        self._rated_w = rated_dc_w

    def ac(self, dc_w: float) -> float:
        """AC power from dc_w, W; 0 where the losses are higher."""
        rated_w = self._rated_w
        left_w = _LINEAR * dc_w - _CONSTANT * rated_w - _SQUARE * dc_w * dc_w / rated_w
        return max(0.0, self._scale * left_w)

    def dc(self, ac_w: float) -> float:
        """DC power for ac_w, W; 0 for 0, when the inverter rests."""
        if ac_w <= 0:
            return 0.0
        needed = ac_w / self._scale / self._rated_w + _CONSTANT
        root = math.sqrt(max(0.0, _LINEAR * _LINEAR - 4 * _SQUARE * needed))
        return 2 * needed / (_LINEAR + root) * self._rated_w


def efficiency_of(plate: Nameplate) -> Efficiency:
    """The curve that the nameplate names."""
    nominal = plate.inverter_efficiency
    return PvWatts(nominal, plate.rtgMaxW / nominal) if plate.part_load else Flat(nominal)
