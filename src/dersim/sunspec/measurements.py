"""Measurement models: 701 and 101 to 103, 122, 714.

All show the same `DeviceState`. Signs: P > 0 generates, Q > 0 injects; the sign of the power factor
is that of the active power (701).
"""

from __future__ import annotations

from typing import ClassVar

from dersim.hardware.dc_sides import parts_of
from dersim.hardware.source import SourceKind
from dersim.hardware.state import Alarm, DcSide, DeviceState, InverterStatus
from dersim.local_control.view import View
from dersim.sunspec.block import Model, Values
from dersim.sunspec.points import Value
from dersim.sunspec.scales import Scales

#: InverterStatusType of 2030.5 -> 701.InvSt and 10x.St.
INVERTER_STATE = {
    InverterStatus.OFF: (0, 1),
    InverterStatus.SLEEPING: (1, 2),
    InverterStatus.STARTING: (2, 3),
    InverterStatus.RUNNING: (3, 4),
    InverterStatus.FORCED_DERATING: (4, 5),
    InverterStatus.SHUTTING_DOWN: (5, 6),
    InverterStatus.FAULT: (6, 7),
    InverterStatus.STANDBY: (7, 8),
}
#: Alarm of 2030.5 -> bit of 701.Alrm and 10x.Evt1. All others are MANUFACTURER_ALRM, with their names.
_ALARM_BITS = {
    Alarm.OVER_FREQUENCY: 8,
    Alarm.UNDER_FREQUENCY: 9,
    Alarm.OVER_VOLTAGE: 10,
    Alarm.UNDER_VOLTAGE: 11,
}
_GRID_DISCONNECT, _MANUAL_SHUTDOWN, _MANUFACTURER = 4, 6, 16
_GRID_FOLLOWING = 1
#: Mode -> bit of 701.ThrotSrc.
_THROTTLES = {
    "opModMaxLimW": 0,
    "opModFixedW": 1,
    "opModTargetW": 1,
    "opModFixedVar": 2,
    "opModTargetVar": 2,
    "opModFixedPFInjectW": 3,
    "opModVoltVar": 4,
    "opModFreqWatt": 5,
    "opModFreqDroop": 5,
    "opModWattVar": 9,
    "opModVoltWatt": 10,
}


class Measurement(Model):
    """Base of the models here: read-only, and changing with every step, setting and setpoint."""

    def __init__(self, view: View) -> None:
        self.view = view

    def stamp(self) -> object:
        """Changes with setpoints and settings too: one that changes no power is shown at once."""
        return (self.view.rules_stamp(), self.view.state_stamp())

    @property
    def state(self) -> DeviceState:
        """The state of the device after its last step."""
        return self.view.device.state


def power_factor(p: float, s: float) -> float:
    """Displacement power factor with the sign of P; 1 without any power."""
    return p / s if s > 0 else 1.0


def alarm_bits(state: DeviceState, view: View) -> tuple[int, str]:
    """701.Alrm (also 10x.Evt1) and the names of the alarms that have no bit of their own."""
    bits = sum(1 << bit for alarm, bit in _ALARM_BITS.items() if alarm in state.alarms)
    others = [a.name or "" for a in Alarm if a in state.alarms and a not in _ALARM_BITS]
    if others:
        bits |= 1 << _MANUFACTURER
    if state.tripped:
        bits |= 1 << _GRID_DISCONNECT
    if not view.device.permitted:
        bits |= 1 << _MANUAL_SHUTDOWN
    return bits, ", ".join(others)


def mean_of_used(values: tuple[float, ...]) -> float:
    """The mean over the phases in use; an absent phase reads 0."""
    used = [value for value in values if value]
    return sum(used) / len(used) if used else 0.0


