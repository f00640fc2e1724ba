"""Values of modes: at random within the declared ranges, and outside of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, get_args

from dersim.functions.contract import FunctionType
from dersim.modes import MODES, Curve, Excitation, FixedPowerFactor, FixedVar, FreqDroop, ModeSpec, VarRef

Range = tuple[float, float]
_WIDEST = 1e9
_EXCITATIONS: tuple[Excitation, ...] = get_args(Excitation)
_VAR_REFS: tuple[VarRef, ...] = get_args(VarRef)


class Ranges:
    """The ranges of one mode of a function: its parameters', else the mode's own."""

    def __init__(self, kind: FunctionType, mode: str) -> None:
        self.spec = MODES.get(mode, ModeSpec(mode, "number"))
        self._declared = {each.path: (each.low, each.high) for each in kind.parameters.get(mode, ())}

    @property
    def declared(self) -> Mapping[str, Range]:
        """By path; of a plain number the mode's own range will do."""
        if self.spec.kind == "number" and "" not in self._declared:
            own = (self.spec.low, self.spec.high)
            return {"": own} if any(map(math.isfinite, own)) else {}
        return self._declared

    def of(self, path: str, low: float = 0.0, high: float = 100.0) -> Range:
        """The range of a path, without infinities."""
        given_low, given_high = self._declared.get(path, (low, high))
        if path == "":
            given_low, given_high = max(given_low, self.spec.low), min(given_high, self.spec.high)
        return max(given_low, -_WIDEST), min(given_high, _WIDEST)

    def inside(self, rng: Random) -> Any:
        """A value at random within the ranges, its ends not seldom."""

        def draw(path: str, low: float = 0.0, high: float = 100.0) -> float:
            low, high = self.of(path, low, high)
            return rng.choice((low, high, rng.uniform(low, high), rng.uniform(low, high)))

        return _MAKERS[self.spec.kind](self.spec, draw, rng)

    def outside(self, rng: Random) -> Iterator[tuple[str, Any]]:
        """Values that must be refused, each with words for it."""
        yield "a text", "much"
        for path, (low, high) in self.declared.items():
            span = min(high - low, _WIDEST) + 1.0
            for number in (low - span, high + span, math.nan, math.inf):
                value = _with(self.inside(rng), path, number)
                if value is not None and not (math.isinf(number) and math.isinf(high)):
                    yield f"{path or 'the value'} {number:g}", value


def _with(value: Any, path: str, number: float) -> Any:
    """The value with another number at a path; None where it has no such path."""
    if path == "":
        return number
    if isinstance(value, Curve) and path in ("x", "y"):
        *others, (x, y) = value.points
        point = (number, y) if path == "x" else (x, number)
        return value._replace(points=(*others, point))
    return value._replace(**{path: number}) if path in getattr(value, "_fields", ()) else None


def _curve(spec: ModeSpec, draw: Callable[..., float], rng: Random) -> Curve:
    xs = sorted({draw("x") for _ in range(rng.randint(2, 4))})
    excitations = tuple(rng.choice(_EXCITATIONS) for _ in xs) if spec.name == "opModWattPF" else ()
    points = tuple((x, draw("y")) for x in xs)
    return Curve(points, spec.y_ref_type, draw("open_loop_s", 1, 10), excitations=excitations)


def _droop(_spec: ModeSpec, draw: Callable[..., float], _rng: Random) -> FreqDroop:
    return FreqDroop(
        draw("db_of_hz", 0.017, 1),
        draw("db_uf_hz", 0.017, 1),
        draw("k_of", 0.02, 0.05),
        draw("k_uf", 0.02, 0.05),
        draw("open_loop_s", 0.2, 10),
    )


_MAKERS: dict[str, Callable[[ModeSpec, Callable[..., float], Random], Any]] = {
    "number": lambda _spec, draw, _rng: draw("", -_WIDEST, _WIDEST),
    "bool": lambda _spec, _draw, rng: rng.random() < 0.5,
    "fixed_var": lambda _spec, draw, rng: FixedVar(draw("percent", -100, 100), rng.choice(_VAR_REFS)),
    "power_factor": lambda _spec, draw, rng: FixedPowerFactor(draw("pf", 0.8, 1), rng.choice(_EXCITATIONS)),
    "droop": _droop,
    "curve": _curve,
}
