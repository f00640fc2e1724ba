"""Scale factors: chosen once from the nameplate and then constant (Device Information Model 4.2).

A 16-bit register of watts ends at 32.7 kW; larger machines need a power of ten. We take the finest one in
which 1.5 times the rating fits, so that overshoot is visible.
"""

from __future__ import annotations

from typing import NamedTuple

from dersim.hardware.nameplate import Nameplate

_INT16, _UINT16, _INT32 = 32767, 65534, 0x7FFFFFFF
_HEADROOM = 1.5


def finest(largest: float, limit: float = _INT16, lowest: int = -3) -> int:
    """The lowest exponent, not below `lowest`, with which `largest` fits a register that ends at `limit`."""
    exponent = lowest
    while largest / 10**exponent > limit and exponent < 10:
        exponent += 1
    return exponent


class Scales(NamedTuple):
    """The exponents of one device. Power factors have -3, frequencies -2 or -3, percents -2 everywhere."""

    w: int
    va: int
    var: int
    a: int
    v: int
    dc_w: int
    dc_a: int
    dc_v: int
    wh: int

    @classmethod
    def of(cls, plate: Nameplate) -> Scales:
        """The scales for a nameplate."""
        power = _HEADROOM * plate.rtgMaxVA
        dc_w = _HEADROOM * max(plate.pv_w, plate.rtgMaxW)
        return cls(
            w=finest(power, lowest=-1),
            va=finest(power, lowest=-1),
            var=finest(power, lowest=-1),
            a=finest(_HEADROOM * plate.rtgMaxA * plate.phases, lowest=-2),
            v=finest(2.2 * plate.rtgVNom, _UINT16, lowest=-1),
            dc_w=finest(dc_w, lowest=-1),
            dc_a=finest(dc_w / plate.pv_v * 2, lowest=-2),
            dc_v=finest(2 * plate.pv_v, _INT16, lowest=-1),
            wh=finest(plate.rtgMaxWh, _UINT16, lowest=0),
        )
