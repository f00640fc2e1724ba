"""opModMaxLimW: the active power at the connection point is at most a percentage of setMaxW.

2030.5-2018 10.10.4 opModMaxLimW; 1547-2018 4.6.2. It limits generation only; charging always satisfies it.
`ramp.py` bounds how fast the limit is reached.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.hardware.measured import Measured
from dersim.modes import ModeValue

MODE = "opModMaxLimW"


class MaxW(Function):
    """An upper limit on generation."""

    _demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Convert the percent to W."""
        percent = modes.get(MODE)
        if isinstance(percent, float | int):
            self._demand = Demand(limit_w=percent / 100 * self.settings.setMaxW)
        else:
            self._demand = NOTHING

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Ask for the limit, W."""
        return self._demand


TYPE = FunctionType(
    name="max-w",
    modes=(MODE,),
    stage="command",
    make=MaxW,
    parameters={MODE: (Parameter("", "% setMaxW", 0, 100, "2030.5 opModMaxLimW; 1547-2018 4.6.2"),)},
    sunspec_models=(704,),
    order=10,
    doc="limit of generated active power",
)
