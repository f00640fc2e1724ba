"""The battery in registers: 713, storage capacity, and 802, the battery base model."""

from __future__ import annotations

from dersim.hardware.battery import RECHARGE_PCT
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.state import DeviceState, StorageMode
from dersim.sunspec.block import Values
from dersim.sunspec.measurements import Measurement
from dersim.sunspec.scales import Scales, finest
from dersim.sunspec.view import View

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


class Battery(Measurement):
    """802, the battery base model. Its commands are those of 703 and 715 and not taken here."""

    model_id = 802
    _LITHIUM_ION, _CONNECTED, _DISCONNECTED = 4, 3, 1

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        plate = view.plate
        self.scales = {
            "AHRtg_SF": finest(plate.rtgMaxWh / plate.pv_v, 65534, -2),
            "WHRtg_SF": scales.wh,
            "WChaDisChaMax_SF": scales.w,
            "SoC_SF": -2,
            "SoH_SF": 0,
            "DoD_SF": -2,
            "V_SF": scales.dc_v,
            "CellV_SF": -3,
            "A_SF": scales.dc_a,
            "AMax_SF": scales.dc_a,
            "W_SF": scales.dc_w,
        }

    def values(self) -> Values:
        """Ratings, state of charge and the DC side."""
        s, plate, side = self.state, self.view.plate, self.state.battery
        soc = s.soc_pct or 0.0
        if side is None:
            return {}
        return {
            "AHRtg": plate.rtgMaxWh / plate.pv_v,
            "WHRtg": plate.rtgMaxWh,
            "WChaRteMax": plate.rtgMaxChargeRateW,
            "WDisChaRteMax": plate.rtgMaxDischargeRateW,
            "SoCMax": plate.soc_max_pct,
            "SoCMin": plate.soc_min_pct,
            "SoC": soc,
            "DoD": 100 - soc,
            "SoH": 100,
            "ChaSt": charge_state(s, plate),
            "LocRemCtl": 0,
            "Hb": int(s.time_s) % 60_000,
            "AlmRst": 0,
            "Typ": self._LITHIUM_ION,
            "State": self._CONNECTED if s.connection.connected else self._DISCONNECTED,
            "Evt1": 0,
            "Evt2": 0,
            "EvtVnd1": 0,
            "EvtVnd2": 0,
            "V": side.v,
            "A": side.a,
            "AChaMax": s.charge_available_w * plate.charge_efficiency / plate.pv_v,
            "ADisChaMax": side.available_w / plate.discharge_efficiency / plate.pv_v,
            "W": side.p_w,
            "SetOp": 1,
            "SetInvState": 3 if s.connection.energized else 1,
        }
