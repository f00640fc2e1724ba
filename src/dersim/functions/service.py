"""In service or not: what the protecting functions decide together.

Trip, momentary cessation, connect and enter service (stage ``protect``) are asked in their order, enter
service last, for it must know whether anything else holds the machine out. They differ in the way back:

    trip, off   out of service; back only through enter service: window, delay, ramp (1547-2018 4.10)
    cease       no current, but in service: back at once (1547-2018 6.4.2.7)

While the grid stays inside the windows of all of them and no timer runs, none is called: that is nearly
always, and the cheapest step is the one not made.
"""

from __future__ import annotations

from dersim.functions.base import INF
from dersim.functions.contract import NOTHING, ControlFunction
from dersim.hardware.measured import Measured

Window = tuple[float, float, float, float]
#: Nothing is inside: a function that declares no window is always called.
_CLOSED: Window = (INF, -INF, INF, -INF)
_OPEN: Window = (0.0, INF, 0.0, INF)


class Service:
    """The state of service of one DER.

    in_service, tripped (left by a trip and not yet back), ceased (momentarily), entering (on the ramp of
    entering service), permitted (by the operator). changed: tells the chain that service was left or entered.
    """

    def __init__(self) -> None:
        self.in_service = True
        self.tripped = self.ceased = self.entering = False
        self.permitted = True
        self._functions: list[ControlFunction] = []
        self._returns = False
        self._window = _CLOSED
        self._calm = False

    @property
    def word(self) -> str:
        """The state of service in words, for people."""
        if not self.in_service:
            return "tripped" if self.tripped else "out of service"
        if self.ceased:
            return "ceased"
        return "entering service" if self.entering else "in service"

    def configure(self, functions: list[ControlFunction], *, returns_by_function: bool) -> None:
        """Take over the enabled functions; returns_by_function: one of them decides about the way back."""
        self._functions = functions
        self._returns = returns_by_function
        windows = [getattr(function, "quiet_window", _CLOSED) for function in functions] or [_OPEN]
        self._window = (
            max(w[0] for w in windows),
            min(w[1] for w in windows),
            max(w[2] for w in windows),
            min(w[3] for w in windows),
        )
        self.disturb()

    def disturb(self) -> None:
        """Something changed: ask the functions in the next step, whatever the grid is like."""
        self._calm = False

    def quiet(self, seen: Measured) -> bool:
        """Whether there is nothing to ask: in service, no timer, the grid inside all windows."""
        low, high, slow, fast = self._window
        return (
            self._calm
            and low <= seen.v_low_pu
            and seen.v_high_pu <= high
            and slow <= seen.frequency_hz <= fast
        )

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until the first timer runs out; inf when none runs."""
        return min((function.horizon_s(seen) for function in self._functions), default=INF)

    def step(self, dt_s: float, seen: Measured) -> float:
        """Ask all; returns the highest |P| allowed (W), inf off the ramp of entering service."""
        trip = cease = enter = False
        off = seen.blocked = not self.permitted
        ceiling = INF
        for function in self._functions:
            demand = function.step(dt_s, seen)
            if demand is NOTHING:
                continue
            trip, off = trip or demand.trip, off or demand.off
            cease, enter = cease or demand.cease, enter or demand.enter
            ceiling = min(ceiling, demand.limit_w)
            seen.blocked = trip or off or cease
        self.ceased = cease
        if self.in_service and (trip or off):
            self.leave(seen, tripped=trip)
        elif not self.in_service:
            self.tripped = self.tripped or trip
            if (enter or not self._returns) and not seen.blocked:
                ceiling = self._enter(seen)
        self.entering = self.in_service and ceiling < INF
        self._calm = self.in_service and self.permitted and all(f.settled for f in self._functions)
        return ceiling

    def leave(self, seen: Measured, *, tripped: bool) -> None:
        """Out of service."""
        self.in_service = seen.in_service = False
        self.tripped = tripped
        self.disturb()

    def _enter(self, seen: Measured) -> float:
        self.in_service = seen.in_service = True
        self.tripped = False
        # The ramp of entering service bounds the first instant too.
        return min(function.step(0.0, seen).limit_w for function in self._functions) if self._returns else INF
