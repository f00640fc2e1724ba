"""I5: the energy registers, against an integral of P and Q of our own.

Between two moves of a DER its P and Q are constant, and the integral is exact. In a tick in which it moved
they went from one value to the other: the integral is then between those of the two values. Where a setpoint
changed, or an input moves in long ticks, anything within the ratings is possible in that tick.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dersim.hardware.state import MeterEnergy
from dersim.invariants.base import Invariant, Violation

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.hardware.state import DeviceState

#: The least step of a register, Wh or varh (701.TotWhInj), and the relative error that is allowed.
LSB_WH, RELATIVE = 1.0, 0.001
#: A DER whose power does not move is read after so long, simulated s.
REREAD_S = 10.0
#: What Q may deviate from the straight line in a tick, of the rating: it follows curves of P and V.
Q_SLACK = 0.02
#: Profiles may have a sample a second; in longer ticks the power between the ends is unknown, s.
SHORT_TICK_S = 1.5

_NAMES = ("exported Wh", "imported Wh", "injected varh", "absorbed varh")
_Four = tuple[float, float, float, float]


class _Integral:
    """What the registers of one DER may have counted since `base`: at least `low`, at most `high`, Ws."""

    def __init__(self, device: Device, state: DeviceState) -> None:
        self.base = self.last = _totals(state)
        self.site = _site_registers(state)
        self.low, self.high = [0.0] * 4, [0.0] * 4
        self.take(device, state)

    def take(self, device: Device, state: DeviceState) -> None:
        """The power and the time from which the next interval counts."""
        self.at_s = self.quiet_s = state.time_s
        self.p_w, self.q_var = state.p_w, state.q_var
        self.moved_s = device.moved_s
        self.changes = device.setpoints.changes
        self.failed = bool(device.failed)

    def constant(self, seconds: float) -> None:
        """So long at the present power."""
        self.between((self.p_w, self.p_w), (self.q_var, self.q_var), seconds)

    def between(self, p_w: tuple[float, float], q_var: tuple[float, float], seconds: float) -> None:
        """So long at a power within these bounds."""
        for index, (low, high) in enumerate((p_w, (-p_w[1], -p_w[0]), q_var, (-q_var[1], -q_var[0]))):
            self.low[index] += max(low, 0.0) * seconds
            self.high[index] += max(high, 0.0) * seconds


class Energy(Invariant):
    """Registers count up only, by the integral of P and Q."""

    id = "I5"
    statement = "Energy registers never decrease and equal the integral of P and Q within 1 LSB + 0.1 %."

    def __init__(self) -> None:
        self._integrals: dict[int, _Integral] = {}

    def tick(self, device: Device, now_s: float) -> Iterable[Violation]:
        """Go on with the integral; the registers are read where the power has moved."""
        integral = self._integrals.get(device.number)
        if integral is None or integral.failed != bool(device.failed):
            if not math.isnan(device.moved_s):
                self._integrals[device.number] = _Integral(device, device.state)
            return ()
        if device.moved_s == integral.moved_s and now_s - integral.at_s < REREAD_S:
            integral.quiet_s = now_s
            return ()
        return list(self._read(device, integral, now_s))

    def _read(self, device: Device, integral: _Integral, now_s: float) -> Iterator[Violation]:
        state = device.state
        moved = device.moved_s != integral.moved_s
        quiet_s = min(max(integral.quiet_s, integral.at_s), state.time_s) if moved else state.time_s
        integral.constant(quiet_s - integral.at_s)
        _follow(device, integral, state, state.time_s - quiet_s)
        integral.take(device, state)
        totals = _totals(state)
        found = list(self._compare(device, integral, totals, now_s))
        integral.last = totals
        if found:
            integral.base, integral.low, integral.high = totals, [0.0] * 4, [0.0] * 4
        yield from found
        yield from self._compare_site(device, integral, _site_registers(state), now_s)

    def _compare_site(
        self, device: Device, integral: _Integral, now: tuple[float, ...], now_s: float
    ) -> Iterator[Violation]:
        last, integral.site = integral.site, now
        for name, before, after in zip(MeterEnergy._fields, last, now, strict=False):
            if after < before - 1e-9 * abs(before):
                wanted = f"{name} of the site not below {before:.3f}"
                yield Violation(self.id, device.number, now_s, wanted, f"{after:.3f}")

    def _compare(
        self, device: Device, integral: _Integral, totals: _Four, now_s: float
    ) -> Iterator[Violation]:
        for index, name in enumerate(_NAMES):
            now, last, base = totals[index], integral.last[index], integral.base[index]
            if now < last - 1e-9 * abs(last):
                yield Violation(self.id, device.number, now_s, f"{name} not below {last:.3f}", f"{now:.3f}")
                continue
            low, high = integral.low[index] / 3600, integral.high[index] / 3600
            if not low * (1 - RELATIVE) - LSB_WH <= now - base <= high * (1 + RELATIVE) + LSB_WH:
                wanted = f"{name} to have risen by {low:.3f} to {high:.3f}"
                yield Violation(self.id, device.number, now_s, wanted, f"{now - base:.3f}")


def _follow(device: Device, integral: _Integral, state: DeviceState, seconds: float) -> None:
    """The tick in which the power moved."""
    plate = device.nameplate
    known = integral.changes == device.setpoints.changes and (
        device.inputs.constant or seconds <= SHORT_TICK_S
    )
    slack = Q_SLACK * plate.rtgMaxVA * (1.0 if known else math.inf)
    p = sorted((integral.p_w, state.p_w))
    q = sorted((integral.q_var, state.q_var))
    most = max(plate.rtgMaxVA, plate.rtgMaxChargeRateVA, abs(p[0]), abs(p[1]))
    p_bounds = (p[0], p[1]) if known else (-most, most)
    q_bounds = (max(q[0] - slack, -most), min(q[1] + slack, most))
    if seconds > 0:
        integral.between(p_bounds, q_bounds, seconds)


def _site_registers(state: DeviceState) -> tuple[float, ...]:
    """Those of the site's meter; none without a load behind the DER's."""
    return () if state.site is None else state.site.energy


def _totals(state: DeviceState) -> _Four:
    return (
        sum(state.exported_wh),
        sum(state.imported_wh),
        sum(state.injected_varh),
        sum(state.absorbed_varh),
    )
