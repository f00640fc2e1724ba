"""Where a setpoint is told: the registers of a control, and the REST document of setpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.whole.agreement import Place, Row, row
from tests.whole.agreement_status import LOCAL
from tests.whole.places import Look

from dersim.modes import FixedPowerFactor, value_to_json

#: Modes of one control -> the registers that enable it.
_ENABLES = {
    ("opModMaxLimW",): "123.WMaxLim_Ena 704.WMaxLimPctEna",
    ("opModFixedW", "opModTargetW"): "704.WSetEna",
    ("opModFixedVar", "opModTargetVar"): "123.VArPct_Ena 704.VarSetEna",
    ("opModFixedPFInjectW",): "123.OutPFSet_Ena 704.PFWInjEna",
    ("opModFixedPFAbsorbW",): "704.PFWAbsEna",
    ("opModVoltVar",): "705.Ena",
    ("opModVoltWatt",): "706.Ena",
    ("opModFreqDroop",): "711.Ena",
    ("opModWattVar",): "712.Ena",
}
#: Mode -> its registers, in the unit of the mode.
_VALUES = {
    "opModMaxLimW": "123.WMaxLimPct 704.WMaxLimPct",
    "opModFixedW": "704.WSetPct",
    "opModTargetW": "704.WSet",
    "opModTargetVar": "704.VarSet",
    "InWRte": "124.InWRte",
    "OutWRte": "124.OutWRte",
}


def _enabled(*modes: str) -> Callable[[Look], bool | None]:
    """Whether a mode is in force, or a local one waits until another ends; None: not supported."""

    def enabled(look: Look) -> bool | None:
        held = look.device.setpoints
        if held.supported_modes.isdisjoint(modes):
            return None
        waiting = [item.mode for item in held.overridden() if item.source in LOCAL]
        return not {item.mode for item in held.in_force()}.union(waiting).isdisjoint(modes)

    return enabled


def _listing(*modes: str) -> Callable[[Any], bool]:
    local = {source.label for source in LOCAL}

    def listing(document: Any) -> bool:
        waiting = [item for item in document["overridden"] if item["source"] in local]
        return any(item["mode"] in modes for item in [*document["in_force"], *waiting])

    return listing


def _in_force(mode: str) -> Callable[[Look], Any]:
    return lambda look: look.device.setpoints.value(mode)


def _value_of(mode: str) -> Callable[[Any], Any]:
    return lambda items: next(item["value"] for item in items if item["mode"] == mode)


def _enable(modes: tuple[str, ...], registers: str) -> Row:
    words = ", ".join(modes)
    places = [Place(name, int) for name in registers.split()]
    rest = Place("setpoints.", take=_listing(*modes), note=words)
    return row(f"in force or waiting: {words}", _enabled(*modes), *places, rest)


def _direction(mode: str, bit: int) -> Row:
    register = Place("124.StorCtl_Mod", take=lambda bits: bool(bits >> bit & 1), note=f"bit {bit}")
    rest = Place("setpoints.", take=_listing(mode), note=mode)
    return row(f"in force or waiting: {mode}", _enabled(mode), register, rest)


def _value(mode: str, registers: str) -> Row:
    places = [Place(name, float) for name in registers.split()]
    rest = Place("setpoints.in_force", float, _value_of(mode), mode)
    return row(f"value in force: {mode}", _in_force(mode), *places, rest)


def _signed(factor: FixedPowerFactor) -> float:
    """As EEI has it: negative injects; 1 has no sign."""
    return -factor.pf if factor.excitation == "inject" and factor.pf < 1 else factor.pf


#: Modes -> bit of 122.StActCtl.
_ACTIVE = {
    ("opModFixedW", "opModTargetW"): 0,
    ("opModFixedVar", "opModTargetVar"): 1,
    ("opModFixedPFInjectW", "opModFixedPFAbsorbW"): 2,
    ("opModVoltVar",): 3,
    ("opModFreqDroop",): 4,
    ("opModFreqWatt",): 5,
    ("opModWattPF",): 9,
    ("opModVoltWatt",): 10,
}


def _acts(*modes: str) -> Callable[[Look], bool]:
    return lambda look: not look.device.setpoints.values().keys().isdisjoint(modes)


def _active(modes: tuple[str, ...], bit: int) -> Row:
    words = ", ".join(modes)
    register = Place("122.StActCtl", take=lambda bits: bool(bits >> bit & 1), note=f"bit {bit}")
    rest = Place("setpoints.in_force", take=lambda items: any(i["mode"] in modes for i in items), note=words)
    return row(f"in force: {words}", _acts(*modes), register, rest)


CONTROLS = (
    *(_active(modes, bit) for modes, bit in _ACTIVE.items()),
    *(_enable(modes, registers) for modes, registers in _ENABLES.items()),
    _direction("InWRte", 0),
    _direction("OutWRte", 1),
    *(_value(mode, registers) for mode, registers in _VALUES.items()),
    row(
        "value in force: opModFixedPFInjectW",
        _in_force("opModFixedPFInjectW"),
        Place("123.OutPFSet", _signed, note="(negative injects)"),
        Place("704.PFWInj.PF", lambda factor: float(factor.pf)),
        Place("704.PFWInj.Ext", lambda factor: int(factor.excitation == "absorb")),
        Place("setpoints.in_force", value_to_json, _value_of("opModFixedPFInjectW"), "opModFixedPFInjectW"),
    ),
    row(
        "value in force: opModFixedVar",
        _in_force("opModFixedVar"),
        Place("704.VarSetPct", lambda value: float(value.percent)),
        Place("704.VarSetMod", lambda value: ("setMaxW", "setMaxVar", "statVarAvail").index(value.ref)),
        Place("setpoints.in_force", value_to_json, _value_of("opModFixedVar"), "opModFixedVar"),
    ),
)
