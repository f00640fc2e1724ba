"""Enter service: when and how fast the DER returns to service (1547-2018 4.10; SunSpec 703; 2030.5 setES...).

Voltage and frequency must stay inside the window for the whole delay, plus a random part drawn each time
(4.10.3, below 500 kVA); leaving the window restarts the delay. Then the power rises at most linearly from 0
to setMaxW over setESRampTms, or at setSoftGradW if that is slower. The delay is exact: `horizon_s` says where
to split the step.

The parameters are settings (setESDelay and so on); a DefaultDERControl may set them as modes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType, Parameter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

_ENTER = Demand(enter=True)
_SLACK_S = 1e-9
#: From this rating on there is no random delay (1547-2018 4.10.3).
_NOT_RANDOM_VA = 500e3
#: The ramp is stepped in at least so many parts, because it meets a power that moves inside one of them.
_PARTS = 32
#: Where it meets the power, the parts are not shorter than those of so many.
_LEAST_PARTS = 4096


class Missing(NamedTuple):
    """A measurement outside the window of entering service: its name, value, limits and unit."""

    quantity: str
    value: float
    low: float
    high: float
    unit: str


class EnterService(Function):
    """Window, delay and ramp. `rng` draws the random delay; the chain sets the DER's own generator.

    head_start_s: seconds of the ramp already elapsed at the instant when service is entered.
    """

    KEPT = ("settled", "_good_s", "_share", "_ceiling_w")
    rng = random.Random(0)  # noqa: S311 - a simulation, not a secret
    head_start_s = 0.0

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._good_s = 0.0
        #: Of setESRandomDelay, drawn for each return to service.
        self._share: float | None = None
        self._ceiling_w = INF
        self.quiet_window = (0.0, INF, 0.0, INF)

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Take over nothing: the settings are read when needed."""

    def _delay_s(self) -> float:
        s = self.settings
        if s.setESRandomDelay <= 0 or self.nameplate.rtgMaxVA >= _NOT_RANDOM_VA:
            return s.setESDelay
        if self._share is None:
            self._share = self.rng.random()
        return s.setESDelay + self._share * s.setESRandomDelay

    def _inside(self, seen: Measured) -> bool:
        s = self.settings
        return (
            not seen.blocked
            and seen.v_low_pu * 100 >= s.setESLowVolt
            and seen.v_high_pu * 100 <= s.setESHighVolt
            and s.setESLowFreq <= seen.frequency_hz <= s.setESHighFreq
        )

    def missing(self, seen: Measured) -> list[Missing]:
        """The voltages and the frequency that are outside the window."""
        s = self.settings
        volts = s.setESLowVolt, s.setESHighVolt, "%"
        hertz = s.setESLowFreq, s.setESHighFreq, "Hz"
        found = (
            Missing("voltage", seen.v_low_pu * 100, *volts),
            Missing("voltage", seen.v_high_pu * 100, *volts),
            Missing("frequency", seen.frequency_hz, *hertz),
        )
        return [each for each in dict.fromkeys(found) if not each.low <= each.value <= each.high]

    @property
    def ramp_w(self) -> float:
        """The power that the ramp of entering service allows now, W; inf when it is over."""
        return INF if self.settled else self._ceiling_w

    @property
    def ramp_left_s(self) -> float:
        """Seconds until that power is setMaxW."""
        rate, left_w = self._rate_w_s(), self.settings.setMaxW - self._ceiling_w
        return left_w / rate if not self.settled and left_w > 0 and rate > 0 else 0.0

    @property
    def remaining_s(self) -> float:
        """Seconds of good grid still needed before service is entered (SunSpec 703 ESDlyRemTms)."""
        return max(0.0, self._delay_s() - self._good_s)

    def straight_s(self, over_w: float, bends_w: tuple[float, ...]) -> float:
        """Seconds until the ramp ends or meets a power, but at most a part of the whole ramp.

        over_w: how far above it the power is that it limits; bends_w: where the reactive limits bend.
        """
        rate, most_w = self._rate_w_s(), self.settings.setMaxW
        if self.settled or not 0 < rate < INF:
            return INF
        part_w = min(max(most_w - self._ceiling_w, 0.0), most_w / _PARTS)
        for ahead_w in (over_w, *(bend_w - self._ceiling_w for bend_w in bends_w)):
            if 0 < ahead_w < part_w:
                part_w = max(ahead_w, most_w / _LEAST_PARTS)
        return part_w / rate

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until the delay is over."""
        if seen.in_service or not self._inside(seen):
            return INF
        return self.remaining_s

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Out of service: wait, then enter. In service: limit |P| by the ramp until it reaches setMaxW."""
        if not seen.in_service:
            return self._wait(dt_s, seen)
        if self.settled:
            return NOTHING
        rate = self._rate_w_s()
        self._ceiling_w += rate * dt_s
        if rate == INF or self._ceiling_w >= self.settings.setMaxW * 1.0000001:
            self.settled = True
            return NOTHING
        return Demand(limit_w=self._ceiling_w, floor_w=-self._ceiling_w)

    def _wait(self, dt_s: float, seen: Measured) -> Demand:
        self.settled = False
        self._ceiling_w = 0.0
        if not self._inside(seen):
            self._good_s = 0.0
            return NOTHING
        self._good_s += dt_s
        if self._good_s < self._delay_s() - _SLACK_S:
            return NOTHING
        self._good_s = 0.0
        self._share = None
        rate = self._rate_w_s()
        self._ceiling_w = rate * self.head_start_s if rate < INF else INF
        return _ENTER

    def _rate_w_s(self) -> float:
        s = self.settings
        rates = []
        if s.setESRampTms > 0:
            rates.append(s.setMaxW / s.setESRampTms)
        if s.setSoftGradW > 0:
            rates.append(s.setMaxW * s.setSoftGradW / 100)
        return min(rates, default=INF)


_TABLE = "1547-2018 table 4"

TYPE = FunctionType(
    name="enter-service",
    modes=(
        "setESDelay",
        "setESRandomDelay",
        "setESRampTms",
        "setESLowVolt",
        "setESHighVolt",
        "setESLowFreq",
        "setESHighFreq",
        "setSoftGradW",
    ),
    stage="protect",
    make=EnterService,
    parameters={
        # The ranges of allowable settings are those of table 4; a test bench needs shorter times.
        "setESDelay": (Parameter("", "s", 0, 86400, _TABLE + ": 0 to 600 s"),),
        "setESRandomDelay": (Parameter("", "s", 0, 86400, _TABLE + ": 1 to 1000 s"),),
        "setESRampTms": (Parameter("", "s", 0, 86400, _TABLE + ": 1 to 1000 s"),),
        "setESLowVolt": (Parameter("", "%", 0, 100, _TABLE + ": 88 to 95 %"),),
        "setESHighVolt": (Parameter("", "%", 100, 150, _TABLE + ": 105 to 106 %"),),
        "setESLowFreq": (Parameter("", "Hz", 40, 60, _TABLE + ": 59.0 to 59.9 Hz"),),
        "setESHighFreq": (Parameter("", "Hz", 50, 70, _TABLE + ": 60.1 to 61.0 Hz"),),
        "setSoftGradW": (Parameter("", "% setMaxW/s", 0, 655.35, "2030.5 setSoftGradW"),),
    },
    standing=True,
    sunspec_models=(703,),
    order=90,
    doc="window, delay and ramp of entering service",
)
