"""The voltages that control functions and trips use, from the phase voltages at the terminals.

1547-2018 4.2, 4.3: trips and entering service use the worst of the phase-to-neutral and phase-to-phase
voltages, grid-support functions the mean of the phases. All are corrected by setVRefOfs and setVRef,
(V - VRefOfs) / VRef, the effective percent voltage of 2030.5.
"""

from __future__ import annotations

import math

from dersim.grid.conditions import Conditions
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.state import Triple

_SQRT_3 = math.sqrt(3)
NOMINAL: Triple = Conditions().angle_deg
_EVEN: dict[int, Triple] = {1: (1.0, 0.0, 0.0), 2: (0.5, 0.5, 0.0), 3: (1 / 3, 1 / 3, 1 / 3)}


def line_to_line(phases: int, voltage: Triple, angle_deg: Triple = NOMINAL) -> Triple:
    """AB, BC, CA from phase-to-neutral magnitudes; same unit; 0 where there is none.

    angle_deg: how far each phasor leads its nominal place, degrees.
    """
    if phases == 1:
        return (0.0, 0.0, 0.0)
    a, b, c = voltage
    of_a, of_b, of_c = angle_deg
    if of_a == of_b == of_c:
        if a == b == c and phases == 3:
            return (a * _SQRT_3,) * 3
    else:
        if phases == 2:
            return (_between(a, b, 180 + of_a - of_b), 0.0, 0.0)
        return (
            _between(a, b, 120 + of_a - of_b),
            _between(b, c, 120 + of_b - of_c),
            _between(c, a, 120 + of_c - of_a),
        )
    if phases == 2:
        return (a + b, 0.0, 0.0)
    return (
        math.sqrt(a * a + b * b + a * b),
        math.sqrt(b * b + c * c + b * c),
        math.sqrt(c * c + a * a + c * a),
    )


def _between(a: float, b: float, angle_deg: float) -> float:
    return math.sqrt(max(0.0, a * a + b * b - 2 * a * b * math.cos(math.radians(angle_deg))))


class Terminals:
    """Measures the voltages of one DER; call `configure` after a change of settings."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        self._plate = nameplate
        self._phases = nameplate.phases
        self._even = _EVEN[self._phases]
        self._settings = settings
        self.configure()

    def configure(self) -> None:
        """Take over setVRef and setVRefOfs."""
        s = self._settings
        self._scale = self._plate.rtgVNom / s.setVRef
        self._offset = s.setVRefOfs / s.setVRef
        self._plain = self._scale == 1.0 and self._offset == 0.0

    def measure(self, voltage_pu: Triple, seen: Measured, angle_deg: Triple = NOMINAL) -> Triple:
        """Write mean, lowest and highest voltage into `seen`; returns each phase's share of P and Q.

        The currents of the phases are equal and turn with the voltages (angle_deg), so the shares are in
        proportion to the voltages.
        """
        a, b, c = voltage_pu
        even = a == b == c
        same = angle_deg is NOMINAL or angle_deg[0] == angle_deg[1] == angle_deg[2]
        if (even and same) or self._phases == 1:
            mean = low = high = a
        elif self._phases == 2:
            mean = (a + b) / 2
            half = line_to_line(2, voltage_pu, angle_deg)[0] / 2
            low, high = min(a, b, half), max(a, b, half)
        else:
            mean = (a + b + c) / 3
            ab, bc, ca = line_to_line(3, voltage_pu, angle_deg)
            low = min(a, b, c, ab / _SQRT_3, bc / _SQRT_3, ca / _SQRT_3)
            high = max(a, b, c, ab / _SQRT_3, bc / _SQRT_3, ca / _SQRT_3)
        seen.terminal_v_pu = mean
        if not self._plain:
            scale, offset = self._scale, self._offset
            mean, low, high = mean * scale - offset, low * scale - offset, high * scale - offset
        seen.v_pu, seen.v_low_pu, seen.v_high_pu = mean, low, high
        return self._even if even else self._shares(voltage_pu)

    def _shares(self, voltage_pu: Triple) -> Triple:
        used = [v if index < self._phases else 0.0 for index, v in enumerate(voltage_pu)]
        total = sum(used)
        if total <= 0:
            used, total = [float(index < self._phases) for index in range(3)], float(self._phases)
        return (used[0] / total, used[1] / total, used[2] / total)
