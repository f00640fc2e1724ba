"""160, multiple MPPT: the PV array and, where Fronius shows it, the battery.

The powers of 160 have no sign. With a battery there are four modules, as evcc and Home Assistant read them: 1
the array, 2 nothing, 3 the battery while it charges, 4 the battery while it discharges.
"""

from __future__ import annotations

from dersim.hardware.state import DcSide, InverterStatus
from dersim.local_control.view import View
from dersim.sunspec.block import Values
from dersim.sunspec.measurements import INVERTER_STATE, Measurement
from dersim.sunspec.points import Value
from dersim.sunspec.scales import Scales

_OFF, _SLEEPING, _MPPT, _THROTTLED, _FAULT, _STANDBY = 1, 2, 4, 5, 7, 8
_UNUSED: dict[str, Value] = {"IDStr": "not used", "DCA": 0, "DCV": 0, "DCW": 0, "DCWH": 0, "DCSt": _OFF}


class Mppt(Measurement):
    """The registers of 160."""

    model_id = 160

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        modules = 4 if view.plate.rtgMaxWh else 1
        self.counts = {"module": modules, "N": modules}
        self.scales = {"DCA_SF": scales.dc_a, "DCV_SF": scales.dc_v, "DCW_SF": scales.dc_w, "DCWH_SF": 0}

    def values(self) -> Values:
        """The sources of the newest state."""
        s = self.state
        modules = [_UNUSED if s.pv is None else self._array(s.inverter_status, s.pv)]
        if s.battery is not None:
            failed = s.inverter_status is InverterStatus.FAULT
            charge = _battery(s.battery, "charge", -s.battery.p_w, s.battery.taken_wh, failed=failed)
            discharge = _battery(s.battery, "discharge", s.battery.p_w, s.battery.delivered_wh, failed=failed)
            modules += [_UNUSED, charge, discharge]
        out: dict[str, Value] = {"Evt": 0}
        for index, module in enumerate(modules):
            named = {"ID": index + 1, "DCEvt": 0, **module}
            out |= {f"module[{index}].{point}": value for point, value in named.items()}
        return out

    def _array(self, status: InverterStatus, pv: DcSide) -> dict[str, Value]:
        state = self._tracker_state(status, pv)
        return {
            "IDStr": "PV",
            "DCA": pv.a,
            "DCV": pv.v,
            "DCW": pv.p_w,
            "DCWH": pv.delivered_wh,
            "DCSt": state,
        }

    def _tracker_state(self, status: InverterStatus, pv: DcSide) -> int:
        if status is not InverterStatus.FAULT and pv.available_w <= 0:
            return _SLEEPING
        # The sun may charge the battery while the AC side is out of service.
        if pv.p_w > 0 and status not in (InverterStatus.SLEEPING, InverterStatus.STARTING):
            return _MPPT if pv.ac_w > 0.999 * pv.available_w else _THROTTLED
        return INVERTER_STATE.get(status, (7, 8))[1]


def _battery(side: DcSide, name: str, power_w: float, energy_wh: float, *, failed: bool) -> dict[str, Value]:
    """One direction of the battery; power_w: > 0 in this direction."""
    power = max(0.0, power_w)
    idle = _FAULT if failed else _STANDBY
    return {
        "IDStr": name,
        "DCA": power / side.v if side.v else 0.0,
        "DCV": side.v,
        "DCW": power,
        "DCWH": energy_wh,
        "DCSt": _MPPT if power > 0 else idle,
    }
