"""How strongly the DERs answer to their voltage: the steepest slopes of the curves in force, and how fast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import Curve, Device

Array = NDArray[np.float64]
_VOLT_VAR, _VOLT_WATT = "opModVoltVar", "opModVoltWatt"
#: The setting that is 100 % of y, by yRefType.
_REFERENCES = {1: "setMaxW", 2: "setMaxVar", 3: "setMaxVar", 8: "setMaxVA"}


class Slopes(NamedTuple):
    """Of each DER, kW and kvar per pu of voltage, >= 0: how much P and Q fall while the voltage rises."""

    kw_pu: Array
    kvar_pu: Array

    @property
    def flat(self) -> bool:
        """Whether no DER follows its voltage."""
        return not (self.kw_pu.any() or self.kvar_pu.any())


class Answering:
    """Reads the curves in force. slopes: as they were at the last look."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self._devices = devices
        self._changes: list[int] = []
        self.slopes = Slopes(np.zeros(len(devices)), np.zeros(len(devices)))

    def changed(self) -> bool:
        """Whether any setpoint or setting of a DER has changed since the last look."""
        return self._changes != self._counts()

    def look(self) -> None:
        """Read the curves of all DERs."""
        self._changes = self._counts()
        self.slopes = Slopes(
            np.array([_slope(device, _VOLT_WATT, "setMaxW") for device in self._devices]),
            np.array([_slope(device, _VOLT_VAR, "setMaxVar") for device in self._devices]),
        )

    def _counts(self) -> list[int]:
        return [each.setpoints.changes + each.settings.changes for each in self._devices]


def _slope(device: Device, mode: str, otherwise: str) -> float:
    """The steepest part of the curve of a mode, kW or kvar per pu; 0 without one."""
    curve = device.setpoints.value(mode)
    if not isinstance(curve, Curve):
        return 0.0
    full = abs(float(device.settings[_REFERENCES.get(curve.y_ref_type, otherwise)])) / 1000
    scale = (curve.v_ref or 100.0) / 100
    steepest = 0.0
    for (x, y), (next_x, next_y) in zip(curve.points, curve.points[1:], strict=False):
        if next_x > x:
            steepest = max(steepest, abs(next_y - y) / (next_x - x))
    slope = steepest * full / scale
    return slope if math.isfinite(slope) else 0.0
