"""opModWattVar: reactive power as a function of active power (curve type 14; SunSpec 712).

x in percent of setMaxW (of setMaxChargeRateW where negative), y in percent of what yRefType says (2030.5-2018
10.10.4; 1547-2018 5.3.4, response at most 10 s). A curve without points below zero is mirrored for charging
(1547-2018 table 9: P' and Q' of the load side).

At the VA limit the DER stays on its curve: P and Q both come down to the crossing of curve and circle.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.curves import Line
from dersim.functions.references import reference_objection, var_base
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

MODE = "opModWattVar"


class WattVar(Function):
    """The Watt-Var curve; x and y in per unit. `response_s` applies where the curve has none."""

    response_s = 1.0
    follows_power = True

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._line: Line | None = None
        self._mirror = True
        self._reference = 2
        self._lag_s = 0.0

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the curve and its response time."""
        curve = modes.get(MODE)
        if not isinstance(curve, Curve):
            self._line = None
            return
        self._line = Line((x / 100, y / 100) for x, y in curve.points)
        self._mirror = all(x >= 0 for x, _ in curve.points)
        self._reference = curve.y_ref_type
        self._lag_s = self.response_s if curve.open_loop_s is None else curve.open_loop_s
        s, bends = self.settings, self._line.xs
        below = [-x for x in bends] if self._mirror else bends
        self.bends_w = (0.0, *(x * s.setMaxW for x in bends), *(x * s.setMaxChargeRateW for x in below))

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Reactive power at the active power of this step."""
        line = self._line
        if line is None:
            return NOTHING
        p = seen.wanted_w
        q = self._q(line, p, seen)
        va = seen.va_limit(p)
        if p * p + q * q <= va * va:
            return Demand(q_var=q, q_response_s=self._lag_s)
        p = self._on_circle(line, p, va, seen)
        return Demand(limit_w=abs(p), q_var=self._q(line, p, seen), q_response_s=self._lag_s)

    def _q(self, line: Line, p: float, seen: Measured) -> float:
        s = self.settings
        if p >= 0:
            y = line.at(p / (s.setMaxW or 1.0))
        elif self._mirror:
            y = -line.at(-p / (s.setMaxChargeRateW or 1.0))
        else:
            y = line.at(p / (s.setMaxChargeRateW or 1.0))
        return y * var_base(s, self._reference, injecting=y >= 0, seen=seen)

    def _on_circle(self, line: Line, p: float, va: float, seen: Measured) -> float:
        inside, outside = 0.0, p
        for _ in range(30):
            middle = (inside + outside) / 2
            q = self._q(line, middle, seen)
            if middle * middle + q * q > va * va:
                outside = middle
            else:
                inside = middle
        return inside


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    return reference_objection(value.y_ref_type, (1, 2, 3, 8)) if isinstance(value, Curve) else ""


TYPE = FunctionType(
    name="watt-var",
    modes=(MODE,),
    stage="reactive",
    make=WattVar,
    parameters={
        MODE: (
            Parameter("x", "% setMaxW", -100, 100, "2030.5 DERCurve, curveType 14"),
            Parameter("y", "%", -100, 100, "2030.5 DERCurve, curveType 14"),
            Parameter("open_loop_s", "s", 0, 90, "2030.5 openLoopTms"),
        )
    },
    check=_check,
    sunspec_models=(712,),
    order=30,
    doc="reactive power by active power",
)
