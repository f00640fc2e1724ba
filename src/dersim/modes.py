"""The control modes of IEEE 2030.5 as plain values.

A *mode* is named by the standard's element (``opModMaxLimW``, ``rampTms``, ``setESDelay``). Its *value* is in
plain units: percent, watts, var, hertz, seconds, as in the REST documents. `ieee2030_5/controlbase.py`
converts it to and from XML; `functions/` carries it out.

A curve keeps the x and y of the standard in percent, hertz or seconds; `y_ref_type` (DERUnitRefType) names
the reference of the percent. The control function converts it to per unit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, cast

from dersim.errors import ConfigError
from dersim.kept import plain, value
from dersim.numeric import number, shown

Excitation = Literal["inject", "absorb"]
VarRef = Literal["setMaxW", "setMaxVar", "statVarAvail"]

#: DERUnitRefType of `FixedVar.ref` (2030.5 refType 1, 2, 3).
VAR_REF_TYPES: Mapping[str, int] = {"setMaxW": 1, "setMaxVar": 2, "statVarAvail": 3}

MAX_CURVE_POINTS = 10


class FixedVar(NamedTuple):
    """Reactive power as a signed percent of `ref`; + injects (over-excited)."""

    percent: float
    ref: VarRef


class FixedPowerFactor(NamedTuple):
    """A displacement power factor, 0 < pf <= 1; `absorb` is the standard's excitation=true."""

    pf: float
    excitation: Excitation


class FreqDroop(NamedTuple):
    """Frequency droop: dead-bands in Hz, k in pu frequency per pu power, open-loop response in s.

    `p_min_w` is the 2023 edition's pMin.
    """

    db_of_hz: float
    db_uf_hz: float
    k_of: float
    k_uf: float
    open_loop_s: float
    p_min_w: float | None = None


class Curve(NamedTuple):
    """A DERCurve in plain units.

    `points` are (x, y): percent, hertz or seconds by the mode's curve type (2030.5 DERCurveType).
    `excitations`, for opModWattPF only, runs parallel to `points`.
    `open_loop_s` is the time to 90 % of a step; None or 0 means no limit. `v_ref` is in percent.
    """

    points: tuple[tuple[float, float], ...]
    y_ref_type: int
    open_loop_s: float | None = None
    v_ref: float | None = None
    excitations: tuple[Excitation, ...] = ()
    autonomous_v_ref: bool = False
    autonomous_v_ref_s: float | None = None
    ramp_dec_pct_s: float | None = None
    ramp_inc_pct_s: float | None = None
    ramp_pt1_s: float | None = None


ModeValue = float | bool | FixedVar | FixedPowerFactor | FreqDroop | Curve
Kind = Literal["number", "bool", "fixed_var", "power_factor", "droop", "curve"]


class ModeSpec(NamedTuple):
    """A mode as the standard defines it, for any device.

    bit: position in DERControlType (modesSupported), or None where the mode has none.
    curve_type: DERCurveType where kind is "curve". y_ref_type: the default of an input without one.
    low, high: the range of the XML element, in `unit`. default_only: only a DefaultDERControl carries it.
    local: no DERControl carries it; it is set by Modbus, REST or the operator.
    """

    name: str
    kind: Kind
    unit: str = ""
    bit: int | None = None
    curve_type: int | None = None
    y_ref_type: int = 0
    low: float = -math.inf
    high: float = math.inf
    default_only: bool = False
    local: bool = False


def _number(name: str, unit: str, low: float, high: float, bit: int | None = None) -> ModeSpec:
    return ModeSpec(name, "number", unit, bit, low=low, high=high)


def _curve(name: str, bit: int, curve_type: int, y_ref_type: int, unit: str) -> ModeSpec:
    return ModeSpec(name, "curve", unit, bit, curve_type, y_ref_type)


def _default_only(name: str, unit: str, low: float, high: float) -> ModeSpec:
    return ModeSpec(name, "number", unit, low=low, high=high, default_only=True)


_UINT16_HUNDREDTHS = 655.35
_UINT32_HUNDREDTHS = 42_949_672.95
_INT16_POWER = 32767e9

