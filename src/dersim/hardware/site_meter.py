"""The meter of a site: a DER and a load behind one connection to the grid.

P and Q of a site are those of the DER less those of the load, so they count as the DER's: P > 0 exports,
Q > 0 exports (as a capacitor does). The energy registers count up only, each direction by itself, and vars by
quadrant, as meters of the field do::

    Q1 imports W, imports var    Q2 exports W, imports var
    Q4 imports W, exports var    Q3 exports W, exports var

The registers of the whole count the net power of all phases, those of a phase its own: where one phase
imports while another exports, the whole is not the sum of its phases.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from dersim.grid.conditions import Conditions
from dersim.hardware.course import Course
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.registers import Registers
from dersim.hardware.state import MeterEnergy, SiteState, Triple
from dersim.kept import set_attributes

_PER_HOUR = 1 / 3600
_ZERO: Triple = (0.0, 0.0, 0.0)
_QUADRANTS = {(True, True): 2, (False, True): 3, (False, False): 4, (True, False): 5}
Parts = list[tuple[float, float]]


class SiteMeter:
    """The registers of a meter and the power that passes it.

    load_w, load_var: of the load in A, B, C.
    """

    KEPT = ("_registers", "load_w", "load_var", "_shares", "_p", "_q", "_held_s")

    def __init__(self, phases: int) -> None:
        self.phases = phases
        self.load_w = self.load_var = _ZERO
        self._shares: Triple = (1.0, 0.0, 0.0)
        #: The DER's P and Q now, and for how long they and the load have not changed, uncounted.
        self._p = self._q = self._held_s = 0.0
        # Wh imported and exported, varh of quadrants 1 to 4: of the whole, then of each of several phases.
        self._registers = [0.0] * 6 * (1 + phases if phases > 1 else 1)
        self._parts = self._parts_now()

    def see(self, load_w: Triple, load_var: Triple) -> None:
        """The load from now on."""
        if load_w != self.load_w or load_var != self.load_var:
            self._settle()
            self.load_w, self.load_var = load_w, load_var
            self._parts = self._parts_now()

    def share(self, shares: Triple) -> None:
        """Split the DER's P and Q over the phases by these shares (sum 1) from now on."""
        if shares != self._shares:
            self._settle()
            self._shares = shares
            self._parts = self._parts_now()

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what a checkpoint kept."""
        set_attributes(self, self.KEPT, document)
        self._parts = self._parts_now()

    def _parts_now(self) -> list[tuple[int, float, float, float]]:
        """Of the whole and of each phase: where its registers begin, its share of the DER, its load."""
        whole = (0, 1.0, sum(self.load_w), sum(self.load_var))
        phases = range(len(self._registers) // 6 - 1)
        each = ((6 + 6 * i, self._shares[i], self.load_w[i], self.load_var[i]) for i in phases)
        return [whole, *each]

    def count_to(self, p_w: float, q_var: float, mean_p_w: float, mean_q_var: float, dt_s: float) -> None:
        """Count a piece of a step at whose end the DER's power is P and Q."""
        before_p, before_q = self._p, self._q
        if mean_p_w == p_w == before_p and mean_q_var == q_var == before_q:
            self._held_s += dt_s
        else:
            self._settle()
            self._p, self._q = p_w, q_var
            if dt_s > 0:
                self._count((before_p, p_w, mean_p_w), (before_q, q_var, mean_q_var), dt_s)

    def count(self, p: Course, q: Course, dt_s: float) -> None:
        """Count a piece of a step in which the DER's power has these courses."""
        self._settle()
        self._p, self._q = p.after, q.after
        if dt_s > 0:
            self._count(p, q, dt_s)

    def _settle(self) -> None:
        if self._held_s > 0:
            self._count((self._p,) * 3, (self._q,) * 3, self._held_s)
        self._held_s = 0.0

    def _count(self, p: Triple, q: Triple, dt_s: float) -> None:
        """P and Q of the DER: before, after and mean."""
        (p_before, p_after, p_mean), (q_before, q_after, q_mean) = p, q
        registers, hours = self._registers, dt_s * _PER_HOUR
        for at, share, w, var in self._parts:
            net_p, net_q = p_mean * share - w, q_mean * share - var
            of_p, of_q = (
                (p_before * share - w, p_after * share - w),
                (q_before * share - var, q_after * share - var),
            )
            if of_p[0] * of_p[1] < 0 or of_q[0] * of_q[1] < 0:
                _add(registers, at, Course(*of_p, net_p), Course(*of_q, net_q), dt_s)
            else:
                registers[at + (net_p > 0)] += abs(net_p) * hours
                registers[at + _QUADRANTS[net_p <= 0, net_q <= 0]] += abs(net_q) * hours

    def read(self, p_w: float, q_var: float, shares: Triple, voltage_ln_v: Triple) -> SiteState:
        """What the meter shows at this P and Q of the DER."""
        self._settle()
        load_w, load_var = sum(self.load_w), sum(self.load_var)
        p, q = p_w - load_w, q_var - load_var
        phase_p_w = _triple([share * p_w - load for share, load in zip(shares, self.load_w, strict=True)])
        phase_q_var = _triple(
            [share * q_var - load for share, load in zip(shares, self.load_var, strict=True)]
        )
        amps = [
            math.hypot(w, var) / volts if volts > 0 else 0.0
            for w, var, volts in zip(phase_p_w, phase_q_var, voltage_ln_v, strict=True)
        ]
        whole, *each = (
            MeterEnergy(*self._registers[at : at + 6]) for at in range(0, len(self._registers), 6)
        )
        return SiteState(
            p_w=p,
            q_var=q,
            s_va=math.hypot(p, q),
            load_w=load_w,
            load_var=load_var,
            phase_p_w=phase_p_w,
            phase_q_var=phase_q_var,
            current_a=_triple(amps),
            energy=whole,
            phase_energy=tuple(each) or (whole,),
        )


