"""704, DER AC controls: power factor, limit and set-points, each with an enable and a reversion timer.

Each of the five controls is one or two modes of 2030.5. A register shows what is in force: while a DERControl
of 60 % is active, WMaxLimPct reads 60 and WMaxLimPctEna 1. If nothing is in force, or it was written here,
the registers show what was written. A set-point that is written while its enable reads 1 is a setpoint of
source ``modbus`` from then on, whoever enabled it; while an event overrides it, it is kept. A set-point is
checked when it is written, enabled or not.

The two registers of a power factor (``sync`` groups) act together when they come in one write; a write of one
of them alone is taken too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dersim.local_control.refused import Refused
from dersim.local_control.reversion import Timer, Timers
from dersim.local_control.submitting import changes_of, check, release, submit, update_settings
from dersim.local_control.view import View
from dersim.modes import Excitation, FixedPowerFactor, FixedVar, ModeValue, VarRef
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import InForce, SetpointChange, Verdict
from dersim.sunspec.block import Meaning, Model, Values
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Value
from dersim.sunspec.scales import Scales

Registers = Mapping[str, Any]
_WATTS, _VARS, _VA_PERCENT = 1, 4, 3
_PERCENT_OF_WMAX = 1
#: Points that take their own value only, and why.
_FIXED = {
    "VarSetPri": "this machine's priority is fixed by its nameplate",
    "WRmpRef": "the ramp of this machine is in percent of WMax per second",
}
_VAR_REFS: tuple[VarRef, ...] = ("setMaxW", "setMaxVar", "statVarAvail")


@dataclass(frozen=True, slots=True)
class Control:
    """One control of 704. The names of its timer and reversion points follow from `stem`.

    reverts: set-point -> what it becomes at the end of the timer. demand: registers -> modes (None: not
    wanted); show: (mode, value) -> registers. chosen: a set-point, and the registers, -> the selection by
    which it counts.
    """

    stem: str
    modes: tuple[str, ...]
    reverts: Mapping[str, str]
    demand: Callable[[Registers], dict[str, ModeValue | None]]
    show: Callable[[str, Any], dict[str, Value]]
    selects: tuple[str, ...] = ()
    chosen: Callable[[str, Registers], dict[str, Value]] = lambda _point, _registers: {}

    @property
    def detail(self) -> str:
        """Its name in the setpoint journal."""
        return f"704.{self.stem}"

    @property
    def enable(self) -> str:
        """The name of the enable point; with Rvrt appended, that of its reversion."""
        return f"{self.stem}Ena"

    @property
    def seconds(self) -> str:
        """The name of the point with the timer's length."""
        return f"{self.stem}RvrtTms"

    @property
    def points(self) -> frozenset[str]:
        """Every point that can be written."""
        return frozenset(
            {
                *self.reverts,
                *self.reverts.values(),
                *self.selects,
                self.enable,
                f"{self.enable}Rvrt",
                self.seconds,
            }
        )

    @property
    def setting(self) -> frozenset[str]:
        """The points whose writing restarts the timer."""
        return frozenset({*self.reverts, *self.selects, self.enable, self.seconds})

    @property
    def taking(self) -> frozenset[str]:
        """The points whose writing makes a control that is in force Modbus's own."""
        return frozenset({*self.reverts, *self.selects, self.enable})

    def reverted(self, registers: Registers) -> dict[str, Any]:
        """The registers after the reversion."""
        return {**registers, **{point: registers[after] for point, after in self.reverts.items()}}


def _power_factor(stem: str, mode: str) -> Control:
    def demand(r: Registers) -> dict[str, ModeValue | None]:
        excitation: Excitation = "absorb" if r[f"{stem}.Ext"] else "inject"
        return {mode: FixedPowerFactor(r[f"{stem}.PF"], excitation)}

    def show(_mode: str, value: FixedPowerFactor) -> dict[str, Value]:
        return {f"{stem}.PF": value.pf, f"{stem}.Ext": int(value.excitation == "absorb")}

    reverts = {f"{stem}.{point}": f"{stem}Rvrt.{point}" for point in ("PF", "Ext")}
    return Control(stem, (mode,), reverts, demand, show)


