"""What a feeder shows: the last solution, and the extremes of the day. All of it may be read at any time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: The band of ANSI C84.1, range A, pu.
LOW_PU, HIGH_PU = 0.95, 1.05
#: A node below is without voltage: not below the band, but off.
DEAD_PU = 0.01
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One solution; a new object after each, never changed.

    time_s: simulated UTC. voltage_pu: of every node, in the order of `Feeder.node_names`; of loading_pct, of
    `Feeder.topology.transformers`, in percent of the rated current. head_w, head_var: into the feeder at its
    head, W and var; negative while it exports. step_s: the longest step that is allowed next, inf for any;
    open_loop_s: the fastest of the functions that follow the voltage, inf: none. gain: of the loop between
    DERs and feeder, nan before it was measured; bound: below which it is stable at this step and damping;
    damping: the part of a change of voltage that is handed over, 1: all.
    not_converged: solutions that failed so far. solve_s: real time of the last one.
    """

    time_s: float
    voltage_pu: Array
    head_w: float
    head_var: float
    losses_w: float
    losses_var: float
    loading_pct: Array
    step_s: float = math.inf
    open_loop_s: float = math.inf
    gain: float = math.nan
    bound: float = math.inf
    damping: float = 1.0
    not_converged: int = 0
    solve_s: float = 0.0


@dataclass(slots=True)
class Day:
    """The extremes of one local day, by node or by transformer, and how long voltages were outside the band.

    start_s, end_s: the simulated time of its first and its last solution. high_s, low_s: seconds above
    `HIGH_PU` and below `LOW_PU`, by node; any_high_s, any_low_s: of at least one node.
    """

    start_s: float
    end_s: float
    v_min: Array
    v_max: Array
    high_s: Array
    low_s: Array
    loading_max_pct: Array
    any_high_s: float = 0.0
    any_low_s: float = 0.0
    losses_wh: float = 0.0
    head_import_wh: float = 0.0
    head_export_wh: float = 0.0

    @classmethod
    def beginning(cls, snapshot: Snapshot) -> Day:
        """A day that begins with this solution."""
        v, zeros = snapshot.voltage_pu, np.zeros_like(snapshot.voltage_pu)
        return cls(
            snapshot.time_s,
            snapshot.time_s,
            v.copy(),
            v.copy(),
            zeros,
            zeros.copy(),
            snapshot.loading_pct.copy(),
        )

    def count(self, snapshot: Snapshot) -> None:
        """Count a solution, and the time since the one before it, with its values."""
        v, dt_s = snapshot.voltage_pu, snapshot.time_s - self.end_s
        self.end_s = snapshot.time_s
        np.minimum(self.v_min, v, out=self.v_min)
        np.maximum(self.v_max, v, out=self.v_max)
        np.maximum(self.loading_max_pct, snapshot.loading_pct, out=self.loading_max_pct)
        if dt_s <= 0:
            return
        high, low = v > HIGH_PU, (v < LOW_PU) & (v > DEAD_PU)
        self.high_s += high * dt_s
        self.low_s += low * dt_s
        self.any_high_s += dt_s * bool(high.any())
        self.any_low_s += dt_s * bool(low.any())
        hours = dt_s / 3600
        self.losses_wh += snapshot.losses_w * hours
        self.head_import_wh += max(snapshot.head_w, 0.0) * hours
        self.head_export_wh += max(-snapshot.head_w, 0.0) * hours


@dataclass(slots=True)
class Days:
    """The present day and the one before it. offset_s: of local time to UTC."""

    offset_s: float = 0.0
    today: Day | None = None
    yesterday: Day | None = None
    _number: float = field(default=-1.0)

    def count(self, snapshot: Snapshot) -> None:
        """Count a solution; at local midnight a new day begins."""
        number = (snapshot.time_s + self.offset_s) // _DAY_S
        if self.today is None:
            self.today = Day.beginning(snapshot)
        else:
            self.today.count(snapshot)
            if number != self._number:
                self.yesterday, self.today = self.today, Day.beginning(snapshot)
        self._number = number
