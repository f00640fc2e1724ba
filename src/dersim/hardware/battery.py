"""The battery: energy in and out with their own efficiencies, limits by state of charge, self-discharge.

dE/dt = eta_charge * P_charge - P_discharge / eta_discharge - P_self, with P on the AC side (W). The power is
limited in three ways: by setMaxChargeRateW, setMaxDischargeRateW and their VA; by a taper over the
last `taper_pct` below the highest and above the lowest state of charge (`taper.py`); and by the energy left
for the step, so that a step of any length ends exactly at the limit. A full battery takes nothing until it
has discharged or has lost 0.5 % by itself. Percents are of setMaxWh.
Commands limit it further (`storage_limits.py`).
"""

# ruff: noqa: FURB136 - min() and max() cost as much as all the rest of a step

from __future__ import annotations

import math
from collections.abc import Mapping

from dersim.grid.conditions import Conditions
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.source import DcPoint, Ramps
from dersim.hardware.storage_limits import GRID, IN, OUT, RESERVE, Machine, StorageLimits
from dersim.hardware.taper import hours_until, share_after
from dersim.modes import ModeValue

#: A full battery is charged again from this distance below full, percent of setMaxWh.
RECHARGE_PCT = 0.5
#: Less energy than this share of setMaxWh is none: the last digits of sums.
_LEAST = 1e-9


