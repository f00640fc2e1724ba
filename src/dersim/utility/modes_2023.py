"""The control modes that came with the 2023 edition and that dersim's DERs do not have.

The server can order them all the same, so that a device can be seen to reject them (Response 251). A document
with one of them is of the 2023 edition, whatever edition the client speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5.declare import TYPES
from dersim.ieee2030_5.resources import DERControlBase
from dersim.ieee2030_5.wire_forms import form_of
from dersim.modes import MODES, ModeSpec, ModeValue

_UINT16_POWER, _INT16_POWER = 65535e9, 32767e9


def _number(name: str, unit: str, low: float, high: float) -> ModeSpec:
    return ModeSpec(name, "number", unit, low=low, high=high)


SPECS: dict[str, ModeSpec] = {
    spec.name: spec
    for spec in (
        _number("opModDeltaVar", "var", -_INT16_POWER, _INT16_POWER),
        _number("opModDeltaW", "W", -_INT16_POWER, _INT16_POWER),
        _number("opModFixedV", "%", -327.68, 327.67),
        ModeSpec("opModGridConnectPermit", "bool"),
        ModeSpec("opModIslandPermit", "bool"),
        _number("opModMaxLimPctVAAbsorb", "%", 0, 100),
        _number("opModMaxLimPctVAInject", "%", 0, 100),
        ModeSpec("opModMaxLimPctVarAbsorb", "fixed_var", "%", low=0, high=100),
        ModeSpec("opModMaxLimPctVarInject", "fixed_var", "%", low=0, high=100),
        _number("opModMaxLimPctWAbsorb", "%", 0, 100),
        _number("opModMaxLimVarAbsorb", "var", 0, _UINT16_POWER),
        _number("opModMaxLimVarInject", "var", 0, _UINT16_POWER),
        _number("opModMaxLimWAbsorb", "W", 0, _UINT16_POWER),
        _number("opModMaxLimWInject", "W", 0, _UINT16_POWER),
        _number("opModTargetV", "V", 0, _UINT16_POWER),
    )
}
_TYPES = {member.name: member for member in TYPES[DERControlBase].members if member.since_2023}


def all_specs() -> Mapping[str, ModeSpec]:
    """Every mode that a document can carry: those of dersim and its plug-ins, and those of 2023."""
    return SPECS | {name: spec for name, spec in MODES.items() if not spec.local}


def any_of(modes: Iterable[str]) -> bool:
    """Whether one of the modes needs a document of 2023."""
    return any(name in SPECS and name not in MODES for name in modes)


def split(modes: Mapping[str, ModeValue]) -> tuple[dict[str, ModeValue], dict[str, ModeValue]]:
    """The modes that dersim knows, and the others."""
    known = {name: value for name, value in modes.items() if not any_of((name,))}
    return known, {name: value for name, value in modes.items() if name not in known}


def set_on(base: DERControlBase, modes: Mapping[str, ModeValue]) -> None:
    """Write modes of 2023 into a DERControlBase; LocalProtocolError for a value that does not fit."""
    for name, value in modes.items():
        setattr(base, name, _on_wire(SPECS[name], value))


def _on_wire(spec: ModeSpec, value: ModeValue) -> Any:
    member = _TYPES[spec.name]
    if member.cls is not None:
        wire_type = member.cls.__name__
    else:
        wire_type = "boolean" if spec.kind == "bool" else "PerCent"
    try:
        return form_of(wire_type).write(spec, value)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise LocalProtocolError(f"{spec.name}: {value!r} is not a value of this mode ({error})") from error
