"""opModWattPF: power factor as a function of active power (curve type 13).

x in percent of setMaxW, y a power factor above 0 with an excitation at each point (2030.5-2018 10.10.4). A
power factor jumps from inject to absorb at 1, so the line is interpolated in 1 - pf, signed by the
excitation: it goes from inject to absorb through unity, as EN 50549's cos phi (P) does.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.curves import Line
from dersim.functions.fixed_pf import q_per_p, within_setting
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

MODE = "opModWattPF"


class WattPF(Function):
    """The Watt-PF curve. `response_s` applies where the curve has none."""

    response_s = 1.0
    follows_power = True

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._line: Line | None = None
        self._lag_s = 0.0

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the curve and its response time."""
        curve = modes.get(MODE)
        if not isinstance(curve, Curve):
            self._line = None
            return
        signed = zip(curve.points, curve.excitations, strict=True)
        # 1 - pf, signed by excitation, is linear in the factor on either side and 0 at unity.
        self._line = Line(
            (x / 100, (1 - pf) if excitation == "inject" else (pf - 1)) for (x, pf), excitation in signed
        )
        self._lag_s = self.response_s if curve.open_loop_s is None else curve.open_loop_s
        # The tangent of a power factor is vertical at unity.
        s, bends = self.settings, (*self._line.xs, *self._line.zeros)
        self.bends_w = (0.0, *(x * s.setMaxW for x in bends), *(-x * s.setMaxChargeRateW for x in bends))

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Reactive power by the curve's power factor at the active power of this step."""
        line = self._line
        if line is None:
            return NOTHING
        p = seen.wanted_w
        base = self.settings.setMaxW if p >= 0 else self.settings.setMaxChargeRateW
        y = line.at(abs(p) / (base or 1.0))
        excitation = "inject" if y >= 0 else "absorb"
        ratio = q_per_p(within_setting(1 - abs(y), excitation, self.settings), excitation)
        return Demand(q_var=abs(p) * ratio, q_response_s=self._lag_s, power_factor_first=True)


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    if not isinstance(value, Curve):
        return ""
    for index, ((_, pf), excitation) in enumerate(zip(value.points, value.excitations, strict=False), 1):
        lowest = nameplate.rtgMinPFOverExcited if excitation == "inject" else nameplate.rtgMinPFUnderExcited
        if pf < lowest:
            return f"point {index}: power factor {pf:g} is below the rating, {lowest:g} ({excitation})"
    if len(value.excitations) != len(value.points):
        return "every point needs an excitation, inject or absorb"
    return ""


TYPE = FunctionType(
    name="watt-pf",
    modes=(MODE,),
    stage="reactive",
    make=WattPF,
    parameters={
        MODE: (
            Parameter("x", "% setMaxW", 0, 100, "2030.5 DERCurve, curveType 13"),
            Parameter("y", "", 0.01, 1.0, "2030.5 DERCurve, curveType 13"),
            Parameter("open_loop_s", "s", 0, 90, "2030.5 openLoopTms"),
        )
    },
    check=_check,
    order=30,
    doc="power factor by active power",
)