class Battery:
    """A battery behind an inverter; see `source.Source`.

    take_w: what it can take at all; charge_w: what of that may come from the grid. idle_w: its power without
    a target or command; a replay sets it.
    """

    KEPT = (
        "energy_wh",
        "delivered_wh",
        "taken_wh",
        "available_w",
        "charge_w",
        "take_w",
        "rest_w",
        "idle_w",
        "cell_temperature_c",
        "settled",
        "_full",
        "_dc_w",
        "_power_w",
        "_commands",
    )

    def __init__(self, nameplate: Nameplate) -> None:
        self._plate = nameplate
        self._rated_wh = nameplate.rtgMaxWh
        self._full = False
        self._eta_c = nameplate.charge_efficiency
        self._eta_d = nameplate.discharge_efficiency
        self._self_w = nameplate.self_discharge_w
        self._v = nameplate.pv_v
        self.delivered_wh = self.taken_wh = 0.0
        self.energy_wh = nameplate.soc_pct / 100 * nameplate.rtgMaxWh
        self.available_w = 0.0
        self.charge_w = self.take_w = 0.0
        self.rest_w = self.idle_w = 0.0
        self.cell_temperature_c = 25.0
        self.settled = False
        #: The DC power drawn last, W.
        self._dc_w = 0.0
        self._power_w: float | None = None
        settings = Settings(nameplate)
        self._commands = StorageLimits(Machine.of(settings))
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Take over setMaxWh, setMaxChargeRateW, setMaxDischargeRateW and the like."""
        plate = self._plate
        self._capacity_wh = wh = settings.setMaxWh
        self._min_wh = plate.soc_min_pct / 100 * wh
        self._max_wh = plate.soc_max_pct / 100 * wh
        self._taper_wh = plate.taper_pct / 100 * wh
        self._recharge_wh = RECHARGE_PCT / 100 * wh
        self._least_wh = _LEAST * wh
        self._machine = machine = Machine.of(settings)
        self._charge_max_w, self._discharge_max_w = machine.charge_w, machine.discharge_w

    def steer(self, values: Mapping[str, ModeValue], ramps: Ramps) -> None:
        """Take over InWRte, OutWRte, MinRsvPct and ChaGriSet; after `configure`."""
        self._commands.aim(values, ramps, self._machine, self._power_w)

    def limiting(self, *, gives: bool) -> str:
        """The setting or command that limits what it gives or takes; "" where its charge does."""
        commands, machine = self._commands, self._machine
        if gives:
            if self.available_w <= 0:
                kept_wh = commands.reserve_pct / 100 * self._capacity_wh
                return RESERVE if self._min_wh < self.energy_wh <= kept_wh + self._least_wh else ""
            if commands.acts and self.available_w == commands.discharge.value:
                return OUT
            at_rate = self.available_w == machine.discharge_w
            return machine.discharge_setting if at_rate else ""
        if self.take_w > 0 and not commands.from_grid:
            return GRID
        if commands.acts and self.take_w == commands.charge.value:
            return IN
        return machine.charge_setting if self.take_w == machine.charge_w > 0 else ""

    @property
    def steered_by(self) -> str:
        """InWRte or OutWRte where it makes the battery give or take power; "" otherwise."""
        change_w = self.rest_w - self.idle_w
        return (IN if change_w > 0 else OUT) if change_w else ""

    @property
    def soc_pct(self) -> float:
        """State of charge in percent of setMaxWh; 100 where more is stored than that."""
        return 100.0 if self.energy_wh >= self._capacity_wh else 100 * self.energy_wh / self._capacity_wh

    @property
    def ac_net_wh(self) -> float:
        """What it gave less what it took, on the AC side, Wh."""
        return self.delivered_wh * self._eta_d - self.taken_wh / self._eta_c

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Compute the power that the battery can give and take at the end of dt_s, if it can all the time."""
        self.cell_temperature_c = conditions.temperature_c
        commands = self._commands
        if commands.moving:
            commands.advance(dt_s)
        above, below = self.energy_wh - self._min_wh, self._max_wh - self.energy_wh
        give, take = self._discharge_max_w, self._charge_max_w
        hours = dt_s / 3600
        lost_wh = self._self_w * hours
        taper_wh, give_dc_w, take_dc_w = self._taper_wh, give / self._eta_d, take * self._eta_c
        if above - lost_wh - give_dc_w * hours < taper_wh:
            give *= share_after(above - lost_wh, taper_wh, give_dc_w, self._dc_w, hours)
        if below + lost_wh - take_dc_w * hours < taper_wh:
            take *= share_after(below + lost_wh, taper_wh, take_dc_w, 0.0 - self._dc_w, hours)
        if commands.reserve_pct:
            above = min(above, self.energy_wh - commands.reserve_pct / 100 * self._capacity_wh)
        if dt_s > 0:
            left_w, room_w = (above - lost_wh) * self._eta_d / hours, (below + lost_wh) / self._eta_c / hours
            give, take = left_w if left_w < give else give, room_w if room_w < take else take
        self._full = below <= (self._recharge_wh if self._full else self._least_wh)
        give, take = give if above > self._least_wh and give > 0 else 0.0, 0.0 if self._full else take
        rest = self.idle_w
        if commands.acts:
            give, take, rest = commands.within(give, take, rest)
        self.available_w, self.take_w, self.rest_w = give, take, rest
        self.charge_w = self.take_w if commands.from_grid else 0.0

    def drew(self, p_w: float, dt_s: float) -> None:
        """Count p_w (AC side) for dt_s, and self-discharge."""
        self._power_w = p_w
        if not dt_s:
            self._draw(p_w / self._eta_d if p_w > 0 else p_w * self._eta_c)
            self._full = self._full and p_w <= 0
            return
        hours = dt_s / 3600
        if p_w > 0:
            dc_w = p_w / self._eta_d
            self.delivered_wh += dc_w * hours
            self._full = False
        else:
            dc_w = p_w * self._eta_c
            self.taken_wh -= dc_w * hours
        energy = self.energy_wh - (dc_w + self._self_w) * hours
        energy = energy if energy > 0.0 else 0.0
        self.energy_wh = energy if energy < self._rated_wh else self._rated_wh
        self._draw(dc_w)

    def _draw(self, dc_w: float) -> None:
        self._dc_w = dc_w
        self.settled = dc_w == 0 and self._self_w == 0 and not self._commands.moving

    def straight_s(self, within_s: float) -> float:
        """Seconds until a limit of the energy or of the taper meets the power that was drawn last.

        inf where that is more than within_s.
        """
        energy, dc_w, self_w = self.energy_wh, self._dc_w, self._self_w
        if not self._commands.acts and not self._commands.reserve_pct:
            left = (energy - self._min_wh if dc_w > 0 else self._max_wh - energy) - self._taper_wh
            if left > ((dc_w if dc_w > 0 else -dc_w) + self_w) * within_s / 3600:
                return math.inf
        if dc_w > 0:
            rate_w, left = self._discharge_max_w / self._eta_d, energy - self._min_wh
            reserve = self._commands.reserve_pct / 100 * self._capacity_wh - self._min_wh
            hours = hours_until(left, self._taper_wh, rate_w, dc_w, self_w)
            if 0 < reserve < left:
                hours = min(hours, (left - reserve) / (dc_w + self_w))
        else:
            rate_w, left = self._charge_max_w * self._eta_c, self._max_wh - energy
            hours = hours_until(left, self._taper_wh, rate_w, 0.0 - dc_w, -self_w)
        return min(hours * 3600, self._commands.straight_s)

    def dc(self, p_w: float) -> DcPoint:
        """At the nominal voltage; the current is positive when discharging."""
        p = p_w / self._eta_d if p_w > 0 else p_w * self._eta_c
        return DcPoint(self._v, p / self._v, p)