class AcMeasurement(Measurement):
    """701, DER AC measurement."""

    model_id = 701

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.scales = {
            "A_SF": scales.a,
            "V_SF": scales.v,
            "Hz_SF": -3,
            "W_SF": scales.w,
            "PF_SF": -3,
            "VA_SF": scales.va,
            "Var_SF": scales.var,
            "TotWh_SF": 0,
            "TotVarh_SF": 0,
            "Tmp_SF": -1,
        }

    def values(self) -> Values:
        """Totals and phases of power, current, voltage and energy; alarms and throttling."""
        s, phases = self.state, self.view.plate.phases
        alarms, others = alarm_bits(s, self.view)
        out: dict[str, Value] = {
            "ACType": phases - 1,
            "St": int(s.connection.energized),
            "InvSt": INVERTER_STATE.get(s.inverter_status, (7, 8))[0],
            "ConnSt": int(s.connection.connected),
            "Alrm": alarms,
            "DERMode": _GRID_FOLLOWING,
            "W": s.p_w,
            "VA": s.s_va,
            "Var": s.q_var,
            "PF": power_factor(s.p_w, s.s_va),
            "A": sum(s.current_a),
            "LLV": mean_of_used(s.voltage_ll_v) if phases > 1 else None,
            "LNV": mean_of_used(s.voltage_ln_v[:phases]),
            "Hz": s.frequency_hz,
            "TotWhInj": sum(s.exported_wh),
            "TotWhAbs": sum(s.imported_wh),
            "TotVarhInj": sum(s.injected_varh),
            "TotVarhAbs": sum(s.absorbed_varh),
            "TmpAmb": s.temperature_c,
            "MnAlrmInfo": others,
            **self._throttling(s),
        }
        for phase in range(phases):
            out.update(self._phase(s, phase))
        for index, name in enumerate(("VL1L2", "VL2L3", "VL3L1")[: (0, 1, 3)[phases - 1]]):
            out[name] = s.voltage_ll_v[index]
        return out

    def _phase(self, s: DeviceState, phase: int) -> dict[str, Value]:
        n = phase + 1
        p, q = s.phase_p_w[phase], s.phase_q_var[phase]
        va = s.voltage_ln_v[phase] * s.current_a[phase]
        return {
            f"WL{n}": p,
            f"VAL{n}": va,
            f"VarL{n}": q,
            f"PFL{n}": power_factor(p, va),
            f"AL{n}": s.current_a[phase],
            f"VL{n}": s.voltage_ln_v[phase],
            f"TotWhInjL{n}": s.exported_wh[phase],
            f"TotWhAbsL{n}": s.imported_wh[phase],
            f"TotVarhInjL{n}": s.injected_varh[phase],
            f"TotVarhAbsL{n}": s.absorbed_varh[phase],
        }

    def _throttling(self, s: DeviceState) -> dict[str, Value]:
        if s.inverter_status is not InverterStatus.FORCED_DERATING:
            return {"ThrotPct": 100, "ThrotSrc": 0}
        modes = self.view.setpoints.values()
        bits = {bit for mode, bit in _THROTTLES.items() if mode in modes}
        share = 100 * s.p_w / self.view.settings.setMaxW if self.view.settings.setMaxW else 0
        return {"ThrotPct": max(0.0, share), "ThrotSrc": sum(1 << bit for bit in bits)}


class LegacyInverter(Measurement):
    """101, 102 or 103 by the number of phases: for tools older than 1547-2018."""

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.model_id = 100 + view.plate.phases
        self.scales = {
            "A_SF": scales.a,
            "V_SF": scales.v,
            "W_SF": scales.w,
            "Hz_SF": -2,
            "VA_SF": scales.va,
            "VAr_SF": scales.var,
            "PF_SF": -2,
            "WH_SF": 0,
            "DCA_SF": scales.dc_a,
            "DCV_SF": scales.dc_v,
            "DCW_SF": scales.dc_w,
            "Tmp_SF": -1,
        }

    def values(self) -> Values:
        """The same quantities under their older names."""
        s, phases = self.state, self.view.plate.phases
        out: dict[str, Value] = {
            "A": sum(s.current_a),
            "W": s.p_w,
            "Hz": s.frequency_hz,
            "VA": s.s_va,
            "VAr": s.q_var,
            "PF": 100 * power_factor(s.p_w, s.s_va),
            "WH": sum(s.exported_wh),
            "DCA": max(0.0, s.dc_a),
            "DCV": s.dc_v,
            "DCW": s.dc_w,
            # There is no heat model of the cabinet: the ambient temperature is shown.
            "TmpCab": s.temperature_c,
            "St": INVERTER_STATE.get(s.inverter_status, (7, 8))[1],
            "Evt1": alarm_bits(s, self.view)[0] & 0xFFFF,
            "Evt2": 0,
        }
        for phase in range(phases):
            letter = "ABC"[phase]
            out[f"Aph{letter}"] = s.current_a[phase]
            out[f"PhVph{letter}"] = s.voltage_ln_v[phase]
        for index, pair in enumerate(("AB", "BC", "CA")[: (0, 1, 3)[phases - 1]]):
            out[f"PPVph{pair}"] = s.voltage_ll_v[index]
        return out


