"""opModTargetW: hold an active power given in watts; negative charges (2030.5-2018 10.10.4)."""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

MODE = "opModTargetW"


class TargetW(Function):
    """Hold an active power in W."""

    _demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the W to hold."""
        watts = modes.get(MODE)
        self._demand = Demand(target_w=float(watts)) if isinstance(watts, float | int) else NOTHING

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Ask for the target, W."""
        return self._demand


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    low, high = -nameplate.rtgMaxChargeRateW or 0.0, nameplate.rtgMaxW
    if isinstance(value, float | int) and not low <= value <= high:
        return f"{value:g} W is outside {low:g} to {high:g} W"
    return ""


TYPE = FunctionType(
    name="target-w",
    modes=(MODE,),
    stage="command",
    make=TargetW,
    check=_check,
    sunspec_models=(704,),
    order=14,
    doc="active power held at a number of watts",
)
