"""The DC side: a PEM stack with a hydrogen tank.

*Voltage.* In the working range the voltage falls linearly with the current: each cell from 0.95 V (the line
extended to no current) to 0.68 V at rated power.

*Fuel.* Hydrogen is used in proportion to the current, not to the power: a current I through a cell burns
I / 2F mol/s, whose lower heating value (241.8 kJ/mol) is 1.253 V times I. So the efficiency is the cell
voltage over 1.253 V, times the fuel utilisation: better at part load, and about 53 % at rated power.

*Time.* A cold stack delivers no power until it is warm. Then its power rises only as fast as air and hydrogen
follow; it falls at once. It does not depend on sun or grid, and it cannot charge.
"""

from __future__ import annotations

import math

from dersim.plugin import Conditions, DcPoint, Nameplate

OPEN_CELL_V = 0.95
RATED_CELL_V = 0.68
#: Lower heating value of hydrogen over two Faradays, V.
HEATING_VALUE_V = 241_800 / (2 * 96_485)
FUEL_USED = 0.97
WARM_UP_S = 60.0
#: Largest rise of the power, share of the rating per second.
RISE_PER_S = 0.05
#: Hours that the tank lasts at rated power, and the share at which its valve closes.
TANK_H = 8.0
RESERVE = 0.01


class Stack:
    """The stack of one DER; see `dersim.hardware.source.Source`. W on the AC side unless said otherwise."""

    def __init__(self, nameplate: Nameplate) -> None:
        self._rated_w = nameplate.rtgMaxW
        self._efficiency = nameplate.inverter_efficiency
        self._cells = nameplate.pv_v / RATED_CELL_V
        self._open_v = self._cells * OPEN_CELL_V
        rated_a = self._rated_w / self._efficiency / nameplate.pv_v
        self._ohm = (self._open_v - nameplate.pv_v) / rated_a
        self.tank_wh = TANK_H * self.fuel_w(self._rated_w)
        self._reserve_wh = RESERVE * self.tank_wh
        self._p_w = 0.0
        self._warm_s = 0.0
        self.available_w = self.charge_w = 0.0
        #: Without a demand it delivers all that is available.
        self.rest_w = math.inf
        self.soc_pct: float | None = None
        self.cell_temperature_c = 25.0
        #: Warm-up and fuel change in every step.
        self.settled = False

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Compute the available power for the coming dt_s."""
        self.cell_temperature_c = conditions.temperature_c
        self._warm_s += dt_s
        spare_wh = self.tank_wh - self._reserve_wh
        if self._warm_s < WARM_UP_S or spare_wh <= 0:
            self.available_w = 0.0
            return
        give_w = min(self._rated_w, self._p_w + RISE_PER_S * self._rated_w * dt_s)
        burnt_wh = self.fuel_w(give_w) * dt_s / 3600
        self.available_w = give_w * min(1.0, spare_wh / burnt_wh) if burnt_wh > 0 else give_w

    def drew(self, p_w: float, dt_s: float) -> None:
        """Burn the fuel of p_w for dt_s."""
        self._p_w = p_w
        self.tank_wh = max(0.0, self.tank_wh - self.fuel_w(p_w) * dt_s / 3600)

    def dc(self, p_w: float) -> DcPoint:
        """The operating point while the inverter delivers p_w."""
        dc_w = p_w / self._efficiency
        # Two currents give this power; a stack runs at the smaller one.
        amps = (self._open_v - math.sqrt(max(0.0, self._open_v**2 - 4 * self._ohm * dc_w))) / (2 * self._ohm)
        return DcPoint(self._open_v - self._ohm * amps, amps, dc_w)

    def fuel_w(self, p_w: float) -> float:
        """The hydrogen burnt for p_w, as a power of its lower heating value."""
        return self._cells * self.dc(p_w).i * HEATING_VALUE_V / FUEL_USED
