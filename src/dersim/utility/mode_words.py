"""A mode's value in words: `60 %`, `PF 0.95, inject`, `(92, 44) (98, 0) % of setMaxVar`."""

from __future__ import annotations

from dersim.ieee2030_5.words import Y_REFERENCES
from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeValue
from dersim.utility import modes_2023


def words_of(mode: str, value: ModeValue) -> str:
    """The value with its unit."""
    match value:
        case bool():
            return "on" if value else "off"
        case FixedVar():
            return f"{value.percent:.9g} % of {value.ref}"
        case FixedPowerFactor():
            return f"PF {value.pf:.9g}, {value.excitation}"
        case FreqDroop():
            parts = ((name, each) for name, each in value._asdict().items() if each is not None)
            return ", ".join(f"{name} {each:.9g}" for name, each in parts)
        case Curve():
            return _curve(value)
        case _:
            return f"{value:.9g} {modes_2023.all_specs()[mode].unit}".strip()


def _curve(curve: Curve) -> str:
    points = [", ".join(f"{each:.9g}" for each in point) for point in curve.points]
    named = zip(points, curve.excitations or ("",) * len(points), strict=True)
    text = " ".join(f"({point}, {word})" if word else f"({point})" for point, word in named)
    return f"{text} {Y_REFERENCES.get(curve.y_ref_type, '')}".strip()
