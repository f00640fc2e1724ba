"""opModFixedVar: hold a reactive power in percent of setMaxW, setMaxVar or statVarAvail; + injects.

2030.5-2018 10.10.4 FixedVar, 1547-2018 5.3.5 (response at most 10 s).
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.references import var_base
from dersim.hardware.measured import Measured
from dersim.modes import VAR_REF_TYPES, FixedVar, ModeValue

MODE = "opModFixedVar"


class FixedVars(Function):
    """Hold a reactive power in percent. `response_s`: time to 90 %."""

    response_s = 1.0
    _value: FixedVar | None = None

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the percent and its reference."""
        value = modes.get(MODE)
        self._value = value if isinstance(value, FixedVar) else None
        self.follows_power = self._value is not None and self._value.ref == "statVarAvail"

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The reactive power, with the reference as it is in this step."""
        value = self._value
        if value is None:
            return NOTHING
        base = var_base(self.settings, VAR_REF_TYPES[value.ref], injecting=value.percent >= 0, seen=seen)
        return Demand(q_var=value.percent / 100 * base, q_response_s=self.response_s)


TYPE = FunctionType(
    name="fixed-var",
    modes=(MODE,),
    stage="reactive",
    make=FixedVars,
    parameters={MODE: (Parameter("percent", "%", -100, 100, "2030.5 FixedVar; 1547-2018 5.3.5"),)},
    sunspec_models=(704,),
    order=10,
    doc="reactive power held at a percentage",
)
