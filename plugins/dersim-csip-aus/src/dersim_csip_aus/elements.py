"""The elements of CSIP-AUS, in the order of its XSD.

Both namespaces are read: that of 1.2 (also of 1.1a) and that of 1.3, which adds storage. One of them, by
`version`, is written. Elements of one parent are declared in the order of the XSD's sequence, because a
document of 2018 has them in the order of their registration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from dersim.plugin import Device, ModeSpec, SchemaExtension
from dersim_csip_aus.limits import LIMITS
from dersim_csip_aus.storage import TARGET

Version = Literal["1.2", "1.3"]
NAMESPACES: dict[Version, str] = {"1.2": "https://csipaus.org/ns", "1.3": "https://csipaus.org/ns/v1.3"}
DEFAULT_VERSION: Version = "1.2"

#: Names for both sides: a resource at EndDevice's link, whose one child is the NMI.
CONNECTION_POINT, CONNECTION_POINT_ID = "ConnectionPoint", "connectionPointId"
CONNECTION_POINT_LINK = "ConnectionPointLink"

#: DOEControlType: the bits of doeModesSupported and doeModesEnabled, from bit 0, in an order of their own.
DOE_BITS = ("opModExpLimW", "opModImpLimW", "opModGenLimW", "opModLoadLimW")
#: VPPControlType: the bits of vppModesSupported and vppModesEnabled.
VPP_BITS = (TARGET,)

#: What an ActivePower can carry: a 16-bit value and a power of ten.
HIGHEST_W = 32767e9


def declared(version: Version) -> Iterable[SchemaExtension]:
    """All elements; those of `version` first, since the first of two is written."""
    other: Version = "1.3" if version == "1.2" else "1.2"
    return [*_of(version, tells=True), *_of(other, tells=False)]


def _of(version: Version, *, tells: bool) -> Iterator[SchemaExtension]:
    """One version's elements. tells: also those that a DER reports, which only one version may."""
    namespace = NAMESPACES[version]
    for mode in LIMITS:
        spec = ModeSpec(mode, "number", "W", low=0, high=HIGHEST_W)
        yield SchemaExtension(namespace, mode, ("DERControlBase",), spec, "ActivePower")
    if version == "1.3":
        spec = ModeSpec(TARGET, "number", "W", low=-HIGHEST_W, high=HIGHEST_W)
        yield SchemaExtension(namespace, TARGET, ("DERControlBase",), spec, "ActivePower")
    if tells:
        yield from _reported(namespace, version)
    yield SchemaExtension(namespace, CONNECTION_POINT_LINK, ("EndDevice",), None, "Link")
    yield SchemaExtension(
        namespace, CONNECTION_POINT, (), None, "", members={CONNECTION_POINT_ID: "String32"}, document=True
    )


def _reported(namespace: str, version: Version) -> Iterator[SchemaExtension]:
    for parent, word in (("DERCapability", "Supported"), ("DERSettings", "Enabled")):
        yield SchemaExtension(namespace, f"doeModes{word}", (parent,), None, "HexBinary8", tell=doe_mask)
        if version == "1.3":
            yield SchemaExtension(namespace, f"vppModes{word}", (parent,), None, "HexBinary8", tell=vpp_mask)
    if version == "1.3":
        yield SchemaExtension(namespace, "setMinWh", ("DERSettings",), None, "WattHour", report=min_wh)


def doe_mask(supported: frozenset[str]) -> int:
    """The DOEControlType of what a DER supports."""
    return _mask(DOE_BITS, supported)


def vpp_mask(supported: frozenset[str]) -> int | None:
    """The VPPControlType of what a DER supports; without storage None, which leaves the element out."""
    return _mask(VPP_BITS, supported) or None


def _mask(bits: tuple[str, ...], supported: frozenset[str]) -> int:
    return sum(1 << bit for bit, mode in enumerate(bits) if mode in supported)


def min_wh(device: Device) -> float | None:
    """The energy at which discharging stops, Wh; None of a DER without storage.

    It is the reserve in force (MinRsvPct), or the lowest state of charge of the nameplate.
    """
    plate = device.nameplate
    if not plate.rtgMaxWh:
        return None
    reserve = device.setpoints.value("MinRsvPct")
    lowest_pct = max(reserve if isinstance(reserve, int | float) else 0.0, plate.soc_min_pct)
    return lowest_pct / 100 * device.settings.setMaxWh
