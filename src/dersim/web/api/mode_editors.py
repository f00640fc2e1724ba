"""What an editor of a mode needs to know of the machine: what acts by default, units, ranges, references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.functions.momentary_cessation import default_cessation
from dersim.functions.trip import default_trips
from dersim.hardware.settings import SETTING_MODES
from dersim.ieee2030_5.words import Y_REFERENCES
from dersim.json_schema import described
from dersim.modes import MODES, Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeValue, value_to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from dersim.device import Device
    from dersim.functions.contract import FunctionType


class ByDefault(TypedDict):
    """What acts while a mode has no setpoint, and by what."""

    value: Annotated[Any, described("a mode's value in plain units")]
    source: Annotated[str, described("1547 default, settings or default")]


class Field(TypedDict):
    """A part of a value: "" for a plain number, x and y of a curve's points, else the name."""

    path: str
    unit: str
    low: float | None
    high: float | None


class Reference(TypedDict):
    """What 100 % of a curve's y is now."""

    y_ref_type: Annotated[int, described("DERUnitRefType")]
    words: str
    positive: Annotated[float | None, described("100 % above zero, in `unit`; null: y has its own unit")]
    negative: float | None
    unit: str


_OTHER_HZ = "1547 default, shifted to {:g} Hz"


def by_default(device: Device, kind: FunctionType, mode: str) -> ByDefault | None:
    """What acts while the mode has no setpoint; None for nothing."""
    hz = device.nameplate.frequency_hz
    if mode in SETTING_MODES:
        source = "settings" if device.settings.written(mode) else "default"
        if source == "default" and mode.startswith("setES"):
            source = "1547 default" if hz == 60 or "Freq" not in mode else f"default for {hz:g} Hz"
        return {"value": device.settings[mode], "source": source}
    value = kind.acts_without(device.nameplate).get(mode)
    if value is None:
        return None
    source = "1547 default" if isinstance(value, Curve) else "default"
    if hz != 60 and ("HFRT" in mode or "LFRT" in mode):
        source = _OTHER_HZ.format(hz)
    return {"value": value_to_json(value), "source": source}


def fields(device: Device, kind: FunctionType, mode: str) -> list[Field]:
    """The ranges that the device accepts, where they are declared."""
    plate = device.nameplate
    powers = {
        "opModTargetW": (-plate.rtgMaxChargeRateW or 0.0, plate.rtgMaxW, "W"),
        "opModTargetVar": (plate.rtgMaxVarNeg, plate.rtgMaxVar, "var"),
    }
    if mode in powers:
        low, high, unit = powers[mode]
        return [{"path": "", "unit": unit, "low": low, "high": high}]
    out: list[Field] = []
    for each in kind.parameters.get(mode, ()):
        low = each.low
        if mode == "opModFixedW" and plate.rtgMaxChargeRateW <= 0:
            low = 0.0
        out.append({"path": each.path, "unit": each.unit, "low": low, "high": each.high})
    return out


def references(device: Device, mode: str) -> list[Reference]:
    """The references that y of this mode's curve can have, each with what 100 % is now; [] for no curve."""
    spec = MODES.get(mode)
    if spec is None or spec.kind != "curve":
        return []
    make = _REFERENCES.get(mode)
    if make is not None:
        return make(device)
    if spec.y_ref_type == 4:
        return [_own(4, Y_REFERENCES[4], device.settings.setVRef, "V")]
    return [_own(0, "Hz", None, "Hz")]


def _var_references(device: Device) -> list[Reference]:
    s, state = device.settings, device.state
    return [
        _reference(2, s.setMaxVar, -s.setMaxVarNeg, "var"),
        _reference(8, s.setMaxVA, s.setMaxVA, "var"),
        _reference(1, s.setMaxW, s.setMaxW, "var"),
        _reference(3, state.var_inject_available, state.var_absorb_available, "var"),
    ]


def _full(device: Device) -> Reference:
    return _reference(1, device.settings.setMaxW, device.settings.setMaxChargeRateW, "W")


