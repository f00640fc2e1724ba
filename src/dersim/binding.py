"""What binds P and Q of a DER now, and when it returns to service: as documents and in words.

`functions/holding.py` finds the function or setting; here it gets its mode, value and source.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dersim.device import Device
from dersim.functions.contract import FunctionType
from dersim.functions.holding import Held, Holding
from dersim.functions.momentary_cessation import HV, LV
from dersim.modes import MODES, FixedPowerFactor, FixedVar, ModeValue, value_to_json
from dersim.setpoint_sources import title_of
from dersim.setpoints import InForce

#: Modes in words; others are told by the function's name or by their own.
_WORDS = {
    "opModMaxLimW": "opModMaxLimW",
    "opModFixedW": "fixed power",
    "opModTargetW": "target power",
    "opModVoltWatt": "Volt-Watt",
    "opModFreqWatt": "Freq-Watt",
    "opModFreqDroop": "frequency droop",
    "opModFixedVar": "fixed var",
    "opModTargetVar": "target var",
    "opModFixedPFInjectW": "fixed power factor",
    "opModFixedPFAbsorbW": "fixed power factor",
    "opModVoltVar": "Volt-Var",
    "opModWattVar": "Watt-Var",
    "opModWattPF": "Watt-PF",
    HV: "momentary cessation",
    LV: "momentary cessation",
    "enter-service": "entering service",
    "setGradW": "the ramp setGradW",
    "rampTms": "the ramp rampTms",
    "battery-ramp": "the ramp of the battery",
    "statVarAvail": "statVarAvail",
}
#: What takes a DER out of service, as a sentence.
_OUT = {
    "trip": "Tripped",
    "failed": "Failed",
    "stop": "Stopped",
    "opModConnect": "Disconnected",
    "opModEnergize": "Standby",
    "enter-service": "Waiting to enter service",
    HV: "Momentary cessation",
    LV: "Momentary cessation",
}
_DEFAULT, _PLUGIN = "1547 default", "plug-in"


class Binding(NamedTuple):
    """What binds P or Q.

    mode: a mode, a setting, or a word for a state ("trip"). function: of the control function, "" for a
    setting or state. value: the mode's number, or the percent of setMaxW or setMaxVar that a curve gives now.
    source: as that of setpoints, or "1547 default", "settings", "plug-in". detail: as that of setpoints.
    limit: W or var. moving: it is on a ramp or a lag to its goal. why: what else there is to say.
    out: out of service, or ceased.
    """

    mode: str
    function: str
    value: Any
    source: str
    detail: str
    limit: float
    moving: bool
    why: str
    out: bool


class Bindings(NamedTuple):
    """What binds P and what binds Q; None for nothing."""

    p: Binding | None
    q: Binding | None


def bindings(device: Device) -> Bindings:
    """What binds a DER now."""
    seen = Holding(device.chain, device.settings, device.seen, device.source)
    p, q = seen.p, seen.q
    return Bindings(
        None if p is None else _told(device, p, device.settings.setMaxW),
        None if q is None else _told(device, q, device.settings.setMaxVar),
    )


def held_by(device: Device) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Function and setting that hold P, and those that hold Q: enough to see that something else binds."""
    seen = Holding(device.chain, device.settings, device.seen, device.source)
    p, q = seen.p, seen.q
    return p and p[:2], q and q[:2]


def document(device: Device) -> dict[str, Any]:
    """`binding` of the setpoints document."""
    p, q = bindings(device)
    return {
        "p": None if p is None else _document(p, "limit_kw", "kW"),
        "q": None if q is None else _document(q, "limit_kvar", "kvar"),
    }


def _document(binding: Binding, limit: str, unit: str) -> dict[str, Any]:
    return {
        "mode": binding.mode,
        "function": binding.function or None,
        "value": binding.value,
        "source": binding.source,
        "detail": binding.detail,
        limit: round(binding.limit / 1000, 6) + 0.0,
        "moving": binding.moving,
        "text": words(binding, unit),
    }


def _told(device: Device, held: Held, full: float) -> Binding:
    kind = next((each for each in device.function_types if each.name == held.function), None)
    acting = _acting(device, kind, held)
    mode = held.mode or _mode(device, held, acting)
    value: Any
    if held.out:
        value = value_to_json(acting.value) if acting is not None and isinstance(acting.value, bool) else None
    elif kind is None:
        value = _setting_value(device, mode, held)
    else:
        own = None if acting is None or mode == "enter-service" else acting.value
        value = _value(own, held, full)
    source, detail = _source(device, kind, mode, acting)
    return Binding(mode, held.function, value, source, detail, held.limit, held.moving, held.why, held.out)