def _limit_control() -> Control:
    return Control(
        "WMaxLimPct",
        ("opModMaxLimW",),
        {"WMaxLimPct": "WMaxLimPctRvrt"},
        lambda r: {"opModMaxLimW": float(r["WMaxLimPct"])},
        lambda _mode, value: {"WMaxLimPct": value},
    )


def _watt_control() -> Control:
    def demand(r: Registers) -> dict[str, ModeValue | None]:
        if r["WSetMod"] == _WATTS:
            return {"opModTargetW": float(r["WSet"]), "opModFixedW": None}
        return {"opModFixedW": float(r["WSetPct"]), "opModTargetW": None}

    def show(mode: str, value: float) -> dict[str, Value]:
        if mode == "opModTargetW":
            return {"WSetMod": _WATTS, "WSet": value}
        return {"WSetMod": 0, "WSetPct": value}

    def chosen(point: str, _registers: Registers) -> dict[str, Value]:
        return {"WSetMod": _WATTS if point == "WSet" else 0}

    reverts = {"WSet": "WSetRvrt", "WSetPct": "WSetPctRvrt"}
    return Control("WSet", ("opModFixedW", "opModTargetW"), reverts, demand, show, ("WSetMod",), chosen)


def _var_control(view: View) -> Control:
    def demand(r: Registers) -> dict[str, ModeValue | None]:
        mode = r["VarSetMod"]
        if mode in (_VARS, _VA_PERCENT):
            # 2030.5 has no percentage of VA: it becomes the var that it is at this moment.
            var = r["VarSet"] if mode == _VARS else r["VarSetPct"] / 100 * view.settings.setMaxVA
            return {"opModTargetVar": float(var), "opModFixedVar": None}
        return {"opModFixedVar": FixedVar(r["VarSetPct"], _VAR_REFS[mode]), "opModTargetVar": None}

    def show(mode: str, value: Any) -> dict[str, Value]:
        if mode == "opModTargetVar":
            return {"VarSetMod": _VARS, "VarSet": value}
        return {"VarSetMod": _VAR_REFS.index(value.ref), "VarSetPct": value.percent}

    def chosen(point: str, registers: Registers) -> dict[str, Value]:
        mode = registers["VarSetMod"]
        return {"VarSetMod": _VARS if point == "VarSet" else (mode if mode != _VARS else 1)}

    reverts = {"VarSet": "VarSetRvrt", "VarSetPct": "VarSetPctRvrt"}
    return Control(
        "VarSet", ("opModFixedVar", "opModTargetVar"), reverts, demand, show, ("VarSetMod",), chosen
    )


def _controls(view: View) -> list[Control]:
    controls = [_limit_control(), _watt_control(), _var_control(view)]
    trial = FixedPowerFactor(1.0, "inject")
    for stem, mode in (("PFWInj", "opModFixedPFInjectW"), ("PFWAbs", "opModFixedPFAbsorbW")):
        # A machine that cannot charge has no power factor of charging.
        if view.setpoints.check(mode, trial).verdict is Verdict.ACCEPTED:
            controls.append(_power_factor(stem, mode))
    return [control for control in controls if view.supports(*control.modes)]


def _at_first(view: View) -> dict[str, Any]:
    watts = view.plate.rtgMaxW
    registers: dict[str, Any] = {"WMaxLimPct": 100.0, "WMaxLimPctRvrt": 100.0, "WSetMod": 0, "VarSetMod": 1}
    registers |= {"WSet": watts, "WSetRvrt": watts, "WSetPct": 100.0, "WSetPctRvrt": 100.0}
    registers |= dict.fromkeys(("VarSet", "VarSetRvrt", "VarSetPct", "VarSetPctRvrt"), 0.0)
    for stem in ("PFWInj", "PFWInjRvrt", "PFWAbs", "PFWAbsRvrt"):
        registers |= {f"{stem}.PF": 1.0, f"{stem}.Ext": 0}
    return registers


