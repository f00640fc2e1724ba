"""opModFreqDroop: active power follows the frequency outside a dead-band (SunSpec 711).

1547-2018 6.5.2.7.1, table 22, in per unit of setMaxW, f_N the nominal frequency:

    f < f_N - dbUF:  p = min(p_pre + ((f_N - dbUF) - f) / (f_N * kUF), p_avl)
    f > f_N + dbOF:  p = max(p_pre - (f - (f_N + dbOF)) / (f_N * kOF), p_min)

p_pre is the output at the instant when the frequency left the dead-band (6.5.2.7). It stays until the
frequency is back. A limit by command is a minimum beside it while it is in force. Two cases have no such
output:

- momentary cessation: p_pre is the output before it (6.4.2.7);
- out of service, at the start, and PV in the dark: p_pre is what the DER would deliver without the event and
  without limits by command. It moves with that until the ramp of entering service is done. PV in the dark has
  no ramp, so there it moves until the frequency is back.

The response has an open-loop time to 90 %; changes of p_pre pass it without delay. It replaces targets
and limits by command (an under-frequency response uses the headroom of a curtailment) and stays below
Volt-Watt. After the return the difference fades with the same lag; the function ends when it is gone.
"""

# ruff: noqa: FURB136 - min() costs more than the rest of `_reference`

from __future__ import annotations

from collections.abc import Mapping

from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.functions.filters import Lag
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import FreqDroop, ModeValue

MODE = "opModFreqDroop"
#: Share of setMaxW within which the return is complete.
_ARRIVED = 1e-3


class Droop(Function):
    """Frequency droop with its dead-band, p_pre and lag."""

    KEPT = ("settled", "_side", "_active", "_pre_w", "_wanted_w", "_moves", "_dark", "_lag")

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._value: FreqDroop | None = None
        self._low_hz = self._high_hz = self._most_w = 0.0
        self._over = self._under = 0.0
        self._side = 0
        self._active = False
        self._pre_w = self._wanted_w = 0.0
        self._moves = self._dark = False
        self._lag = Lag()
        self.lags = (self._lag,)
        self._demand = Demand(lag=self._lag)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over dead-bands, slopes and response time; a response in progress continues with them."""
        value = modes.get(MODE)
        if not isinstance(value, FreqDroop):
            self._value = None
            self._active, self._side, self.settled = False, 0, True
            return
        hz = self.nameplate.frequency_hz
        self._low_hz, self._high_hz = hz - value.db_uf_hz, hz + value.db_of_hz
        self._over = self.settings.setMaxW / (hz * value.k_of)
        self._under = self.settings.setMaxW / (hz * value.k_uf)
        self._value = value
        self._most_w = self.settings.setMaxW

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """The power by frequency, outside the dead-band and during the return."""
        value = self._value
        if value is None:
            return NOTHING
        f = seen.frequency_hz
        side = -1 if f < self._low_hz else (1 if f > self._high_hz else 0)
        if not side and not self._active:
            return NOTHING
        lag = self._lag
        if not seen.in_service:
            self._active, self._side = False, 0
            return NOTHING
        by_w = 0.0
        if side != self._side:
            self._turn(seen, side)
        elif not side:
            by_w = seen.wanted_w - self._wanted_w
        elif self._moves:
            by_w = self._move(seen)
        self._wanted_w = seen.wanted_w
        reference = self._reference(seen, value) if side else seen.wanted_w
        if by_w:
            p = lag.step_shifted(by_w, dt_s, reference, value.open_loop_s)
        else:
            p = lag.step(dt_s, reference, value.open_loop_s)
        self.settled = not lag.moving
        if not side and abs(p - reference) < _ARRIVED * self.settings.setMaxW:
            self._active = False
            return NOTHING
        self._demand.override_w = p
        return self._demand

    def _turn(self, seen: Measured, side: int) -> None:
        """The frequency left the dead-band, returned, or crossed to the other side."""
        self._side = side
        if not side:
            return
        before_w = seen.before_w
        without = seen.undisturbed()
        self._dark = without.dark
        self._moves = before_w is None or without.entering or without.dark
        self._pre_w = without.p_w if self._moves or before_w is None else before_w
        if not self._active:
            self._lag.start(before_w)
            self._active = True

    def _move(self, seen: Measured) -> float:
        """Let p_pre follow the power without the event, until the ramps are done.

        Returns by how many W that moves p_pre where no limit by command is below it.
        """
        without, command_w = seen.undisturbed(), seen.command_w
        by_w = min(without.p_w, command_w) - min(self._pre_w, command_w)
        self._pre_w = without.p_w
        self._moves = without.ramping or self._dark
        return by_w

    def _reference(self, seen: Measured, value: FreqDroop) -> float:
        pre_w, command_w = self._pre_w, seen.command_w
        pre_w = command_w if command_w < pre_w else pre_w
        if self._side < 0:
            asked = pre_w + (self._low_hz - seen.frequency_hz) * self._under
            most = seen.available_w if seen.available_w < self._most_w else self._most_w
            return most if asked > most else asked
        asked = pre_w - (seen.frequency_hz - self._high_hz) * self._over
        lowest = -seen.charge_w if value.p_min_w is None else value.p_min_w
        # A DER that ran below p_min is not raised to it.
        return asked if asked >= lowest else min(lowest, pre_w)


def _check(mode: str, value: ModeValue, nameplate: Nameplate, settings: Settings) -> str:
    if isinstance(value, FreqDroop) and value.p_min_w is not None and value.p_min_w > nameplate.rtgMaxW:
        return f"p_min_w {value.p_min_w:g} is more than rtgMaxW, {nameplate.rtgMaxW:g} W"
    return ""


TYPE = FunctionType(
    name="freq-droop",
    modes=(MODE,),
    stage="frequency",
    make=Droop,
    parameters={
        MODE: (
            # 1547-2018 table 24 allows 0.017 to 1 Hz and 0.02 to 0.05; test procedures ask for more.
            Parameter("db_of_hz", "Hz", 0, 5, "1547-2018 table 24"),
            Parameter("db_uf_hz", "Hz", 0, 5, "1547-2018 table 24"),
            Parameter("k_of", "pu/pu", 0.001, 65.535, "1547-2018 table 24"),
            Parameter("k_uf", "pu/pu", 0.001, 65.535, "1547-2018 table 24"),
            Parameter("open_loop_s", "s", 0, 600, "1547-2018 table 24: 0.2 to 10 s"),
        )
    },
    check=_check,
    sunspec_models=(711,),
    order=10,
    doc="active power by frequency, droop",
)