def _acting(device: Device, kind: FunctionType | None, held: Held) -> InForce | None:
    """The setpoint by which the function acts, of those in force."""
    if kind is None:
        return None
    found = [each for each in device.setpoints.in_force() if each.mode in kind.modes]
    if held.mode == "trip":
        found = []  # which of its curves it was is not known any more
    elif kind.name == "enter-service":
        found = [each for each in found if each.mode in ("setESRampTms", "setSoftGradW")]
    elif kind.name == "momentary-cessation":
        found = [each for each in found if each.mode == _cessation(device)]
    elif kind.name == "connect":
        found = [each for each in found if each.value is False]
    elif kind.name == "fixed-pf":
        taking = device.seen.wanted_w < 0
        found = sorted(found, key=lambda each: each.mode.endswith("AbsorbW") is not taking)
    else:
        found = sorted(found, key=lambda each: not _fits(each.value, held.goal, device.settings.setMaxW))
    return found[0] if found else None


def _fits(value: ModeValue, goal: float, full: float) -> bool:
    """Whether a function that asks for goal may do so by this value: W, or percent of full."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return any(abs(watts - abs(goal)) <= 1e-6 * max(1.0, abs(goal)) for watts in (value, value * full / 100))


def _mode(device: Device, held: Held, acting: InForce | None) -> str:
    if held.function == "momentary-cessation":
        return _cessation(device)
    if held.function == "enter-service":
        return held.function
    if held.function == "ramp":
        return "setGradW" if device.setpoints.value("rampTms") is None else "rampTms"
    return held.function if acting is None else acting.mode


def _cessation(device: Device) -> str:
    low = getattr(device.functions.get("momentary-cessation"), "quiet_window", (0.0,))[0]
    return LV if device.seen.v_low_pu < low else HV


def _value(value: ModeValue | None, held: Held, full: float) -> Any:
    """The number by which a function holds the output."""
    if isinstance(value, FixedPowerFactor | FixedVar):
        return value_to_json(value)
    if isinstance(value, int | float):
        return value
    return round(100 * held.limit / full, 3) + 0.0 if full else None


def _setting_value(device: Device, mode: str, held: Held) -> Any:
    if mode in device.settings.as_dict():
        return device.settings[mode]
    value = device.setpoints.value(mode)
    return round(held.limit, 3) if value is None else value_to_json(value)


def _source(device: Device, kind: FunctionType | None, mode: str, acting: InForce | None) -> tuple[str, str]:
    if mode == "stop":
        return "operator", ""
    acting = acting or next((each for each in device.setpoints.in_force() if each.mode == mode), None)
    if acting is not None:
        return acting.source.label, acting.detail
    if kind is not None and not _built_in(device, kind):
        return _PLUGIN, kind.name
    if kind is not None and mode != "setGradW":
        return _DEFAULT, ""
    return ("settings" if device.settings.written(mode) else "nameplate"), ""


def _built_in(device: Device, kind: FunctionType) -> bool:
    return type(device.functions[kind.name]).__module__.startswith("dersim.")


def words(binding: Binding, unit: str) -> str:
    """In words: "30 % by Volt-Watt (default), 3.0 kW"."""
    source = title_of(binding.source)
    if binding.out:
        told = binding.source == _PLUGIN or binding.function == "loss-of-mains"
        by = [binding.function] if told else []
        return f"{_OUT.get(binding.mode, 'Out of service')}, no current ({', '.join((*by, source))})"
    limit = f"{_number(binding.limit / 1000)} {unit}"
    head = _head(binding)
    parts = [f"{head or limit} by {_name(binding)} ({source})", limit if head else ""]
    parts += ["still moving" if binding.moving else "", binding.why]
    return ", ".join(part for part in parts if part)


def short(binding: Binding) -> str:
    """In a few words, without the numbers: "Volt-Watt (default)"."""
    what = _OUT.get(binding.mode, "Out of service") if binding.out else _name(binding)
    return f"{what} ({title_of(binding.source)})"


def _name(binding: Binding) -> str:
    known = _WORDS.get(binding.mode)
    if known is not None:
        return known
    both = binding.function and binding.function != binding.mode
    return f"{binding.function} ({binding.mode})" if both else binding.mode


def _head(binding: Binding) -> str:
    """The value with its unit; "" for a setting, whose limit says it all."""
    value = binding.value
    if not binding.function or value is None or isinstance(value, bool):
        return ""
    if isinstance(value, dict):
        if "pf" in value:
            return f"PF {value['pf']:g} {value['excitation']}"
        return f"{value['percent']:g} % of {value['ref']}"
    spec = MODES.get(binding.mode)
    unit = spec.unit if spec is not None and spec.kind == "number" else "%"
    return f"{round(value, 1):g} {unit}"


def _number(kilo: float) -> str:
    return f"{kilo + 0.0:.1f}" if abs(kilo) >= 1 or not kilo else f"{kilo:.2f}"