#: Every mode of DERControlBase and DefaultDERControl (2030.5-2018 10.10; bits as DERControlType), and those
#: of a battery (SunSpec model 124).
MODES: dict[str, ModeSpec] = {
    spec.name: spec
    for spec in (
        ModeSpec("opModConnect", "bool", bit=2),
        ModeSpec("opModEnergize", "bool", bit=3),
        ModeSpec("opModFixedPFAbsorbW", "power_factor", bit=4),
        ModeSpec("opModFixedPFInjectW", "power_factor", bit=5),
        ModeSpec("opModFixedVar", "fixed_var", "%", bit=6, low=-100, high=100),
        _number("opModFixedW", "%", -100, 100, 7),
        ModeSpec("opModFreqDroop", "droop", bit=8),
        _curve("opModFreqWatt", 9, 0, 1, "Hz, %"),
        _curve("opModHFRTMayTrip", 10, 1, 0, "s, Hz"),
        _curve("opModHFRTMustTrip", 11, 2, 0, "s, Hz"),
        _curve("opModHVRTMayTrip", 12, 3, 4, "s, %"),
        _curve("opModHVRTMomentaryCessation", 13, 4, 4, "s, %"),
        _curve("opModHVRTMustTrip", 14, 5, 4, "s, %"),
        _curve("opModLFRTMayTrip", 15, 6, 0, "s, Hz"),
        _curve("opModLFRTMustTrip", 16, 7, 0, "s, Hz"),
        _curve("opModLVRTMayTrip", 17, 8, 4, "s, %"),
        _curve("opModLVRTMomentaryCessation", 18, 9, 4, "s, %"),
        _curve("opModLVRTMustTrip", 19, 10, 4, "s, %"),
        _number("opModMaxLimW", "%", 0, 100, 20),
        _number("opModTargetVar", "var", -_INT16_POWER, _INT16_POWER, 21),
        _number("opModTargetW", "W", -_INT16_POWER, _INT16_POWER, 22),
        _curve("opModVoltVar", 23, 11, 2, "% V, %"),
        _curve("opModVoltWatt", 24, 12, 1, "% V, %"),
        _curve("opModWattPF", 25, 13, 0, "% W, PF"),
        _curve("opModWattVar", 26, 14, 2, "% W, %"),
        _number("rampTms", "s", 0, _UINT16_HUNDREDTHS),
        _default_only("setESDelay", "s", 0, _UINT32_HUNDREDTHS),
        _default_only("setESHighFreq", "Hz", 0, _UINT16_HUNDREDTHS),
        _default_only("setESHighVolt", "%", -327.68, 327.67),
        _default_only("setESLowFreq", "Hz", 0, _UINT16_HUNDREDTHS),
        _default_only("setESLowVolt", "%", -327.68, 327.67),
        _default_only("setESRampTms", "s", 0, _UINT32_HUNDREDTHS),
        _default_only("setESRandomDelay", "s", 0, _UINT32_HUNDREDTHS),
        _default_only("setGradW", "%/s", 0, _UINT16_HUNDREDTHS),
        _default_only("setSoftGradW", "%/s", 0, _UINT16_HUNDREDTHS),
        # SunSpec model 124.
        ModeSpec("InWRte", "number", "%", low=-100, high=100, local=True),
        ModeSpec("OutWRte", "number", "%", low=-100, high=100, local=True),
        ModeSpec("MinRsvPct", "number", "%", low=0, high=100, local=True),
        ModeSpec("ChaGriSet", "bool", local=True),
    )
}


def value_to_json(value: ModeValue) -> Any:
    """A mode's value as JSON, as in the REST documents."""
    match value:
        case FixedVar():
            return {"percent": value.percent, "ref": value.ref}
        case FixedPowerFactor():
            return {"pf": value.pf, "excitation": value.excitation}
        case FreqDroop():
            return {k: v for k, v in value._asdict().items() if v is not None}
        case Curve():
            return _curve_to_json(value)
        case _:
            return value


