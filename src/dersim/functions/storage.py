"""The commands of a battery: limits of charging and discharging, reserve, charging from the grid.

They bound the battery and not the power at the terminals, so the DC side carries them out
(`hardware/storage_limits.py`); this function only declares them.
"""

from __future__ import annotations

from dersim.functions.base import Function
from dersim.functions.contract import FunctionType, Parameter
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.storage_limits import GRID, IN, OUT, RESERVE


def _has_battery(nameplate: Nameplate) -> bool:
    return nameplate.rtgMaxWh > 0


_CLAUSE = "SunSpec model 124"

TYPE = FunctionType(
    name="storage",
    modes=(IN, OUT, RESERVE, GRID),
    stage="command",
    make=Function,
    parameters={
        IN: (Parameter("", "% setMaxChargeRateW", -100, 100, _CLAUSE),),
        OUT: (Parameter("", "% setMaxChargeRateW", -100, 100, _CLAUSE),),
        RESERVE: (Parameter("", "% setMaxWh", 0, 100, _CLAUSE),),
    },
    suits=_has_battery,
    sunspec_models=(124, 802),
    order=16,
    doc="limits and reserve of the battery",
)
