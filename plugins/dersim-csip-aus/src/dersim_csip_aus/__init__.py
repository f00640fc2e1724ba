"""CSIP-AUS limits for dersim: what the plug-in declares.

Two hooks. The schema extensions let the 2030.5 codec read and write six foreign elements: four limits, each
with its own mode, and two masks by which the DER reports the limits that it supports. The control function
obeys the modes.
"""

from collections.abc import Iterable

from dersim.plugin import FunctionType, ModeSpec, SchemaExtension, hookimpl
from dersim_csip_aus.limits import LIMITS, OperatingEnvelope, parameters_of

NAMESPACE = "https://csipaus.org/ns"

#: What an ActivePower can carry: a 16-bit value and a power of ten.
_HIGHEST_W = 32767e9
#: DOEControlType: the bits of doeModesSupported and doeModesEnabled, from bit 0.
_BITS = ("opModExpLimW", "opModImpLimW", "opModGenLimW", "opModLoadLimW")


@hookimpl
def register_schema_extensions() -> Iterable[SchemaExtension]:
    """The four elements of DERControlBase, in controls and in defaults, and the two masks."""
    limits = [
        SchemaExtension(
            namespace=NAMESPACE,
            element=mode,
            parents=("DERControlBase",),
            mode=ModeSpec(mode, "number", "W", low=0, high=_HIGHEST_W),
            wire_type="ActivePower",
        )
        for mode in LIMITS
    ]
    masks = [
        SchemaExtension(NAMESPACE, element, (parent,), None, "HexBinary8", tell=modes_mask)
        for parent, element in (("DERCapability", "doeModesSupported"), ("DERSettings", "doeModesEnabled"))
    ]
    return [*limits, *masks]


@hookimpl
def register_control_functions() -> Iterable[FunctionType]:
    """One function for all four, since they act on the same power."""
    return [
        FunctionType(
            name="csip-aus-limits",
            modes=LIMITS,
            stage="command",
            make=OperatingEnvelope,
            parameters={mode: parameters_of(mode) for mode in LIMITS},
            doc="export, import, generation and load limits of CSIP-AUS",
        )
    ]


def modes_mask(supported: frozenset[str]) -> int:
    """The DOEControlType of what a DER supports."""
    return sum(1 << bit for bit, mode in enumerate(_BITS) if mode in supported)
