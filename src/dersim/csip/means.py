"""Means of power, voltage and frequency over whole minutes of the server's time.

Totals are taken at each whole minute, so that the mean of any interval that begins and ends on one is known,
even if the interval becomes another meanwhile, or the server is away. Active and reactive power are the
differences of the energy registers, which integrate every course within a step; voltage and frequency are
those of each step times its length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.hardware.state import DeviceState

MINUTE_S = 60
#: Totals are kept for so many minutes while nothing takes them: the server is away.
MOST_MINUTES = 1_000
#: And at least so many, so that a longer interval that is asked for has them from its beginning.
_LEAST_MINUTES = 5
#: An adjustment of the clock up to this, s, moves a boundary; beyond it the means begin anew.
_ADJUSTED_S = 2.0


class Means(NamedTuple):
    """The means of one interval, from `start_s` (server time, a whole minute) for `duration_s`.

    p_w, q_var: of the DER, generated and injected positive. v: of the phases to neutral, V. site_p_w,
    site_q_var: at the site's meter, exported positive; without a load those of the DER.
    """

    start_s: int
    duration_s: int
    p_w: float
    q_var: float
    v: float
    frequency_hz: float
    site_p_w: float
    site_q_var: float


class _Totals(NamedTuple):
    """Integrals since the start, at a simulated time: Ws, vars, Vs, Hz s."""

    at_s: float
    p: float
    q: float
    v: float
    hz: float
    site_p: float
    site_q: float


class MeanCounter:
    """The totals of one DER. ahead_s: server time less simulated time, s. on_minute: a minute is complete."""

    def __init__(
        self, device: Device, ahead_s: Callable[[], float], on_minute: Callable[[], None] = lambda: None
    ) -> None:
        self.newest = 0
        self._device = device
        self._ahead_s = ahead_s
        self._on_minute = on_minute
        self._at: dict[int, _Totals] = {}
        self._taken: dict[str, int] = {}
        self._before_s = math.nan
        self._before: tuple[float, float] = (0.0, 0.0)
        self._v = self._hz = 0.0

    def check(self) -> None:
        """After every step."""
        device, seen = self._device, self._device.seen
        now_s = device.stepped_s
        if not now_s > self._before_s and not math.isnan(self._before_s):
            return
        power = (seen.p_w, seen.q_var)
        if math.isnan(self._before_s):
            self.newest = math.floor((now_s + self._ahead_s()) / MINUTE_S) if math.isfinite(now_s) else 0
        else:
            dt_s = now_s - self._before_s
            volts, hz = seen.terminal_v_pu * device.nameplate.v_ln_v, seen.frequency_hz
            self._v += volts * dt_s
            self._hz += hz * dt_s
            self._pass_minutes(now_s, power, volts, hz)
        if math.isfinite(now_s):
            self._before_s, self._before = now_s, power

    def _pass_minutes(self, now_s: float, power: tuple[float, float], volts: float, hz: float) -> None:
        server_s = now_s + self._ahead_s()
        minute = math.floor(server_s / MINUTE_S)
        first_s = now_s - (server_s - (self.newest + 1) * MINUTE_S)
        jumped = minute > self.newest and first_s < self._before_s - _ADJUSTED_S
        if jumped or server_s < self.newest * MINUTE_S - _ADJUSTED_S:
            self._at.clear()
            self.newest = minute
        if minute <= self.newest:
            return
        state = self._device.state
        for passed in range(self.newest + 1, minute + 1):
            boundary_s = max(now_s - (server_s - passed * MINUTE_S), self._before_s)
            self._at[passed] = self._totals(state, boundary_s, now_s, power, (volts, hz))
        self.newest = minute
        self._drop_old()
        self._on_minute()

    def _totals(
        self,
        state: DeviceState,
        at_s: float,
        now_s: float,
        power: tuple[float, float],
        grid: tuple[float, float],
    ) -> _Totals:
        """Those of `at_s`, within the last step: what came after it is taken off."""
        after_s = now_s - at_s
        share = after_s / (now_s - self._before_s) / 2
        p, q = (new * (1 - share) + old * share for new, old in zip(power, self._before, strict=True))
        of_der_p = sum(state.exported_wh) - sum(state.imported_wh)
        of_der_q = sum(state.injected_varh) - sum(state.absorbed_varh)
        of_site_p, of_site_q, load_w, load_var = of_der_p, of_der_q, 0.0, 0.0
        if (site := state.site) is not None:
            energy = site.energy
            of_site_p = energy.exported_wh - energy.imported_wh
            of_site_q = energy.q3_varh + energy.q4_varh - energy.q1_varh - energy.q2_varh
            load_w, load_var = site.load_w, site.load_var
        return _Totals(
            at_s,
            of_der_p * 3600 - p * after_s,
            of_der_q * 3600 - q * after_s,
            self._v - grid[0] * after_s,
            self._hz - grid[1] * after_s,
            of_site_p * 3600 - (p - load_w) * after_s,
            of_site_q * 3600 - (q - load_var) * after_s,
        )

    def _drop_old(self) -> None:
        taken = min(self._taken.values(), default=self.newest)
        oldest = max(min(taken, self.newest - _LEAST_MINUTES), self.newest - MOST_MINUTES)
        for minute in [each for each in self._at if each < oldest]:
            del self._at[minute]

    def needed_from(self, who: str, minute: int) -> None:
        """Keep the totals from this minute on for one of those who take them."""
        self._taken[who] = minute

    def complete(self, after: int | None, minutes: int) -> list[int]:
        """The ends, in minutes of server time, of the complete intervals of that length after `after`.

        Intervals begin and end on multiples of their length, as UTC has them.
        """
        ends = (end for end in sorted(self._at) if end % minutes == 0 and end - minutes in self._at)
        return [end for end in ends if after is None or end > after]

    def means(self, end: int, minutes: int) -> Means:
        """Of the interval that ends at that minute; it is one of `complete`."""
        first, last = self._at[end - minutes], self._at[end]
        took_s = (last.at_s - first.at_s) or 1.0
        values = [(new - old) / took_s for old, new in zip(first[1:], last[1:], strict=True)]
        return Means((end - minutes) * MINUTE_S, minutes * MINUTE_S, *values)
