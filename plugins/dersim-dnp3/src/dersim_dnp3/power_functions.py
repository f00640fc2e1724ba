"""Active power: the limit (BO 17), and the power that is held (BO 18)."""

from __future__ import annotations

from collections.abc import Mapping

from py1815.profile.model import Address

from dersim.plugin import ModeValue
from dersim_dnp3.mode_function import ModeFunction, Values, common
from dersim_dnp3.points import AI, AO, BO, Function, Input, Output
from dersim_dnp3.see import See

LIMIT = Function("active power limit", 17, 69, 36)
HOLD = Function("charge or discharge", 18, 70, 37)
_CHARGING = "InWRte"


class PowerLimit(ModeFunction):
    """opModMaxLimW. AO 88 limits generation and AO 87 charging (IEEE 1815.2 6.4.2.2).

    Their names in the profile say the opposite; AO 510 and 509 are taken to stand in the same order. Without
    a battery there is nothing that AO 87 or 509 could limit: what is written is kept.
    """

    function, modes, first = LIMIT, ("opModMaxLimW",), 82
    _CHARGE_PCT, _PCT = (AO, 87), (AO, 88)
    _CHARGE_W, _W = (AO, 509), (AO, 510)
    _IN_W = (BO, 45)

    def __init__(self, see: See) -> None:
        block, plate = LIMIT.block, see.plate
        lowest_w = -round(plate.rtgMaxChargeRateW)
        outputs = (
            *common(LIMIT, 82, 142),
            Output(AO, 87, "limit of charging", "% of setMaxChargeRateW", 0.1, 0, 1000, 148, block),
            Output(AO, 88, "limit of generation", "% of setMaxW", 0.1, 0, 1000, 149, block),
            Output(AO, 509, "limit of charging", "W", 1, lowest_w, 0, 619, block),
            Output(AO, 510, "limit of generation", "W", 1, 0, round(plate.rtgMaxW), 620, block),
            Output(BO, 45, "the limits are in W", back=113, block=block),
        )
        values = {self._CHARGE_PCT: 100.0, self._PCT: 100.0}
        values |= {self._CHARGE_W: float(lowest_w), self._W: plate.rtgMaxW}
        super().__init__(see, outputs, values)
        self._charges = see.supports(_CHARGING)
        self.kept = frozenset() if self._charges else frozenset({self._CHARGE_PCT, self._CHARGE_W})
        self.inputs = (
            Input(AI, 147, "active power as limited", lambda now: now.state.p_w, "W", 1, 0, block=block),
        )

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """The limits in percent."""
        s = self.see.settings
        percent, charging = values[self._PCT], values[self._CHARGE_PCT]
        if values[self._IN_W]:
            percent = 100 * values[self._W] / s.setMaxW if s.setMaxW else 0.0
            charging = -100 * values[self._CHARGE_W] / s.setMaxChargeRateW if s.setMaxChargeRateW else 0.0
        modes: dict[str, ModeValue | None] = {"opModMaxLimW": percent}
        if self._charges:
            modes[_CHARGING] = charging if charging < 100 else None
        return modes

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """The limit, in the unit that is chosen."""
        del mode
        s, in_w = self.see.settings, self.stored[self._IN_W]
        percent = float(value)  # type: ignore[arg-type]  # modes of a number
        shown = {self._W: percent / 100 * s.setMaxW} if in_w else {self._PCT: percent}
        charging = self.see.setpoints.value(_CHARGING)
        if isinstance(charging, int | float):
            shown |= (
                {self._CHARGE_W: -charging / 100 * s.setMaxChargeRateW}
                if in_w
                else {self._CHARGE_PCT: charging}
            )
        return shown


class HeldPower(ModeFunction):
    """opModFixedW and opModTargetW; + generates or discharges."""

    function, modes, first = HOLD, ("opModFixedW", "opModTargetW"), 89
    _PCT, _W, _IN_W = (AO, 93), (AO, 508), (BO, 46)
    _UP, _DOWN = (AO, 94), (AO, 95)

    def __init__(self, see: See) -> None:
        block, plate = HOLD.block, see.plate
        charges = plate.rtgMaxChargeRateW > 0
        lowest_w = -round(plate.rtgMaxChargeRateW)
        outputs = (
            *common(HOLD, 89, 150),
            Output(
                AO, 93, "power that is held", "% of setMaxW", 0.1, -1000 if charges else 0, 1000, 154, block
            ),
            Output(AO, 94, "time to a higher power, 0 setGradW", "s", back=155, block=block),
            Output(AO, 95, "time to a lower power, 0 setGradW", "s", back=156, block=block),
            Output(AO, 508, "power that is held", "W", 1, lowest_w, round(plate.rtgMaxW), 618, block),
            Output(BO, 46, "the power that is held is in W", back=114, block=block),
        )
        super().__init__(see, outputs, {})

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """One of the two modes."""
        if values[self._IN_W]:
            return {"opModFixedW": None, "opModTargetW": values[self._W]}
        return {"opModFixedW": values[self._PCT], "opModTargetW": None}

    def ramp_s(self, values: Values, modes: Mapping[str, ModeValue | None]) -> float | None:
        """By the direction, else the one with which it begins."""
        target = modes["opModTargetW"]
        if not isinstance(target, int | float):
            target = self._watts(float(modes["opModFixedW"] or 0.0))  # type: ignore[arg-type]  # a number
        rises = target > self.see.state.p_w
        return values[self._UP if rises else self._DOWN] or super().ramp_s(values, modes)

    def _watts(self, percent: float) -> float:
        s = self.see.settings
        return percent / 100 * (s.setMaxW if percent >= 0 else s.setMaxChargeRateW)

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """The power, in the unit in which it is asked for."""
        number = float(value)  # type: ignore[arg-type]  # modes of a number
        if mode == "opModFixedW":
            return {self._PCT: number, self._IN_W: 0.0}
        return {self._W: number, self._IN_W: 1.0}
