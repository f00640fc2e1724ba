"""160, multiple MPPT: the PV array, and in the places of Fronius the battery."""

from __future__ import annotations

from dersim.hardware.state import DcSide, InverterStatus
from dersim.sunspec.block import Values
from dersim.sunspec.measurements import INVERTER_STATE, Measurement
from dersim.sunspec.scales import Scales
from dersim.sunspec.view import View


class Mppt(Measurement):
    """160, the PV array at one tracker."""

    model_id = 160
    _SLEEPING, _MPPT, _THROTTLED = 2, 4, 5
    counts = {"module": 1, "N": 1}  # noqa: RUF012 - never changed

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.scales = {"DCA_SF": scales.dc_a, "DCV_SF": scales.dc_v, "DCW_SF": scales.dc_w, "DCWH_SF": 0}

    def values(self) -> Values:
        """The PV array of the newest state; a battery is in 714 and 802."""
        s, pv = self.state, self.state.pv
        if pv is None:
            return {}
        return {
            "Evt": 0,
            "module[0].ID": 1,
            "module[0].IDStr": "PV",
            "module[0].DCA": pv.a,
            "module[0].DCV": pv.v,
            "module[0].DCW": pv.p_w,
            "module[0].DCWH": pv.delivered_wh,
            "module[0].DCSt": self._tracker_state(s.inverter_status, pv),
            "module[0].DCEvt": 0,
        }

    def _tracker_state(self, status: InverterStatus, pv: DcSide) -> int:
        if status is not InverterStatus.FAULT and pv.available_w <= 0:
            return self._SLEEPING
        # The sun may charge the battery while the AC side is out of service.
        if pv.p_w > 0 and status not in (InverterStatus.SLEEPING, InverterStatus.STARTING):
            return self._MPPT if pv.ac_w > 0.999 * pv.available_w else self._THROTTLED
        return INVERTER_STATE.get(status, (7, 8))[1]
