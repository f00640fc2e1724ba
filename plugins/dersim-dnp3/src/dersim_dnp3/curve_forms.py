"""Curves as the profile writes them, and as modes: types, units, and the scale of a point by its unit.

A point's x and y are whole numbers: percents in tenths, hertz in hundredths, times in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from py1815.control import CommandStatus

from dersim.plugin import Curve
from dersim_dnp3.refusal import RefusalError

#: The most points that a mode takes.
POINTS = 10
#: The places of a curve before its points.
TYPE, NUMBER, X_UNIT, Y_UNIT = range(4)
FIELDS = 4

_MILLISECONDS, _HERTZ = 4, 33
_PERCENT_OF_V, _PERCENT_OF_W = 129, 138
_TENTHS, _HUNDREDTHS, _THOUSANDTHS = 0.1, 0.01, 0.001

Points = tuple[tuple[float, float], ...]


class Form(NamedTuple):
    """The curves of one mode. y_units: what a unit of y is as DERUnitRefType, and its scale."""

    mode: str
    type: int
    x_unit: int
    x_scale: float
    y_units: Mapping[int, tuple[int, float]]


#: Percent of setMaxVar, of the var available, of setMaxVA, of setMaxW.
_VAR = {2: (2, _TENTHS), 3: (3, _TENTHS), 4: (8, _TENTHS), 5: (1, _TENTHS)}
_WATTS = {5: (1, _TENTHS)}
_VOLTS = {8: (4, _TENTHS)}
_FREQUENCY = {_HERTZ: (0, _HUNDREDTHS)}

VOLT_VAR = Form("opModVoltVar", 2, _PERCENT_OF_V, _TENTHS, _VAR)
WATT_VAR = Form("opModWattVar", 4, _PERCENT_OF_W, _TENTHS, _VAR)
VOLT_WATT = Form("opModVoltWatt", 5, _PERCENT_OF_V, _TENTHS, _WATTS)
HV_TRIP = Form("opModHVRTMustTrip", 9, _MILLISECONDS, _THOUSANDTHS, _VOLTS)
HV_CESSATION = Form("opModHVRTMomentaryCessation", 10, _MILLISECONDS, _THOUSANDTHS, _VOLTS)
LV_TRIP = Form("opModLVRTMustTrip", 11, _MILLISECONDS, _THOUSANDTHS, _VOLTS)
LV_CESSATION = Form("opModLVRTMomentaryCessation", 12, _MILLISECONDS, _THOUSANDTHS, _VOLTS)
HF_TRIP = Form("opModHFRTMustTrip", 13, _MILLISECONDS, _THOUSANDTHS, _FREQUENCY)
LF_TRIP = Form("opModLFRTMustTrip", 15, _MILLISECONDS, _THOUSANDTHS, _FREQUENCY)


def curve_of(form: Form, cells: Sequence[float]) -> Curve:
    """The curve of its cells: the fields, then x and y of each point.

    `RefusalError` for one that is not complete, or in units that this machine does not follow.
    """
    count, unit = round(cells[NUMBER]), round(cells[Y_UNIT])
    if round(cells[TYPE]) != form.type:
        raise RefusalError(CommandStatus.NOT_SUPPORTED, f"the curve has the type {cells[TYPE]:g}")
    if not 1 <= count <= POINTS:
        raise RefusalError(CommandStatus.OUT_OF_RANGE, f"the curve has {count} points; give 1 to {POINTS}")
    if round(cells[X_UNIT]) != form.x_unit or unit not in form.y_units:
        units = f"{cells[X_UNIT]:g} and {cells[Y_UNIT]:g}"
        wanted = f"{form.x_unit} and {' or '.join(map(str, form.y_units))}"
        raise RefusalError(CommandStatus.NOT_SUPPORTED, f"the curve has the units {units}; give {wanted}")
    reference, scale = form.y_units[unit]
    used = cells[FIELDS : FIELDS + 2 * count]
    points = [
        (_scaled(x, form.x_scale), _scaled(y, scale)) for x, y in zip(used[::2], used[1::2], strict=True)
    ]
    if form.x_unit == _MILLISECONDS and points[0][0] > points[-1][0]:
        points.reverse()  # a trip curve may begin at its slow end
    return Curve(tuple(points), reference)


def cells_of(form: Form, curve: Curve) -> list[float]:
    """A curve as cells; one in a reference without a unit has the unit 1, not known."""
    unit, scale = next(
        ((unit, scale) for unit, (reference, scale) in form.y_units.items() if reference == curve.y_ref_type),
        (1, _TENTHS),
    )
    points = curve.points[:POINTS]
    cells: list[float] = [form.type, len(points), form.x_unit, unit]
    for x, y in points:
        cells += (round(x / form.x_scale), round(y / scale))
    return cells + [0.0] * (FIELDS + 2 * POINTS - len(cells))


def _scaled(wire: float, scale: float) -> float:
    return round(wire * scale, 6)
