"""802, the battery base model.

Its commands are those of other models: SetOp is 123.Conn, SetInvState 715.OpCtl, AlmRst 715.AlarmReset,
SoCRsvMin 124.MinRsvPct. SetOp and SetInvState act on the whole DER: PV and battery behind one inverter have
one switch. The registers show what is in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.hardware.state import DeviceState
from dersim.hardware.storage_limits import RESERVE
from dersim.local_control.permission import permit
from dersim.local_control.switch import Switch
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Values
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.measurements import Measurement
from dersim.sunspec.scales import Scales, finest
from dersim.sunspec.storage import charge_state, reserve_pct, set_reserve

_CONNECT, _DISCONNECT = 1, 2
_STOPPED, _STANDBY, _STARTED = 1, 2, 3


class Battery(Measurement):
    """The registers of 802. switch: the one that 123.Conn operates."""

    KEPT = ("_controller_beat",)

    model_id = 802
    _LITHIUM_ION, _CONNECTED, _DISCONNECTED = 4, 3, 1

    def __init__(self, view: View, scales: Scales, switch: Switch) -> None:
        super().__init__(view)
        self._switch = switch
        self._controller_beat = 0
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
            "SoCRsvMin": reserve_pct(self.view),
            "DoD": 100 - soc,
            "SoH": 100,
            "ChaSt": charge_state(s, plate),
            "LocRemCtl": 0,
            "Hb": int(s.time_s) % 60_000,
            "CtrlHb": self._controller_beat,
            "AlmRst": 0,
            "Typ": self._LITHIUM_ION,
            "State": self._CONNECTED if s.connection.connected else self._DISCONNECTED,
            "Evt1": 0,
            "Evt2": 0,
            "EvtVnd1": 0,
            "EvtVnd2": 0,
            "V": side.v,
            "A": side.a,
            "AChaMax": side.charge_available_w * plate.charge_efficiency / plate.pv_v,
            "ADisChaMax": side.available_w / plate.discharge_efficiency / plate.pv_v,
            "W": side.p_w,
            "SetOp": _CONNECT if self._switch.closed else _DISCONNECT,
            "SetInvState": self._inverter_state(s),
        }

    def _inverter_state(self, s: DeviceState) -> int:
        """Started: in service. Standby: out of service, for any reason but a stop."""
        if not self.view.device.permitted:
            return _STOPPED
        return _STARTED if s.connection.energized else _STANDBY

    def writable(self, path: str) -> bool:
        """The commands; SetOp and SoCRsvMin where the DER has the function for it."""
        if path == "SetOp":
            return self._switch.works
        return path in ("AlmRst", "CtrlHb", "SetInvState") or (
            path == "SoCRsvMin" and self.view.supports(RESERVE)
        )

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Set the reserve, then carry out the commands, which cannot be refused."""
        view = self.view
        if changes.get("AlmRst", 0) > 1:
            raise ModbusRefusal(ILLEGAL_VALUE, f"802.AlmRst: {changes['AlmRst']} is not 0 or 1")
        if "SoCRsvMin" in changes:
            set_reserve(view, source, changes["SoCRsvMin"], "802.SoCRsvMin")
        self._controller_beat = changes.get("CtrlHb", self._controller_beat)
        if changes.get("AlmRst"):
            view.device.command("reset")
        if "SetOp" in changes:
            self._switch.move(source, closed=changes["SetOp"] == _CONNECT, detail="802.SetOp")
        if "SetInvState" in changes:
            self._set_inverter(changes["SetInvState"], source)
        view.touched()

    def _set_inverter(self, state: int, source: SetpointSource) -> None:
        """Stop is the operator's, as in 715.OpCtl; standby is opModEnergize, as in 703.ES."""
        if state == _STOPPED:
            self.view.device.command("stop")
            return
        permit(self.view, source, allowed=state == _STARTED, detail="802.SetInvState")
        if state == _STANDBY and self.view.supports("opModEnergize") and not self.view.device.permitted:
            self.view.device.command("start")
