"""Check a mode's value against the declared parameters of its function."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dersim.functions.contract import Parameter
from dersim.modes import MODES, Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeValue
from dersim.numeric import within

_KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "bool": (bool,),
    "fixed_var": (FixedVar,),
    "power_factor": (FixedPowerFactor,),
    "droop": (FreqDroop,),
    "curve": (Curve,),
}


def objection(mode: str, value: ModeValue, parameters: tuple[Parameter, ...]) -> str:
    """Why the value is refused: wrong kind, or a number outside the declared range; "" if accepted."""
    spec = MODES.get(mode)
    if spec is not None:
        fits = isinstance(value, _KINDS[spec.kind]) and (spec.kind == "bool" or not isinstance(value, bool))
        if not fits:
            return f"a value of kind {spec.kind} is needed, not {value!r}"
    if isinstance(value, Curve):
        reason = _curve_objection(value)
        if reason:
            return reason
    for parameter in parameters:
        for where, number in numbers(value, parameter.path):
            if within(number, parameter.low, parameter.high) is None:
                span = f"{parameter.low:g} to {parameter.high:g} {parameter.unit}".rstrip()
                return f"{where}{number:g} is outside {span} ({parameter.clause})"
    return ""


def _curve_objection(curve: Curve) -> str:
    if not curve.points:
        return "a curve needs at least one point"
    for index, (x, y) in enumerate(curve.points, 1):
        if not (math.isfinite(x) and math.isfinite(y)):
            return f"point {index} is not a number"
        if index > 1 and x < curve.points[index - 2][0]:
            return f"point {index}: x falls from {curve.points[index - 2][0]:g} to {x:g}; it must not fall"
    return ""


def numbers(value: ModeValue, path: str) -> Iterator[tuple[str, float]]:
    """The numbers of a value at a parameter's path, each with its place as text for the message."""
    if path == "":
        if isinstance(value, int | float):
            yield "", value
    elif path in ("x", "y") and isinstance(value, Curve):
        for index, point in enumerate(value.points, 1):
            yield f"point {index}: {path} ", point[0 if path == "x" else 1]
    else:
        number = getattr(value, path, None)
        if isinstance(number, int | float):
            yield f"{path} ", number
