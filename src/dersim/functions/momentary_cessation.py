"""Momentary cessation: no current while the voltage is far out of range, current at once when it returns.

opModHVRTMomentaryCessation and opModLVRTMomentaryCessation (curve types 4 and 9; SunSpec 707, 708).
1547-2018 6.4.2.7.3 and table 16, Category III: below 0.50 pu and above 1.10 pu, within 0.083 s, and back
within 0.4 s; exactly 0.50 pu is mandatory operation and exactly 1.10 pu continuous operation. The threshold
of a curve is its y nearest to nominal. A must-trip that comes first applies
(2030.5-2018 10.10.4: must trip > momentary cessation > may trip).
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.trip import as_curves, monotonic_objection
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

HV, LV = "opModHVRTMomentaryCessation", "opModLVRTMomentaryCessation"
_CEASE = Demand(cease=True)
#: Slack for voltages that were scaled, per unit: a threshold itself causes no cessation.
_SLACK_PU = 1e-9


def default_cessation(nameplate: Nameplate) -> dict[str, tuple[tuple[float, float], ...]]:
    """The curves (s, %) of a DER without modes: 1547-2018 table 16 for Category III, none for I and II.

    The times are those for which a DER ceases rather than trips; the threshold alone acts here.
    """
    if nameplate.abnormal_category != 3:
        return {}
    return {HV: ((0.0, 110.0), (12.0, 110.0)), LV: ((0.0, 50.0), (1.0, 50.0))}


class MomentaryCessation(Function):
    """The two thresholds, per unit; beyond them the current ceases."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._high = self._low = 0.0
        self.quiet_window = (0.0, INF, 0.0, INF)
        self.configure({}, Measured())

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the thresholds; without a curve, those of Category III, or none for I and II."""
        points = default_cessation(self.nameplate)
        points |= {mode: value.points for mode, value in modes.items() if isinstance(value, Curve)}
        self._high = min((y for _, y in points.get(HV, ())), default=INF) / 100
        self._low = max((y for _, y in points.get(LV, ())), default=-INF) / 100
        self._low -= _SLACK_PU
        self._high += _SLACK_PU
        self.quiet_window = (self._low, self._high, 0.0, INF)

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Cease while the voltage is beyond a threshold."""
        if seen.v_high_pu > self._high or seen.v_low_pu < self._low:
            return _CEASE
        return NOTHING


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    return monotonic_objection(value, rising=mode == LV) if isinstance(value, Curve) else ""


_CLAUSE = "1547-2018 6.4.2.7.3"

TYPE = FunctionType(
    name="momentary-cessation",
    modes=(HV, LV),
    stage="protect",
    make=MomentaryCessation,
    parameters={
        HV: (Parameter("x", "s", 0, 3600, _CLAUSE), Parameter("y", "%", 100, 200, _CLAUSE)),
        LV: (Parameter("x", "s", 0, 3600, _CLAUSE), Parameter("y", "%", 0, 100, _CLAUSE)),
    },
    check=_check,
    standing=True,
    sunspec_models=(707, 708),
    order=20,
    doc="no current while the voltage is far out of range",
    acts_without=lambda plate: as_curves(default_cessation(plate)),
)