class MeteredRegisters(Registers):
    """The registers of a DER with a load behind its meter: they count for the site's meter too.

    seen: the DER's measurements, from which P and Q at the end of a piece are read.
    """

    KEPT = (*Registers.KEPT, "site")

    def __init__(self, plate: Nameplate, seen: Measured) -> None:
        super().__init__(
            plate.initial_exported_wh,
            plate.initial_imported_wh,
            plate.initial_injected_varh,
            plate.initial_absorbed_varh,
        )
        self.site = SiteMeter(plate.phases)
        self._seen = seen

    def see(self, conditions: Conditions) -> None:
        """Take over the load."""
        site, seen = self.site, self._seen
        site.see(conditions.load_w, conditions.load_var)
        seen.load_w, seen.load_var = sum(site.load_w), sum(site.load_var)

    def count(self, p_w: float, q_var: float, dt_s: float) -> None:
        """Count P and Q, which do not change their sign, for dt_s."""
        super().count(p_w, q_var, dt_s)
        seen = self._seen
        self.site.count_to(seen.p_w, seen.q_var, p_w, q_var, dt_s)

    def count_courses(self, p: Course, q: Course, dt_s: float) -> None:
        """Count P and Q of this course for dt_s."""
        self.count_by_sign(p, q, dt_s)
        self.site.count(p, q, dt_s)

    def site_state(self, p_w: float, q_var: float, shares: Triple, volts: Triple) -> SiteState:
        """What the meter of the site shows at this P and Q of the DER."""
        return self.site.read(p_w, q_var, shares, volts)

    def share(self, shares: Triple) -> None:
        """Split P and Q over the phases by these shares (sum 1) from now on."""
        super().share(shares)
        self.site.share(shares)


def registers_of(plate: Nameplate, seen: Measured, *, site: bool) -> Registers:
    """The registers of a DER; site: it has a load behind its meter."""
    return MeteredRegisters(plate, seen) if site else Registers.at_first(plate)


def _add(registers: list[float], at: int, p: Course, q: Course, dt_s: float) -> None:
    """Add a course of net P and Q to six registers from `at` on."""
    p_parts, q_parts = p.by_sign(dt_s), q.by_sign(dt_s)
    for mean, part_s in p_parts:
        registers[at + (mean > 0)] += abs(mean) * part_s * _PER_HOUR
    for w, var, part_s in _together(p_parts, q_parts):
        registers[at + _QUADRANTS[w <= 0, var <= 0]] += abs(var) * part_s * _PER_HOUR


def _together(p_parts: Parts, q_parts: Parts) -> Iterator[tuple[float, float, float]]:
    """Parts in which neither power changes its sign: (mean P, mean Q, seconds)."""
    p_parts, q_parts = p_parts[::-1], q_parts[::-1]
    while p_parts and q_parts:
        (p, p_s), (q, q_s) = p_parts.pop(), q_parts.pop()
        both_s = min(p_s, q_s)
        yield p, q, both_s
        if p_s > both_s:
            p_parts.append((p, p_s - both_s))
        if q_s > both_s:
            q_parts.append((q, q_s - both_s))


def _triple(values: list[float]) -> Triple:
    return (values[0], values[1], values[2])
