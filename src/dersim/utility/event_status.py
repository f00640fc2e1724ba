"""The EventStatus of a DERControl over time, on the server's side.

A control is Scheduled (0) until the earliest time at which a device may start it (start plus a negative
randomizeStart), then Active (1); one that starts in the past is Active at once. The operator cancels it (2).
Superseded (4) follows from these rules:

* Two controls compete if they have a mode in common and their intervals overlap, without randomization. The
  one in the program of lower primacy wins; with equal primacy the one created later.
* As long as both exist the loser is `potentiallySuperseded`.
* The loser loses the common modes at the *latest* start of the winner, when every device has started it.
  Earlier, devices whose random start is still to come would be left without a control.
* A control that has lost all its modes is Superseded. One that has lost some stays Active with the others.

After its latest end a control is Completed (5), which exists since 2023: 2018 documents keep the 1. Ended
controls stay in the list for a while, so that clients see how they ended: `listed_s` after their end, and a
cancelled or superseded one for up to ENDED_EARLY_LISTED_S while its interval lasts.

The times of the changes do not depend on how often `advance` is called.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dersim.utility.program import ACTIVE, COMPLETED, SCHEDULED, SUPERSEDED, Control

#: How long a control stays listed after its end, seconds: two polls of the default rate fit in, and CSIP-AUS
#: looks 20 s after the end.
ENDED_LISTED_S = 15
#: How long a cancelled or superseded one stays while its interval lasts: a client that misses its status
#: would carry it on.
ENDED_EARLY_LISTED_S = 300


class Change(NamedTuple):
    """A control changed to `status` at `at_s` (UTC seconds); None: it was removed from the list."""

    control: Control
    status: int | None
    at_s: int


def advance(controls: Sequence[Control], now_s: float, listed_s: int = ENDED_LISTED_S) -> list[Change]:
    """Carry out what is due until `now_s`, in order of time.

    Controls that leave the list are only reported; the caller removes them.
    """
    changes: list[Change] = []
    present = list(controls)
    while present:
        control = min(present, key=lambda each: _due_order(each, listed_s))
        due_s = due(control, listed_s)
        if due_s > now_s:
            break
        step = _move(control, due_s, present)
        changes += step
        present = [c for c in present if not any(s.control is c and s.status is None for s in step)]
    if changes:
        review(present, int(now_s))
    return changes


def next_due(controls: Iterable[Control], listed_s: int = ENDED_LISTED_S) -> float:
    """When the next change falls due; infinity where none does."""
    return min((due(control, listed_s) for control in controls), default=math.inf)


def due(control: Control, listed_s: int) -> int:
    """When this control's next change falls due, seconds."""
    if control.status == SCHEDULED:
        return control.earliest_start_s
    if control.status == ACTIVE:
        return control.latest_end_s if control.begun else control.latest_start_s
    ended_s = control.status_since_s
    if control.status != COMPLETED:
        ended_s = max(ended_s, control.latest_end_s)
    return min(ended_s + listed_s, control.status_since_s + max(listed_s, ENDED_EARLY_LISTED_S))


def _due_order(control: Control, listed_s: int) -> tuple[int, int, int, int]:
    # At the same time the winner goes first, so that a control that never starts takes nothing; and all
    # starts come before modes are lost.
    return (due(control, listed_s), control.status, control.program.primacy, -control.creation_s)


def _move(control: Control, at_s: int, present: Sequence[Control]) -> list[Change]:
    if control.status == SCHEDULED:
        # One that was published after its start became active when it was published.
        at_s = max(at_s, control.creation_s)
        control.move_to(ACTIVE, at_s)
        return [Change(control, ACTIVE, at_s)]
    if control.status != ACTIVE:
        return [Change(control, None, at_s)]
    if control.begun:
        control.move_to(COMPLETED, at_s)
        return [Change(control, COMPLETED, at_s)]
    control.begun = True
    return [
        Change(loser, SUPERSEDED, at_s) for loser in present if loser.live and _take(control, loser, at_s)
    ]


def _take(winner: Control, loser: Control, at_s: int) -> bool:
    """Take the shared modes from `loser`; whether that was the last of them."""
    if not takes(winner, loser):
        return False
    loser.lost |= winner.competing_modes - winner.lost
    if not loser.competing_modes <= loser.lost:
        return False
    loser.move_to(SUPERSEDED, at_s)
    return True


def takes(winner: Control, loser: Control) -> bool:
    """Whether `winner`, once it starts, takes a mode from `loser`."""
    return (
        winner is not loser
        and (winner.program.primacy, -winner.creation_s) < (loser.program.primacy, -loser.creation_s)
        and winner.start_s < loser.end_s
        and loser.start_s < winner.end_s
        and not winner.competing_modes.isdisjoint(loser.competing_modes)
    )


def review(controls: Sequence[Control], now_s: int) -> list[Change]:
    """After a control was added or cancelled: apply modes already lost, update `potentiallySuperseded`."""
    changes = [
        Change(loser, SUPERSEDED, now_s)
        for winner in controls
        if winner.status == ACTIVE and winner.begun
        for loser in controls
        if loser.live and _take(winner, loser, now_s)
    ]
    live = [control for control in controls if control.live]
    for control in live:
        threatened = any(takes(winner, control) for winner in live)
        if threatened != control.potentially_superseded:
            control.potentially_superseded = threatened
            control.potentially_superseded_s = now_s if threatened else None
    return changes
