"""Whether the DER is in service, decided by the functions of stage ``protect``.

Trip, momentary cessation, connect and enter service are called in order; enter service last, because it needs
to know whether another function keeps the DER out of service. They differ in the return:

    trip, off   switch open, out of service; return by enter service: window, delay, ramp (1547-2018 4.10)
    standby     the same with the switch closed
    cease       no current, but in service: return at once (1547-2018 6.4.2.7)

While the grid is inside all their windows and no timer runs, none is called. That is nearly always.
"""

from __future__ import annotations

from dersim.functions.base import INF
from dersim.functions.contract import NOTHING, ControlFunction
from dersim.hardware.measured import Measured

Window = tuple[float, float, float, float]
#: Never inside: a function without a `quiet_window` is always called.
_CLOSED: Window = (INF, -INF, INF, -INF)


class Service:
    """The service state of one DER.

    in_service; tripped: out of service by a trip; ceased: momentary cessation; entering: on the ramp of
    entering service; permitted: by the operator; closed: the switch, which closes when service is entered;
    failed: out of service for good after an error in a step.
    turning: service ends or begins at the end of the piece that was stepped; `turn` carries it out.
    holder: the function that keeps the DER out of service or lets it cease; tripper: that of the last trip;
    limiter: that of the ramp of entering service. None without one.
    """

    KEPT = (
        "in_service",
        "closed",
        "tripped",
        "ceased",
        "entering",
        "permitted",
        "turning",
        "_trips",
        "_opens",
        "_settled",
    )

    def __init__(self) -> None:
        self.in_service = self.closed = True
        self.tripped = self.ceased = self.entering = False
        self.permitted = True
        self.failed = False
        self.turning = self._trips = self._opens = False
        self.holder: ControlFunction | None = None
        self.tripper: ControlFunction | None = None
        self.limiter: ControlFunction | None = None
        self._functions: list[ControlFunction] = []
        self._returns = False
        self._window = _CLOSED
        self._settled = False

    @property
    def word(self) -> str:
        """The service state as text, for logs and pages."""
        if self.failed:
            return "failed"
        if not self.in_service:
            return "tripped" if self.tripped else "out of service"
        if self.ceased:
            return "ceased"
        return "entering service" if self.entering else "in service"

    def configure(
        self,
        functions: list[ControlFunction],
        *,
        returns_by_function: bool,
        alarm_window_pu: tuple[float, float] = (0.0, INF),
    ) -> None:
        """Take over the enabled functions; returns_by_function: one of them decides when to enter service.

        alarm_window_pu: voltages outside it raise an alarm, which is noted where the grid is not quiet.
        """
        self._functions = functions
        self._returns = returns_by_function
        windows = [getattr(function, "quiet_window", _CLOSED) for function in functions]
        windows.append((*alarm_window_pu, 0.0, INF))
        self._window = (
            max(w[0] for w in windows),
            min(w[1] for w in windows),
            max(w[2] for w in windows),
            min(w[3] for w in windows),
        )
        self.call_next_step()

    @property
    def enter_service_s(self) -> float:
        """Seconds of good grid still needed before service is entered; 0 in service."""
        if self.in_service:
            return 0.0
        return max((getattr(function, "remaining_s", 0.0) for function in self._functions), default=0.0)

    def call_next_step(self) -> None:
        """Call the functions in the next step even if the grid is inside all windows."""
        self._settled = False

    def quiet(self, seen: Measured) -> bool:
        """Whether no function needs a call: in service, no timer, grid inside all windows."""
        low, high, slow, fast = self._window
        return (
            self._settled
            and low <= seen.v_low_pu
            and seen.v_high_pu <= high
            and slow <= seen.frequency_hz <= fast
        )

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until the first timer runs out; inf when none runs."""
        return min((function.horizon_s(seen) for function in self._functions), default=INF)

    def step(self, dt_s: float, seen: Measured) -> float:
        """Call all functions; returns the highest |P| allowed, W (inf when not entering service).

        What ends or begins service in the course of dt_s does so at its end: see `turning`.
        """
        trip = cease = enter = standby = False
        off = seen.blocked = not self.permitted
        ceiling = INF
        self.holder = None
        for function in self._functions:
            demand = function.step(dt_s, seen)
            if demand is NOTHING:
                continue
            trip, off, standby = trip or demand.trip, off or demand.off, standby or demand.standby
            cease, enter = cease or demand.cease, enter or demand.enter
            if demand.limit_w < ceiling:
                ceiling, self.limiter = demand.limit_w, function
            seen.blocked = trip or off or standby or cease
            if seen.blocked and self.holder is None:
                self.holder = function
        self.ceased = cease
        if self.in_service:
            turns, self._trips = trip or off or standby, trip
            self._opens = trip or off
        else:
            self.tripped = self.tripped or trip
            self.closed = self.closed and not (trip or off)
            turns = (enter or not self._returns) and not seen.blocked
        self.turning = turns and dt_s > 0
        if turns and not self.turning:
            ceiling = self.turn(seen)
        self.entering = self.in_service and ceiling < INF
        self._settled = self.in_service and self.permitted and all(f.settled for f in self._functions)
        return ceiling

    def turn(self, seen: Measured) -> float:
        """Leave or enter service, now; returns the highest |P| allowed, W."""
        self.turning = False
        if not self.in_service:
            return self._enter(seen)
        self.leave(seen, tripped=self._trips, opens=self._opens)
        return INF

    def leave(self, seen: Measured, *, tripped: bool, opens: bool = True) -> None:
        """Leave service; tripped: with an alarm; opens: with the switch open."""
        self.closed = self.closed and not opens
        self.in_service = seen.in_service = False
        self.tripped = tripped
        self.tripper = self.holder if tripped else None
        self.call_next_step()

    def fail(self, seen: Measured) -> None:
        """Leave service for good; no power flows."""
        self.leave(seen, tripped=False)
        self.failed, self.ceased, self.entering = True, False, False
        seen.p_w = seen.q_var = seen.available_w = seen.charge_w = 0.0

    def _enter(self, seen: Measured) -> float:
        self.in_service = seen.in_service = self.closed = True
        self.tripped = False
        # The ramp of entering service bounds the first instant too.
        ceiling = INF
        for function in self._functions if self._returns else ():
            limit_w = function.step(0.0, seen).limit_w
            if limit_w < ceiling:
                ceiling, self.limiter = limit_w, function
        return ceiling
