"""A feeder behind the DERs: the solutions, the loop between both, and what is shown of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import ConfigError
from dersim_feeder.coupling import Oscillation, Pace, Swings, bound, damping_for, fast_step_s
from dersim_feeder.engine import Bus, Connection, Engine, NotConverged, Totals
from dersim_feeder.load_profile import Loads
from dersim_feeder.positions import positions_of, set_positions
from dersim_feeder.results import Days, Snapshot
from dersim_feeder.slopes import Slopes
from dersim_feeder.topology import Topology

Array = NDArray[np.float64]
#: Loads move in steps of a minute.
_LOADS_EVERY_S = 60.0
#: Of the voltage by which the loop gain is measured, pu, and how often that is refined.
_PERTURBATION_PU, _REFINEMENTS = 1e-3, 4
#: Outside of these DERs may cease, trip and return, which no open-loop time describes. For so long after it
#: steps are as short as with this open-loop time, s.
_RIDDEN_PU, _AFTER_S, _ASSUMED_S = (0.88, 1.1), 60.0, 5.0


class Feeder:
    """A feeder with its DERs, solved step by step.

    buses: by name, in the order of node_names ("bus.node"). connections: of each DER, by number.
    loads: those that follow a profile. offset_s: of local time to UTC.
    last: the latest solution; days: the extremes; `observers` are called with every solution, in the event
    loop. damped: the part of a change of voltage that short steps hand over, 1: all; long ones may hand over
    less. All may be read at any time. `solve` is called in one thread at a time.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        topology: Topology,
        buses: Mapping[str, Bus],
        connections: Mapping[int, Connection],
        *,
        loads: Loads | None = None,
        offset_s: float = 0.0,
    ) -> None:
        self.name = name
        self.topology = topology
        self.buses = buses
        self.connections = connections
        self.node_names = engine.node_names
        self.days = Days(offset_s)
        self.observers: list[Callable[[Snapshot], None]] = []
        self.not_converged = 0
        self.oscillation: Oscillation | None = None
        self.damped = 1.0
        self._short_until_s = -math.inf
        self._engine = engine
        self._loads = loads
        self._loads_s = math.nan
        self._offset_s = offset_s
        self._transformers = np.array([each.row for each in topology.transformers], dtype=np.intp)
        self._rows = _rows(list(connections.values()), buses)
        self._between = np.array(
            [i for i, each in enumerate(connections.values()) if len(each.nodes) > each.phases], dtype=np.intp
        )
        self._pace = Pace()
        self._swings = Swings(len(connections))
        self._given: Array | None = None
        self._limit, self._damping, self._bound = 1.0, 1.0, math.inf
        self._time_s = math.nan
        self._positions = positions_of(engine.circuit)
        self.gain = math.nan
        self.last: Snapshot | None = None

    def longest_step_s(self, open_loop_s: float) -> float:
        """The longest step that is allowed now, simulated s. open_loop_s: the fastest in force, inf: none."""
        return self._pace.next_s(self._effective_s(open_loop_s))

    def solve(
        self, time_s: float, kw: Array, kvar: Array, open_loop_s: float, slopes: Slopes | None = None
    ) -> Array:
        """The voltages that each DER meets next, three values for each; NotConverged where there are none.

        kw, kvar: of each DER. open_loop_s: the fastest in force, inf: none. slopes: measure the loop gain.
        """
        begun = time.perf_counter()
        local_s = time_s + self._offset_s
        if math.isnan(self._time_s):
            self._engine.start_at(local_s)
        self._move_loads(local_s)
        try:
            self._engine.set_powers(kw.tolist(), kvar.tolist())
            self._engine.solve(local_s)
            voltage = self._engine.voltages()
        except NotConverged:
            self.not_converged += 1
            self._time_s = time_s
            self._engine.forget()
            raise
        totals = self._engine.totals(self._transformers)
        self._positions = positions_of(self._engine.circuit)
        if slopes is not None:
            self.gain = 0.0 if slopes.flat else self._measured(kw, kvar, voltage, slopes)
        taken_s = 0.0 if math.isnan(self._time_s) else time_s - self._time_s
        self._time_s = time_s
        given = self._hand_over(voltage, taken_s, open_loop_s)
        self._show(time_s, voltage, totals, open_loop_s, time.perf_counter() - begun)
        return given

    def checkpoint(self) -> dict[str, Any]:
        """What a run needs to go on: the voltages that the DERs met last, taps and steps."""
        given = None if self._given is None else self._given.ravel().tolist()
        return {"given": given, "damping": self._limit, "controls": self._positions}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave, before the first solution; ConfigError: it is of another run."""
        given = document["given"]
        if given is not None and len(given) != self._rows.size:
            raise ConfigError(f"feeder {self.name}: the kept state has other DERs; start without it")
        set_positions(self._engine.circuit, dict(document["controls"]), self._engine.what)
        self._given = None if given is None else np.array(given).reshape(-1, 3)
        self._limit = float(document["damping"])

    def _move_loads(self, local_s: float) -> None:
        minute_s = local_s - local_s % _LOADS_EVERY_S
        if self._loads is not None and minute_s != self._loads_s:
            self._loads_s = minute_s
            self._engine.set_loads(self._loads.elements, *self._loads.at(minute_s / 3600 % 24))

    def _hand_over(self, voltage: Array, taken_s: float, open_loop_s: float) -> Array:
        """The voltages for the DERs, damped where the loop asks for it."""
        found = self._met(voltage)
        if self._given is None:
            self._given = found
            self._pace.after(0.0, 1.0, open_loop_s)
            return found.ravel()
        low, high = _RIDDEN_PU
        if found.max() > high or found.min() < low:
            self._short_until_s = self._time_s + _AFTER_S
        if math.isinf(open_loop_s):
            self.gain = math.nan
        open_loop_s = self._effective_s(open_loop_s)
        damping = self._damped(taken_s, open_loop_s)
        change = damping * (found - self._given)
        self._given = self._given + change
        if math.isinf(open_loop_s):
            self._limit = 1.0  # a new curve begins without what an old one needed
        elif swing := self._swings.see(change.mean(axis=1)):
            self.oscillation, self._limit = swing, max(self._limit / 2, 1 / 16)
        self.damped = self._damped(fast_step_s(open_loop_s), open_loop_s)
        self._damping, self._bound = damping, bound(taken_s, open_loop_s, damping)
        self._pace.after(taken_s, float(np.abs(change).max()), open_loop_s)
        return self._given.ravel()

    def _damped(self, step_s: float, open_loop_s: float) -> float:
        """The part of a change that is handed over after such a step."""
        if math.isnan(self.gain):
            return self._limit
        return min(self._limit, damping_for(self.gain, step_s, open_loop_s))

    def _effective_s(self, open_loop_s: float) -> float:
        """The open-loop time by which steps are chosen."""
        return min(open_loop_s, _ASSUMED_S) if self._time_s < self._short_until_s else open_loop_s

    def _met(self, voltage: Array) -> Array:
        """What the DERs measure, three values for each; one between two legs measures the mean of both."""
        found = voltage[self._rows]
        if len(self._between):
            found[self._between] = found[self._between, :2].mean(axis=1, keepdims=True)
        return found

    def _measured(self, kw: Array, kvar: Array, voltage: Array, slopes: Slopes) -> float:
        """The loop gain: how much a change of all voltages comes back by what the DERs do about it."""
        before = self._met(voltage).mean(axis=1)
        shape, gain = np.full(len(kw), _PERTURBATION_PU), 0.0
        try:
            with self._engine.tried():
                for _ in range(_REFINEMENTS):
                    p, q = kw - slopes.kw_pu * shape, kvar - slopes.kvar_pu * shape
                    self._engine.set_powers(p.tolist(), q.tolist())
                    self._engine.solve_again()
                    answer = self._met(self._engine.voltages()).mean(axis=1) - before
                    gain = float(np.abs(answer).max()) / _PERTURBATION_PU
                    if gain <= 0:
                        break
                    shape = -answer * (_PERTURBATION_PU / float(np.abs(answer).max()))
        except NotConverged:
            return self.gain
        return gain

    def _show(
        self, time_s: float, voltage: Array, totals: Totals, open_loop_s: float, solve_s: float
    ) -> None:
        self.last = Snapshot(
            time_s,
            voltage,
            totals.head_w,
            totals.head_var,
            totals.losses_w,
            totals.losses_var,
            totals.loading_pct * self.topology.rated,
            self.longest_step_s(open_loop_s),
            open_loop_s,
            self.gain,
            self._bound,
            self._damping,
            self.not_converged,
            solve_s,
        )
        self.days.count(self.last)


def _rows(connections: Sequence[Connection], buses: Mapping[str, Bus]) -> NDArray[np.intp]:
    """For each DER the rows of the voltages of its phases; the first stands for missing ones."""
    rows = []
    for bus_name, nodes, _ in connections:
        bus = buses[bus_name]
        own = [bus.rows[bus.nodes.index(node)] for node in nodes]
        rows.append((own + [own[0]] * 2)[:3])
    return np.array(rows, dtype=np.intp).reshape(-1, 3)
