"""opModVoltVar: reactive power as a function of voltage (curve type 11; SunSpec 705).

2030.5-2018 10.10.4: x is the effective voltage in percent of setVRef, multiplied by vRef where the curve has
one; y is in percent of what yRefType says, positive injecting. 1547-2018 5.3.3: open-loop response 1 to 90 s.

Autonomous Vref (autonomousVRefEnable): a first-order filter of the voltage, with time constant
autonomousVRefTimeConstant and within the nameplate's VRefMin and VRefMax (95 and 105 %), shifts the whole
curve, so that the DER responds to changes of voltage and not to its level (1547-2018 5.3.3, adjusted VRef).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.curves import Line
from dersim.functions.filters import Lag
from dersim.functions.references import reference_objection, var_base
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

MODE = "opModVoltVar"
_LN_10 = math.log(10)
_DEFAULT_TIME_CONSTANT_S = 300.0


class VoltVar(Function):
    """The Volt-Var curve; y in percent, x in per unit."""

    KEPT = ("settled", "_v_ref")

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._line: Line | None = None
        self._reference = 2
        self._auto_s = 0.0
        self._v_ref = Lag()
        self._v_ref_low, self._v_ref_high = (percent / 100 for percent in nameplate.v_ref_pct)
        self.lags = (self._v_ref,)
        #: 100 % in var, injecting and absorbing; where they are equal the line is in var.
        self._bases: tuple[float, float] | None = None
        self._demand = Demand(q_var=0.0)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the curve, its references and the autonomous Vref."""
        curve = modes.get(MODE)
        if not isinstance(curve, Curve):
            self._line = None
            self.voltage_response_s = INF
            self._v_ref.start(None)
            self.settled = True
            return
        self._reference = reference = curve.y_ref_type
        self.follows_power = reference == 3
        inject = var_base(self.settings, reference, injecting=True, seen=seen)
        absorb = var_base(self.settings, reference, injecting=False, seen=seen)
        self._bases = (inject, absorb) if inject != absorb or reference == 3 else None
        scale, full = (curve.v_ref or 100.0) / 100, 1.0 if self._bases else inject
        self._line = Line((x / 100 * scale, y / 100 * full) for x, y in curve.points)
        self._demand.q_response_s = self.voltage_response_s = curve.open_loop_s or 0.0
        was_auto, self._auto_s = self._auto_s, 0.0
        if curve.autonomous_v_ref:
            self._auto_s = curve.autonomous_v_ref_s or _DEFAULT_TIME_CONSTANT_S
        if not (was_auto and self._auto_s):
            self._v_ref.start(None)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Reactive power at the measured voltage."""
        line = self._line
        if line is None:
            return NOTHING
        v = seen.v_pu
        if self._auto_s:
            tracked = self._v_ref.step(dt_s, v, self._auto_s * _LN_10)
            self.settled = not self._v_ref.moving
            v = v - min(max(tracked, self._v_ref_low), self._v_ref_high) + 1.0
        offset, slope = line.pieces[bisect_right(line.xs, v)]
        y = offset + slope * v
        if self._bases is not None:
            if self._reference == 3:
                y *= var_base(self.settings, 3, injecting=y >= 0, seen=seen)
            else:
                y *= self._bases[y < 0]
        self._demand.q_var = y
        return self._demand


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    return reference_objection(value.y_ref_type, (1, 2, 3, 8)) if isinstance(value, Curve) else ""


TYPE = FunctionType(
    name="volt-var",
    modes=(MODE,),
    stage="reactive",
    make=VoltVar,
    parameters={
        MODE: (
            Parameter("x", "% setVRef", 0, 200, "2030.5 DERCurve, curveType 11"),
            Parameter("y", "%", -100, 100, "2030.5 DERCurve, curveType 11"),
            Parameter("open_loop_s", "s", 0, 90, "1547-2018 table 8; 0 means at once"),
            Parameter("v_ref", "%", 50, 150, "2030.5 vRef"),
            Parameter("autonomous_v_ref_s", "s", 0, 5000, "1547-2018 5.3.3: 300 to 5000 s"),
        )
    },
    check=_check,
    sunspec_models=(705,),
    order=40,
    doc="reactive power by voltage",
)
