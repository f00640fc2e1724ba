"""PV and battery on the DC side of one inverter.

The dispatch, while nobody commands a power: *pv_priority* delivers what the sun gives and leaves the battery
alone. Under a limit the battery takes in what would be curtailed; for a target above the sun it gives.
"""

from __future__ import annotations

from dersim.grid.conditions import Conditions
from dersim.hardware.battery import Battery
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.pv import PvArray
from dersim.hardware.source import DcPoint


class Hybrid:
    """A PV array and a battery; see `source.Source`. `pv` and `battery` are the two."""

    def __init__(self, nameplate: Nameplate) -> None:
        self.pv = PvArray(nameplate)
        self.battery = Battery(nameplate)
        self.available_w = self.charge_w = self.rest_w = 0.0
        self.pv_share_w = 0.0
        self.settled = False

    @property
    def soc_pct(self) -> float:
        """The battery's."""
        return self.battery.soc_pct

    @property
    def cell_temperature_c(self) -> float:
        """The array's."""
        return self.pv.cell_temperature_c

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Sun and battery together."""
        self.pv.see(conditions, dt_s)
        self.battery.see(conditions, dt_s)
        self.available_w = self.pv.available_w + self.battery.available_w
        self.charge_w = self.battery.charge_w
        self.rest_w = self.pv.available_w

    def drew(self, p_w: float, dt_s: float) -> None:
        """The battery makes up the difference between the sun and p_w."""
        sun_w = self.pv.available_w
        from_battery_w = max(p_w - sun_w, -self.battery.charge_w)
        self.pv_share_w = p_w - from_battery_w
        self.battery.drew(from_battery_w, dt_s)
        self.settled = self.battery.settled

    def dc(self, p_w: float) -> DcPoint:
        """The inverter's DC bus, at the array's voltage."""
        array = self.pv.dc(self.pv_share_w)
        p = array.p + self.battery.dc(p_w - self.pv_share_w).p
        return DcPoint(array.v, p / array.v if array.v else 0.0, p)
