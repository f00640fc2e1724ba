"""The loop between DERs and feeder: how long a step may be, how strong the loop is, when it is damped.

Voltages of one step are the conditions of the next, so the loop is explicit. With the loop gain g (what
a voltage moves by dV/dQ x dQ/dV, and the same for P), a DER's open-loop time T (to 90 %) and the step s, the
lag keeps e = exp(-s ln 10 / T) of a difference, and the part d of each change of voltage is handed over. The
loop is stable if

    g < (1 + e) (2 - d) / (d (1 - e))

which is (1 + e) / (1 - e) without damping, d = 1. While voltages move the step is at most a fifth of the
fastest open-loop time and 1 s. As they settle it grows, up to the tick, so that no voltage moves by more than
`TOLERANCE_PU` in a step. Where no function follows the voltage any step will do: the feeder has no memory.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LN_10 = math.log(10)
#: The longest step while a function that follows the voltage is in force and something moves, s.
FAST_S = 1.0
#: What a voltage may move in a step longer than that, pu.
TOLERANCE_PU = 3e-4
#: How near to the bound of stability the loop may be before it is damped more.
_MARGIN = 0.8
_LEAST_DAMPING = 0.05
#: An oscillation: so many steps in turn up and down by so much, pu, without becoming much smaller.
_SWINGS, _SWING_PU, _KEPT = 6, 5e-4, 0.85


def bound(step_s: float, open_loop_s: float, damping: float = 1.0) -> float:
    """The loop gain below which the loop is stable."""
    e = math.exp(-step_s * _LN_10 / open_loop_s) if open_loop_s > 0 else 0.0
    if e >= 1:
        return math.inf
    return (1 + e) * (2 - damping) / (damping * (1 - e))


def damping_for(gain: float, step_s: float, open_loop_s: float) -> float:
    """The part of a change that may be handed over at this loop gain: 1, or less in halves."""
    damping = 1.0
    while damping > _LEAST_DAMPING and gain >= _MARGIN * bound(step_s, open_loop_s, damping):
        damping /= 2
    return damping


def fast_step_s(open_loop_s: float) -> float:
    """The longest step while something moves. open_loop_s: the fastest in force; inf: none, any step."""
    if math.isinf(open_loop_s):
        return math.inf
    return min(open_loop_s / 5, FAST_S) if open_loop_s > 0 else FAST_S


class Pace:
    """How long the next step may be: short while voltages move, at most twice the one before it."""

    def __init__(self) -> None:
        self._step_s, self._open_loop_s = math.inf, math.inf

    def after(self, taken_s: float, moved_pu: float, open_loop_s: float) -> None:
        """Take note of a step of taken_s in which a voltage moved by so much."""
        self._open_loop_s = open_loop_s
        fast_s = fast_step_s(open_loop_s)
        if math.isinf(fast_s):
            self._step_s = math.inf
        else:
            grown = min(2.0, TOLERANCE_PU / moved_pu if moved_pu > 0 else math.inf)
            self._step_s = max(fast_s, taken_s * grown)

    def next_s(self, open_loop_s: float) -> float:
        """The longest next step. open_loop_s: the fastest in force; another than before: a function began."""
        return self._step_s if open_loop_s == self._open_loop_s else fast_step_s(open_loop_s)


class Oscillation(NamedTuple):
    """Where the loop swings (the position of a DER) and by how much, pu."""

    position: int
    swing_pu: float


class Swings:
    """Finds voltages that go up and down step by step and do not settle."""

    def __init__(self, count: int) -> None:
        self._before = np.zeros(count)
        self._turns = np.zeros(count, dtype=np.int32)

    def see(self, change_pu: Array) -> Oscillation | None:
        """The changes of a step, one for each DER; the worst place once it has swung for long enough."""
        size = np.abs(change_pu)
        turned = (change_pu * self._before < 0) & (size > _SWING_PU) & (size > _KEPT * np.abs(self._before))
        self._turns = np.where(turned, self._turns + 1, 0)
        self._before = change_pu.copy()
        if not len(size) or self._turns.max() < _SWINGS:
            return None
        worst = int(np.argmax(np.where(self._turns >= _SWINGS, size, 0)))
        self._turns[:] = 0
        return Oscillation(worst, float(size[worst]))
