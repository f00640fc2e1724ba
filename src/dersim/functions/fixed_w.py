"""opModFixedW: hold an active power in percent of setMaxW; negative, charge in percent of setMaxChargeRateW.

2030.5-2018 10.10.4 opModFixedW.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

MODE = "opModFixedW"


class FixedW(Function):
    """Hold an active power in percent."""

    _demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Convert the percent to W."""
        percent = modes.get(MODE)
        if not isinstance(percent, float | int):
            self._demand = NOTHING
            return
        s = self.settings
        base = s.setMaxW if percent >= 0 else s.setMaxChargeRateW
        self._demand = Demand(target_w=percent / 100 * base)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Ask for the target, W."""
        return self._demand


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    if isinstance(value, float | int) and value < 0 and nameplate.rtgMaxChargeRateW <= 0:
        return f"{value:g} % would charge, and this DER cannot; allowed are 0 to 100 %"
    return ""


TYPE = FunctionType(
    name="fixed-w",
    modes=(MODE,),
    stage="command",
    make=FixedW,
    parameters={MODE: (Parameter("", "% setMaxW", -100, 100, "2030.5 opModFixedW"),)},
    check=_check,
    sunspec_models=(704,),
    order=12,
    doc="active power held at a percentage",
)
