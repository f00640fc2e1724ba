"""What holds at every tick of a running fleet, as code that watches it (docs/invariants.md).

`Watcher(fleet, services, clock, log)` looks after each tick: `step()` for a harness that drives the ticks,
`run()` beside a `Simulator`. Each invariant is a class of its own module with its id and statement. It
compares what a DER shows and sends, and takes over nothing that the watched code has worked out.
"""

from __future__ import annotations

from dersim.invariants.base import FleetLook, Invariant, Look, Violation
from dersim.invariants.repeat import same
from dersim.invariants.rules import all_invariants
from dersim.invariants.watcher import Watcher

__all__ = ["FleetLook", "Invariant", "Look", "Violation", "Watcher", "all_invariants", "same"]
