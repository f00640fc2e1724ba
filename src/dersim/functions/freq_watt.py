"""opModFreqWatt: the highest active power as a curve over frequency (curve type 0), y in % of setMaxW.

2030.5-2018 10.10.4. Unlike the droop it has no power before the event; it is an upper limit, and with storage
a negative y asks for charging. The lag is on the limit.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.curves import Line
from dersim.functions.filters import Lag
from dersim.functions.references import reference_objection
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

MODE = "opModFreqWatt"


class FreqWatt(Function):
    """The Freq-Watt curve; the lag is on the limit, in W."""

    KEPT = ("settled", "_limit")

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._line: Line | None = None
        self._response_s = 0.0
        self._limit = Lag()
        self.lags = (self._limit,)
        self._demand = Demand(lag=self._limit)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the curve; when newly enabled, the limit starts from the present power."""
        curve = modes.get(MODE)
        if not isinstance(curve, Curve):
            self._line = None
            self.settled = True
            return
        newly = self._line is None
        s = self.settings
        self._line = Line(
            (x, y / 100 * (s.setMaxW if y >= 0 else s.setMaxChargeRateW)) for x, y in curve.points
        )
        self._response_s = curve.open_loop_s or 0.0
        if newly:
            reference = self._line.at(seen.frequency_hz)
            if seen.running:
                self._limit.start(max(reference, seen.flowing_w), reference)
            else:
                self._limit.start(None)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The limit at the measured frequency."""
        line = self._line
        if line is None:
            return NOTHING
        lag = self._limit
        demand = self._demand
        demand.limit_w = lag.step(dt_s, line.at(seen.frequency_hz), self._response_s)
        self.settled = not lag.moving
        return demand


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    return reference_objection(value.y_ref_type, (0, 1)) if isinstance(value, Curve) else ""


TYPE = FunctionType(
    name="freq-watt",
    modes=(MODE,),
    stage="grid",
    make=FreqWatt,
    parameters={
        MODE: (
            Parameter("x", "Hz", 40, 70, "2030.5 DERCurve, curveType 0"),
            Parameter("y", "% setMaxW", -100, 100, "2030.5 DERCurve, curveType 0"),
            Parameter("open_loop_s", "s", 0, 600, "2030.5 openLoopTms"),
        )
    },
    check=_check,
    order=30,
    doc="limit of active power by frequency",
)
