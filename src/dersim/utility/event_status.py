"""The EventStatus of a DERControl over time, on the server's side.

A control is Scheduled (0) until the earliest time at which a device may start it (start plus a negative
randomizeStart), then Active (1); one that starts in the past is Active at once. The operator cancels it (2,
or 3 with randomization), and may end it as superseded (4). Otherwise Superseded follows from these rules:

* Two controls compete if a device may have both, they have a mode in common and their intervals overlap,
  without randomization. The one in the program of lower primacy wins; with equal primacy the one created
  later.
* As long as both exist the loser is `potentiallySuperseded`.
* The loser loses the common modes at the *latest* start of the winner, when every device has started it.
  Earlier, devices whose random start is still to come would be left without a control. It loses nothing to a
  control for some of its devices only: the others go on with it.
* A control that has lost all its modes is Superseded. One that has lost some stays Active with the others.
* One whose end was past when it was created takes nothing: no device runs it, they answer it with 254.

No change is before the creation of the control that brings it about.

After its latest end a control is Completed (5), which exists since 2023: 2018 documents keep the 1. Ended
controls stay in the list for a while, so that clients see how they ended: `listed_s` after their end, and a
cancelled or superseded one for up to ENDED_EARLY_LISTED_S while its interval lasts. A client that never reads
how one ended carries it out: by the 2018 edition one that vanishes from its list is not cancelled.

The times of the changes do not depend on how often `advance` is called.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from dersim.utility.program import ACTIVE, COMPLETED, SCHEDULED, SUPERSEDED, Control

#: How long a control stays listed after its end, seconds: two polls of the default rate fit in, and CSIP-AUS
#: looks 20 s after the end.
ENDED_LISTED_S = 15
#: How long a cancelled or superseded one stays while its interval lasts: two polls at the slowest rate that
#: 10.2.3.3 allows, 15 min.
ENDED_EARLY_LISTED_S = 1800


class Change(NamedTuple):
    """A control changed to `status` at `at_s` (UTC seconds); None: it was removed from the list."""

    control: Control
    status: int | None
    at_s: int


class Timeline:
    """What falls due in the life of all controls, in order of time.

    near: the listed controls of the programs that a device may have beside that of a control. A control that
    is not in its program any more is ignored. listed_s: how long a control stays listed after its end.
    """

    def __init__(self, near: Callable[[Control], Iterable[Control]], listed_s: int = ENDED_LISTED_S) -> None:
        self._near = near
        self._listed_s = listed_s
        self._heap: list[tuple[tuple[int, int, int, int], int, Control]] = []
        self._order = itertools.count()

    @property
    def next_due_s(self) -> float:
        """When the next change falls due; infinity where none does."""
        while self._heap and self._is_stale(*self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0][0] if self._heap else math.inf

    def advance(self, now_s: float) -> list[Change]:
        """Carry out what is due until `now_s`; controls that leave the list are removed."""
        changes: list[Change] = []
        while self.next_due_s <= now_s:
            (due_s, *_), _, control = heapq.heappop(self._heap)
            step = self._move(control, due_s)
            for change in step:
                if change.status is None:
                    del control.program.controls[control.number]
                elif change.control is not control:
                    self._plan(change.control)
            self._plan(control)
            changes += step
        self._review_losers([c.control for c in changes if c.status is not None], int(now_s))
        return changes

    def added(self, control: Control, now_s: int) -> None:
        """A control was published: apply modes already lost to others, and what it threatens."""
        rivals = self._rivals(control)
        for winner in rivals:
            if winner.status == ACTIVE and winner.begun and control.live:
                _take(winner, control, now_s)
        self._plan(control)
        if not control.live:
            return
        for other in rivals:
            if other.live and takes(other, control):
                _flag(control, True, now_s)
            elif other.live and takes(control, other):
                _flag(other, True, now_s)

    def ended(self, control: Control, now_s: int) -> None:
        """A control was cancelled or removed."""
        self._plan(control)
        self._review_losers([control], now_s)

    def review(self, controls: Collection[Control], now_s: int) -> None:
        """What these controls compete with was changed."""
        for winner in controls:
            if winner.status == ACTIVE and winner.begun:
                for loser in self._near(winner):
                    if loser.live and _take(winner, loser, now_s):
                        self._plan(loser)
        for control in controls:
            _flag(control, self._is_threatened(control), now_s)

    def plan(self, controls: Iterable[Control]) -> None:
        """The primacy of these controls was changed: of those that are due at once, which goes first?"""
        for control in controls:
            self._plan(control)

    def _plan(self, control: Control) -> None:
        if control.listed:
            heapq.heappush(self._heap, (_due_order(control, self._listed_s), next(self._order), control))

    def _is_stale(self, order: tuple[int, int, int, int], _: int, control: Control) -> bool:
        return not control.listed or order != _due_order(control, self._listed_s)

    def _move(self, control: Control, at_s: int) -> list[Change]:
        # One that was published after its start became active, and took modes, when it was published.
        at_s = max(at_s, control.creation_s)
        if control.status == SCHEDULED:
            control.move_to(ACTIVE, at_s)
            return [Change(control, ACTIVE, at_s)]
        if control.status != ACTIVE:
            return [Change(control, None, at_s)]
        if control.begun:
            control.move_to(COMPLETED, at_s)
            return [Change(control, COMPLETED, at_s)]
        control.begun = True
        return [
            Change(loser, SUPERSEDED, at_s)
            for loser in self._near(control)
            if loser.live and _take(control, loser, at_s)
        ]

    def _review_losers(self, controls: Iterable[Control], now_s: int) -> None:
        """Those that have ended threaten nobody any more: look at their losers again, each once."""
        losers = {
            loser: None
            for control in controls
            if not (control.live and control.listed)
            for loser in self._rivals(control)
            if loser.potentially_superseded and loser.live
        }
        for loser in losers:
            _flag(loser, self._is_threatened(loser), now_s)

    def _is_threatened(self, control: Control) -> bool:
        return any(winner.live and takes(winner, control) for winner in self._rivals(control))

    def _rivals(self, control: Control) -> list[Control]:
        """The near controls whose intervals overlap with that of `control`."""
        start_s, end_s = control.start_s, control.end_s
        return [
            other
            for other in self._near(control)
            if other.start_s < end_s and start_s < other.end_s and other is not control
        ]


def _flag(control: Control, threatened: bool, now_s: int) -> None:
    """Set potentiallySuperseded; one that is over keeps what it had."""
    if control.live and threatened != control.potentially_superseded:
        control.potentially_superseded = threatened
        control.potentially_superseded_s = now_s if threatened else None
        control.program.changed()


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


def _take(winner: Control, loser: Control, at_s: int) -> bool:
    """Take the shared modes from `loser`; whether that was the last of them."""
    if not takes(winner, loser) or not winner.program.covers(loser.program):
        return False
    loser.lost |= winner.competing_modes - winner.lost
    if not loser.competing_modes <= loser.lost:
        return False
    loser.move_to(SUPERSEDED, at_s)
    loser.program.changed()
    return True


def takes(winner: Control, loser: Control) -> bool:
    """Whether `winner`, once it starts, takes a mode from `loser` on a device that has both."""
    return (
        winner.start_s < loser.end_s
        and loser.start_s < winner.end_s
        and winner is not loser
        and winner.end_s > winner.creation_s
        and (winner.program.primacy, -winner.creation_s) < (loser.program.primacy, -loser.creation_s)
        and not winner.competing_modes.isdisjoint(loser.competing_modes)
    )
