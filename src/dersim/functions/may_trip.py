"""May-trip: the region where the DER may, but need not, leave service.

opModHVRTMayTrip, LVRT, HFRT, LFRT (curve types 3, 8, 1, 6; SunSpec 707 to 710). 1547-2018 6.4.2 and 6.5.2
require ride-through up to this line and let the DER choose between this line and must-trip. dersim rides
through until must-trip, so the curves are accepted, checked and reported, and do not change the output.
"""

from __future__ import annotations

from dersim.functions.base import Function
from dersim.functions.contract import FunctionType, Parameter
from dersim.functions.trip import monotonic_objection
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve, ModeValue

HV, LV, HF, LF = "opModHVRTMayTrip", "opModLVRTMayTrip", "opModHFRTMayTrip", "opModLFRTMayTrip"


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    return monotonic_objection(value, rising=mode in (LV, LF)) if isinstance(value, Curve) else ""


def _range(low: float, high: float, unit: str) -> tuple[Parameter, ...]:
    clause = "2030.5 DERCurve; 1547-2018 6.4.2, 6.5.2"
    return (Parameter("x", "s", 0, 3600, clause), Parameter("y", unit, low, high, clause))


TYPE = FunctionType(
    name="may-trip",
    modes=(HV, LV, HF, LF),
    stage="protect",
    make=Function,
    parameters={
        HV: _range(100, 200, "%"),
        LV: _range(0, 100, "%"),
        HF: _range(50, 90, "Hz"),
        LF: _range(30, 60, "Hz"),
    },
    check=_check,
    sunspec_models=(707, 708, 709, 710),
    order=30,
    doc="where the DER may trip; it rides through",
)
