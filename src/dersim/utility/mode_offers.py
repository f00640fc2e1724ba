"""What a form offers for each mode of a control or a default: parts, units, ranges, a value to begin with.

Units and ranges are those of `modes_schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from dersim.ieee2030_5.words import Y_REFERENCES
from dersim.json_schema import Schema, described
from dersim.modes import (
    Curve,
    FixedPowerFactor,
    FixedVar,
    FreqDroop,
    Kind,
    ModeSpec,
    ModeValue,
    value_to_json,
)
from dersim.modes_schema import curve_schemas, modes_schema
from dersim.utility import modes_2023


class Part(TypedDict):
    """A part of a value: "" for a plain number, else its name. null: no limit."""

    path: str
    unit: str
    low: float | None
    high: float | None


class YReference(TypedDict):
    """What y of a curve can be a percent of; as in the dashboard, but for no machine in particular."""

    y_ref_type: Annotated[int, described("DERUnitRefType")]
    words: str
    positive: None
    negative: None
    unit: str


class ModeOffer(TypedDict):
    """A mode."""

    mode: str
    kind: Kind
    unit: str
    edition: Annotated[Literal["2018", "2023"], described("2023: no DER of dersim has it")]
    default_only: Annotated[bool, described("whether only a default control can carry it")]
    fields: list[Part]
    references: list[YReference]
    proposal: Annotated[Any, described("a value to begin with; null: none")]


#: Parts of a curve besides its points, by mode; ride-through curves have none.
_CURVE_PARTS: Mapping[str, tuple[str, ...]] = {
    "opModVoltVar": ("open_loop_s", "v_ref", "autonomous_v_ref_s"),
    "opModVoltWatt": ("open_loop_s",),
    "opModWattVar": ("open_loop_s",),
    "opModFreqWatt": ("open_loop_s",),
    "opModWattPF": ("open_loop_s",),
}
_OF_VAR, _OF_W, _OF_V, _OWN = (2, 8, 1, 3), (1, 7), (4,), (0,)
_REFERENCES: Mapping[str, tuple[int, ...]] = {
    "opModVoltVar": _OF_VAR,
    "opModWattVar": _OF_VAR,
    "opModVoltWatt": _OF_W,
    "opModFreqWatt": (1, 0),
    "opModWattPF": _OWN,
}


def _must_trip(*points: tuple[float, float], y_ref_type: int = 4) -> Curve:
    return Curve(points, y_ref_type)


_HV, _LV = _must_trip((0.16, 120), (13, 120), (13, 110)), _must_trip((2, 50), (21, 50), (21, 88))
_HF = _must_trip((0.16, 62), (300, 62), (300, 61.2), y_ref_type=0)
_LF = _must_trip((0.16, 56.5), (300, 56.5), (300, 58.5), y_ref_type=0)
#: IEEE 1547-2018 for category B and III at 60 Hz; of the rest something that is not zero.
_PROPOSALS: Mapping[str, ModeValue] = {
    "opModMaxLimW": 60.0,
    "opModFixedW": 50.0,
    "opModConnect": False,
    "opModEnergize": False,
    "opModVoltVar": Curve(((92, 44), (98, 0), (102, 0), (108, -44)), 8, 5.0),
    "opModWattVar": Curve(((0, 0), (50, 0), (100, -44)), 8),
    "opModWattPF": Curve(((0, 1.0), (50, 1.0), (100, 0.95)), 0, excitations=("absorb",) * 3),
    "opModFreqWatt": Curve(((60, 100), (61.5, 0)), 1),
    "opModVoltWatt": Curve(((106, 100), (110, 0)), 1, 10.0),
    "opModFixedPFInjectW": FixedPowerFactor(0.95, "inject"),
    "opModFixedPFAbsorbW": FixedPowerFactor(0.95, "inject"),
    "opModFixedVar": FixedVar(0.0, "setMaxVar"),
    "opModFreqDroop": FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0),
    "opModHVRTMustTrip": _HV,
    "opModHVRTMayTrip": _HV,
    "opModLVRTMustTrip": _LV,
    "opModLVRTMayTrip": _LV,
    "opModHFRTMustTrip": _HF,
    "opModHFRTMayTrip": _HF,
    "opModLFRTMustTrip": _LF,
    "opModLFRTMayTrip": _LF,
    "opModHVRTMomentaryCessation": Curve(((0, 110), (12, 110)), 4),
    "opModLVRTMomentaryCessation": Curve(((0, 50), (1, 50)), 4),
    "setESDelay": 300.0,
    "setESHighFreq": 60.1,
    "setESHighVolt": 105.0,
    "setESLowFreq": 59.5,
    "setESLowVolt": 91.7,
    "setESRampTms": 300.0,
    "setGradW": 100.0,
    "setSoftGradW": 2.0,
}
#: The modes that are ordered most come first.
_FIRST = ("opModMaxLimW", "opModFixedW", "opModConnect", "opModVoltVar", "opModVoltWatt", "opModFixedVar")


def offers() -> list[ModeOffer]:
    """Every mode, those of the 2023 edition last."""
    specs = modes_2023.all_specs()
    schemas = modes_schema(specs)["properties"]
    curve = curve_schemas()["Curve"]["anyOf"][1]["properties"]
    names = sorted(specs, key=lambda name: (_is_2023(name), name not in _FIRST, _place(name), name))
    return [_offer(specs[name], schemas[name], curve) for name in names]


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else 0


def _is_2023(name: str) -> bool:
    return modes_2023.any_of((name,))


def _offer(spec: ModeSpec, schema: Schema, curve: Schema) -> ModeOffer:
    value = _PROPOSALS.get(spec.name)
    parts = {name: curve[name] for name in _CURVE_PARTS.get(spec.name, ())}
    return {
        "mode": spec.name,
        "kind": spec.kind,
        "unit": spec.unit,
        "edition": "2023" if _is_2023(spec.name) else "2018",
        "default_only": spec.default_only,
        "fields": _parts({"properties": parts} if spec.kind == "curve" else schema),
        "references": _references(spec) if spec.kind == "curve" else [],
        "proposal": None if value is None else value_to_json(value),
    }


def _parts(schema: Schema) -> list[Part]:
    """The numbers in a schema: its own, or those of its properties."""
    inner = {"": schema} if schema.get("type") == "number" else schema.get("properties", {})
    numbers = {path: each.get("anyOf", [each])[0] for path, each in inner.items()}
    return [
        {
            "path": path,
            "unit": each.get("x-unit", ""),
            "low": each.get("minimum"),
            "high": each.get("maximum"),
        }
        for path, each in numbers.items()
        if each.get("type") == "number"
    ]


def _references(spec: ModeSpec) -> list[YReference]:
    kinds = _REFERENCES.get(spec.name, _OF_V if spec.y_ref_type == 4 else _OWN)
    own = {"opModWattPF": "power factor", "opModFreqWatt": "none given: % of setMaxW"}.get(spec.name, "Hz")
    return [
        {
            "y_ref_type": each,
            "words": Y_REFERENCES.get(each, own),
            "positive": None,
            "negative": None,
            "unit": "",
        }
        for each in kinds
    ]
