"""DERCurve on the wire and Curve in plain units (2030.5-2018 10.10.4.4, B.2.3.2).

All points of a curve share a power of ten for x and one for y: the largest that is exact for every point,
with at most six decimals. Times and reference voltages are in hundredths. Only opModWattPF has an excitation
for each point; true means absorbing.
"""

from __future__ import annotations

from collections.abc import Sequence

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.ieee2030_5.resources import CurveData, DERCurve
from dersim.ieee2030_5.wire_forms import scaled
from dersim.modes import MAX_CURVE_POINTS, Curve, Excitation, ModeSpec
from dersim.numeric import finite, shown, within

_INT32 = 2**31
_MOST_DECIMALS, _LARGEST_MULTIPLIER = 6, 9
_WATT_PF = "opModWattPF"


def curve_of(spec: ModeSpec, wire: DERCurve) -> Curve:
    """A DERCurve in plain units; RemoteProtocolError if it is not a curve for this mode.

    A yRefType of 0 (not applicable), which some servers send for modes that need one, becomes the mode's
    default.
    """
    if wire.curveType != spec.curve_type:
        which = f"its curve {wire.href or wire.mRID}"
        raise RemoteProtocolError(
            f"{spec.name}: {which} is of curveType {wire.curveType}, not {spec.curve_type}"
        )
    x, y = wire.xMultiplier, wire.yMultiplier
    try:
        points = tuple((scaled(point.xvalue, x), scaled(point.yvalue, y)) for point in wire.CurveData)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{spec.name}: {error}") from None
    excitations: tuple[Excitation, ...] = ()
    if spec.name == _WATT_PF:
        excitations = tuple("absorb" if point.excitation else "inject" for point in wire.CurveData)
    return Curve(
        points=points,
        y_ref_type=wire.yRefType or spec.y_ref_type,
        open_loop_s=_from_hundredths(wire.openLoopTms),
        v_ref=_from_hundredths(wire.vRef),
        excitations=excitations,
        autonomous_v_ref=bool(wire.autonomousVRefEnable),
        autonomous_v_ref_s=_from_hundredths(wire.autonomousVRefTimeConstant),
        ramp_dec_pct_s=_from_hundredths(wire.rampDecTms),
        ramp_inc_pct_s=_from_hundredths(wire.rampIncTms),
        ramp_pt1_s=_from_hundredths(wire.rampPT1Tms),
    )


def der_curve(spec: ModeSpec, curve: Curve, *, href: str, mrid: str, creation_time: int = 0) -> DERCurve:
    """A curve as a resource; LocalProtocolError if it does not fit the wire."""
    if spec.curve_type is None:
        raise LocalProtocolError(f"{spec.name}: is not a mode with a curve")
    if not 1 <= len(curve.points) <= MAX_CURVE_POINTS:
        raise LocalProtocolError(
            f"{spec.name}: {len(curve.points)} points, 1 to {MAX_CURVE_POINTS} are allowed"
        )
    xs, x_multiplier = _common(spec.name, "x", [x for x, _ in curve.points])
    ys, y_multiplier = _common(spec.name, "y", [y for _, y in curve.points])
    return DERCurve(
        href=href,
        mRID=mrid,
        creationTime=creation_time,
        autonomousVRefEnable=True if curve.autonomous_v_ref else None,
        autonomousVRefTimeConstant=_hundredths(spec, "autonomous_v_ref_s", curve.autonomous_v_ref_s, 32),
        CurveData=_points(spec, curve, xs, ys),
        curveType=spec.curve_type,
        openLoopTms=_hundredths(spec, "open_loop_s", curve.open_loop_s),
        rampDecTms=_hundredths(spec, "ramp_dec_pct_s", curve.ramp_dec_pct_s),
        rampIncTms=_hundredths(spec, "ramp_inc_pct_s", curve.ramp_inc_pct_s),
        rampPT1Tms=_hundredths(spec, "ramp_pt1_s", curve.ramp_pt1_s),
        vRef=_hundredths(spec, "v_ref", curve.v_ref),
        xMultiplier=x_multiplier,
        yMultiplier=y_multiplier,
        yRefType=curve.y_ref_type,
    )


def _points(spec: ModeSpec, curve: Curve, xs: list[int], ys: list[int]) -> tuple[CurveData, ...]:
    if spec.name != _WATT_PF:
        return tuple(CurveData(xvalue=x, yvalue=y) for x, y in zip(xs, ys, strict=True))
    if len(curve.excitations) != len(xs):
        raise LocalProtocolError(f"{spec.name}: each point needs its excitation, inject or absorb")
    return tuple(
        CurveData(excitation=excitation == "absorb", xvalue=x, yvalue=y)
        for excitation, x, y in zip(curve.excitations, xs, ys, strict=True)
    )


def _common(mode: str, axis: str, values: Sequence[float]) -> tuple[list[int], int]:
    """The values as whole numbers with one power of ten."""
    if any(finite(value) is None for value in values):
        raise LocalProtocolError(f"{mode}: the {axis} values must be numbers, not {shown(list(values))}")
    best: tuple[list[int], int] | None = None
    for multiplier in range(_LARGEST_MULTIPLIER, -_MOST_DECIMALS - 1, -1):
        numbers = [round(scaled(value, -multiplier)) for value in values]
        if any(abs(number) >= _INT32 for number in numbers):
            break
        best = numbers, multiplier
        exact = all(abs(scaled(n, multiplier) - v) <= 1e-9 for n, v in zip(numbers, values, strict=True))
        if exact and multiplier <= 0:
            break
    if best is None:
        raise LocalProtocolError(f"{mode}: the {axis} values do not fit the wire")
    return best


def _from_hundredths(number: int | None) -> float | None:
    return None if number is None else number / 100


def _hundredths(spec: ModeSpec, name: str, value: float | None, bits: int = 16) -> int | None:
    if value is None:
        return None
    highest = (2**bits - 1) / 100
    number = within(value, 0, highest)
    if number is None:
        raise LocalProtocolError(f"{spec.name}: {name} {shown(value)} is outside 0 to {highest:g}")
    return round(number * 100)
