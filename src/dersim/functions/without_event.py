"""What a DER would deliver without the functions of stage ``frequency``; written into `Measured` for them."""

from __future__ import annotations

from dersim.functions.base import INF
from dersim.hardware.measured import Measured
from dersim.hardware.source import Source, beside_battery_w, combined

#: A PV array with less than this share of setMaxW is in the dark: too little to start an inverter.
DARK = 0.01


def note_without_event(
    seen: Measured,
    source: Source,
    p_w: float,
    limit_w: float,
    ceiling_w: float,
    *,
    ramps: bool,
    least_w: float,
) -> None:
    """Write wanted_w, unlimited_w, entering, ramping and dark into `seen`.

    p_w: the power with all limits but that of entering service, ceiling_w (inf: none). limit_w: the limit by
    available power and grid. ramps: whether a ramp by command is under way. least_w: PV with less is in the
    dark.
    """
    unlimited_w = max(p_w, min(seen.unlimited_w, limit_w))
    seen.entering = ceiling_w < INF
    if seen.entering:
        p_w, unlimited_w = (max(-ceiling_w, min(ceiling_w, w)) for w in (p_w, unlimited_w))
    seen.wanted_w, seen.unlimited_w = p_w, unlimited_w
    seen.ramping = seen.entering or ramps
    seen.dark = -least_w < p_w < least_w and _dark(source, least_w)


def _dark(source: Source, least_w: float) -> bool:
    """Whether the PV array of a source has less than least_w; False for a battery alone."""
    if combined(source) is None:
        return source.soc_pct is None and source.available_w < least_w
    return beside_battery_w(source) < least_w
