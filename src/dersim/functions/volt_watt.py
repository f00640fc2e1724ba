"""opModVoltWatt: the highest active power as a function of voltage (curve type 12; SunSpec 706).

2030.5-2018 10.10.4: y in percent of setMaxW (yRefType 1) or of the power available (7). 1547-2018 5.4.2:
open-loop response 0.5 to 60 s. It is only a limit. A negative y, in percent of setMaxChargeRateW, makes
storage charge; PV stops at 0. Between its points the curve is a line in watts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.curves import Line
from dersim.functions.filters import Lag
from dersim.functions.references import reference_objection
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

MODE = "opModVoltWatt"


class VoltWatt(Function):
    """The Volt-Watt curve; the lag is on the limit, in W."""

    KEPT = ("settled", "_limit")

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._line: Line | None = None
        #: With yRefType 7 the line is per unit of the power available, at least 0; this is the rest, in W.
        self._below: Line | None = None
        self._limit = Lag()
        self.lags = (self._limit,)
        self._demand = Demand(lag=self._limit)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the curve; when newly enabled, the limit starts from the present power."""
        curve = modes.get(MODE)
        if not isinstance(curve, Curve):
            self._line = None
            self.voltage_response_s = INF
            self.settled = True
            return
        newly = self._line is None
        s = self.settings
        negative = s.setMaxChargeRateW
        if curve.y_ref_type == 7:
            self._line = Line((x / 100, max(y, 0.0) / 100) for x, y in curve.points)
            self._below = Line((x / 100, min(y, 0.0) / 100 * negative) for x, y in curve.points)
        else:
            self._line = Line(
                (x / 100, y / 100 * (s.setMaxW if y >= 0 else negative)) for x, y in curve.points
            )
            self._below = None
        self.voltage_response_s = curve.open_loop_s or 0.0
        if newly:
            reference = self._reference(self._line, seen)
            if seen.running:
                self._limit.start(max(reference, seen.flowing_w), reference)
            else:
                self._limit.start(None)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The limit at the measured voltage."""
        line = self._line
        if line is None:
            return NOTHING
        if self._below is None:
            v = seen.v_pu
            offset, slope = line.pieces[bisect_right(line.xs, v)]
            reference = offset + slope * v
        else:
            reference = self._reference(line, seen)
        lag = self._limit
        demand = self._demand
        demand.limit_w = lag.step(dt_s, reference, self.voltage_response_s)
        self.settled = not lag.moving
        return demand

    def _reference(self, line: Line, seen: Measured) -> float:
        if self._below is None:
            return line.at(seen.v_pu)
        # statWAvail as it is reported, where the voltage is not low
        available_w = min(seen.available_w, self.settings.setMaxW, seen.va_limit(1.0))
        return line.at(seen.v_pu) * available_w + self._below.at(seen.v_pu)


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    return reference_objection(value.y_ref_type, (1, 7)) if isinstance(value, Curve) else ""


TYPE = FunctionType(
    name="volt-watt",
    modes=(MODE,),
    stage="grid",
    make=VoltWatt,
    parameters={
        MODE: (
            Parameter("x", "% setVRef", 0, 200, "2030.5 DERCurve, curveType 12"),
            Parameter("y", "%", -100, 100, "2030.5 DERCurve, curveType 12"),
            Parameter("open_loop_s", "s", 0, 60, "1547-2018 table 10; 0 means at once"),
        )
    },
    check=_check,
    sunspec_models=(706,),
    order=20,
    doc="limit of active power by voltage",
)
