"""What acts, or would, without anybody's curve: the defaults of IEEE 1547-2018; and curves that never act."""

from __future__ import annotations

from dersim.functions.momentary_cessation import default_cessation
from dersim.functions.trip import default_trips
from dersim.hardware.nameplate import Nameplate
from dersim.modes import MODES, Curve, FreqDroop

#: Table 24, the same for all categories but for Category I's response.
DROOP = FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)
_WATTS, _VA = 1, 8
_LONGEST_S = 3600.0
#: By the side in 2030.5's names: a magnitude that no grid of ours reaches, in percent or hertz.
_NEVER = {"LV": 0.0, "HV": 200.0, "LF": 30.0, "HF": 90.0}


def volt_var(plate: Nameplate) -> Curve:
    """Table 8."""
    if plate.normal_category == "A":
        return Curve(((90, 25), (100, 0), (100, 0), (110, -25)), _VA, open_loop_s=10)
    return Curve(((92, 44), (98, 0), (102, 0), (108, -44)), _VA, open_loop_s=5)


def volt_watt(plate: Nameplate) -> Curve:
    """Table 10; a DER that can charge goes down to 0."""
    lowest = 0 if plate.rtgMaxWh else 20
    return Curve(((106, 100), (110, lowest)), _WATTS, open_loop_s=10)


def watt_var(plate: Nameplate) -> Curve:
    """Table 9; a DER that can charge has the other half, too."""
    lowest = -25 if plate.normal_category == "A" else -44
    points: tuple[tuple[float, float], ...] = ((20, 0), (50, 0), (100, lowest))
    if plate.rtgMaxWh:
        points = ((-100, 44), (-50, 0), (-20, 0), *points)
    return Curve(points, _VA)


def ride_through(plate: Nameplate) -> dict[str, Curve]:
    """The trip curves, and the momentary cessation of Category III, by mode: they act without a setpoint."""
    points = {**default_trips(plate), **default_cessation(plate)}
    return {mode: Curve(tuple(pairs), MODES[mode].y_ref_type) for mode, pairs in points.items()}


def never(mode: str) -> Curve:
    """The curve that switches a ride-through mode off: no grid of ours reaches it."""
    side = mode.removeprefix("opMod")[:2]
    return Curve(((_LONGEST_S, _NEVER[side]),), MODES[mode].y_ref_type)
