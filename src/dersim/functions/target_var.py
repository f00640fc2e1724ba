"""opModTargetVar: hold a reactive power given in var; + injects (2030.5-2018 10.10.4)."""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

MODE = "opModTargetVar"


class TargetVar(Function):
    """Hold a reactive power in var. `response_s`: time to 90 %."""

    response_s = 1.0
    _demand = NOTHING

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the var to hold."""
        var = modes.get(MODE)
        if isinstance(var, float | int):
            self._demand = Demand(q_var=float(var), q_response_s=self.response_s)
        else:
            self._demand = NOTHING

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Ask for the reactive power, var."""
        return self._demand


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    low, high = nameplate.rtgMaxVarNeg, nameplate.rtgMaxVar
    if isinstance(value, float | int) and not low <= value <= high:
        return f"{value:g} var is outside {low:g} to {high:g} var"
    return ""


TYPE = FunctionType(
    name="target-var",
    modes=(MODE,),
    stage="reactive",
    make=TargetVar,
    check=_check,
    sunspec_models=(704,),
    order=10,
    doc="reactive power held at a number of var",
)
