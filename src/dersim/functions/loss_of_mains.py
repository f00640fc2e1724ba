"""Protection against an unintended island and against disturbances beyond ride-through.

Anti-islanding (1547-2018 8.1.1): where it is enabled, the DER trips within 2 s after the grid is lost,
whatever voltage and frequency are; disabled, it goes on. Phase angle (6.5.2.6): a jump of up to 20 degrees of
the positive sequence and 60 degrees of each phase is ridden through; with one phase, 60 degrees. Rate of
change of frequency (6.5.2.5, table 21): up to 0.5, 2 and 3 Hz/s in Categories I, II and III it is ridden
through. Beyond these the nameplate decides; the default rides through.
"""

from __future__ import annotations

import cmath
import math

from dersim.functions.base import INF, Function
from dersim.functions.contract import NOTHING, Demand, FunctionType
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.state import Triple

_TRIP, _OFF = Demand(trip=True), Demand(off=True)
_SEQUENCE_DEG, _PHASE_DEG = 20.0, 60.0
#: The shortest window over which 1547-2018 table 21 averages the rate, s.
_WINDOW_S = 0.1
_SLACK = 1e-9


class LossOfMains(Function):
    """The timers of one DER: since the grid was lost, and since the frequency moves too fast.

    cause: of a trip by this function, for the log; "" in service.
    """

    KEPT = ("settled", "_angle_deg", "_lost_s", "_fast_s", "cause")
    quiet_window = (0.0, INF, 0.0, INF)

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self._fast_hz_s = nameplate.rocof_trip_hz_s or INF
        self._angle_deg: Triple | None = None
        self._lost_s = self._fast_s = 0.0
        self.cause = ""

    def horizon_s(self, seen: Measured) -> float:
        """Seconds until a timer trips; inf if none runs."""
        if not seen.in_service:
            return INF
        lost_s = self.nameplate.island_trip_s - self._lost_s if self._lost(seen) else INF
        fast_s = _WINDOW_S - self._fast_s if self._fast(seen) else INF
        return max(0.0, min(lost_s, fast_s))

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Advance the timers; trip at their end or on a jump, and stay off while the grid is lost."""
        lost, fast = self._lost(seen), self._fast(seen)
        self._lost_s = self._lost_s + dt_s if lost else 0.0
        self._fast_s = self._fast_s + dt_s if fast else 0.0
        jumps = self._jumps(seen)
        self.settled = not lost and not fast
        if not seen.in_service:
            return _OFF if lost else NOTHING
        self.cause = ""
        if jumps:
            self.cause = "jump of the phase angle"
        elif self._lost_s >= self.nameplate.island_trip_s - _SLACK:
            self.cause = "grid lost"
        elif self._fast_s >= _WINDOW_S - _SLACK:
            self.cause = f"frequency moves at {seen.rocof_hz_s:g} Hz/s"
        return _TRIP if self.cause else NOTHING

    def _lost(self, seen: Measured) -> bool:
        return seen.grid_lost and self.settings.anti_islanding

    def _fast(self, seen: Measured) -> bool:
        return abs(seen.rocof_hz_s) > self._fast_hz_s + _SLACK

    def _jumps(self, seen: Measured) -> bool:
        """Whether the angles have changed by more than is ridden through, and the nameplate trips then."""
        before, now = self._angle_deg, seen.angle_deg
        self._angle_deg = now
        if before is None or before == now or not self.nameplate.angle_jump_trips:
            return False
        phases = self.nameplate.phases
        most = max(abs(_turn(a, b)) for a, b in zip(before[:phases], now[:phases], strict=True))
        sequence = abs(_turn(_positive(before), _positive(now))) if phases == 3 else 0.0
        return most > _PHASE_DEG + _SLACK or sequence > _SEQUENCE_DEG + _SLACK


def _turn(before_deg: float, now_deg: float) -> float:
    return (now_deg - before_deg + 180) % 360 - 180


def _positive(angle_deg: Triple) -> float:
    """The angle of the positive sequence of three equal voltages, degrees."""
    total = sum(cmath.rect(1.0, math.radians(each)) for each in angle_deg)
    return math.degrees(cmath.phase(total)) if abs(total) > _SLACK else 0.0


TYPE = FunctionType(
    name="loss-of-mains",
    modes=(),
    stage="protect",
    make=LossOfMains,
    standing=True,
    sunspec_models=(704,),
    order=15,
    doc="anti-islanding; jumps of the phase angle and a fast frequency beyond ride-through",
)
