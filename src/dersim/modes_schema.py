"""The JSON Schema of modes as `modes.modes_from_json` reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dersim.json_schema import Schema
from dersim.modes import MAX_CURVE_POINTS, MODES, VAR_REF_TYPES, ModeSpec

_EXCITATION: Schema = {"enum": ["inject", "absorb"]}


def modes_schema(specs: Mapping[str, ModeSpec] = MODES) -> Schema:
    """Of ``{"opModMaxLimW": 60, ...}``; it refers to `curve_schemas` as ``$defs``."""
    return {
        "type": "object",
        "title": "modes",
        "properties": {name: {"title": name} | _value(spec) for name, spec in specs.items()},
        "additionalProperties": False,
    }


def curve_schemas() -> dict[str, Schema]:
    """The forms of a curve by name."""
    return {
        "Curve": _curve(_number("", -1e9, 1e9), 2),
        "CurvePF": _curve({"anyOf": [_number(), _EXCITATION]}, 3),
    }


def _number(unit: str = "", low: float = -math.inf, high: float = math.inf) -> Schema:
    schema: Schema = {"type": "number"} | ({"x-unit": unit} if unit else {})
    return schema | {k: v for k, v in (("minimum", low), ("maximum", high)) if math.isfinite(v)}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def _value(spec: ModeSpec) -> Schema:
    match spec.kind:
        case "bool":
            return {"type": "boolean"}
        case "number":
            return _number(spec.unit, spec.low, spec.high)
        case "fixed_var":
            return _object({"percent": _number("%", -100, 100)}, ref={"enum": list(VAR_REF_TYPES)})
        case "power_factor":
            return _object({"pf": _number("", 0.001, 1)}, excitation=_EXCITATION)
        case "droop":
            share = _number("", 0, 65.535)
            needed = {"db_of_hz": share | {"x-unit": "Hz"}, "db_uf_hz": share | {"x-unit": "Hz"}}
            needed |= {"k_of": share, "k_uf": share}
            return _object(needed, open_loop_s=_number("s", 0, 655.35), p_min_w=_optional(_number("W")))
        case "curve":
            name = "CurvePF" if spec.name == "opModWattPF" else "Curve"
            return {"$ref": f"#/$defs/{name}", "description": f"points [x, y]: {spec.unit}"}


def _curve(item: Schema, width: int) -> Schema:
    points: Schema = {
        "type": "array",
        "items": {"type": "array", "items": item, "minItems": width, "maxItems": width},
        "minItems": 1,
        "maxItems": MAX_CURVE_POINTS,
    }
    rate, seconds = _optional(_number("%/s", 0, 655.35)), _optional(_number("s", 0, 655.35))
    more = _object(
        {"curve": points},
        y_ref_type={"type": "integer", "minimum": 0, "maximum": 8, "description": "DERUnitRefType"},
        open_loop_s=seconds,
        v_ref=_optional(_number("%", 0, 200)),
        autonomous_v_ref={"type": "boolean"},
        autonomous_v_ref_s=_optional(_number("s", 0, 42_949_672.95)),
        ramp_dec_pct_s=rate,
        ramp_inc_pct_s=rate,
        ramp_pt1_s=seconds,
    )
    return {"anyOf": [points, more]}


def _optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