def _volt_watt_references(device: Device) -> list[Reference]:
    available_w, charge_w = device.state.available_w, device.settings.setMaxChargeRateW
    return [_full(device), _reference(7, available_w, charge_w, "W")]


def _freq_watt_references(device: Device) -> list[Reference]:
    return [_full(device), {**_full(device), "y_ref_type": 0, "words": "none given: % of setMaxW"}]


_REFERENCES: dict[str, Callable[[Device], list[Reference]]] = {
    "opModVoltVar": _var_references,
    "opModWattVar": _var_references,
    "opModVoltWatt": _volt_watt_references,
    "opModFreqWatt": _freq_watt_references,
    "opModWattPF": lambda device: [_own(0, "power factor", device.settings.setMaxW, "var")],
}


def _reference(number: int, positive: float, negative: float, unit: str) -> Reference:
    return {
        "y_ref_type": number,
        "words": Y_REFERENCES[number],
        "positive": round(positive, 1),
        "negative": round(negative, 1),
        "unit": unit,
    }


def _own(number: int, words: str, base: float | None, unit: str) -> Reference:
    return {"y_ref_type": number, "words": words, "positive": base, "negative": base, "unit": unit}


def proposal(device: Device, mode: str) -> Any:
    """A value for this machine to begin with where nothing acts; None where the user has to say."""
    make = _PROPOSALS.get(mode)
    value = _ride_through(device, mode) if make is None else make(device)
    return None if value is None else value_to_json(value)


def _volt_var(device: Device) -> Curve:
    """1547-2018 table 8, in percent of the apparent power."""
    if device.nameplate.normal_category == "A":
        return Curve(((90, 25), (100, 0), (110, -25)), 8, 10.0)
    return Curve(((92, 44), (98, 0), (102, 0), (108, -44)), 8, 5.0)


def _watt_var(device: Device) -> Curve:
    """1547-2018 table 9."""
    least = -25 if device.nameplate.normal_category == "A" else -44
    return Curve(((0, 0), (50, 0), (100, least)), 8)


def _watt_pf(device: Device) -> Curve:
    least = max(0.95, device.nameplate.rtgMinPFUnderExcited)
    return Curve(((0, 1.0), (50, 1.0), (100, least)), 0, excitations=("absorb",) * 3)


def _freq_watt(device: Device) -> Curve:
    hz = device.nameplate.frequency_hz
    return Curve(((hz, 100), (hz + 1.5, 0)), 1)


def _power_factor(device: Device) -> FixedPowerFactor:
    return FixedPowerFactor(max(0.95, device.nameplate.rtgMinPFOverExcited), "inject")


_PROPOSALS: dict[str, Callable[[Device], ModeValue]] = {
    "opModVoltVar": _volt_var,
    "opModWattVar": _watt_var,
    "opModWattPF": _watt_pf,
    "opModFreqWatt": _freq_watt,
    "opModVoltWatt": lambda _: Curve(((106, 100), (110, 0)), 1, 10.0),
    "opModFixedPFInjectW": _power_factor,
    "opModFixedPFAbsorbW": _power_factor,
    "opModFixedVar": lambda _: FixedVar(0.0, "setMaxVar"),
    # 1547-2018 table 24.
    "opModFreqDroop": lambda _: FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0),
    "opModMaxLimW": lambda _: 100.0,
    "ChaGriSet": lambda _: True,
}


def _ride_through(device: Device, mode: str) -> Curve | None:
    """The default of the machine's own category and frequency; may-trip begins with must-trip."""
    points: dict[str, Any] = {**default_trips(device.nameplate)}
    points |= {
        name.replace("Must", "May"): each for name, each in points.items() if name.endswith("MustTrip")
    }
    points |= {"opModHVRTMomentaryCessation": ((0.0, 110.0), (12.0, 110.0))}
    points |= {"opModLVRTMomentaryCessation": ((0.0, 50.0), (1.0, 50.0))}
    points |= default_cessation(device.nameplate)
    return Curve(points[mode], MODES[mode].y_ref_type) if mode in points else None
