"""Which modes cannot act together, and which of them wins within one source; see `setpoints.py`, step 2."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from dersim.functions.contract import FunctionType

#: Modes that cannot act together, from the strongest to the weakest within one source. Modes on one line are
#: equally strong, and the latest wins.
Rivals = tuple[tuple[tuple[str, ...], ...], ...]
_RIVALS: Rivals = (
    (
        ("opModFixedVar", "opModTargetVar"),
        ("opModFixedPFInjectW", "opModFixedPFAbsorbW"),
        ("opModWattVar", "opModWattPF"),
        ("opModVoltVar",),
    ),
    (("opModTargetW",), ("opModFixedW",)),
    (("opModFreqDroop",), ("opModFreqWatt",)),
)
#: Lines whose modes act together.
COMPANIONS = (("opModFixedPFInjectW", "opModFixedPFAbsorbW"),)


def with_third_party(types: Mapping[str, FunctionType]) -> Rivals:
    """`_RIVALS` with the reactive modes of third-party functions, as strong as fixed var."""
    known = {mode for group in _RIVALS for line in group for mode in line}
    third_party = tuple(m for m, kind in types.items() if kind.stage == "reactive" and m not in known)
    reactive = (_RIVALS[0][0] + third_party, *_RIVALS[0][1:])
    return (reactive, *_RIVALS[1:])


@lru_cache(maxsize=64)
def by_mode(types: tuple[FunctionType, ...]) -> tuple[Mapping[str, FunctionType], Rivals]:
    """The type of each mode, and which modes exclude each other; one for all DERs of the same functions."""
    found = {mode: kind for kind in types for mode in kind.modes}
    return found, with_third_party(found)