def _curve_to_json(curve: Curve) -> dict[str, Any]:
    points: list[list[Any]] = [list(point) for point in curve.points]
    for point, excitation in zip(points, curve.excitations, strict=False):
        point.append(excitation)
    out: dict[str, Any] = {
        "curve": points,
        "y_ref_type": curve.y_ref_type,
        "open_loop_s": curve.open_loop_s,
        "v_ref": curve.v_ref,
    }
    if curve.autonomous_v_ref:
        out["autonomous_v_ref"] = True
    if curve.autonomous_v_ref or curve.autonomous_v_ref_s is not None:
        out["autonomous_v_ref_s"] = curve.autonomous_v_ref_s
    for key in ("ramp_dec_pct_s", "ramp_inc_pct_s", "ramp_pt1_s"):
        if getattr(curve, key) is not None:
            out[key] = getattr(curve, key)
    return out


def value_to_kept(value: ModeValue) -> Any:
    """A mode's value as JSON without any loss, for a checkpoint."""
    return {type(value).__name__: plain(value)} if isinstance(value, tuple) else value


def value_from_kept(kept: Any) -> ModeValue:
    """The value that `value_to_kept` wrote."""
    if not isinstance(kept, dict):
        return cast("ModeValue", kept)
    ((name, fields),) = kept.items()
    forms: dict[str, Callable[..., ModeValue]] = {
        form.__name__: form for form in (FixedVar, FixedPowerFactor, FreqDroop, Curve)
    }
    return forms[name](*value(fields))


def modes_to_json(values: Mapping[str, ModeValue]) -> dict[str, Any]:
    """`{mode: value}` as JSON, as in the REST documents."""
    return {name: value_to_json(value) for name, value in values.items()}


def modes_from_json(data: Any) -> dict[str, ModeValue]:
    """Read `{"opModMaxLimW": 60, ...}`; ConfigError names the mode, what is wrong and what is allowed."""
    if not isinstance(data, dict) or not data:
        raise ConfigError('modes: a JSON object such as {"opModMaxLimW": 60} is needed')
    return {str(name): value_from_json(str(name), value) for name, value in data.items()}


def value_from_json(name: str, data: Any, modes: Mapping[str, ModeSpec] = MODES) -> ModeValue:
    """Read one mode's value from its JSON form; ConfigError says what is wrong and what is allowed.

    modes: those that are allowed.
    """
    spec = modes.get(name)
    if spec is None:
        raise ConfigError(f"mode {name!r} is not known; known are {', '.join(sorted(modes))}")
    match spec.kind:
        case "bool":
            if not isinstance(data, bool):
                raise ConfigError(f"{name}: true or false is needed, not {shown(data)}")
            return data
        case "number":
            return _ranged(name, data, spec.low, spec.high, spec.unit)
        case "fixed_var":
            return _fixed_var(name, data)
        case "power_factor":
            return _power_factor(name, data)
        case "droop":
            return _droop(name, data)
        case "curve":
            return _curve_from_json(spec, data)


def _ranged(name: str, data: Any, low: float, high: float, unit: str = "") -> float:
    return number(name, data, low, high, unit)


