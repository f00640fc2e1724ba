"""opModFixedPFInjectW and opModFixedPFAbsorbW: reactive power in a fixed proportion to active power.

The two modes do not compete: the first applies while the DER generates or discharges, the second while it
charges (2030.5-2018 10.10.4). The excitation does not depend on the direction of P: "inject" injects var in
both. 1547-2018 5.3.2; response at most 10 s. At the VA limit P and Q shrink together, which keeps the power
factor; beyond the reactive rating Q is clamped and the power factor is not kept. A power factor below
setMinPFOverExcited or setMinPFUnderExcited is held at that setting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import FixedPowerFactor, ModeValue

INJECT, ABSORB = "opModFixedPFInjectW", "opModFixedPFAbsorbW"


def q_per_p(pf: float, excitation: str) -> float:
    """var per watt of |P|, positive when injecting."""
    tangent = math.sqrt(1 - pf * pf) / pf
    return tangent if excitation == "inject" else -tangent


def within_setting(pf: float, excitation: str, settings: Settings) -> float:
    """The power factor, at least setMinPFOverExcited or setMinPFUnderExcited."""
    lowest = settings.setMinPFOverExcited if excitation == "inject" else settings.setMinPFUnderExcited
    return max(pf, lowest)


class FixedPF(Function):
    """A fixed power factor. `response_s`: time to 90 %."""

    response_s = 1.0
    follows_power = True
    bends_w = (0.0,)
    _ratio_out = 0.0
    _ratio_in = 0.0

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over both power factors; an absent one is unity."""
        out, taking = modes.get(INJECT), modes.get(ABSORB)
        self._ratio_out, self._ratio_in = self._ratio(out), self._ratio(taking)
        self._active = out is not None or taking is not None

    def _ratio(self, value: ModeValue | None) -> float:
        if not isinstance(value, FixedPowerFactor):
            return 0.0
        return q_per_p(within_setting(value.pf, value.excitation, self.settings), value.excitation)

    _active = False

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Reactive power in proportion to the active power of this step."""
        if not self._active:
            return NOTHING
        p = seen.wanted_w
        q = p * self._ratio_out if p >= 0 else -p * self._ratio_in
        return Demand(q_var=q, q_response_s=self.response_s, power_factor_first=True)


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    if not isinstance(value, FixedPowerFactor):
        return ""
    lowest = nameplate.rtgMinPFOverExcited if value.excitation == "inject" else nameplate.rtgMinPFUnderExcited
    if value.pf < lowest:
        return f"power factor {value.pf:g} is below the rating, {lowest:g} ({value.excitation})"
    return ""


def _suits_mode(mode: str, nameplate: Nameplate) -> bool:
    """Without storage nothing charges, and there is no power factor of charging."""
    return mode != ABSORB or nameplate.rtgMaxChargeRateW > 0


_RANGE = (Parameter("pf", "", 0.01, 1.0, "2030.5 PowerFactorWithExcitation; 1547-2018 5.3.2"),)

TYPE = FunctionType(
    name="fixed-pf",
    modes=(INJECT, ABSORB),
    stage="reactive",
    make=FixedPF,
    parameters={INJECT: _RANGE, ABSORB: _RANGE},
    check=_check,
    sunspec_models=(704,),
    order=20,
    doc="fixed power factor",
    suits_mode=_suits_mode,
)
