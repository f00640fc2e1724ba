"""The list of all invariants."""

from __future__ import annotations

from dersim.invariants.base import Invariant
from dersim.invariants.conflicts import Conflicts
from dersim.invariants.energy import Energy
from dersim.invariants.leaks import Leaks
from dersim.invariants.loop_lag import LoopLag
from dersim.invariants.memory import Memory
from dersim.invariants.power import Power
from dersim.invariants.response_order import ResponseOrder
from dersim.invariants.secrecy import Secrecy

KINDS: tuple[type[Invariant], ...] = (
    ResponseOrder,
    Conflicts,
    Power,
    Energy,
    Leaks,
    Memory,
    LoopLag,
    Secrecy,
)


def all_invariants() -> list[Invariant]:
    """A new one of each kind, for one run."""
    return [kind() for kind in KINDS]
