"""What a state file says of its run: whether this run may go on from it, and at which simulated time.

`continue`: simulated time goes on as if the simulator had run all the time: where it follows the computer's
clock, at that clock's time; else at the saved instant plus the true time since then at --rate. `stand`: it
goes on from the saved instant. After a crash that is a little later, because a Modbus client may have seen
what came after the last save: the DERs make up for that time.
"""

from __future__ import annotations

import hashlib
import json
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from dersim.errors import ConfigError
from dersim.fleet_plan import FleetPlan

Resume = Literal["continue", "stand"]


class Head(NamedTuple):
    """The run of a state file.

    seed: of all random draws. lives: how many processes have run it. first, ders, groups: its DERs; groups is
    a digest of their names, numbers and order. began_s: simulated time at which it began. sim_s, true_s:
    the instant of the last save, simulated and by the computer's clock, UTC s. clean: it was stopped, not
    killed. late_s: simulated time after that instant of which somebody may have seen something. follows: its
    simulated time is the computer's clock.
    """

    seed: int
    lives: int
    first: int
    ders: int
    groups: str
    began_s: float
    sim_s: float
    true_s: float
    clean: bool
    late_s: float
    follows: bool


def head_of(document: Mapping[str, Any]) -> Head:
    """The run of a file; ConfigError for one that cannot be read."""
    try:
        return Head(**document)
    except TypeError as error:
        raise ConfigError(f"its content cannot be used: {error}; give another file") from None


def digest_of(plan: FleetPlan) -> str:
    """Of the groups of a plan: equal for plans with the same DERs."""
    groups = [[group.name, group.first, group.count] for group in plan.groups]
    return hashlib.sha256(json.dumps(groups).encode()).hexdigest()[:16]


def check(head: Head, options: Namespace) -> None:
    """ConfigError for a run with other DERs or another seed, with what to do."""
    plan: FleetPlan = options.plan
    if (head.first, head.ders) != (plan.first, plan.count):
        raise ConfigError(
            f"it is of {_ders(head.first, head.ders)}, and this run has {_ders(plan.first, plan.count)}; "
            f"start with -N {head.ders} --first {head.first}, or give another file"
        )
    if head.groups != digest_of(plan):
        raise ConfigError(
            "it is of a fleet with other groups; start with the fleet file of that run, or give another file"
        )
    if options.given_seed not in (None, head.seed):
        raise ConfigError(
            f"it is of --seed {head.seed}, not {options.given_seed}; leave out --seed, or give another file"
        )


def _ders(first: int, count: int) -> str:
    return f"DER {first}" if count == 1 else f"DERs {first} to {first + count - 1}"


def start_s(head: Head, latest_s: float, options: Namespace) -> float | None:
    """The first instant of simulated time, UTC s; None: the computer's clock.

    latest_s: the last step of any DER in the file. A run that began with --start_clock_time goes on in its
    own time, whatever that flag says now.
    """
    saved_s = max(head.sim_s, latest_s)
    if options.resume == "stand":
        return saved_s if head.clean else saved_s + head.late_s
    if head.follows or options.wall_clock:
        return None
    rate: float = options.rate
    return max(saved_s, head.sim_s + max(0.0, time.time() - head.true_s) * rate)
