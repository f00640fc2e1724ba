"""The two mirrors of a DER: its own and that of its site, with means beside what the client always sends.

A mean is over an interval of postRate that begins on a whole minute (dataQualifier 2), of kind power also for
the voltage. W and VAr of the DER are positive when it generates, those of the site when it imports. The
energy that a battery holds is a reading of the DER; its counters of energy are left out then, because in uom,
kind and dataQualifier they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from dersim.plugin import (
    DER_MIRROR,
    SITE_MIRROR,
    DeviceState,
    MeterQuantity,
    MirrorKind,
    Nameplate,
    instant_quantity,
    mean_quantity,
)

_WH, _ENERGY_KIND = 72, 12
_DER_MEANS = (
    mean_quantity("W", 38, 0, lambda means: means.p_w),
    mean_quantity("VAr", 63, 0, lambda means: means.q_var),
    mean_quantity("V", 29, -1, lambda means: means.v),
    mean_quantity("Hz", 33, -3, lambda means: means.frequency_hz),
)
_SITE_MEANS = (
    mean_quantity("W", 38, 0, lambda means: -means.site_p_w),
    mean_quantity("VAr", 63, 0, lambda means: -means.site_q_var),
    mean_quantity("V", 29, -1, lambda means: means.v),
    mean_quantity("Hz", 33, -3, lambda means: means.frequency_hz),
)
_SITE = tuple(each._replace(key=f"site {each.key}") for each in _SITE_MEANS)


def mirrors(nameplate: Nameplate, has_load: bool) -> Sequence[MirrorKind]:
    """Those of a DER with this nameplate; the site's only with a meter of the site."""
    stored = _stored(nameplate)

    def of_der(phases: int) -> tuple[MeterQuantity, ...]:
        own = DER_MIRROR.quantities(phases)
        if stored:
            own = tuple(each for each in own if each.uom != _WH)
        return (*own, *_DER_MEANS, *stored)

    def of_site(phases: int) -> tuple[MeterQuantity, ...]:
        return (*SITE_MIRROR.quantities(phases), *_SITE)

    der = DER_MIRROR._replace(quantities=of_der)
    return (der, SITE_MIRROR._replace(quantities=of_site)) if has_load else (der,)


def _stored(nameplate: Nameplate) -> tuple[MeterQuantity, ...]:
    if not nameplate.rtgMaxWh:
        return ()
    capacity_wh = nameplate.rtgMaxWh

    def stored_wh(state: DeviceState) -> float:
        return (state.soc_pct or 0.0) / 100 * capacity_wh

    return (instant_quantity("Wh stored", _WH, _ENERGY_KIND, 0, 0, stored_wh),)
