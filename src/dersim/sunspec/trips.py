"""The forms of the trip models: 707 and 708 by voltage, 709 and 710 by frequency.

A set holds three curves: must trip, may trip, momentary cessation (of voltage only); a curve with ActPt 0 is
not used. A point is (magnitude, seconds), where 2030.5 has (seconds, magnitude) for the same line; the points
may start at the fast or at the slow end.

A trip curve is always in force, in Category III momentary cessation too: without a setpoint the default of
1547-2018 for the category of the DER, which set 1 then shows. Ena = 0, which test benches need, sets curves
that no grid of ours reaches, as MomCess.ActPt = 0 does for the cessation.
"""

from __future__ import annotations

from dersim.local_control.curve_defaults import never, ride_through
from dersim.local_control.switched import Modes
from dersim.local_control.view import View
from dersim.modes import Curve, ModeValue
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Value
from dersim.sunspec.stored_sets import POINTS, SETS, Form, PointSet, curve_points, shown_curve

#: model -> (magnitude, side of 2030.5's mode names).
_MODELS = {707: ("V", "LV"), 708: ("V", "HV"), 709: ("Hz", "LF"), 710: ("Hz", "HF")}


class Trips(Form):
    """One of the four trip models."""

    revert = ""
    counts = {"NCrvSet": SETS, "NPt": POINTS}  # noqa: RUF012 - never changed

    def __init__(self, view: View, model_id: int) -> None:
        magnitude, side = _MODELS[model_id]
        self.view = view
        self.model_id = model_id
        self._names = (magnitude, "Tms")
        kinds = {"MustTrip": "MustTrip", "MayTrip": "MayTrip"}
        if magnitude == "V":
            kinds["MomCess"] = "MomentaryCessation"
        supported = view.setpoints.supported_modes
        self._kinds = {g: m for g, name in kinds.items() if (m := f"opMod{side}RT{name}") in supported}
        self.modes = tuple(self._kinds.values())
        self.scales = {f"{magnitude}_SF": -2 if magnitude == "V" else -3, "Tms_SF": -2}
        must = f"opMod{side}RTMustTrip"
        #: What acts without a setpoint, by mode.
        self._defaults = {m: c for m, c in ride_through(view.plate).items() if m in {must, *self.modes}}
        self._never = never(must)
        self.off = dict.fromkeys(self.modes) | dict.fromkeys(self._defaults, self._never)

    def read(self, points: PointSet) -> dict[str, ModeValue | None]:
        """The curves of a set."""
        modes: dict[str, ModeValue | None] = {}
        for group in ("MustTrip", "MayTrip", "MomCess"):
            count = points[f"{group}.ActPt"]
            mode = self._kinds.get(group)
            if mode is None:
                if count:
                    raise ModbusRefusal(ILLEGAL_VALUE, f"{group}: this machine has none; ActPt must be 0")
            elif count or group == "MustTrip":
                modes[mode] = self._curve(points, group, count)
            else:
                modes[mode] = self._never if mode in self._defaults else None
        return modes

    def without_missing(self, points: PointSet) -> PointSet:
        """Momentary cessation is of voltage alone; other machines may fill it in for frequency too."""
        missing = {"MustTrip", "MayTrip", "MomCess"} - set(self._kinds)
        return {**points, **{f"{group}.ActPt": 0 for group in missing}}

    def _curve(self, points: PointSet, group: str, count: int) -> Curve:
        pairs = [(x, y) for y, x in curve_points(points, self._names, count, f"{group}.")]
        if len(pairs) > 1 and pairs[0][0] > pairs[-1][0]:
            pairs.reverse()
        return Curve(tuple(pairs), self._never.y_ref_type)

    def show(self, modes: Modes) -> dict[str, Value]:
        """The curves in force, as a set."""
        out: dict[str, Value] = {}
        for group in ("MustTrip", "MayTrip", "MomCess"):
            mode = self._kinds.get(group, "")
            curve = modes.get(mode) or self._defaults.get(mode)
            pairs = curve.points if isinstance(curve, Curve) else ()
            if curve == self._never and group != "MustTrip":
                pairs = ()
            out |= shown_curve([(y, x) for x, y in pairs], self._names, f"{group}.")
        return out
