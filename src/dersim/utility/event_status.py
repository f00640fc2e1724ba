"""How EventStatus moves with time: the server's side of the life of a DERControl.

A control is Scheduled (0) until the earliest instant at which a device may start it, start plus a negative
randomizeStart, and Active (1) from then on; one whose start lies in the past is never Scheduled. Cancelled
(2) comes from outside. Superseded (4) is worked out here:

* Of two controls with a mode in common whose intervals overlap, the better one is that of the lower primacy,
  and among equals the one created later. The intervals are those without randomization, since randomization
  may not make neighbours overlap.
* From the moment both exist the worse one is `potentiallySuperseded`; when the better one is cancelled in
  time, it no longer is.
* The modes change hands when every device must have started the better one, that is at its *latest* start:
  marking the loser earlier would leave devices whose random start is still to come without any control.
* A control that has lost all its modes in this way is Superseded, for good. One that has lost only some
  stays Active, and devices carry on with the rest.

After its latest end a control is Completed: an edition of 2023 only, so that 2018 documents keep the 1. Ended
controls stay listed for a while, for those who want to see how it ended, and then leave the list.

The functions are pure in time: `advance` called late gives the same times as `advance` called often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dersim.utility.program import ACTIVE, COMPLETED, SCHEDULED, SUPERSEDED, Control

#: How long a control stays listed after it is completed, or cancelled or superseded, in seconds.
COMPLETED_LISTED_S = 30
ENDED_EARLY_LISTED_S = 300


class Change(NamedTuple):
    """A control moved to `status` at `at_s`; None: it left the list."""

    control: Control
    status: int | None
    at_s: int


def advance(controls: Sequence[Control], now_s: float) -> list[Change]:
    """Carry out all that is due until `now_s`, in the order of time.

    Controls that leave the list are only reported; removing them is the caller's business.
    """
    changes: list[Change] = []
    present = list(controls)
    while present:
        control = min(present, key=_due_order)
        due_s = due(control)
        if due_s > now_s:
            break
        step = _move(control, due_s, present)
        changes += step
        present = [c for c in present if not any(s.control is c and s.status is None for s in step)]
    if changes:
        review(present, int(now_s))
    return changes


def next_due(controls: Iterable[Control]) -> float:
    """When the next change falls due; infinity where none does."""
    return min((due(control) for control in controls), default=math.inf)


def due(control: Control) -> int:
    """When this control's next change falls due, seconds."""
    if control.status == SCHEDULED:
        return control.earliest_start_s
    if control.status == ACTIVE:
        return control.latest_end_s if control.begun else control.latest_start_s
    stays_s = COMPLETED_LISTED_S if control.status == COMPLETED else ENDED_EARLY_LISTED_S
    return control.status_since_s + stays_s


def _due_order(control: Control) -> tuple[int, int, int, int]:
    # At one instant the better control goes first, so that one which never gets to start takes nothing; and
    # all starts come before the modes change hands.
    return (due(control), control.status, control.program.primacy, -control.creation_s)


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
    """Whether `winner`, where it comes to act, takes a mode from `loser`."""
    return (
        winner is not loser
        and (winner.program.primacy, -winner.creation_s) < (loser.program.primacy, -loser.creation_s)
        and winner.start_s < loser.end_s
        and loser.start_s < winner.end_s
        and not winner.competing_modes.isdisjoint(loser.competing_modes)
    )


def review(controls: Sequence[Control], now_s: int) -> list[Change]:
    """After a control came or went: give the newest their losses so far, and set `potentiallySuperseded`."""
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
