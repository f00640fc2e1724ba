"""The battery's energy in registers: 713, storage capacity, and ChaSt of 124 and 802."""

from __future__ import annotations

from dersim.hardware.battery import RECHARGE_PCT
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.state import DeviceState, StorageMode
from dersim.hardware.storage_limits import RESERVE
from dersim.local_control.submitting import changes_of, submit
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Values
from dersim.sunspec.measurements import Measurement
from dersim.sunspec.scales import Scales

_ROUNDING_PCT = 1e-6
_EMPTY, _DISCHARGING, _CHARGING, _FULL, _HOLDING = 2, 3, 4, 5, 6


def charge_state(s: DeviceState, plate: Nameplate) -> int:
    """ChaSt of 124 and 802."""
    if s.storage_mode is StorageMode.CHARGING:
        return _CHARGING
    if s.storage_mode is StorageMode.DISCHARGING:
        return _DISCHARGING
    soc = s.soc_pct or 0.0
    if soc <= plate.soc_min_pct + _ROUNDING_PCT:
        return _EMPTY
    full = soc > plate.soc_max_pct - RECHARGE_PCT and s.charge_available_w <= 0
    return _FULL if full else _HOLDING


def reserve_pct(view: View) -> float:
    """MinRsvPct of 124 and SoCRsvMin of 802: the one in force, else the battery's lowest state of charge."""
    reserve = view.setpoints.value(RESERVE)
    return float(reserve) if isinstance(reserve, int | float) else view.plate.soc_min_pct


def set_reserve(view: View, source: SetpointSource, percent: float, detail: str) -> None:
    """Put a reserve in force; ModbusRefusal if it is out of range."""
    submit(view, changes_of(view, source, {RESERVE: float(percent)}, detail))


class StorageCapacity(Measurement):
    """713; the state of charge is 0 % without a battery."""

    model_id = 713
    _OK, _ERROR = 0, 2

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.scales = {"WH_SF": scales.wh, "Pct_SF": -2}

    def values(self) -> Values:
        """Ratings in watt hours, and the state of charge in percent."""
        s, rated = self.state, self.view.plate.rtgMaxWh
        soc = s.soc_pct
        if soc is None:
            return {"WHRtg": 0, "WHAvail": 0, "SoC": 0, "Sta": 0}
        return {
            "WHRtg": rated,
            "WHAvail": self.view.settings.setMaxWh * soc / 100,
            "SoC": soc,
            "SoH": 100,
            "Sta": self._ERROR if s.failed else self._OK,
        }
