"""The sign of a power factor after EEI, as models 120, 121 and 123 have it.

While generating, over-excited (quadrant 1, Q > 0) is negative and under-excited (quadrant 4, Q < 0) is
positive. Sources for these two: the definitions of 120 and 121 name EEI; a public register dump of a Fronius
inverter has PFRtgQ1 -0.85 and PFRtgQ4 +0.85; Fronius documents 123.OutPFSet with the same sign. No source
settles quadrants 2 and 3 (charging): here they are the mirror image, so that the sign is that of -P * Q.
"""

from __future__ import annotations

#: Quadrant -> sign. 1: P > 0, Q > 0; 2: P < 0, Q > 0; 3: P < 0, Q < 0; 4: P > 0, Q < 0.
SIGN = {1: -1, 2: 1, 3: -1, 4: 1}


def signed(power_factor: float, *, over_excited: bool) -> float:
    """A power factor (0 to 1) of generating, with its sign; 1 has no reactive power and stays positive."""
    return power_factor if power_factor == 1 else SIGN[1 if over_excited else 4] * power_factor


def unsigned(value: float) -> tuple[float, bool]:
    """A power factor that was written: 0 to 1, and whether it is over-excited (1 counts as such)."""
    return abs(value), value * SIGN[1] > 0 or abs(value) == 1
