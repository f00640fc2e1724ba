"""The inverter's limits on P and Q.

Reactive power has its own limits, setMaxVar and setMaxVarNeg. Where Q needs active power (PV) the wedge of
1547-2018 5.2 (figure H.3) reduces them: full above 20 % of setMaxW, falling in proportion to 5 %, zero below.
Then P and Q together stay within the apparent power: setMaxVA (setMaxChargeRateVA while charging;
setMaxDischargeRateVA while a battery without PV discharges), and what setMaxA is at the present voltage, or
at nominal voltage where that is higher. If both do not fit:

- within the reactive power that the category requires (1547-2018 table 7: 44 % of setMaxVA injecting, 44 %
  absorbing or 25 % for Category A) Q has priority and P is reduced (5.2);
- beyond that the nameplate's priority decides: *reactive*, P is reduced further; *active*, Q is reduced to
  what P leaves of the circle, at least to what the category requires;
- with a fixed power factor both are reduced together, unless Q exceeds its limit: then Q stays there.

Last, no phase carries more than setMaxA. Below nominal voltage reactive current has priority here, which
supports the voltage (6.4.2.6 leaves it to the manufacturer).
"""

from __future__ import annotations

import math

from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings


class Inverter:
    """Limits of one DER in W, VA and var.

    Call `configure` after a change of settings. v_pu: the mean voltage of the phases at the terminals, per
    unit of rtgVNom, set by the device.
    """

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        self._plate = nameplate
        self._settings = settings
        self.v_pu = 1.0
        self.rated_w = nameplate.rtgMaxW
        self.configure()

    def measured(self, frequency_hz: float) -> Measured:
        """The measurements before the first step, with the limits of this inverter."""
        return Measured(frequency_hz=frequency_hz, va_limit=self.va_limit, var_available=self.var_available)

    def configure(self) -> None:
        """Take over setMaxVA, setMaxVar, setMaxA and the like."""
        s, plate = self._settings, self._plate
        self._inject, self._absorb = s.setMaxVar, s.setMaxVarNeg
        self._wedge_w = s.setMaxW if plate.q_needs_power else 0.0
        # Without any active power allowed, Q that needs active power is never full.
        self._full_q_w = 0.2 * self._wedge_w if s.setMaxW > 0 or not plate.q_needs_power else math.inf
        jump_w = 0.05 * self._wedge_w
        #: Where the wedge jumps (just below and above) and where it bends, W.
        self.bends_w = (jump_w * (1 - 1e-6), jump_w * (1 + 1e-6), self._full_q_w) if jump_w else ()
        #: Below this power the next one may be in the wedge, W.
        self.near_wedge_w = 0.5 * self._wedge_w
        demanded = 0.25 if plate.normal_category == "A" else 0.44
        self._demanded_inject = 0.44 * s.setMaxVA
        self._demanded_absorb = -demanded * s.setMaxVA
        self._reactive_first = plate.reactive_priority
        self._va_per_pu = s.setMaxA * plate.phases * plate.v_ln_v
        alone = plate.rtgMaxWh and not plate.pv_w
        self._va, self._va_charge = s.setMaxVA, s.setMaxChargeRateVA
        self._va_give = min(s.setMaxVA, s.setMaxDischargeRateVA) if alone else s.setMaxVA
        self._va2 = self._va_give * self._va_give

    @property
    def _amps_va(self) -> float:
        """The apparent power at setMaxA."""
        return self._va_per_pu * self.v_pu

    @property
    def current_limits(self) -> bool:
        """Whether setMaxA, and not setMaxVA, is the limit at the present voltage."""
        return self._amps_va < self._settings.setMaxVA * (1 - 1e-9)

    def va_limit(self, p_w: float) -> float:
        """The highest apparent power at this active power and at least nominal voltage, VA."""
        va = self._va_give if p_w > 0 else (self._va_charge if p_w < 0 else self._va)
        # Below nominal voltage the current limit is one of its own, behind that of apparent power.
        return min(va, self._va_per_pu * max(1.0, self.v_pu))

    def active_limits(self) -> tuple[float, float]:
        """The highest power to deliver and to take at the present voltage, both >= 0, W."""
        amps_va = self._va_per_pu * self.v_pu
        return min(self._va_give, amps_va), min(self._va_charge, amps_va)

    def apparent_limit(self, p_w: float) -> str:
        """The setting that limits the apparent power at this active power."""
        if p_w < 0:
            name, va = "setMaxChargeRateVA", self._va_charge
        else:
            gives = p_w > 0 and self._va_give < self._va
            name, va = ("setMaxDischargeRateVA", self._va_give) if gives else ("setMaxVA", self._va)
        return "setMaxA" if self._amps_va < va * (1 - 1e-9) else name

    def reactive_limit(self, p_w: float, q_var: float) -> tuple[str, str]:
        """What holds reactive power back at this output, and why in words: a setting or statVarAvail."""
        full = self._inject if q_var > 0 else -self._absorb
        share = self.q_share(p_w)
        if abs(q_var) < full * share * (1 - 1e-9):
            return self.apparent_limit(p_w), "active power goes first"
        if share < 1:
            return "statVarAvail", "of little active power (1547-2018 5.2)"
        return ("setMaxVar" if q_var > 0 else "setMaxVarNeg"), ""

    def q_share(self, p_w: float) -> float:
        """The usable share of the reactive limits at this active power, 0 to 1."""
        if p_w >= self._full_q_w or not self._full_q_w:
            return 1.0
        share = abs(p_w) / self._wedge_w if self._wedge_w else 0.0
        if share >= 0.2:
            return 1.0
        return 0.0 if share < 0.05 - 1e-9 else share * 5

    def var_available(self, p_w: float) -> tuple[float, float]:
        """(injecting, absorbing) var available at this active power, both >= 0."""
        share = 1.0 if p_w >= self._full_q_w else self.q_share(p_w)
        va = min(self.va_limit(p_w), self._va_per_pu * self.v_pu)
        room = va * va - p_w * p_w
        circle = math.sqrt(room) if room > 0.0 else 0.0
        return min(self._inject * share, circle), min(-self._absorb * share, circle)

    def fit(self, p_w: float, q_var: float, power_factor_first: bool = False) -> tuple[float, float]:
        """Limit P and Q to what the inverter can deliver."""
        high, low = self._inject, self._absorb
        if low <= q_var <= high and p_w >= self._full_q_w:
            va2, amps_va = p_w * p_w + q_var * q_var, self._va_per_pu * self.v_pu
            if va2 <= self._va2 and va2 <= amps_va * amps_va:
                return p_w, q_var
        if power_factor_first:
            p, q = self._fit_power_factor(p_w, q_var, self.va_limit(p_w))
        else:
            p, q = self._fit_circle(p_w, q_var)
        if p * p + q * q > self._amps_va * self._amps_va:
            p, q = _within(self._amps_va, p, q)
        if not p and (p_w < 0 or (p_w > 0 and self.va_limit(p_w) < self.va_limit(0.0))):
            # No charging or discharging is left, so its limit does not apply.
            return self.fit(0.0, q)
        return p, q

    def _fit_circle(self, p_w: float, q_var: float) -> tuple[float, float]:
        va, high, low = self.va_limit(p_w), self._inject, self._absorb
        share = self.q_share(p_w)
        high, low = high * share, low * share
        q = high if q_var > high else (max(q_var, low))
        if p_w * p_w + q * q <= va * va:
            return p_w, q
        if not self._reactive_first:
            left = math.sqrt(max(0.0, va * va - p_w * p_w))
            q = min(max(self._demanded_inject, left), max(min(self._demanded_absorb, -left), q))
        return _within(va, p_w, q)

    def _fit_power_factor(self, p_w: float, q_var: float, va: float) -> tuple[float, float]:
        wanted = math.hypot(p_w, q_var)
        scale = min(1.0, va / wanted) if wanted > 0 else 1.0
        p, q = p_w * scale, q_var * scale
        share = self.q_share(p)
        high, low = self._inject * share, self._absorb * share
        clamped = min(high, max(low, q))
        if clamped != q:
            # Q is at its own limit: P may use what is left of the circle.
            p = math.copysign(min(abs(p_w), math.sqrt(max(0.0, va * va - clamped * clamped))), p_w)
        return p, clamped


def _within(va: float, p_w: float, q_var: float) -> tuple[float, float]:
    """Q as far as it is within the circle, and P as far as Q leaves room."""
    q = min(va, max(-va, q_var))
    return math.copysign(min(math.sqrt(max(0.0, va * va - q * q)), abs(p_w)), p_w), q
