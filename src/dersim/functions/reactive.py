"""The stage ``reactive``: the one reactive mode that acts, behind one ramp and one open-loop lag.

The lag is here and not in the functions, so that a change from one reactive mode to another does not jump
(1547-2018 4.6.3: smooth transition between modes).
"""

from __future__ import annotations

from dersim.functions.base import INF
from dersim.functions.contract import NOTHING, ControlFunction, Demand
from dersim.functions.filters import Lag
from dersim.functions.ramp import Ramp
from dersim.functions.service import Service
from dersim.hardware.measured import Measured


class Reactive:
    """Reactive power by command and grid. lag: that of Q.

    by, demand: the function that asked for Q in the last step, and what it asked for.
    """

    KEPT = ("lag", "_response_s", "_begins", "_ramp_s")

    def __init__(self, ramp: Ramp | None, service: Service) -> None:
        self._functions: list[ControlFunction] = []
        self._only: ControlFunction | None = None
        self.lag = Lag()
        self.by: ControlFunction | None = None
        self.demand = NOTHING
        self._ramp = ramp
        self._service = service
        self._response_s = 0.0
        self._begins = False
        self._ramp_s: float | None = None

    def enable(self, functions: list[ControlFunction]) -> None:
        """Take over the functions with a mode in force; mostly there is one."""
        self._functions = functions
        self.by = self._only = functions[0] if len(functions) == 1 else None

    def changed(self, ramp_s: float | None, *, own: bool) -> None:
        """The modes of a function changed. ramp_s: their rampTms; own: whether some are in force now."""
        # The end of a mode does not take the ramp from the mode that follows it in the same change.
        self._ramp_s = ramp_s if own or not self._begins else self._ramp_s
        self._begins = True

    def step(self, dt_s: float, seen: Measured) -> tuple[float, bool]:
        """Q after dt_s (var), and whether P and Q shrink together at the VA limit."""
        only = self._only
        if only is not None:
            demand = only.step(dt_s, seen)
        else:
            demand = self._asked(dt_s, seen) if self._functions else NOTHING
        self.demand = demand
        lag, ramp = self.lag, self._ramp
        if not self._service.in_service:
            self._begins = False
            lag.start(0.0)
            if ramp is not None:
                ramp.q.left_s = 0.0
            return 0.0, False
        wanted = demand.q_var
        if wanted is None:
            if not lag.y and not lag.moving:
                # At rest at 0; before the first step the lag stays free to start at its first input.
                lag.y = 0.0 if seen.running else None
                self._begins = False
                return 0.0, False
            wanted = 0.0
        else:
            self._response_s = demand.q_response_s
            if demand.limit_w < INF:
                seen.wanted_w = max(-demand.limit_w, min(demand.limit_w, seen.wanted_w))
        if self._begins:
            self._begin(seen, wanted)
        if ramp is not None and ramp.q.left_s > 0:
            q = ramp.follow_q(dt_s, wanted)
            lag.start(q, wanted)
            return q, demand.power_factor_first
        return lag.step(dt_s, wanted, self._response_s), demand.power_factor_first

    def _asked(self, dt_s: float, seen: Measured) -> Demand:
        """Call all functions; the demand of the last that asks for Q."""
        demand: Demand = NOTHING
        for function in self._functions:
            asked = function.step(dt_s, seen)
            if asked.q_var is not None:
                demand, self.by = asked, function
        return demand

    def _begin(self, seen: Measured, wanted_var: float) -> None:
        """Start the ramp of a new mode or value."""
        self._begins = False
        y = self.lag.y
        start_var = seen.q_var if y is None or not self._service.ceased else y
        if self._ramp is not None and self._ramp.begin_q(seen, start_var, wanted_var, self._ramp_s):
            self.lag.start(self._ramp.q.value, wanted_var)
