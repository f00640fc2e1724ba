"""The list of all invariants."""

from __future__ import annotations

from dersim.invariants.agreement import Agreement
from dersim.invariants.alertness import Alertness
from dersim.invariants.base import Invariant
from dersim.invariants.conflicts import Conflicts
from dersim.invariants.documents import ValidBodies
from dersim.invariants.energy import Energy
from dersim.invariants.events import Events
from dersim.invariants.independence import Independence
from dersim.invariants.leaks import Leaks
from dersim.invariants.loop_lag import LoopLag
from dersim.invariants.memory import Memory
from dersim.invariants.power import Power
from dersim.invariants.rates import Rates, Spread
from dersim.invariants.response_duty import ResponseDuty
from dersim.invariants.response_order import ResponseOrder
from dersim.invariants.secrecy import Secrecy

KINDS: tuple[type[Invariant], ...] = (
    Events,
    ResponseOrder,
    ResponseDuty,
    Conflicts,
    Power,
    Energy,
    Agreement,
    Leaks,
    Memory,
    LoopLag,
    Rates,
    Spread,
    Independence,
    ValidBodies,
    Secrecy,
    Alertness,
)


def all_invariants() -> list[Invariant]:
    """A new one of each kind, for one run."""
    return [kind() for kind in KINDS]