class AcControls(Model):
    """The registers of 704."""

    KEPT = ("_stored",)

    model_id = 704

    def __init__(self, view: View, scales: Scales, timers: Timers) -> None:
        self.view = view
        self.scales = {
            "PF_SF": -3,
            "WMaxLimPct_SF": -2,
            "WSet_SF": min(scales.w, 0),
            "WSetPct_SF": -2,
            "VarSet_SF": min(scales.var, 0),
            "VarSetPct_SF": -2,
        }
        self.controls = _controls(view)
        self._of = {point: control for control in self.controls for point in control.points}
        self._stored: dict[str, Any] = {
            point: 0 for control in self.controls for point in control.points if point != control.enable
        }
        first = _at_first(view)
        self._stored |= {point: value for point, value in first.items() if point in self._of}
        self._timers: dict[str, Timer] = {
            control.stem: timers.add(lambda control=control: self._revert(control))  # type: ignore[misc]
            for control in self.controls
        }

    def stamp(self) -> object:
        """Changes with setpoints and registers, and with every second of a running timer."""
        return (self.view.rules_stamp(), *(timer.remaining_s for timer in self._timers.values()))

    def values(self) -> Values:
        """What is in force, or else what was written."""
        out: dict[str, Value] = dict(self._stored)
        for control in self.controls:
            acting = self._acting(control)
            out[control.enable] = int(acting is not None)
            if acting is not None and not self._is_own(control, acting):
                out |= control.show(acting.mode, acting.value)
            out[f"{control.stem}RvrtRem"] = self._timers[control.stem].remaining_s
        out["VarSetPri"] = self._fixed("VarSetPri")
        out["WRmp"] = self.view.settings.setGradW
        out["WRmpRef"] = _PERCENT_OF_WMAX
        out["AntiIslEna"] = int(self.view.settings.anti_islanding)
        return out

    def _acting(self, control: Control) -> InForce | None:
        """What the registers of a control show: what is in force, else what waits for its turn."""
        held = [item for mode in control.modes if (item := self.view.in_force_or_waiting(mode))]
        return next((item for item in held if not item.overridden_by), held[0] if held else None)

    def _is_own(self, control: Control, item: InForce) -> bool:
        """Whether it is what the written registers say; what was set elsewhere, or since, is shown."""
        if not self.view.is_of(item, control.detail):
            return False
        return control.demand(self._stored).get(item.mode) == item.value

    def _is_taken(self, control: Control) -> bool:
        """Whether another local source rules, which asked later than these registers."""
        acting = self._acting(control)
        return acting is not None and acting.source.is_local and acting.detail != control.detail

    def _registers(self, control: Control) -> dict[str, Any]:
        """What a write of some points adds to: what the control shows, below an event what waits there."""
        acting = self._acting(control)
        if acting is None or acting.source is SetpointSource.CSIP or self._is_own(control, acting):
            return dict(self._stored)
        return {**self._stored, **control.show(acting.mode, acting.value)}

    def writable(self, path: str) -> bool:
        """Whether the point belongs to a control that this DER supports."""
        return path in self._of or path in _FIXED or path in ("WRmp", "AntiIslEna")

    def meaning(self, values: Values) -> Meaning:
        """The enabled controls as modes, all of them as registers; WRmp as setGradW."""
        read = {point: value for point, value in values.items() if value is not None}
        registers = {point: read[point] for point in self._stored if point in read}
        modes: dict[str, ModeValue] = {}
        for control in self.controls:
            if read.get(control.enable):
                wanted = control.demand({**self._stored, **registers})
                modes |= {mode: value for mode, value in wanted.items() if value is not None}
        return Meaning({"setGradW": float(read["WRmp"])} if "WRmp" in read else {}, modes, registers)

    def restore(self, registers: Mapping[str, Any]) -> None:
        """The set-points of controls that are not in force, and the reversion, of those that there are."""
        kept = {point: value for point, value in registers.items() if point in self._stored}
        of_none = {"WRmp", "AntiIslEna", *_FIXED}
        super().restore({point: value for point, value in registers.items() if point in of_none})
        self._stored = {**self._stored, **kept}
        self.view.touched()

    def enabled(self, control: Control) -> bool:
        """Whether it was enabled here, in force or overridden by an event."""
        return any(self.view.owns(mode, control.detail) for mode in control.modes)

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """All or nothing: the modes of all controls written are submitted together."""
        for point, why in _FIXED.items():
            if changes.get(point, fixed := self._fixed(point)) != fixed:
                raise ModbusRefusal(ILLEGAL_VALUE, f"704.{point}: {why}")
        stored = dict(self._stored)
        touched = [control for control in self.controls if control.points & changes.keys()]
        wanted: list[SetpointChange] = []
        ends: dict[str, float] = {}
        for control in touched:
            if control.taking & changes.keys():
                stored |= {p: v for p, v in self._registers(control).items() if p in control.points}
            stored |= {p: v for p, v in changes.items() if p in control.points and p in stored}
            self._check(control, stored, changes)
            more, ends[control.stem] = self._plan(control, stored, changes, source)
            wanted += more
        if "WRmp" in changes:
            update_settings(self.view, source, {"setGradW": float(changes["WRmp"])}, "704.WRmp")
        submit(self.view, wanted)
        if "AntiIslEna" in changes:
            self.view.settings.enable_anti_islanding(bool(changes["AntiIslEna"]), self.view.now_s())
        self._stored = stored
        for stem, seconds in ends.items():
            if seconds >= 0:
                self._timers[stem].start(seconds)
        self.view.touched()

    def _fixed(self, point: str) -> int:
        return int(self.view.plate.reactive_priority) if point == "VarSetPri" else _PERCENT_OF_WMAX

    def _check(self, control: Control, stored: Registers, changes: Registers) -> None:
        """ModbusRefusal if the device would not take a set-point that is written, now or after the timer."""
        after = control.reverted(stored)
        for point, reverted in control.reverts.items():
            if point in changes:
                check(self.view, control.demand({**stored, **control.chosen(point, stored)}))
            if reverted in changes:
                check(self.view, control.demand({**after, **control.chosen(point, stored)}))

    def _plan(
        self, control: Control, stored: Registers, changes: Registers, source: SetpointSource
    ) -> tuple[list[SetpointChange], float]:
        """What to submit, and the timer: seconds to start it, 0 to stop it, -1 to leave it as it is."""
        takes = bool(control.taking & changes.keys())
        if not takes and self._is_taken(control):
            return [], -1.0
        shown = takes and self._acting(control) is not None
        enabled = bool(changes.get(control.enable, shown or self.enabled(control)))
        if not enabled:
            values: dict[str, ModeValue | None] = dict.fromkeys(control.modes)
            off = control.enable in changes
            return (changes_of(self.view, source, values, control.detail) if off else []), (0 if off else -1)
        timer = self._timers[control.stem]
        seconds, ends_s = -1.0, timer.ends_s if timer.running else None
        if control.setting & changes.keys():
            seconds = stored[control.seconds]
            ends_s = self.view.now_s() + seconds if seconds else None
        # If something follows, it replaces the setpoint in one step; otherwise the setpoint expires.
        expires_s = None if stored[f"{control.enable}Rvrt"] else ends_s
        return changes_of(self.view, source, control.demand(stored), control.detail, expires_s), seconds

    def _revert(self, control: Control) -> None:
        """The timer expired: apply the reversion values, unless another local source rules by now."""
        taken = self._is_taken(control)
        own = release(self.view, control.modes, control.detail)
        source = own[-1].source if own else SetpointSource.MODBUS
        self._stored = control.reverted(self._stored)
        wanted = own
        if self._stored[f"{control.enable}Rvrt"] and not taken:
            wanted = changes_of(self.view, source, control.demand(self._stored), control.detail)
        try:
            submit(self.view, wanted)
        except Refused as why:
            self.view.say("Warning", f"{control.detail}: its reversion cannot be: {why}; switched off")
            submit(self.view, own)
        self.view.say("Info", f"{control.detail}: reversion timer ran out")
        self.view.touched()
