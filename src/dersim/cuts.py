"""Where the step of a DER is cut, so that what happens inside it happens at its own instant.

At a known instant - a setpoint expires, a grid profile goes to its next row, a timer of a protecting function
runs out - the piece before it ends and a step of zero length follows, in which outputs may jump. In between
nothing jumps.
"""

from __future__ import annotations

import math

from dersim.functions.service import Service
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.measured import Measured
from dersim.setpoints import Setpoints

#: The shortest piece, s; against a profile whose next row rounds to the present instant.
_SHORTEST_S = 1e-6
#: After so many pieces in one step they have a least length, so that timers that keep ending cannot hold it.
_MOST_PIECES = 100


class Cuts:
    """The cuts of one DER's steps; `begin` with each step.

    least_s: the shortest piece that a timer may ask for.
    """

    def __init__(self, setpoints: Setpoints, inputs: Inputs, service: Service) -> None:
        self._setpoints = setpoints
        self._inputs = inputs
        self._service = service
        self._row_s = math.inf
        self._pieces = 0
        self.least_s = 0.0

    def begin(self) -> None:
        """A step begins."""
        self._pieces, self.least_s = 0, 0.0

    def next_s(self, last_s: float, now_s: float) -> float:
        """The end of the next piece of a step from last_s to now_s, if no timer ends before it."""
        self._pieces += 1
        if self._pieces > _MOST_PIECES:
            self.least_s = (now_s - last_s) / _MOST_PIECES
        until_s = min(now_s, max(last_s, self._setpoints.next_expiry_s))
        self._row_s = math.inf
        if not self._inputs.constant:
            self._row_s = max(self._inputs.next_change_s(last_s), last_s + _SHORTEST_S)
        return min(until_s, self._row_s)

    def at_row(self, time_s: float, old: Conditions | None) -> bool:
        """Whether the grid jumps from its old conditions at time_s, where a row of the profile begins."""
        if time_s < self._row_s:
            return False
        now = self._inputs.during(time_s, time_s)
        return old is None or (now.voltage_pu, now.frequency_hz) != (old.voltage_pu, old.frequency_hz)

    def timer_s(self, seen: Measured) -> float:
        """Seconds until the first timer of a protecting function runs out."""
        return max(self._service.horizon_s(seen), self.least_s)
