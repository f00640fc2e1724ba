"""Criteria that many procedures share."""

from __future__ import annotations

from dersim.conformance.checks import answers, power, wire
from dersim.conformance.checks.finding import SETTLING_S
from dersim.conformance.procedure import Criterion
from dersim.conformance.window import Expected, Window

#: By when a device has read the tree and obeys its default, printed seconds after t0.
READ_BY = 30


#: What every procedure asks for beside its own criteria.
ALWAYS = (
    Criterion("every body is accepted", wire.bodies_accepted),
    Criterion("no request that was refused is repeated", wire.not_repeated, printed_only=True),
)


def is_read(*programs: str) -> Criterion:
    """READ of each program."""
    return Criterion(f"lists, programs and defaults of {_and(programs)} are fetched", wire.read(*programs))


def is_polled(*programs: str) -> tuple[Criterion, ...]:
    """POLL of each program."""
    return tuple(
        Criterion(f"the DERControlList of {name} is polled", wire.polled(wire.of_program(name, "/derc")))
        for name in programs
    )


def is_looked_at(*controls: str) -> tuple[Criterion, ...]:
    """GETC of each control, before it is activated. Many clients read currentStatus in the list."""
    return tuple(
        Criterion(
            f"{name} is fetched by its own href before it is activated",
            wire.looked_before_start(name),
            printed_only=True,
        )
        for name in controls
    )


def rules(
    what: str,
    expected: Expected,
    since: float,
    until: float,
    *,
    settling_s: float = SETTLING_S,
    moved: bool = False,
) -> Criterion:
    """What is seen at the terminals in a part of the run; the rest as for `power.seen`."""
    check = power.seen(expected, since, until, settling_s=settling_s, moved=moved)
    window = Window(expected, since, until, settling_s)
    return Criterion(f"{what} from {since:g} to {until:g} s", check, window=window)


def is_completed(control: str) -> Criterion:
    """Responses 1, 2, 3."""
    return Criterion(f"{control}: Responses 1, 2 and 3 in time", answers.answered(control, 1, 2, 3))


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)
