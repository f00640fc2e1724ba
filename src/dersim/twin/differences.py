"""What a twin shows otherwise than the machine it was made from, register by register."""

from __future__ import annotations

from collections.abc import Mapping

from dersim.sunspec.points import Point, Value
from dersim.twin.legacy_curves import NEWER
from dersim.twin.stand_in import StandIn
from dersim.twin.sunspec_map import Machine

#: Models of which only these points are ratings or settings; all others there are measurements or counters.
_ONLY: Mapping[int, frozenset[str]] = {
    **dict.fromkeys((101, 102, 103, 111, 112, 113, 122, 160, 64414), frozenset()),
    701: frozenset({"ACType"}),
    713: frozenset({"WHRtg"}),
    714: frozenset({"NPrt"}),
    802: frozenset(
        {"AHRtg", "WHRtg", "WChaRteMax", "WDisChaRteMax", "SoCMax", "SoCMin", "SoCRsvMin", "Typ", "SetOp"}
    ),
}
#: Measurements, states and counters among ratings and settings.
_MEASURED: Mapping[int, frozenset[str]] = {
    124: frozenset({"ChaState", "StorAval", "InBatV", "ChaSt"}),
    703: frozenset({"ESDlyRemTms"}),
    715: frozenset({"DERHb", "ControllerHb", "OpCtl"}),
}
#: Seconds that remain, and how far the last adoption came.
_STATES = ("RvrtRem", "AdptCrvRslt", "AdptCtlRslt")
_SHOWN = 6


def is_measured(model: int, path: str) -> bool:
    """Whether a point is a measurement, a state or a counter: two equal machines may differ there."""
    if model in _ONLY:
        return path not in _ONLY[model]
    return path in _MEASURED.get(model, ()) or path.endswith(_STATES)


def differences(machine: Machine, twin: StandIn) -> list[str]:
    """A line for each model in which ratings, settings or curves differ, or which the twin does not have."""
    lines = []
    for model, values in machine.models.items():
        if model not in twin.blocks:
            if model not in _ONLY:
                newer = f"{NEWER[model]} in its place" if model in NEWER else "none"
                lines.append(f"model {model}: the twin has {newer}")
            continue
        found = _of_model(twin, model, values)
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            lines.append(f"model {model}: {', '.join(found[:_SHOWN])}{more}")
    return lines


def _of_model(twin: StandIn, model: int, values: Mapping[str, Value]) -> list[str]:
    shown, block = twin.shown(model), twin.blocks[model]
    found = []
    for path, value in values.items():
        if value is None or is_measured(model, path) or _says_nothing(path, value):
            continue
        if path not in shown:
            if value:
                found.append(f"{path} {value} has no place")
        elif (value or shown[path]) and not _equal(block.point(path), value, shown[path]):
            theirs = "not implemented" if shown[path] is None else shown[path]
            found.append(f"{path} {value}, twin {theirs}")
    return found


def _says_nothing(path: str, value: Value) -> bool:
    """How many sets and points there are, and an adoption that was never asked for."""
    return path in ("NPt", "NCrv", "NCrvSet", "NCtl") or (path.startswith("Adpt") and value == 0)


def _equal(point: Point, value: Value, shown: Value) -> bool:
    if isinstance(value, int | float) and isinstance(shown, int | float):
        return abs(value - shown) <= 0.51 * 10**point.exponent if point.scale else value == shown
    return value == shown
