"""123, immediate controls: the controls of 704 under their older names, and the switch.

Everything but Conn is translated and passed to 704, so that the two never differ. OutPFSet has the sign of
EEI: negative injects (over-excited).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.local_control.switch import Switch
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.ac_controls import AcControls
from dersim.sunspec.block import Meaning, Model, Values
from dersim.sunspec.eei_power_factor import signed, unsigned
from dersim.sunspec.points import Value

#: Register here -> register of 704, one to one.
_SAME = {
    "WMaxLimPct": "WMaxLimPct",
    "WMaxLimPct_RvrtTms": "WMaxLimPctRvrtTms",
    "WMaxLim_Ena": "WMaxLimPctEna",
    "OutPFSet_RvrtTms": "PFWInjRvrtTms",
    "OutPFSet_Ena": "PFWInjEna",
    "VArPct_RvrtTms": "VarSetRvrtTms",
    "VArPct_Ena": "VarSetEna",
}
#: VArPct_Mod -> its percentage.
_PERCENTS = {1: "VArWMaxPct", 2: "VArMaxPct", 3: "VArAvalPct"}
_LONGEST_S = 65534
_CONN = "123.Conn"


class Immediate(Model):
    """The registers of 123."""

    KEPT = ("_percents", "_conn_s")

    model_id = 123
    scales = {"WMaxLimPct_SF": -2, "OutPFSet_SF": -3, "VArPct_SF": -2}  # noqa: RUF012 - never changed

    def __init__(self, view: View, controls: AcControls, switch: Switch) -> None:
        self.view = view
        self._switch = switch
        self._controls = controls
        self._percents = dict.fromkeys(_PERCENTS.values(), 0.0)
        self._conn_s = 0

    def stamp(self) -> object:
        """Changes with 704 and the switch."""
        return self._controls.stamp()

    def values(self) -> Values:
        """704's values under the older names, and the switch."""
        now = self._controls.values()
        out: dict[str, Value] = {
            "Conn": int(self._switch.closed),
            "Conn_RvrtTms": self._conn_s,
        }
        for here, there in _SAME.items():
            value = now.get(there)
            out[here] = min(value, _LONGEST_S) if isinstance(value, int | float) else None
        pf, under = now.get("PFWInj.PF"), now.get("PFWInj.Ext")
        if isinstance(pf, int | float):
            out["OutPFSet"] = signed(pf, over_excited=not under)
        mode = now.get("VarSetMod")
        if isinstance(mode, int):
            out |= self._percents
            out["VArPct_Mod"] = mode + 1 if mode + 1 in _PERCENTS else 0
            if mode + 1 in _PERCENTS:
                out[_PERCENTS[mode + 1]] = now["VarSetPct"]
        return out

    def writable(self, path: str) -> bool:
        """Whether 704 can write it, or it belongs to the switch."""
        if path in ("Conn", "Conn_RvrtTms"):
            return self._switch.works
        return self._controls.writable(_there(path)) if _there(path) else False

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Pass the values to 704, then operate the switch, which cannot be refused."""
        percents = self._percents | {k: v for k, v in changes.items() if k in self._percents}
        there = self._in_704(changes, percents)
        if there:
            self._controls.write(there, source)
        self._percents = percents
        self._conn_s = changes.get("Conn_RvrtTms", self._conn_s)
        if "Conn" in changes:
            closed = bool(changes["Conn"])
            self._switch.move(source, closed=closed, detail=_CONN, revert_s=self._conn_s)
        elif "Conn_RvrtTms" in changes and self._switch.is_opened_by(_CONN):
            self._switch.move(source, closed=False, detail=_CONN, revert_s=self._conn_s)
        self.view.touched()

    def _in_704(self, changes: Mapping[str, Any], percents: Mapping[str, Any]) -> dict[str, Any]:
        """The same values as registers of 704."""
        there: dict[str, Any] = {_SAME[k]: v for k, v in changes.items() if k in _SAME}
        if "OutPFSet" in changes:
            there["PFWInj.PF"], over_excited = unsigned(changes["OutPFSet"])
            there["PFWInj.Ext"] = int(not over_excited)
        mode = changes.get("VArPct_Mod")
        if mode is None and self._percents.keys() & changes.keys():
            mode = int(self._controls.values().get("VarSetMod", 0) or 0) + 1  # the one that is chosen
        if mode in _PERCENTS:
            there["VarSetMod"] = mode - 1
            there["VarSetPct"] = percents[_PERCENTS[mode]]
        elif mode == 0:
            there["VarSetEna"] = 0
        return there

    def meaning(self, values: Values) -> Meaning:
        """The open switch, and what 704 does not have; for the controls themselves see `as_704`."""
        kept = (*self._percents, "Conn_RvrtTms")
        registers = {point: values[point] for point in kept if values.get(point) is not None}
        return Meaning({}, {"opModConnect": False} if values.get("Conn") == 0 else {}, registers)

    def as_704(self, values: Values) -> dict[str, Any]:
        """The controls as values of 704, for a machine that has only this model."""
        read = {point: value for point, value in values.items() if value is not None}
        return self._in_704(read, self._percents | read)

    def restore(self, registers: Mapping[str, Any]) -> None:
        """The percents of reactive power that are not chosen, and the reversion of the switch."""
        rest = dict(registers)
        self._percents = {point: rest.pop(point, value) for point, value in self._percents.items()}
        self._conn_s = rest.pop("Conn_RvrtTms", self._conn_s)
        super().restore(rest)
        self.view.touched()


def _there(path: str) -> str:
    """The register of 704 that a register of 123 is translated to, "" for none."""
    if path == "OutPFSet":
        return "PFWInj.PF"
    if path in _PERCENTS.values() or path == "VArPct_Mod":
        return "VarSetPct"
    return _SAME.get(path, "")
