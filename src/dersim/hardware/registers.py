"""The energy registers of each phase; they count up only.

P and Q are split over the phases in proportion to their voltages (equal currents). While the voltages stay
the same only the totals are summed; the split is made when they change or when the registers are read.
"""

from __future__ import annotations

from typing import ClassVar

from dersim.grid.conditions import Conditions
from dersim.hardware.course import Course
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.state import SiteState, Triple

_PER_HOUR = 1 / 3600
_ZERO: Triple = (0.0, 0.0, 0.0)


class Registers:
    """Energy per phase in Wh and varh, from the given start values."""

    KEPT: ClassVar[tuple[str, ...]] = (
        "_exported",
        "_imported",
        "_injected",
        "_absorbed",
        "_shares",
        "_out_ws",
        "_in_ws",
        "_inject_vs",
        "_absorb_vs",
    )

    def __init__(
        self,
        exported_wh: Triple = _ZERO,
        imported_wh: Triple = _ZERO,
        injected_varh: Triple = _ZERO,
        absorbed_varh: Triple = _ZERO,
    ) -> None:
        self._exported, self._imported = list(exported_wh), list(imported_wh)
        self._injected, self._absorbed = list(injected_varh), list(absorbed_varh)
        self._shares: Triple = (1.0, 0.0, 0.0)
        self._out_ws = self._in_ws = self._inject_vs = self._absorb_vs = 0.0

    @classmethod
    def at_first(cls, plate: Nameplate) -> Registers:
        """The registers with the start values of the nameplate."""
        return cls(
            plate.initial_exported_wh,
            plate.initial_imported_wh,
            plate.initial_injected_varh,
            plate.initial_absorbed_varh,
        )

    def see(self, conditions: Conditions) -> None:
        """Take over the load behind the DER's meter, where there is one."""

    def site_state(self, _p_w: float, _q_var: float, _shares: Triple, _volts: Triple) -> SiteState | None:
        """What the meter of the site shows at this P and Q of the DER; None without a load."""
        return None

    def count(self, p_w: float, q_var: float, dt_s: float) -> None:
        """Count P and Q for dt_s."""
        if p_w > 0:
            self._out_ws += p_w * dt_s
        elif p_w:
            self._in_ws -= p_w * dt_s
        if q_var > 0:
            self._inject_vs += q_var * dt_s
        elif q_var:
            self._absorb_vs -= q_var * dt_s

    def count_courses(self, p: Course, q: Course, dt_s: float) -> None:
        """Count P and Q of this course for dt_s; either may change its sign."""
        self.count_by_sign(p, q, dt_s)

    def count_by_sign(self, p: Course, q: Course, dt_s: float) -> None:
        """Count each direction by itself."""
        for mean, part_s in p.by_sign(dt_s):
            Registers.count(self, mean, 0.0, part_s)
        for mean, part_s in q.by_sign(dt_s):
            Registers.count(self, 0.0, mean, part_s)

    def share(self, shares: Triple) -> None:
        """Split P and Q over the phases by these shares (sum 1) from now on."""
        if shares is not self._shares and shares != self._shares:
            self._settle()
            self._shares = shares

    def _settle(self) -> None:
        shares = self._shares
        if self._out_ws:
            _split(self._out_ws, self._exported, shares)
        if self._in_ws:
            _split(self._in_ws, self._imported, shares)
        if self._inject_vs:
            _split(self._inject_vs, self._injected, shares)
        if self._absorb_vs:
            _split(self._absorb_vs, self._absorbed, shares)
        self._out_ws = self._in_ws = self._inject_vs = self._absorb_vs = 0.0

    def read(self) -> tuple[Triple, Triple, Triple, Triple]:
        """Exported and imported Wh, injected and absorbed varh, each (A, B, C)."""
        self._settle()
        return (
            _triple(self._exported),
            _triple(self._imported),
            _triple(self._injected),
            _triple(self._absorbed),
        )


def _triple(values: list[float]) -> Triple:
    return (values[0], values[1], values[2])


def _split(counted_ws: float, energies: list[float], shares: Triple) -> None:
    """Add what was counted, in watt seconds, to the energies of the phases, in watt hours."""
    per_hour = counted_ws * _PER_HOUR
    of_a, of_b, of_c = shares
    energies[0] += per_hour * of_a
    energies[1] += per_hour * of_b
    energies[2] += per_hour * of_c
