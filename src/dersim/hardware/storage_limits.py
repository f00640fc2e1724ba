"""What commands allow a battery, by the names of SunSpec model 124 (no DERControl carries them).

    InWRte      charge at most this; negative: discharge at least this
    OutWRte     discharge at most this; negative: charge at least this
    MinRsvPct   the battery does not discharge below this state of charge, % of setMaxWh
    ChaGriSet   whether it may charge from the grid; else only from PV behind the same inverter

InWRte and OutWRte are percents of setMaxChargeRateW in both directions, as Fronius documents WChaMax. Where
they exclude each other, the power nearer to 0 remains. A limit moves like any command of active power: by
setGradW, or in the rampTms of its setpoint, from the present power if that is beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from dersim.hardware.settings import Settings
from dersim.hardware.source import Ramps
from dersim.modes import ModeValue

#: A ramp is stepped in at least so many parts, because it meets the power inside one of them.
_PARTS = 32

IN, OUT, RESERVE, GRID = "InWRte", "OutWRte", "MinRsvPct", "ChaGriSet"


class Machine(NamedTuple):
    """What the settings say, W: 100 % of a rate, the limits without a command; rate_w_s: setGradW in W/s.

    charge_setting, discharge_setting: the settings that those limits are.
    """

    base_w: float
    charge_w: float
    discharge_w: float
    rate_w_s: float
    charge_setting: str
    discharge_setting: str

    @classmethod
    def of(cls, settings: Settings) -> Machine:
        """The limits of these settings."""
        rate_w_s = settings.setMaxW * settings.setGradW / 100  # 0 of a DER that may give nothing: no ramp
        return cls(
            settings.setMaxChargeRateW,
            settings.charge_limit_w,
            settings.discharge_limit_w,
            rate_w_s if rate_w_s > 0 else math.inf,
            _lower(settings, "setMaxChargeRateW", "setMaxChargeRateVA"),
            _lower(settings, "setMaxDischargeRateW", "setMaxDischargeRateVA"),
        )


def _lower(settings: Settings, first: str, second: str) -> str:
    return first if settings[first] <= settings[second] else second


class Limit:
    """The highest power in one direction (W; below 0: the least power in the other), on its way to a goal."""

    KEPT = ("value", "_goal", "_left_s", "_ramp_s", "_rate_w_s")

    def __init__(self, value: float) -> None:
        self.value = self._goal = value
        self._left_s, self._ramp_s, self._rate_w_s = 0.0, 0.0, math.inf

    @property
    def moving(self) -> bool:
        """Whether it has not reached its goal."""
        return self.value != self._goal

    def aim(self, goal_w: float, power_w: float, ramp_s: float | None, rate_w_s: float) -> None:
        """Go to another goal in ramp_s seconds (None: at rate_w_s), from power_w if that is nearer."""
        if goal_w == self._goal:
            return
        self._goal, self._left_s, self._rate_w_s = goal_w, ramp_s or 0.0, rate_w_s
        self._ramp_s = self._left_s or abs(goal_w - self.value) / rate_w_s
        if goal_w < self.value:
            self.value = max(goal_w, min(self.value, power_w))
        if ramp_s == 0:
            self.value = goal_w

    @property
    def straight_s(self) -> float:
        """Seconds of the straight line that begins now, at most a part of the ramp."""
        if not self.moving:
            return math.inf
        left_s = self._left_s or abs(self._goal - self.value) / self._rate_w_s
        return min(left_s, self._ramp_s / _PARTS)

    def advance(self, dt_s: float) -> None:
        """Move on by dt_s."""
        goal = self._goal
        if self._left_s > 0:
            share = dt_s / self._left_s if dt_s < self._left_s else 1.0
            self._left_s -= self._left_s * share
            self.value = goal if share == 1 else self.value + (goal - self.value) * share
        else:
            step = math.inf if self._rate_w_s == math.inf else self._rate_w_s * dt_s
            self.value = min(goal, self.value + step) if self.value < goal else max(goal, self.value - step)


class StorageLimits:
    """The modes in force for one battery.

    charge, discharge: the limits of its power on the AC side. reserve_pct: of setMaxWh. from_grid: whether it
    may charge from the grid. moving: a limit has not reached its goal. acts: a limit is in force, or one that
    ended still moves.
    """

    KEPT = ("charge", "discharge", "reserve_pct", "from_grid", "_commanded", "moving", "acts")

    def __init__(self, machine: Machine) -> None:
        self.charge, self.discharge = Limit(machine.charge_w), Limit(machine.discharge_w)
        self.reserve_pct = 0.0
        self.from_grid = True
        self._commanded = self.moving = self.acts = False

    def _note(self) -> None:
        self.moving = self.charge.moving or self.discharge.moving
        self.acts = self._commanded or self.moving

    @property
    def straight_s(self) -> float:
        """Seconds for which the limits go on in straight lines."""
        return min(self.charge.straight_s, self.discharge.straight_s)

    def aim(
        self, values: Mapping[str, ModeValue], ramps: Ramps, machine: Machine, power_w: float | None
    ) -> None:
        """Take over the modes in force. power_w: the present power, None before the first step."""
        acted, self._commanded = self.acts, IN in values or OUT in values
        at_once = power_w is None or not (acted or self._commanded)
        present_w = power_w or 0.0

        def go(limit: Limit, mode: str, present_w: float, otherwise: float) -> None:
            percent = values.get(mode)
            goal = percent / 100 * machine.base_w if isinstance(percent, float | int) else otherwise
            ramp = ramps.get(mode)
            ramp_s = None if ramp is None else ramp[0]
            limit.aim(goal, present_w, 0.0 if at_once else ramp_s, machine.rate_w_s)

        go(self.charge, IN, -present_w, machine.charge_w)
        go(self.discharge, OUT, present_w, machine.discharge_w)
        reserve = values.get(RESERVE, 0.0)
        self.reserve_pct = float(reserve) if isinstance(reserve, float | int) else 0.0
        self.from_grid = values.get(GRID) is not False
        self._note()

    def advance(self, dt_s: float) -> None:
        """Move the limits on by dt_s."""
        self.charge.advance(dt_s)
        self.discharge.advance(dt_s)
        self._note()

    def within(self, give_w: float, take_w: float, rest_w: float) -> tuple[float, float, float]:
        """What the battery may give and take of that (W, both >= 0), and its power instead of rest_w."""
        low, high = 0.0 - self.charge.value, self.discharge.value
        give, take = min(give_w, max(0.0, high)), min(take_w, max(0.0, 0.0 - low))
        return give, take, max(0.0 - take, min(give, max(low, min(high, rest_w))))