class LegacyStatus(Measurement):
    """122, measurements and status."""

    model_id = 122

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.scales = {"VArAval_SF": scales.var, "WAval_SF": scales.w}

    def values(self) -> Values:
        """Connection, energy, available power and the controls in force."""
        s, c = self.state, self.state.connection
        plate, modes = self.view.plate, self.view.setpoints.values()
        acting = {bit for mode, bit in _ACTIVE_CONTROLS.items() if mode in modes}
        return {
            "PVConn": _connection_bits(s, "pv") if plate.pv_w else 0,
            "StorConn": _connection_bits(s, "battery") if plate.rtgMaxWh else 0,
            "ECPConn": 1 << c.connected,
            "ActWh": sum(s.exported_wh),
            "VArAval": s.var_inject_available,
            "WAval": s.available_w,
            "StActCtl": sum(1 << bit for bit in acting),
            "TmSrc": "dersim",
            # Seconds since 2000-01-01 00:00 UTC.
            "Tms": max(0.0, s.time_s - 946_684_800) % 0xFFFFFFFE,
            "RtSt": 0,
        }


def _connection_bits(s: DeviceState, kind: SourceKind) -> int:
    c = s.connection_of(kind)
    return c.connected | c.available << 1 | c.operating << 2 | c.test << 3


_ACTIVE_CONTROLS = {
    "opModFixedW": 0,
    "opModTargetW": 0,
    "opModFixedVar": 1,
    "opModTargetVar": 1,
    "opModFixedPFInjectW": 2,
    "opModFixedPFAbsorbW": 2,
    "opModVoltVar": 3,
    "opModFreqDroop": 4,
    "opModFreqWatt": 5,
    "opModWattPF": 9,
    "opModVoltWatt": 10,
}


class DcMeasurement(Measurement):
    """714, a DC port for each source: the array first, then the battery."""

    model_id = 714
    _TYPES: ClassVar = {"pv": (0, "PV"), "battery": (1, "battery"), "generator": (3, "generator")}
    _OFF, _ON, _ERROR = 0, 1, 3

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.counts = {"NPrt": len(parts_of(view.device.source, view.plate))}
        self.scales = {
            "DCA_SF": scales.dc_a,
            "DCV_SF": scales.dc_v,
            "DCW_SF": scales.dc_w,
            "DCWH_SF": 0,
            "Tmp_SF": -1,
        }

    def values(self) -> Values:
        """The DC sources of the newest state."""
        s = self.state
        out: dict[str, Value] = {
            "PrtAlrms": 0,
            "DCA": sum(side.a for side in s.dc_sides),
            "DCW": s.dc_w,
            "DCWhInj": sum(side.delivered_wh for side in s.dc_sides),
            "DCWhAbs": sum(side.taken_wh for side in s.dc_sides),
        }
        for index, side in enumerate(s.dc_sides):
            out.update({f"Prt[{index}].{name}": value for name, value in self._port(s, index, side).items()})
        return out

    def _port(self, s: DeviceState, index: int, side: DcSide) -> dict[str, Value]:
        kind, name = self._TYPES[side.kind]
        storage = side.kind == "battery"
        on = storage or side.available_w > 0
        return {
            "PrtTyp": kind,
            "ID": index + 1,
            "IDStr": name,
            "DCA": side.a,
            "DCV": side.v,
            "DCW": side.p_w,
            "DCWhInj": side.delivered_wh,
            "DCWhAbs": side.taken_wh,
            "Tmp": s.temperature_c if storage else s.cell_temperature_c,
            "DCSta": self._ERROR if s.failed else self._ON if on else self._OFF,
            "DCAlrm": 0,
        }
