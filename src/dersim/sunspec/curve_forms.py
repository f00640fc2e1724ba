"""The forms of the steady-state curves: 705 Volt-Var, 706 Volt-Watt, 712 Watt-Var, and 711 frequency droop.

DeptRef is DERUnitRefType with other numbers: 0 % of WMax (1), 1 % of VarMax (2), 2 % of available var (3),
3 % of VAMax (8); for Volt-Watt 0 % of WMax (1), 1 % of available W (7). Defaults are those of
1547-2018 (`curve_defaults.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.local_control import curve_defaults
from dersim.local_control.switched import Modes
from dersim.local_control.view import View
from dersim.modes import Curve, FreqDroop, ModeValue
from dersim.sunspec.points import Value
from dersim.sunspec.stored_sets import POINTS, SETS, Form, PointSet, curve_points, shown_curve

_VAR_REFS = (1, 2, 3, 8)
_WATT_REFS = (1, 7)
_COUNTS = {"NCrv": SETS, "NPt": POINTS}


class CurveForm(Form):
    """A form with one curve; `names` are those of x and y."""

    mode = ""
    names = ("", "")
    counts = _COUNTS
    references: tuple[int, ...] = _VAR_REFS

    def __init__(self, view: View) -> None:
        self.view = view
        self.modes = (self.mode,)

    def default(self) -> Curve:
        """1547-2018's default for the machine's category."""
        raise NotImplementedError

    def read(self, points: PointSet) -> dict[str, ModeValue | None]:
        """The curve of a set."""
        return {self.mode: self.curve(points)}

    def curve(self, points: PointSet) -> Curve:
        """The curve of a set: its points, reference and other members."""
        return Curve(
            curve_points(points, self.names, points["ActPt"]),
            self.references[points["DeptRef"]],
            open_loop_s=points.get("RspTms"),
        )

    def show(self, modes: Modes) -> dict[str, Value]:
        """A curve as a set."""
        curve = modes.get(self.mode) or self.default()
        assert isinstance(curve, Curve)  # noqa: S101 - the mode's kind
        known = curve.y_ref_type in self.references
        return {
            **shown_curve(curve.points, self.names),
            "DeptRef": self.references.index(curve.y_ref_type) if known else 0,
            **self.more(curve),
        }

    def more(self, curve: Curve) -> dict[str, Value]:
        """The members of this model's sets other than points and reference."""
        return {"RspTms": curve.open_loop_s or 0}


class VoltVar(CurveForm):
    """705."""

    model_id, mode, names = 705, "opModVoltVar", ("V", "Var")
    scales = {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -2}  # noqa: RUF012 - never changed

    def default(self) -> Curve:
        """1547-2018 table 8."""
        return curve_defaults.volt_var(self.view.plate)

    def curve(self, points: PointSet) -> Curve:
        """The curve with its reference voltage, fixed or autonomous."""
        curve = super().curve(points)
        # Clients without VRef write 0 (py20305 does), which means the nominal voltage, like 100 %.
        own_reference = points["VRef"] not in (0, 100)
        auto = bool(points["VRefAutoEna"])
        return curve._replace(
            v_ref=points["VRef"] if own_reference else None,
            autonomous_v_ref=auto,
            autonomous_v_ref_s=points["VRefAutoTms"] if auto else None,
        )

    def more(self, curve: Curve) -> dict[str, Value]:
        """Response, priority and reference voltage."""
        return {
            "RspTms": curve.open_loop_s or 0,
            "Pri": int(self.view.plate.reactive_priority),
            "VRef": curve.v_ref or 100,
            "VRefAuto": 100,
            "VRefAutoEna": int(curve.autonomous_v_ref),
            "VRefAutoTms": curve.autonomous_v_ref_s or 300,
        }


class VoltWatt(CurveForm):
    """706."""

    model_id, mode, names = 706, "opModVoltWatt", ("V", "W")
    references = _WATT_REFS
    scales = {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -2}  # noqa: RUF012 - never changed

    def default(self) -> Curve:
        """1547-2018 table 10."""
        return curve_defaults.volt_watt(self.view.plate)


class WattVar(CurveForm):
    """712; it has no response time."""

    model_id, mode, names = 712, "opModWattVar", ("W", "Var")
    scales = {"W_SF": -2, "DeptRef_SF": -2}  # noqa: RUF012 - never changed

    def default(self) -> Curve:
        """1547-2018 table 9."""
        return curve_defaults.watt_var(self.view.plate)

    def more(self, curve: Curve) -> dict[str, Value]:  # noqa: ARG002 - as in the other models
        """Priority."""
        return {"Pri": int(self.view.plate.reactive_priority)}


class Droop(Form):
    """711; its sets are called controls."""

    model_id = 711
    modes = ("opModFreqDroop",)
    group, request, result, revert = "Ctl", "AdptCtlReq", "AdptCtlRslt", "RvrtCtl"
    counts = {"NCtl": SETS}  # noqa: RUF012 - never changed
    none_active = True
    scales = {"Db_SF": -3, "K_SF": -3, "RspTms_SF": -2}  # noqa: RUF012 - never changed

    def __init__(self, view: View) -> None:
        self.view = view

    def read(self, points: PointSet) -> dict[str, ModeValue | None]:
        """The droop of a set; PMin is in percent of WMax."""
        p_min = points["PMin"] / 100 * self.view.settings.setMaxW
        droop = FreqDroop(
            points["DbOf"], points["DbUf"], points["KOf"], points["KUf"], points["RspTms"], p_min
        )
        return {"opModFreqDroop": droop}

    def show(self, modes: Mapping[str, Any]) -> dict[str, Value]:
        """A droop as a set."""
        droop = modes.get("opModFreqDroop") or curve_defaults.DROOP
        lowest = droop.p_min_w
        if lowest is None:
            lowest = -self.view.settings.charge_limit_w
        watts = self.view.settings.setMaxW or self.view.plate.rtgMaxW
        return {
            "DbOf": droop.db_of_hz,
            "DbUf": droop.db_uf_hz,
            "KOf": droop.k_of,
            "KUf": droop.k_uf,
            "RspTms": droop.open_loop_s,
            "PMin": round(100 * lowest / watts),
        }