def _object(
    name: str, data: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: an object with {', '.join(required)} is needed, not {shown(data)}")
    missing = [key for key in required if key not in data]
    unknown = sorted(set(data) - set(required) - set(optional))
    if missing or unknown:
        what = f"{', '.join(missing)} is missing" if missing else f"{', '.join(unknown)} is not known"
        raise ConfigError(f"{name}: {what}; allowed are {', '.join((*required, *optional))}")
    return data


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise ConfigError(f"{name}: {shown(value)} is not one of {', '.join(allowed)}")
    return value


def _fixed_var(name: str, data: Any) -> FixedVar:
    fields = _object(name, data, ("percent",), ("ref",))
    ref = _one_of(f"{name}.ref", fields.get("ref", "setMaxVar"), tuple(VAR_REF_TYPES))
    return FixedVar(_ranged(f"{name}.percent", fields["percent"], -100, 100, "%"), ref)


def _power_factor(name: str, data: Any) -> FixedPowerFactor:
    fields = _object(name, data, ("pf",), ("excitation",))
    excitation = _one_of(f"{name}.excitation", fields.get("excitation", "inject"), ("inject", "absorb"))
    pf = _ranged(f"{name}.pf", fields["pf"], 0.001, 1)
    return FixedPowerFactor(pf, excitation)


def _droop(name: str, data: Any) -> FreqDroop:
    keys = ("db_of_hz", "db_uf_hz", "k_of", "k_uf")
    fields = _object(name, data, keys, ("open_loop_s", "p_min_w"))
    db_of, db_uf, k_of, k_uf = (_ranged(f"{name}.{key}", fields[key], 0, 65.535) for key in keys)
    open_loop_s = _ranged(f"{name}.open_loop_s", fields.get("open_loop_s", 0), 0, _UINT16_HUNDREDTHS, "s")
    p_min = fields.get("p_min_w")
    if p_min is not None:
        p_min = _ranged(f"{name}.p_min_w", p_min, -math.inf, math.inf, "W")  # a battery charges down to it
    return FreqDroop(db_of, db_uf, k_of, k_uf, open_loop_s, p_min)


_CURVE_OPTIONAL = (
    "y_ref_type",
    "open_loop_s",
    "v_ref",
    "autonomous_v_ref",
    "autonomous_v_ref_s",
    "ramp_dec_pct_s",
    "ramp_inc_pct_s",
    "ramp_pt1_s",
)


def _curve_from_json(spec: ModeSpec, data: Any) -> Curve:
    fields = _object(
        spec.name, {"curve": data} if isinstance(data, list) else data, ("curve",), _CURVE_OPTIONAL
    )
    points, excitations = _points(spec, fields["curve"])
    y_ref_type = fields.get("y_ref_type", spec.y_ref_type)
    if isinstance(y_ref_type, bool) or not isinstance(y_ref_type, int) or not 0 <= y_ref_type <= 8:
        raise ConfigError(
            f"{spec.name}.y_ref_type: a DERUnitRefType 0 to 8 is needed, not {shown(y_ref_type)}"
        )

    autonomous = fields.get("autonomous_v_ref", False)
    if not isinstance(autonomous, bool):
        raise ConfigError(f"{spec.name}.autonomous_v_ref: true or false is needed, not {shown(autonomous)}")

    def optional(key: str, high: float) -> float | None:
        value = fields.get(key)
        return None if value is None else _ranged(f"{spec.name}.{key}", value, 0, high)

    return Curve(
        points,
        y_ref_type,
        optional("open_loop_s", _UINT16_HUNDREDTHS),
        optional("v_ref", 200),
        excitations,
        autonomous,
        optional("autonomous_v_ref_s", _UINT32_HUNDREDTHS),
        optional("ramp_dec_pct_s", _UINT16_HUNDREDTHS),
        optional("ramp_inc_pct_s", _UINT16_HUNDREDTHS),
        optional("ramp_pt1_s", _UINT16_HUNDREDTHS),
    )


def _points(spec: ModeSpec, data: Any) -> tuple[tuple[tuple[float, float], ...], tuple[Excitation, ...]]:
    if not isinstance(data, list) or not 1 <= len(data) <= MAX_CURVE_POINTS:
        raise ConfigError(f"{spec.name}: a list of 1 to {MAX_CURVE_POINTS} points is needed")
    width = 3 if spec.name == "opModWattPF" else 2
    points, excitations = [], []
    for index, point in enumerate(data):
        where = f"{spec.name} point {index + 1}"
        if not isinstance(point, list | tuple) or len(point) != width:
            form = "[W %, PF, excitation]" if width == 3 else "[x, y]"
            raise ConfigError(f"{where}: {form} is needed, not {shown(point)}")
        points.append(
            (_ranged(f"{where} x", point[0], -1e9, 1e9), _ranged(f"{where} y", point[1], -1e9, 1e9))
        )
        if width == 3:
            excitations.append(_one_of(f"{where} excitation", point[2], ("inject", "absorb")))
    # x may repeat: a ride-through curve has vertical steps.
    if any(b[0] < a[0] for a, b in itertools.pairwise(points)):
        raise ConfigError(f"{spec.name}: x must not fall from one point to the next")
    return tuple(points), tuple(excitations)
