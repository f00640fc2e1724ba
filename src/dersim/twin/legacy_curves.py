"""The curves of the models before 2018 as modes: 126, 127, 132, 134 and the trips 129, 130, 135, 136.

ActCrv selects one of the stored curves and bit 0 of ModEna puts it in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dersim.errors import ConfigError
from dersim.modes import MAX_CURVE_POINTS, Curve, ModeValue
from dersim.sunspec.points import Value
from dersim.twin.sunspec_map import Machine


class _Form(NamedTuple):
    """newer: the model that says the same and comes first. x, y: names of the points, without number.

    references: DeptRef -> DERUnitRefType.
    """

    newer: int
    mode: str
    x: str
    y: str
    references: Mapping[int, int] = {}
    y_ref_type: int = 0


_VAR_REFS, _WATT_REFS = {1: 1, 2: 2, 3: 3}, {1: 1, 2: 7}
_PERCENT_OF_V = 4
_FORMS = {
    126: _Form(705, "opModVoltVar", "V", "VAr", _VAR_REFS),
    132: _Form(706, "opModVoltWatt", "V", "W", _WATT_REFS),
    134: _Form(711, "opModFreqWatt", "Hz", "W", y_ref_type=1),
    129: _Form(707, "opModLVRTMustTrip", "Tms", "V", y_ref_type=_PERCENT_OF_V),
    130: _Form(708, "opModHVRTMustTrip", "Tms", "V", y_ref_type=_PERCENT_OF_V),
    135: _Form(709, "opModLFRTMustTrip", "Tms", "Hz"),
    136: _Form(710, "opModHFRTMustTrip", "Tms", "Hz"),
}

#: The model of 2018 that a twin has in the place of an older one.
NEWER: Mapping[int, int] = {model: form.newer for model, form in _FORMS.items()} | {127: 711}


def legacy_modes(machine: Machine, nominal_hz: float) -> dict[int, dict[str, ModeValue]]:
    """By model, the modes that are enabled there and in no newer model; faults go to `machine.unread`."""
    found: dict[int, dict[str, ModeValue]] = {}
    for model, form in _FORMS.items():
        values = machine.models.get(model)
        if values is None or form.newer in machine.models or not _enabled(values):
            continue
        try:
            found[model] = {form.mode: _curve(form, values)}
        except ConfigError as why:
            machine.unread.append(f"model {model}: {why}")
    if "opModFreqWatt" not in {mode for modes in found.values() for mode in modes}:
        found |= _freq_watt(machine, nominal_hz)
    return found


def _enabled(values: Mapping[str, Value]) -> bool:
    enable = values.get("ModEna")
    return isinstance(enable, int) and bool(enable & 1)


def _curve(form: _Form, values: Mapping[str, Value]) -> Curve:
    active = values.get("ActCrv")
    prefix = f"curve[{int(active) - 1 if isinstance(active, int | float) else 0}]."
    count = values.get(f"{prefix}ActPt")
    if not isinstance(count, int) or not 1 <= count <= MAX_CURVE_POINTS:
        raise ConfigError(f"curve {active} has {count} points; 1 to {MAX_CURVE_POINTS} can be used")
    points = []
    for n in range(1, count + 1):
        x, y = values.get(f"{prefix}{form.x}{n}"), values.get(f"{prefix}{form.y}{n}")
        if not isinstance(x, int | float) or not isinstance(y, int | float):
            raise ConfigError(f"point {n} of curve {active} is not implemented")
        points.append((float(x), float(y)))
    if points[0][0] > points[-1][0]:
        points.reverse()
    reference = values.get(f"{prefix}DeptRef")
    kind = form.references.get(reference, 0) if isinstance(reference, int) else 0
    return Curve(tuple(points), kind or form.y_ref_type or min(form.references.values(), default=0))


def _freq_watt(machine: Machine, nominal_hz: float) -> dict[int, dict[str, ModeValue]]:
    """127 as a line of opModFreqWatt: from 100 % at HzStr down by WGra percent per Hz."""
    values = machine.models.get(127)
    if values is None or 711 in machine.models or not _enabled(values):
        return {}
    start, slope = machine.number(127, "HzStr"), machine.number(127, "WGra")
    if start is None or not slope or slope < 0:
        machine.unread.append("model 127: HzStr or WGra is not implemented; its frequency-watt is left out")
        return {}
    begins = nominal_hz + start
    return {127: {"opModFreqWatt": Curve(((begins, 100.0), (begins + 100 / slope, 0.0)), 1)}}
