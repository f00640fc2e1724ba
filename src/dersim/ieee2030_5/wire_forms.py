"""The wire types of control modes, each with its way to a plain value and back.

A form reads what was parsed (an int, a bool or a resource) and writes what the codec will encode. Reading
raises RemoteProtocolError, writing LocalProtocolError; both name the mode.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import extensions
from dersim.ieee2030_5.declare import NAMES, TypeInfo
from dersim.ieee2030_5.resources import ActivePower
from dersim.modes import VAR_REF_TYPES, FixedPowerFactor, FixedVar, FreqDroop, ModeSpec, ModeValue
from dersim.numeric import finite, shown, within

_REF_NAMES = {number: name for name, number in VAR_REF_TYPES.items()}
_SMALLEST_MULTIPLIER, _LARGEST_MULTIPLIER = -3, 9


class Form(NamedTuple):
    """Converts a wire type to a plain value and back."""

    read: Callable[[ModeSpec, Any], ModeValue]
    write: Callable[[ModeSpec, Any], Any]


def scaled(number: float, multiplier: int) -> float:
    """number x 10^multiplier, rounded once: a negative power divides, so that 9750 at -2 is exactly 97.5.

    RemoteProtocolError outside -9 to 9 (nano to giga), the powers that PowerOfTenMultiplierType lists.
    """
    if not -9 <= multiplier <= 9:
        raise RemoteProtocolError(f"the multiplier {shown(multiplier)} is outside -9 to 9")
    return number * 10.0**multiplier if multiplier >= 0 else number / 10.0**-multiplier


def fit(what: str, value: Any, low: int, high: int) -> tuple[int, int]:
    """(number, multiplier) nearest to value, number within low to high; whole numbers keep multiplier 0."""
    if finite(value) is None:
        raise LocalProtocolError(f"{what}: a number is needed, not {shown(value)}")
    for multiplier in range(_SMALLEST_MULTIPLIER, _LARGEST_MULTIPLIER + 1):
        number = round(scaled(value, -multiplier))
        if low <= number <= high:
            break
    else:
        largest = scaled(high, _LARGEST_MULTIPLIER)
        raise LocalProtocolError(f"{what}: {value:g} does not fit the wire (at most {largest:g})")
    while multiplier < 0 and number % 10 == 0:
        number, multiplier = number // 10, multiplier + 1
    return number, multiplier


def hundredths(spec: ModeSpec, value: Any) -> int:
    """A number in hundredths; LocalProtocolError outside the range of the mode."""
    number = finite(value)
    if number is None:
        raise LocalProtocolError(f"{spec.name}: a number is needed, not {shown(value)}")
    _check_range(spec, number)
    return round(number * 100)


def _check_range(spec: ModeSpec, value: float) -> None:
    if not spec.low <= value <= spec.high:
        bounds = f"{spec.low:g} to {spec.high:g} {spec.unit}".rstrip()
        raise LocalProtocolError(f"{spec.name}: {value:g} is outside {bounds}")


@functools.cache
def form_of(wire_type: str) -> Form:
    """The form of a wire type, by its name: a type of the standard, simple or not.

    PerCent and SignedPerCent are hundredths; other simple types are used as they are.
    """
    plain = wire_type.removesuffix("ControlType")
    if plain in _SIMPLE_FORMS:
        return _SIMPLE_FORMS[plain]
    if extensions.simple_type(wire_type) is not None:
        return Form(lambda _, wire: cast(ModeValue, wire), _write_whole)
    read, write = _COMPLEX_FORMS.get(plain, _QUANTITY)
    return Form(read, functools.partial(write, NAMES[wire_type]))


def _write_whole(spec: ModeSpec, value: Any) -> int:
    if finite(value) is None or value != int(value):
        raise LocalProtocolError(f"{spec.name}: a whole number is needed, not {shown(value)}")
    return int(value)


def _write_bool(spec: ModeSpec, value: Any) -> bool:
    if not isinstance(value, bool):
        raise LocalProtocolError(f"{spec.name}: true or false is needed, not {shown(value)}")
    return value


def _named(spec: ModeSpec, number: int, multiplier: int) -> float:
    try:
        return scaled(number, multiplier)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{spec.name}: {error}") from None


def _read_quantity(spec: ModeSpec, wire: Any) -> float:
    return _named(spec, wire.value, wire.multiplier)


def _write_quantity(info: TypeInfo, spec: ModeSpec, value: Any) -> Any:
    simple = next((member.simple for member in info.members if member.name == "value"), None)
    if simple is None:
        raise LocalProtocolError(f"{spec.name}: {info.name} is not a type that a mode can have")
    number, multiplier = fit(spec.name, value, simple.low, simple.high)
    _check_range(spec, value)
    return info.cls(multiplier=multiplier, value=number)


def _read_fixed_var(spec: ModeSpec, wire: Any) -> FixedVar:
    ref = _REF_NAMES.get(wire.refType)
    if ref is None:
        raise RemoteProtocolError(f"{spec.name}: refType {wire.refType} is none of {sorted(_REF_NAMES)}")
    return FixedVar(wire.value / 100, cast(Any, ref))


def _write_fixed_var(info: TypeInfo, spec: ModeSpec, value: Any) -> Any:
    if not isinstance(value, FixedVar) or value.ref not in VAR_REF_TYPES:
        raise LocalProtocolError(f"{spec.name}: a FixedVar is needed, not {shown(value)}")
    return info.cls(refType=VAR_REF_TYPES[value.ref], value=hundredths(spec, value.percent))


def _read_power_factor(spec: ModeSpec, wire: Any) -> FixedPowerFactor:
    pf = _named(spec, wire.displacement, wire.multiplier)
    return FixedPowerFactor(pf, "absorb" if wire.excitation else "inject")


def _write_power_factor(info: TypeInfo, spec: ModeSpec, value: Any) -> Any:
    if not isinstance(value, FixedPowerFactor) or not 0 < value.pf <= 1:
        raise LocalProtocolError(
            f"{spec.name}: a power factor above 0 and at most 1 is needed, not {shown(value)}"
        )
    number, multiplier = round(value.pf * 10_000), -4
    if number == 0:
        raise LocalProtocolError(f"{spec.name}: the power factor {value.pf!r} is too small for the wire")
    while number % 10 == 0 and multiplier < -2:
        number, multiplier = number // 10, multiplier + 1
    return info.cls(displacement=number, excitation=value.excitation == "absorb", multiplier=multiplier)


def _read_droop(spec: ModeSpec, wire: Any) -> FreqDroop:
    return FreqDroop(
        db_of_hz=wire.dBOF / 1000,
        db_uf_hz=wire.dBUF / 1000,
        k_of=wire.kOF / 1000,
        k_uf=wire.kUF / 1000,
        open_loop_s=wire.openLoopTms / 100,
        p_min_w=None if wire.pMin is None else _named(spec, wire.pMin.value, wire.pMin.multiplier),
    )


def _write_droop(info: TypeInfo, spec: ModeSpec, value: Any) -> Any:
    if not isinstance(value, FreqDroop):
        raise LocalProtocolError(f"{spec.name}: a FreqDroop is needed, not {shown(value)}")

    def part(name: str, scale: int, bits: int) -> int:
        given = getattr(value, name)
        highest = (2**bits - 1) / scale
        plain = within(given, 0, highest)
        if plain is None:
            raise LocalProtocolError(f"{spec.name}: {name} {shown(given)} is outside 0 to {highest:g}")
        return round(plain * scale)

    p_min = None
    if value.p_min_w is not None:
        number, multiplier = fit(f"{spec.name} p_min_w", value.p_min_w, -32768, 32767)
        p_min = ActivePower(multiplier=multiplier, value=number)
    return info.cls(
        dBOF=part("db_of_hz", 1000, 32),
        dBUF=part("db_uf_hz", 1000, 32),
        kOF=part("k_of", 1000, 16),
        kUF=part("k_uf", 1000, 16),
        openLoopTms=part("open_loop_s", 100, 16),
        pMin=p_min,
    )


_SIMPLE_FORMS = {
    "PerCent": Form(lambda _, wire: wire / 100, hundredths),
    "SignedPerCent": Form(lambda _, wire: wire / 100, hundredths),
    "boolean": Form(lambda _, wire: bool(wire), _write_bool),
}
#: Any other resource is read as a value times a power of ten.
_COMPLEX_FORMS: dict[str, tuple[Callable[[ModeSpec, Any], ModeValue], Callable[..., Any]]] = {
    "FixedVar": (_read_fixed_var, _write_fixed_var),
    "UnsignedFixedVar": (_read_fixed_var, _write_fixed_var),
    "PowerFactorWithExcitation": (_read_power_factor, _write_power_factor),
    "FreqDroopType": (_read_droop, _write_droop),
}
_QUANTITY = (_read_quantity, _write_quantity)
