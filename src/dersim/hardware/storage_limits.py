"""What commands allow a battery, by the names of SunSpec model 124 (no DERControl carries them).

    InWRte      charge at most this; negative: discharge at least this
    OutWRte     discharge at most this; negative: charge at least this
    MinRsvPct   the battery does not discharge below this state of charge, % of setMaxWh
    ChaGriSet   whether it may charge from the grid; else only from PV behind the same inverter

InWRte and OutWRte are percents of setMaxChargeRateW in both directions, as Fronius documents WChaMax. Where
they exclude each other, the power nearer to 0 remains. rampTms of a setpoint moves its limit in that time.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.hardware.source import Ramps
from dersim.modes import ModeValue

IN, OUT, RESERVE, GRID = "InWRte", "OutWRte", "MinRsvPct", "ChaGriSet"


class Limit:
    """A limit in W on its way to its goal."""

    def __init__(self, value: float) -> None:
        self.value = self._goal = value
        self._left_s = 0.0

    @property
    def moving(self) -> bool:
        """Whether it has not reached its goal."""
        return self._left_s > 0

    def aim(self, goal_w: float, ramp_s: float) -> None:
        """Go to another goal in ramp_s seconds; 0: at once."""
        if goal_w != self._goal:
            self._goal, self._left_s = goal_w, ramp_s
            self.advance(0.0)

    def advance(self, dt_s: float) -> None:
        """Move on by dt_s."""
        if dt_s < self._left_s:
            self.value += (self._goal - self.value) * dt_s / self._left_s
            self._left_s -= dt_s
        else:
            self.value, self._left_s = self._goal, 0.0


class StorageLimits:
    """The modes in force for one battery.

    low, high: bounds of its power (W, AC side, discharging positive). reserve_pct: of setMaxWh. from_grid:
    whether it may charge from the grid. acts: whether InWRte or OutWRte is in force.
    """

    def __init__(self, charge_w: float, discharge_w: float) -> None:
        self.low, self.high = Limit(-charge_w), Limit(discharge_w)
        self.reserve_pct = 0.0
        self.from_grid = True
        self.acts = False

    def aim(
        self,
        values: Mapping[str, ModeValue],
        ramps: Ramps,
        *,
        base_w: float,
        charge_w: float,
        discharge_w: float,
    ) -> None:
        """Take over the modes in force. base_w: 100 %. charge_w, discharge_w: the limits without a mode."""

        def watts(mode: str, otherwise: float) -> float:
            percent = values.get(mode)
            return percent / 100 * base_w if isinstance(percent, float | int) else otherwise

        self.low.aim(-watts(IN, charge_w), ramps.get(IN, (0.0, 0.0))[0])
        self.high.aim(watts(OUT, discharge_w), ramps.get(OUT, (0.0, 0.0))[0])
        reserve = values.get(RESERVE, 0.0)
        self.reserve_pct = float(reserve) if isinstance(reserve, float | int) else 0.0
        self.from_grid = values.get(GRID) is not False
        self.acts = IN in values or OUT in values

    @property
    def moving(self) -> bool:
        """Whether a limit has not reached its goal."""
        return self.low.moving or self.high.moving

    def advance(self, dt_s: float) -> None:
        """Move the limits on by dt_s."""
        self.low.advance(dt_s)
        self.high.advance(dt_s)

    def within(self, give_w: float, take_w: float, rest_w: float) -> tuple[float, float, float]:
        """What the battery may give and take of that (W, both >= 0), and its power instead of rest_w."""
        low, high = self.low.value, self.high.value
        give, take = min(give_w, max(0.0, high)), min(take_w, max(0.0, 0.0 - low))
        return give, take, max(0.0 - take, min(give, max(low, min(high, rest_w))))
