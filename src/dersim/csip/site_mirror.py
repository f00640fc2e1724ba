"""The meter of a site as a second MirrorUsagePoint of its DER.

The sign is in the value: W and VAr are positive when the site takes them from the grid, as 2030.5's
flowDirection 1, delivered to the customer, has it for a premises. Wh delivered and received are two counters.
"""

from __future__ import annotations

import functools

from dersim.csip.mirror import (
    DELIVERED,
    PHASES,
    POWER_KIND,
    RECEIVED,
    MirrorKind,
    Quantity,
    energy,
    instantaneous,
)
from dersim.hardware.state import DeviceState, SiteState


def _site(state: DeviceState) -> SiteState:
    if state.site is None:
        raise ValueError("the DER has no load behind its meter")
    return state.site


@functools.cache
def site_quantities(phases: int) -> tuple[Quantity, ...]:
    """The quantities of a site with 1, 2 or 3 phases."""
    found = [
        instantaneous("W", 38, POWER_KIND, 0, 0, lambda s: -_site(s).p_w),
        instantaneous("VAr", 63, POWER_KIND, 0, 0, lambda s: -_site(s).q_var),
        instantaneous("VA", 61, POWER_KIND, 0, 0, lambda s: _site(s).s_va),
        instantaneous("Hz", 33, 0, -3, 0, lambda s: s.frequency_hz),
        energy("Wh delivered", 0, DELIVERED, lambda s: _site(s).energy.imported_wh),
        energy("Wh received", 0, RECEIVED, lambda s: _site(s).energy.exported_wh),
    ]
    for index in range(phases):
        found += _phase_quantities(index)
    return tuple(item._replace(key=f"site {item.key}") for item in found)


def _phase_quantities(i: int) -> list[Quantity]:
    name, phase, to_neutral = PHASES[i]
    return [
        instantaneous("W", 38, POWER_KIND, 0, phase, lambda s: -_site(s).phase_p_w[i], name),
        instantaneous("VAr", 63, POWER_KIND, 0, phase, lambda s: -_site(s).phase_q_var[i], name),
        instantaneous("V", 29, 0, -1, to_neutral, lambda s: s.voltage_ln_v[i], name),
        instantaneous("A", 5, 0, -2, phase, lambda s: _site(s).current_a[i], name),
        energy("Wh delivered", phase, DELIVERED, lambda s: _site(s).phase_energy[i].imported_wh, name),
        energy("Wh received", phase, RECEIVED, lambda s: _site(s).phase_energy[i].exported_wh, name),
    ]


#: A mirror (bit 0) of a premises (1).
OF_SITE = MirrorKind("site usage point", 0x0003, " site", site_quantities)
