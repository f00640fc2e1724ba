"""Frequency droop (BO 16): opModFreqDroop.

The profile gives gradients, percent of power per percent of frequency, or W per Hz; k of IEEE 1547-2018 table
24 is per unit of frequency per unit of power: 20 %/% is k = 0.05. dersim has one response time: either output
sets both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from py1815.profile.model import Address

from dersim.plugin import FreqDroop, ModeValue
from dersim_dnp3.mode_function import ModeFunction, Values, common
from dersim_dnp3.points import AI, AO, BO, HIGHEST, Function, Input, Output
from dersim_dnp3.refusal import RefusalError
from dersim_dnp3.see import See

DROOP = Function("frequency droop", 16, 68, 35)
_IN_W = "frequency droop in W"
#: IEEE 1547-2018 table 24.
_DEFAULT = FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)
_FASTEST_S = 600


class Droop(ModeFunction):
    """The droop."""

    function, modes, first = DROOP, ("opModFreqDroop",), 57
    _OF, _UF, _OF_PCT, _UF_PCT = (AO, 62), (AO, 66), (AO, 64), (AO, 68)
    _UP, _DOWN = (AO, 72), (AO, 73)
    _OF_W, _UF_W, _MIN, _MAX = (AO, 480), (AO, 481), (AO, 482), (AO, 483)
    _BY_W = (BO, 44)

    def __init__(self, see: See) -> None:
        block, plate = DROOP.block, see.plate
        rated = min(round(plate.rtgMaxW * 1000), HIGHEST)
        outputs = (
            *common(DROOP, 57, 115),
            Output(AO, 62, "dead-band of over-frequency", "Hz", 0.001, 0, 5000, 121, block),
            Output(AO, 64, "gradient of over-frequency", "%/%", 0.001, 16, 1_000_000, 123, block),
            Output(AO, 66, "dead-band of under-frequency, < 0", "Hz", 0.001, -5000, 0, 125, block),
            Output(AO, 68, "gradient of under-frequency", "%/%", 0.001, 16, 1_000_000, 127, block),
            Output(AO, 72, "response time", "s", 1, 0, _FASTEST_S, 131, block),
            Output(AO, 73, "response time, the same", "s", 1, 0, _FASTEST_S, 132, block),
            Output(AO, 480, "gradient of over-frequency", "W/Hz", 0.001, 1, HIGHEST, 590, _IN_W),
            Output(AO, 481, "gradient of under-frequency", "W/Hz", 0.001, 1, HIGHEST, 591, _IN_W),
            Output(AO, 482, "power that over-frequency leaves", "W", 0.001, 0, rated, 592, _IN_W),
            Output(
                AO,
                483,
                "power that under-frequency may reach, not below the rating",
                "W",
                0.001,
                rated,
                HIGHEST,
                593,
                _IN_W,
            ),
            Output(BO, 44, "the gradients are in W/Hz", back=112, block=_IN_W),
        )
        super().__init__(see, outputs, {self._MAX: rated / 1000})
        self.kept = frozenset({self._MAX})
        self.stored |= self._shown(_DEFAULT)
        self.inputs = (
            Input(
                AI,
                120,
                "frequency of the droop",
                lambda now: now.state.frequency_hz,
                "Hz",
                0.001,
                0,
                block=block,
            ),
        )
        #: Whether AO 482 was written; else a battery goes down to its charging.
        self._bounded = False

    def demand(self, values: Values) -> dict[str, ModeValue | None]:
        """The droop of these values."""
        by_w = bool(values[self._BY_W])
        k_of = self._k(values[self._OF_W], by_w=True) if by_w else self._k(values[self._OF_PCT], by_w=False)
        k_uf = self._k(values[self._UF_W], by_w=True) if by_w else self._k(values[self._UF_PCT], by_w=False)
        lowest = values[self._MIN] if self._bounded else None
        droop = FreqDroop(values[self._OF], abs(values[self._UF]), k_of, k_uf, values[self._UP], lowest)
        return {"opModFreqDroop": droop}

    def _k(self, gradient: float, *, by_w: bool) -> float:
        """k of a gradient, per unit."""
        if not gradient:
            return 0.0
        return self._watts_per_hz / gradient if by_w else 1 / gradient

    @property
    def _watts_per_hz(self) -> float:
        """The gradient of k = 1: setMaxW over the nominal frequency."""
        return self.see.settings.setMaxW / self.see.plate.frequency_hz

    def show(self, mode: str, value: ModeValue) -> dict[Address, float]:
        """The droop that acts, in the unit that is chosen."""
        del mode
        if not isinstance(value, FreqDroop):
            return {}
        other = (self._OF_PCT, self._UF_PCT) if self.stored[self._BY_W] else (self._OF_W, self._UF_W)
        return {point: number for point, number in self._shown(value).items() if point not in other}

    def _shown(self, droop: FreqDroop) -> dict[Address, float]:
        shown = {
            self._OF: droop.db_of_hz,
            self._UF: -droop.db_uf_hz,
            self._OF_PCT: 1 / droop.k_of if droop.k_of else 0.0,
            self._UF_PCT: 1 / droop.k_uf if droop.k_uf else 0.0,
            self._OF_W: self._watts_per_hz / droop.k_of if droop.k_of else 0.0,
            self._UF_W: self._watts_per_hz / droop.k_uf if droop.k_uf else 0.0,
            self._UP: droop.open_loop_s,
            self._DOWN: droop.open_loop_s,
        }
        if droop.p_min_w is not None:
            shown[self._MIN] = max(0.0, droop.p_min_w)
        return shown

    def checkpoint(self) -> dict[str, Any]:
        """With whether AO 482 was written."""
        return {**super().checkpoint(), "bounded": self._bounded}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take it over."""
        super().restore(document)
        self._bounded = document.get("bounded", False)

    def write(self, address: Address, value: float) -> None:
        """One response time for both directions."""
        bounded = self._bounded
        self._bounded = bounded or address == self._MIN
        try:
            super().write(self._UP if address == self._DOWN else address, value)
        except RefusalError:
            self._bounded = bounded
            raise
        if address in (self._UP, self._DOWN):
            self.stored[self._UP] = self.stored[self._DOWN] = value
            self.see.touched()
