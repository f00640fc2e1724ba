"""What a DER would deliver without the functions of stage ``frequency``; worked out only when one asks."""

from __future__ import annotations

from dersim.functions.base import INF
from dersim.functions.battery_ramp import BatteryRamp
from dersim.functions.ramp import Ramp
from dersim.hardware.measured import UNKNOWN, Undisturbed
from dersim.hardware.settings import Settings
from dersim.hardware.source import Source, beside_battery_w, combined

#: A PV array with less than this share of setMaxW is in the dark: too little to start an inverter.
_DARK = 0.01


class WithoutEvent:
    """The intermediate results of one step of the chain, W, kept for `read`.

    unlimited_w: the power before the limits of command, available power and grid. limits: the source, the
    power with all limits but that of entering service, the limit by the grid, and that of entering service.
    """

    def __init__(self, settings: Settings, *ramps: Ramp | BatteryRamp | None) -> None:
        self._settings = settings
        self._ramps = [ramp for ramp in ramps if ramp is not None]
        self.unlimited_w = 0.0
        self.limits: tuple[Source, float, float, float] | None = None

    def read(self) -> Undisturbed:
        """The DER without the event, without limits by command."""
        if self.limits is None:
            return UNKNOWN
        source, limited_w, grid_w, ceiling_w = self.limits
        p_w = max(limited_w, min(self.unlimited_w, source.available_w, grid_w))
        entering = ceiling_w < INF
        if entering:
            p_w = max(-ceiling_w, min(ceiling_w, p_w))
        least_w = _DARK * self._settings.setMaxW
        dark = -least_w < limited_w < least_w and _dark(source, least_w)
        ramping = entering or any(not ramp.settled for ramp in self._ramps)
        return Undisturbed(p_w, entering, ramping, dark)


def _dark(source: Source, least_w: float) -> bool:
    """Whether the PV array of a source has less than least_w; False for a battery alone."""
    if combined(source) is None:
        return source.soc_pct is None and source.available_w < least_w
    return beside_battery_w(source) < least_w
