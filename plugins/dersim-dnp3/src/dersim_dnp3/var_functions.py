"""Reactive power: var that are held (BO 27), and a power factor (BO 28)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from py1815.profile.model import Address

from dersim.plugin import FixedPowerFactor, FixedVar, ModeValue, Verdict
from dersim_dnp3.mode_function import ModeFunction, Values, common
from dersim_dnp3.points import AO, BO, Function, Output
from dersim_dnp3.see import See

VAR = Function("constant var", 27, 79, 46)
POWER_FACTOR = Function("constant power factor", 28, 80, 47)
#: By AO 5.
_REFERENCES: Mapping[int, Literal["setMaxW", "setMaxVar", "statVarAvail"]] = {
    1: "setMaxW",
    2: "setMaxVar",
    3: "statVarAvail",
}


class HeldVar(ModeFunction):
    """opModFixedVar, in percent of what AO 5 says, and opModTargetVar; + injects."""

    function, modes, first = VAR, ("opModFixedVar", "opModTargetVar"), 199
    _PCT, _VAR, _IN_VAR = (AO, 203), (AO, 511), (BO, 47)
    _UP, _DOWN = (AO, 204), (AO, 205)

    def __init__(self, see: See) -> None:
        block, plate = VAR.block, see.plate
        low, high = round(plate.rtgMaxVarNeg), round(plate.rtgMaxVar)
        outputs = (
            *common(VAR, 199, 277),
            Output(AO, 203, "var that are held", "% by AO 5", 0.1, -1000, 1000, 281, block),
            Output(AO, 204, "time to more var, 0 at once", "s", back=282, block=block),
            Output(AO, 205, "time to less var, 0 at once", "s", back=283, block=block),
            Output(AO, 511, "var that are held", "var", 1, low, high, 621, block),
            Output(BO, 47, "the var that are held are in var", back=115, block=block),
        )
        super().__init__(see, outputs, {})

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """One of the two modes."""
        if values[self._IN_VAR]:
            return {"opModFixedVar": None, "opModTargetVar": values[self._VAR]}
        reference = _REFERENCES[int(self.see.var_reference)]
        return {"opModFixedVar": FixedVar(values[self._PCT], reference), "opModTargetVar": None}

    def ramp_s(self, values: Values, modes: Mapping[str, ModeValue | None]) -> float | None:
        """By the direction, else the one with which it begins."""
        target = modes["opModTargetVar"]
        fixed = modes["opModFixedVar"]
        if isinstance(fixed, FixedVar):
            target = fixed.percent / 100 * self._base(fixed.ref, fixed.percent)
        rises = isinstance(target, int | float) and target > self.see.state.q_var
        return values[self._UP if rises else self._DOWN] or super().ramp_s(values, modes)

    def _base(self, reference: str, sign: float) -> float:
        """What 100 % is, var."""
        s, state = self.see.settings, self.see.state
        if reference == "setMaxW":
            return s.setMaxW
        if reference == "setMaxVar":
            return s.setMaxVar if sign >= 0 else -s.setMaxVarNeg
        return state.var_inject_available if sign >= 0 else state.var_absorb_available

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """The var, in the unit in which they are asked for; a percentage of something else is converted."""
        del mode
        if not isinstance(value, FixedVar):
            return {self._VAR: float(value), self._IN_VAR: 1.0}  # type: ignore[arg-type]  # a number
        if value.ref == _REFERENCES[int(self.see.var_reference)]:
            return {self._PCT: value.percent, self._IN_VAR: 0.0}
        var = value.percent / 100 * self._base(value.ref, value.percent)
        return {self._PCT: self._percent(var), self._IN_VAR: 0.0}

    def _percent(self, var: float) -> float:
        base = self._base(_REFERENCES[int(self.see.var_reference)], var)
        return 100 * var / base if base else 0.0


class HeldPowerFactor(ModeFunction):
    """opModFixedPFInjectW while it generates, and opModFixedPFAbsorbW while it charges.

    The excitations, BO 10 and 11, are 0 while var are injected and 1 while they are absorbed; in the profile
    they belong to no function, so they can be read while this one is not in force.
    """

    function, modes, first = POWER_FACTOR, ("opModFixedPFInjectW", "opModFixedPFAbsorbW"), 206
    _OF = {  # noqa: RUF012 - never changed
        "opModFixedPFInjectW": ((AO, 210), (BO, 10)),
        "opModFixedPFAbsorbW": ((AO, 211), (BO, 11)),
    }

    def __init__(self, see: See) -> None:
        block, plate = POWER_FACTOR.block, see.plate
        lowest = round(100 * min(plate.rtgMinPFOverExcited, plate.rtgMinPFUnderExcited))
        outputs = (
            *common(POWER_FACTOR, 206, 284),
            Output(AO, 210, "power factor while it generates", "", 0.01, lowest, 100, 288, block),
            Output(AO, 211, "power factor while it charges", "", 0.01, lowest, 100, 289, block),
            Output(BO, 10, "var are absorbed while it generates", back=29),
            Output(BO, 11, "var are absorbed while it charges", back=30),
        )
        super().__init__(see, outputs, {(AO, 210): 1.0, (AO, 211): 1.0})
        trial = FixedPowerFactor(1.0, "inject")
        has = {mode: see.setpoints.check(mode, trial).verdict is Verdict.ACCEPTED for mode in self._OF}
        self._has = tuple(mode for mode, there in has.items() if there)
        self.kept = frozenset(point for mode in self._OF if not has[mode] for point in self._OF[mode])

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """The power factors of the directions that this machine has."""
        modes: dict[str, ModeValue | None] = {}
        for mode in self._has:
            factor, absorbs = self._OF[mode]
            modes[mode] = FixedPowerFactor(values[factor], "absorb" if values[absorbs] else "inject")
        return modes

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """One direction."""
        if not isinstance(value, FixedPowerFactor):
            return {}
        factor, absorbs = self._OF[mode]
        return {factor: value.pf, absorbs: float(value.excitation == "absorb")}
