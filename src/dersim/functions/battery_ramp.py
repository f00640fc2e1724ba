"""The ramp of a battery's own: how fast its power follows what is asked of it.

The nameplate's battery_ramp_s is the time from 0 to rtgMaxW, as NP_BESS_P_RAMP_TIME of OpenDER. It bounds the
power by command; limits, Volt-Watt and the droop have response times of their own. PV behind the same
inverter does not ramp. Out of service the battery is at 0.
"""

from __future__ import annotations

from dersim.functions.base import INF
from dersim.functions.ramp import Track
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.source import Source, beside_battery_w


class BatteryRamp:
    """The ramp of one DER's battery; settled: it has arrived; straight_s, moving: as those of `Ramp`."""

    KEPT = ("settled", "straight_s", "moving", "_power", "_out")

    def __init__(self, nameplate: Nameplate) -> None:
        ramp_s = nameplate.battery_ramp_s
        self._full_w = nameplate.rtgMaxW
        self._rate_w_s = nameplate.rtgMaxW / ramp_s if ramp_s > 0 else INF
        self.acts = bool(nameplate.rtgMaxWh) and ramp_s > 0
        self.settled = True
        self.straight_s = INF
        self.moving: tuple[tuple[float, float], ...] = ()
        self._power = Track(0.0)
        self._out = False

    def follow(self, dt_s: float, seen: Measured, source: Source, asked_w: float) -> float:
        """The power of the DER after dt_s, W, where asked_w is asked of it."""
        others_w = beside_battery_w(source)
        goal_w = asked_w - others_w
        power = self._power
        if not seen.in_service:
            power.value = 0.0
            self._out, self.settled = True, False
            return asked_w
        if not seen.running:
            power.value = goal_w
        # The time in which service is entered was spent outside.
        value = power.follow(0.0 if self._out else dt_s, goal_w, self._rate_w_s)
        self._out = False
        self.settled = value == goal_w
        self.straight_s = power.straight_s(goal_w, self._rate_w_s, self._full_w)
        self.moving = ((others_w + value, self._rate_w_s if goal_w > value else -self._rate_w_s),)
        return others_w + value
