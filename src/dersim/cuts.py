"""Where the step of a DER is cut, so that what happens inside it happens at its own instant.

At a known instant - a setpoint expires, a grid profile goes to its next row, a timer of a protecting function
runs out - the piece before it ends and a step of zero length follows, in which outputs may jump. In between
nothing jumps, and energy is counted by the course of a straight line or of one lag. Where limits meet or Q
follows P that is an approximation, so pieces are short soon after a jump and while a ramp runs, and become
longer with the time since. A ramp of active power is cut where it meets a limit or a power that rests.
"""

from __future__ import annotations

import math

from dersim.functions.base import INF
from dersim.functions.chain import Chain
from dersim.functions.enter_service import EnterService
from dersim.functions.ramp import meets_s
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.battery import Battery
from dersim.hardware.hybrid import Hybrid
from dersim.hardware.measured import Measured
from dersim.hardware.source import Source
from dersim.setpoints import Setpoints

#: The shortest piece, s; against a profile whose next row rounds to the present instant.
_SHORTEST_S = 1e-6
#: After so many pieces in one step they have a least length, so that timers that keep ending cannot hold it.
_MOST_PIECES = 200
#: Frequencies that differ by less are one: two sums of one moving frequency, Hz.
_SAME_HZ = 1e-9
#: Irradiance jumps where a profile has no rows for a while, W/m2.
_SAME_W_M2 = 1e-6
#: The first piece after a jump, of the open-loop response time of the fastest lag that moves.
_FIRST = 0.125
#: The later pieces, of the time since the jump.
_GROWTH = 1 / 3
#: While Q follows P: the first piece after a jump, s, and the most that P moves in one piece, of rtgMaxW and,
#: where that is less, of its distance from where the course of Q bends.
_FIRST_FOLLOWED_S = 0.01
_FOLLOWED_SHARE = 0.02
_BEND_GROWTH = 0.25
_LEAST_SHARE = 0.0005
#: So near the power at which it is full, of rtgMaxW, a battery that takes what PV has too much may get there.
_NEAR_SHARE = 0.2


class Cuts:
    """The cuts of one DER's steps.

    least_s: the shortest piece that a timer may ask for. jump_s: when outputs could jump last.
    sampled: inputs are samples of a record, taken as straight lines.
    """

    KEPT = ("jump_s", "least_s", "_stored_out", "_row_s", "_last", "_pieces")

    def __init__(
        self, setpoints: Setpoints, inputs: Inputs, chain: Chain, source: Source, *, sampled: bool
    ) -> None:
        self._setpoints = setpoints
        self._inputs = inputs
        self._chain = chain
        self._sampled = sampled
        self._storage = source if isinstance(source, Battery | Hybrid) else None
        self._hybrid = source if isinstance(source, Hybrid) else None
        self._stored_out = False
        self.jump_s = 0.0
        self._row_s = INF
        self._last = (0.0, 0.0)
        self._pieces = 0
        self.least_s = 0.0

    def end(self) -> None:
        """A step ends."""
        self._pieces, self.least_s = 0, 0.0

    def next_s(self, last_s: float, now_s: float) -> float:
        """The end of the next piece of a step from last_s to now_s, if no timer ends before it."""
        self._pieces += 1
        if self._pieces == _MOST_PIECES:
            self.least_s = (now_s - last_s) / _MOST_PIECES
        until_s = min(now_s, max(last_s, self._setpoints.next_expiry_s))
        self._row_s = INF
        if not self._inputs.constant:
            self._row_s = max(self._inputs.next_change_s(last_s), last_s + _SHORTEST_S)
        until_s = min(until_s, self._row_s)
        if self._row_s - until_s < _SHORTEST_S:  # the same instant, as another sum
            self._row_s = until_s
        return until_s

    def at_jump(self, time_s: float, old: Conditions | None) -> bool:
        """Whether outputs may jump at time_s: a battery is at a limit, or a profile at another row."""
        if self._stored_out:
            self._stored_out = False
            return True
        if time_s < self._row_s:
            return False
        self._row_s = INF
        now = self._inputs.during(time_s, time_s)
        return (
            old is None
            or abs(now.frequency_hz - old.frequency_hz) > _SAME_HZ
            or abs(now.irradiance_w_m2 - old.irradiance_w_m2) > _SAME_W_M2
            or (now.voltage_pu, now.angle_deg) != (old.voltage_pu, old.angle_deg)
            or now.load_w != old.load_w
        )

    def piece_s(self, start_s: float, dt_s: float, seen: Measured, *, quiet: bool) -> float:
        """Seconds of the piece that begins at start_s, at most dt_s; quiet: no timer runs."""
        seconds = dt_s if quiet else min(dt_s, self._chain.service.horizon_s(seen))
        if not self._sampled:
            chain, serves = self._chain, self._chain.service.in_service
            since_s = start_s - self.jump_s
            if serves and (chain.ramps or chain.service.entering or since_s < dt_s / _GROWTH):
                seconds = min(seconds, self._course_s(start_s, seen))
            seconds = min(seconds, self._bending_s(start_s, seen.p_w))
            if self._storage is not None:
                stored_s = self._storage.straight_s(seconds)
                self._stored_out = stored_s < seconds
                if self._stored_out:
                    seconds = max(stored_s, _SHORTEST_S)
        return min(dt_s, max(seconds, self.least_s))

    def _course_s(self, start_s: float, seen: Measured) -> float:
        """Seconds for which the outputs keep their course."""
        chain = self._chain
        seconds = INF
        fastest_s = min((lag.olrt_s for lag in chain.lags if lag.moving and lag.olrt_s > 0), default=INF)
        if fastest_s < INF:
            seconds = max(fastest_s * _FIRST, (start_s - self.jump_s) * _GROWTH)
        for ramp in (chain.ramp, chain.battery_ramp):
            if ramp is not None and not ramp.settled:
                limits_w = seen.available_w, -seen.charge_w, seen.command_w, *chain.inverter.bends_w
                powers_w = seen.p_w, chain.without.unlimited_w
                seconds = min(seconds, meets_s(ramp.straight_s, ramp.moving, *powers_w, *limits_w))
        if chain.service.entering:
            enter = chain.functions["enter-service"]
            if isinstance(enter, EnterService):
                seconds = min(seconds, enter.straight_s(chain.over_w, chain.inverter.bends_w))
        return max(seconds, _SHORTEST_S)

    def _bending_s(self, start_s: float, p_w: float) -> float:
        """Seconds for which what follows P, Q or the power of a battery, is nearly a straight line."""
        chain, inverter = self._chain, self._chain.inverter
        bends_w: tuple[float, ...] = ()
        if chain.q_follows:
            circle_w = math.copysign(inverter.va_limit(p_w), p_w)
            bends_w = circle_w, *chain.q_bends_w, *inverter.bends_w[1:]
        if self._hybrid is not None and abs(p_w - self._hybrid.bend_w) < _NEAR_SHARE * inverter.rated_w:
            bends_w = *bends_w, self._hybrid.bend_w
        if not bends_w:
            return INF
        (last_s, last_w), self._last = self._last, (start_s, p_w)
        moved_w = abs(p_w - last_w)
        if last_s < self.jump_s or not moved_w:
            return max(_FIRST_FOLLOWED_S, (start_s - self.jump_s) * _BEND_GROWTH)
        near_w = _BEND_GROWTH * min(abs(p_w - bend_w) for bend_w in bends_w)
        most_w = min(_FOLLOWED_SHARE * inverter.rated_w, max(_LEAST_SHARE * inverter.rated_w, near_w))
        return (start_s - last_s) * most_w / moved_w
