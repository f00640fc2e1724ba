"""Control modes on the wire and as plain values (2030.5-2018 10.10.4; units: B.2.3.2).

The wire has integers: percents, seconds and hertz in hundredths, droop in millihertz and thousandths, power
as a 16-bit value times a power of ten, a curve as a link to points with two common powers of ten. The values
of `dersim.modes` are in plain units: percent, seconds, hertz, watts.

A member with `disabled="true"` (2023) is not in use and therefore not among the modes. Modes that dersim does
not know (2023's opModDeltaW and similar) are left out; callers find them in the DERControlBase. Modes that a
plug-in has registered (`extensions.py`) are read and written like those of the standard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import extensions
from dersim.ieee2030_5.curves import curve_of, der_curve
from dersim.ieee2030_5.declare import TYPES, Extra
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.resources import DefaultDERControl, DERControlBase, DERCurve, DERCurveLink, Disabled
from dersim.ieee2030_5.wire_forms import form_of, hundredths
from dersim.modes import MODES, Curve, ModeSpec, ModeValue

if TYPE_CHECKING:
    from dersim.ieee2030_5.extensions import SchemaExtension

_MEMBERS = {member.name: member for member in TYPES[DERControlBase].members}
_DEFAULT_MEMBERS = {member.name: member for member in TYPES[DefaultDERControl].own}

#: Bits of DERControlType that are no mode of DERControlBase, and those that came in 2023.
_BITS_2018 = {"charge": 0, "discharge": 1}
_BITS_2023 = {
    "opModDeltaVar": 27,
    "opModDeltaW": 28,
    "opModFixedV": 29,
    "opModGridConnectPermit": 30,
    "opModIslandPermit": 31,
}
#: Bits of DERControlType2 (2023), in order.
_BITS2 = (
    "opModMaxLimPctVAAbsorb",
    "opModMaxLimPctVAInject",
    "opModMaxLimPctVarAbsorb",
    "opModMaxLimPctVarInject",
    "opModMaxLimPctWAbsorb",
    "opModMaxLimVarAbsorb",
    "opModMaxLimVarInject",
    "opModMaxLimWAbsorb",
    "opModMaxLimWInject",
    "opModTargetV",
)


def modes_of(base: DERControlBase, curves: Mapping[str, DERCurve]) -> dict[str, ModeValue]:
    """The modes that a DERControlBase sets, in plain values.

    curves: by href as written in the links. RemoteProtocolError names a mode whose value is invalid or whose
    curve is not in `curves`.
    """
    found: dict[str, ModeValue] = {}
    for name, spec in MODES.items():
        if spec.default_only or name not in _MEMBERS:
            continue
        wire = getattr(base, name)
        if wire is not None and wire.__class__ is not Disabled and not getattr(wire, "disabled", None):
            found[name] = _curve_behind(spec, wire, curves) if spec.kind == "curve" else _plain(spec, wire)
    found.update(_extension_modes(base.extra))
    return found


def default_modes_of(default: DefaultDERControl, curves: Mapping[str, DERCurve]) -> dict[str, ModeValue]:
    """The modes of a DefaultDERControl: those of its base, and what only a default carries (setGradW ...)."""
    found = modes_of(default.DERControlBase, curves)
    for name, spec in MODES.items():
        if spec.default_only and name in _DEFAULT_MEMBERS and (wire := getattr(default, name)) is not None:
            found[name] = wire / 100
    found.update(_extension_modes(default.extra))
    return found


def base_of(
    modes: Mapping[str, ModeValue], link: Callable[[str], str]
) -> tuple[DERControlBase, list[tuple[str, DERCurve]]]:
    """The DERControlBase for `modes`, and the curves that it links to, in the order of `modes`.

    link: the href under which the curve of a mode will be found. The mRID of a curve is made of its
    content; creationTime is 0, for the publisher to set. LocalProtocolError if a value does not fit the wire.
    """
    base, curves = DERControlBase(), []
    for name, value in modes.items():
        spec = MODES.get(name)
        extension = _extension_of(name)
        if extension is not None:
            mode, declared = extension
            wire = _onto_wire(mode, value, declared.wire_type)
            base.extra += (Extra(declared.namespace, declared.element, wire),)
        elif spec is None or spec.default_only or name not in _MEMBERS:
            raise LocalProtocolError(f"{name}: a DERControlBase cannot carry it")
        elif spec.kind == "curve":
            href = link(name)
            setattr(base, name, DERCurveLink(href=href))
            curves.append((name, _named_curve(spec, value, href)))
        else:
            setattr(base, name, _onto_wire(spec, value, _wire_type(name)))
    return base, curves


def default_members(modes: Mapping[str, ModeValue]) -> dict[str, int]:
    """Those of `modes` that are members of the DefaultDERControl itself, as constructor arguments."""
    return {
        name: hundredths(MODES[name], value)
        for name, value in modes.items()
        if name in MODES and MODES[name].default_only
    }


def modes_mask(names: Iterable[str], edition: Edition = Edition.E2023) -> tuple[int, int]:
    """DERControlType and DERControlType2 (0 in 2018) with the bits of those modes; others have none.

    "charge" and "discharge" are taken as names too.
    """
    wanted = frozenset(names)
    old = edition is Edition.E2018
    bits = sum(1 << bit for name, bit in _all_bits().items() if name in wanted and not (old and bit > 26))
    bits2 = 0 if old else sum(1 << bit for bit, name in enumerate(_BITS2) if name in wanted)
    return bits, bits2


def modes_in_mask(bits: int, bits2: int = 0) -> frozenset[str]:
    """The names behind the bits of DERControlType and DERControlType2; unassigned bits are ignored."""
    first = {name for name, bit in _all_bits().items() if bits >> bit & 1}
    return frozenset(first | {name for bit, name in enumerate(_BITS2) if bits2 >> bit & 1})


def _all_bits() -> dict[str, int]:
    # Not cached: plug-ins add modes. Theirs have no bit of the standard's.
    known = {name: spec.bit for name, spec in MODES.items() if spec.bit is not None}
    return {**known, **_BITS_2018, **_BITS_2023}


def _wire_type(name: str) -> str:
    member = _MEMBERS[name]
    if member.cls is not None:
        return member.cls.__name__
    # All plain numbers of a DERControlBase, rampTms too, are in hundredths like a PerCent.
    return "boolean" if MODES[name].kind == "bool" else "PerCent"


def _plain(spec: ModeSpec, wire: Any, wire_type: str = "") -> ModeValue:
    return form_of(wire_type or _wire_type(spec.name)).read(spec, wire)


def _onto_wire(spec: ModeSpec, value: ModeValue, wire_type: str) -> Any:
    try:
        return form_of(wire_type).write(spec, value)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise LocalProtocolError(f"{spec.name}: {value!r} is not a value of this mode ({error})") from error


def _curve_behind(spec: ModeSpec, link: DERCurveLink, curves: Mapping[str, DERCurve]) -> Curve:
    curve = curves.get(link.href)
    if curve is None:
        raise RemoteProtocolError(f"{spec.name}: its curve {link.href} is not at hand")
    return curve_of(spec, curve)


def _named_curve(spec: ModeSpec, value: ModeValue, href: str) -> DERCurve:
    if not isinstance(value, Curve):
        raise LocalProtocolError(f"{spec.name}: a curve is needed, not {value!r}")
    name = hashlib.sha256(f"{spec.name} {value!r}".encode()).hexdigest()[:32].upper()
    return der_curve(spec, value, href=href, mrid=name)


def _extension_of(mode: str) -> tuple[ModeSpec, SchemaExtension] | None:
    for extension in extensions.registered():
        spec = extension.declared.mode
        if spec is not None and spec.name == mode:
            return spec, extension.declared
    return None


def _extension_modes(extra: tuple[Extra, ...]) -> dict[str, ModeValue]:
    found: dict[str, ModeValue] = {}
    for namespace, element, wire in extra:
        extension = extensions.find(namespace, element)
        if extension is not None and (mode := extension.declared.mode) is not None:
            found[mode.name] = _plain(mode, wire, extension.declared.wire_type)
    return found
