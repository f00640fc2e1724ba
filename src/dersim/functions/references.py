"""The reference of a percent: DERUnitRefType of curves and fixed var (2030.5-2018 10.10.4, yRefType).

1 % of setMaxW, 2 % of setMaxVar, 3 % of statVarAvail, 7 % of statWAvail, 8 % of setMaxVA (2023 edition).
Where Q absorbs, 2 is % of setMaxVarNeg and 3 % of statVarAbsorbAvail.
"""

from __future__ import annotations

from dersim.hardware.measured import Measured
from dersim.hardware.settings import Settings


def var_base(settings: Settings, reference: int, *, injecting: bool, seen: Measured) -> float:
    """100 % of a reactive quantity in var (or W, VA), positive."""
    if reference == 1:
        return settings.setMaxW
    if reference == 8:
        return settings.setMaxVA
    if reference == 3:
        inject, absorb = seen.var_available(seen.wanted_w)
        return inject if injecting else absorb
    return settings.setMaxVar if injecting else -settings.setMaxVarNeg


def reference_objection(reference: int, allowed: tuple[int, ...]) -> str:
    """Why a DERUnitRefType is refused here, or ""."""
    if reference in allowed:
        return ""
    return f"y_ref_type {reference} is not one of {', '.join(map(str, allowed))}"
