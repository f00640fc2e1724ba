"""Must-trip: leave service when voltage or frequency is out of range for too long (1547-2018 6.4.1, 6.5.1).

opModHVRTMustTrip, LVRT, HFRT, LFRT of 2030.5 (curve types 5, 10, 2, 7; SunSpec 707 to 710). Without a mode in
force the defaults of the abnormal category apply (1547-2018 tables 11 to 13 and 18). The time is exact:
`horizon_s` says where to split the step.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.excursion import Boundary, Excursion
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import MODES, Curve, ModeValue

HV, LV, HF, LF = "opModHVRTMustTrip", "opModLVRTMustTrip", "opModHFRTMustTrip", "opModLFRTMustTrip"
_TRIP = Demand(trip=True)

_Points = tuple[tuple[float, float], ...]


def default_trips(nameplate: Nameplate) -> Mapping[str, _Points]:
    """1547-2018 default trips: (s, %) for voltage, (s, Hz) for frequency, shifted for 50 Hz."""
    return _default_trips(nameplate.abnormal_category, nameplate.frequency_hz)


@functools.cache
def _default_trips(category: int, frequency_hz: float) -> Mapping[str, _Points]:
    # OV1 time, UV1 (V, s), UV2 (V, s) of Categories I, II, III.
    ov1_s, uv1, uv2 = {
        1: (2.0, (70.0, 2.0), (45.0, 0.16)),
        2: (2.0, (70.0, 10.0), (45.0, 0.16)),
        3: (13.0, (88.0, 21.0), (50.0, 2.0)),
    }[category]
    shift = frequency_hz - 60.0
    return {
        HV: steps((120.0, 0.16), (110.0, ov1_s)),
        LV: steps((uv2[0], uv2[1]), (uv1[0], uv1[1])),
        HF: steps((62.0 + shift, 0.16), (61.2 + shift, 300.0)),
        LF: steps((56.5 + shift, 0.16), (58.5 + shift, 300.0)),
    }


def steps(fast: tuple[float, float], slow: tuple[float, float]) -> _Points:
    """A stepped curve of points (s, magnitude) from a fast and a slow (magnitude, seconds)."""
    return ((fast[1], fast[0]), (slow[1], fast[0]), (slow[1], slow[0]))


@functools.lru_cache(maxsize=256)
def _boundary(points: _Points, sign: int) -> Boundary:
    return Boundary([(x, sign * y) for x, y in points])


class Trip(Function):
    """The four must-trip curves; magnitudes in percent and hertz, those of the low sides negated."""

    KEPT = ("settled", "_timers")

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._defaults = default_trips(nameplate)
        self._timers: dict[str, Excursion] = {}
        self._curves: dict[str, _Points] = {}
        self.quiet_window = (0.0, INF, 0.0, INF)
        self.configure({}, Measured())

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over the curves; a running timer keeps its elapsed time."""
        for mode, default in self._defaults.items():
            value = modes.get(mode)
            points = value.points if isinstance(value, Curve) else default
            if self._curves.get(mode) == points:
                continue
            self._curves[mode] = points
            sign = -1 if mode in (LV, LF) else 1
            timer = Excursion(_boundary(tuple((x, y) for x, y in points), sign))
            if mode in self._timers:
                timer.take_times_from(self._timers[mode])
            self._timers[mode] = timer
        t = self._timers
        self.quiet_window = (
            -t[LV].boundary.threshold / 100,
            t[HV].boundary.threshold / 100,
            -t[LF].boundary.threshold,
            t[HF].boundary.threshold,
        )

    def _magnitudes(self, seen: Measured) -> tuple[tuple[Excursion, float], ...]:
        t = self._timers
        return (
            (t[HV], seen.v_high_pu * 100),
            (t[LV], -seen.v_low_pu * 100),
            (t[HF], seen.frequency_hz),
            (t[LF], -seen.frequency_hz),
        )

    def _quiet(self, seen: Measured) -> bool:
        low, high, slow, fast = self.quiet_window
        return seen.v_low_pu >= low and seen.v_high_pu <= high and slow <= seen.frequency_hz <= fast

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until the first timer would trip."""
        if not seen.in_service or (self.settled and self._quiet(seen)):
            return INF
        return min(timer.horizon_s(magnitude) for timer, magnitude in self._magnitudes(seen))

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Advance the timers; trip when one reaches its time."""
        if self.settled and self._quiet(seen):
            return NOTHING
        tripped = False
        for timer, magnitude in self._magnitudes(seen):
            tripped = timer.step(dt_s, magnitude) or tripped
        self.settled = not any(timer.running for timer in self._timers.values())
        return _TRIP if tripped else NOTHING


def as_curves(points: Mapping[str, _Points]) -> dict[str, Curve]:
    """Points by mode as curves, with the reference that each mode has by the standard."""
    return {mode: Curve(each, MODES[mode].y_ref_type) for mode, each in points.items()}


def _range(low: float, high: float, unit: str) -> tuple[Parameter, ...]:
    clause = "1547-2018 tables 11 to 13" if unit == "%" else "1547-2018 table 18"
    return (Parameter("x", "s", 0, 3600, clause), Parameter("y", unit, low, high, clause))


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    if not isinstance(value, Curve):
        return ""
    return monotonic_objection(value, rising=mode in (LV, LF))


def monotonic_objection(curve: Curve, *, rising: bool) -> str:
    """Why a ride-through curve is refused: what is allowed for longer must be closer to nominal."""
    ys = [y for _, y in curve.points]
    ordered = sorted(ys, reverse=not rising)
    if ys != ordered:
        return f"y must not {'fall' if rising else 'rise'} with time"
    return ""


TYPE = FunctionType(
    name="trip",
    modes=(HV, LV, HF, LF),
    stage="protect",
    make=Trip,
    parameters={
        HV: _range(100, 200, "%"),
        LV: _range(0, 100, "%"),
        HF: _range(50, 90, "Hz"),
        LF: _range(30, 60, "Hz"),
    },
    check=_check,
    standing=True,
    sunspec_models=(707, 708, 709, 710),
    order=10,
    doc="must-trip on voltage and frequency",
    acts_without=lambda plate: as_curves(default_trips(plate)),
)
