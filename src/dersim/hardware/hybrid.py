"""PV and battery on the DC side of one inverter.

Without a target the inverter delivers the PV power and the battery rests, or does what it is commanded
(`storage_limits.py`). Under a limit the battery charges from the power that would be curtailed; for a target
above the PV power it discharges. Out of service both rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.grid.conditions import Conditions
from dersim.hardware.battery import Battery
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.pv import pv_array
from dersim.hardware.settings import Settings
from dersim.hardware.source import DcPoint, Part, Ramps
from dersim.modes import ModeValue


class Hybrid:
    """A PV array (`pv`) and a battery (`battery`); see `source.Source`."""

    KEPT = (
        "pv",
        "battery",
        "available_w",
        "charge_w",
        "rest_w",
        "settled",
        "_serves",
        "_end_w",
        "_sun_w",
        "_take_w",
    )

    def __init__(self, nameplate: Nameplate) -> None:
        self.pv = pv_array(nameplate)
        self.battery = Battery(nameplate)
        self.available_w = self.charge_w = self.rest_w = 0.0
        self.parts = (Part("pv", self.pv), Part("battery", self.battery))
        self.settled = False
        self._serves = True
        #: The PV power at the end of the last piece, and the means of it and of what the battery takes: the
        #: weather moves in a straight line, and so nearly does the taper.
        self._end_w: float | None = None
        self._sun_w = self._take_w = 0.0

    @property
    def soc_pct(self) -> float:
        """State of charge of the battery, %."""
        return self.battery.soc_pct

    @property
    def cell_temperature_c(self) -> float:
        """Cell temperature of the PV array, C."""
        return self.pv.cell_temperature_c

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Compute available and charging power of array and battery for dt_s."""
        before_w, battery = self._end_w, self.battery
        take_before_w = battery.take_w
        self.pv.see(conditions, dt_s)
        self._end_w = sun_w = self.pv.available_w
        self._sun_w = sun_w if dt_s <= 0 or before_w is None else (before_w + sun_w) / 2
        battery.see(conditions, dt_s)
        self._take_w = take_w = battery.take_w
        if dt_s > 0 and 0 < take_w < take_before_w:
            self._take_w = (take_before_w + take_w) / 2
        self.available_w = sun_w + battery.available_w
        self.charge_w = battery.charge_w
        self.rest_w = sun_w + battery.rest_w

    def configure(self, settings: Settings) -> None:
        """Take over the limits of the battery."""
        self.battery.configure(settings)

    def steer(self, values: Mapping[str, ModeValue], ramps: Ramps) -> None:
        """Take over the commands of the battery."""
        self.battery.steer(values, ramps)

    def shares(self, p_w: float) -> tuple[float, float]:
        """The array's and the battery's share of p_w; the battery covers the difference to the PV power."""
        from_battery_w = self._from_battery_w(p_w, self.pv.available_w, self.battery.take_w)
        return p_w - from_battery_w, from_battery_w

    def serve(self, in_service: bool) -> None:
        """Enter or leave service; out of service the sun does not charge the battery either."""
        self._serves = in_service

    def _from_battery_w(self, p_w: float, sun_w: float, take_w: float) -> float:
        return max(p_w - sun_w, -take_w) if self._serves else 0.0

    def drew(self, p_w: float, dt_s: float) -> None:
        """Count p_w for dt_s."""
        means_w = self._sun_w, self._take_w
        from_battery_w = self._from_battery_w(p_w, *means_w) if dt_s else self.shares(p_w)[1]
        self.battery.drew(from_battery_w, dt_s)
        self.pv.drew(p_w - from_battery_w, dt_s)
        self.settled = self.battery.settled and self.pv.settled

    @property
    def bend_w(self) -> float:
        """Below this power of the inverter the battery takes no more, and the sun is curtailed, W."""
        return self.pv.available_w - self.battery.take_w

    def straight_s(self, within_s: float) -> float:
        """As that of the battery."""
        return self.battery.straight_s(within_s)

    def dc(self, p_w: float) -> DcPoint:
        """Both together, at the array's voltage; in the dark at the battery's."""
        pv_w, battery_w = self.shares(p_w)
        array, battery = self.pv.dc(pv_w), self.battery.dc(battery_w)
        p, v = array.p + battery.p, array.v or battery.v
        return DcPoint(v, p / v, p)
