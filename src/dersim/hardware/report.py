"""The `DeviceState` of a step, with its alarms and status codes.

It is built only when it is read, so that unread states cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.hardware.alarm_hold import AlarmHold
from dersim.hardware.dc_sides import DcSides
from dersim.hardware.inverter import Inverter
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.pv import PvArray
from dersim.hardware.registers import Registers
from dersim.hardware.settings import Settings
from dersim.hardware.source import DcPoint, GivenSource, Source
from dersim.hardware.state import (
    Alarm,
    Connection,
    DcSide,
    DeviceState,
    InverterStatus,
    OperationalMode,
    Signs,
    StorageMode,
    Triple,
)
from dersim.hardware.terminals import line_to_line

#: Below this share of rtgMaxW a PV inverter sleeps and says that its input is low.
_LOW_INPUT = 0.005
#: Largest deviation of a phase from the mean that counts as balanced (ANSI C84.1 annex: 3 %).
_IMBALANCE = 0.03
#: The window of a DER without must-trip: voltages (per unit) and frequencies (Hz) without a trip timer.
_NO_TRIP = (0.0, math.inf, 0.0, math.inf)
#: A battery with less power rests, W; differences of larger powers leave such a rest.
_RESTS_W = 1e-6

# Plain numbers: the operators of an IntFlag cost more than all the rest.
_OVER_CURRENT = int(Alarm.OVER_CURRENT)
_OVER_VOLTAGE, _UNDER_VOLTAGE = int(Alarm.OVER_VOLTAGE), int(Alarm.UNDER_VOLTAGE)
_OVER_FREQUENCY, _UNDER_FREQUENCY = int(Alarm.OVER_FREQUENCY), int(Alarm.UNDER_FREQUENCY)
_IMBALANCED, _LOW_POWER = int(Alarm.VOLTAGE_IMBALANCE), int(Alarm.LOW_POWER_INPUT)
_UNEQUAL_CURRENTS, _ROTATION = int(Alarm.CURRENT_IMBALANCE), int(Alarm.PHASE_ROTATION)
_LOCAL_EMERGENCY, _REMOTE_EMERGENCY = int(Alarm.EMERGENCY_LOCAL), int(Alarm.EMERGENCY_REMOTE)


#: Where the alarms that are inputs begin in `Conditions`, and none of them.
_FIRST_INPUT = Conditions._fields.index("current_imbalance")
_NO_INPUT = (False, False, False, False)


class ServiceState(Protocol):
    """The service state that the control functions decide."""

    permitted: bool
    tripped: bool
    in_service: bool
    ceased: bool
    closed: bool
    failed: bool

    @property
    def entering(self) -> bool:
        """Whether the DER is on the ramp of entering service."""
        ...


class DecidedParts(Protocol):
    """What the control functions decide."""

    @property
    def service(self) -> ServiceState:
        """The service state."""
        ...

    @property
    def inverter(self) -> Inverter:
        """The inverter's limits."""
        ...

    @property
    def functions(self) -> Mapping[str, object]:
        """The control functions by name."""
        ...


class Report:
    """Builds the states of one DER from its parts, which belong to the device."""

    KEPT = ("held", "_sides")

    def __init__(
        self,
        plate: Nameplate,
        settings: Settings,
        seen: Measured,
        source: Source,
        registers: Registers,
        parts: DecidedParts,
        held: AlarmHold,
    ) -> None:
        self.held = held
        self._plate = plate
        self._settings = settings
        self._seen = seen
        self._service = parts.service
        self._trip = parts.functions.get("trip")
        self._inverter = parts.inverter
        self._source = source
        self._registers = registers
        self._sides = DcSides(plate, source)
        self._start_wh = sum(plate.initial_exported_wh), sum(plate.initial_imported_wh)
        self._soc_pct = plate.soc_pct if plate.rtgMaxWh else None
        used = [float(index < plate.phases) for index in range(3)]
        self._phase = _triple(used)
        self._volts = _triple([plate.v_ln_v * each for each in used])
        self._ac_volts = plate.v_ln_v * plate.phases

    def alarms(self, conditions: Conditions) -> Alarm:
        """The alarms that the present conditions raise.

        The voltage alarms rise outside setMinV and setMaxV too, not only where a trip timer runs.
        """
        plate, seen = self._plate, self._seen
        used = conditions.voltage_pu[: plate.phases]
        mean = sum(used) / len(used)
        volts = mean * self._ac_volts
        low, high, slow, fast = getattr(self._trip, "quiet_window", _NO_TRIP)
        s = self._settings
        lowest, highest = s.alarm_window_pu
        low, high = max(low, lowest), min(high, highest)
        amps = math.hypot(seen.p_w, seen.q_var) / volts if volts > 0 else 0.0
        bits = (
            (seen.v_high_pu > high) * _OVER_VOLTAGE
            + (seen.v_low_pu < low) * _UNDER_VOLTAGE
            + (seen.frequency_hz > fast) * _OVER_FREQUENCY
            + (seen.frequency_hz < slow) * _UNDER_FREQUENCY
            + (max(used) - mean > _IMBALANCE * mean or mean - min(used) > _IMBALANCE * mean) * _IMBALANCED
            + self._sleeps * _LOW_POWER
            + (self._inverter.current_limits and amps > 0.999 * s.setMaxA) * _OVER_CURRENT
        )
        given = conditions[_FIRST_INPUT : _FIRST_INPUT + len(_NO_INPUT)]
        return Alarm(bits if given == _NO_INPUT else bits | _given(conditions))

    @property
    def _sleeps(self) -> bool:
        """Whether a DER without a battery has next to nothing to deliver, whatever its service."""
        plate = self._plate
        return not plate.rtgMaxWh and self._seen.available_w < _LOW_INPUT * plate.rtgMaxW

    def status(self, *, sleeps: bool, standby: bool = False) -> InverterStatus:
        """InverterStatusType of the present state; standby: the DER is connected and may not energize."""
        service, seen = self._service, self._seen
        if not service.in_service:
            return InverterStatus.FAULT if service.failed else self._status_out_of_service(standby)
        if service.ceased:
            return InverterStatus.STANDBY
        if sleeps:
            return InverterStatus.SLEEPING
        if service.entering:
            return InverterStatus.STARTING
        if self._plate.rtgMaxWh:
            return InverterStatus.RUNNING if seen.p_w else InverterStatus.STANDBY
        full = min(seen.available_w, self._plate.rtgMaxW)
        return InverterStatus.FORCED_DERATING if seen.p_w < full * 0.999 else InverterStatus.RUNNING

    def _status_out_of_service(self, standby: bool) -> InverterStatus:
        if self._service.tripped:
            return InverterStatus.FAULT
        off = not self._service.permitted or (self._seen.blocked and not standby)
        return InverterStatus.OFF if off else InverterStatus.STANDBY

    def note(self, conditions: Conditions, now_s: float) -> None:
        """Record the alarms of now_s, which readers may see later."""
        self.held.note(self.alarms(conditions), now_s)

    def signs(self, time_s: float, conditions: Conditions, value: Callable[[str], object]) -> Signs:
        """Alarms and status. value: of a mode in force, or None."""
        return self._signs(self.held.with_held(self.alarms(conditions), time_s), value)

    def _signs(self, alarms: Alarm, value: Callable[[str], object]) -> Signs:
        sleeps, serves = self._sleeps, self._service.in_service
        works = serves and not sleeps
        return Signs(
            alarms,
            self._connection(sleeps),
            self.status(sleeps=sleeps, standby=not serves and _is_standby(value)),
            OperationalMode.OPERATIONAL if works else OperationalMode.OFF,
        )

    def state(
        self, time_s: float, conditions: Conditions, shares: Triple, value: Callable[[str], object]
    ) -> DeviceState:
        """Build the state. shares: of each phase in P and Q. value: of a mode in force, or None."""
        return self._state(time_s, conditions, shares, self.signs(time_s, conditions, value))

    def _state(self, time_s: float, conditions: Conditions, shares: Triple, signs: Signs) -> DeviceState:
        plate, source = self._plate, self._source
        p, q = self._seen.p_w, self._seen.q_var
        s = math.hypot(p, q)
        (a, b, c), (of_a, of_b, of_c), (in_a, in_b, in_c) = conditions.voltage_pu, self._volts, self._phase
        v_ln = (a * of_a, b * of_b, c * of_c)
        volts = sum(v_ln)
        amps = s / volts if volts > 0 else 0.0
        share_a, share_b, share_c = shares
        exported, imported, injected, absorbed = self._registers.read()
        available_w, charge_w, inject, absorb = self._available(p)
        sides = self._dc_sides(p, sum(exported), sum(imported))
        self._soc_pct = soc = source.soc_pct
        return DeviceState(
            time_s=time_s,
            p_w=p,
            q_var=q,
            s_va=s,
            frequency_hz=conditions.frequency_hz,
            voltage_ln_v=v_ln,
            voltage_ll_v=line_to_line(plate.phases, v_ln, conditions.angle_deg),
            current_a=(amps * in_a, amps * in_b, amps * in_c),
            phase_p_w=(share_a * p, share_b * p, share_c * p),
            phase_q_var=(share_a * q, share_b * q, share_c * q),
            exported_wh=exported,
            imported_wh=imported,
            injected_varh=injected,
            absorbed_varh=absorbed,
            available_w=available_w,
            var_inject_available=inject,
            var_absorb_available=absorb,
            charge_available_w=charge_w,
            dc_sides=sides,
            irradiance_w_m2=conditions.irradiance_w_m2,
            temperature_c=conditions.temperature_c,
            cell_temperature_c=source.cell_temperature_c,
            soc_pct=soc,
            connection=signs.connection,
            inverter_status=signs.inverter_status,
            operational_mode=signs.operational_mode,
            storage_mode=None if soc is None else _storage_mode(sides),
            alarms=signs.alarms,
            tripped=self._service.tripped,
            failed=self._service.failed,
            site=self._registers.site_state(p, q, shares, v_ln),
        )

    def _available(self, p_w: float) -> tuple[float, float, float, float]:
        """Power to deliver and to take, var to inject and to absorb; 0 behind an open switch."""
        if not self._service.closed or self._service.failed:
            return 0.0, 0.0, 0.0, 0.0
        seen, s = self._seen, self._settings
        give_w, take_w = self._inverter.active_limits()
        active = min(seen.available_w, s.setMaxW, give_w), min(seen.charge_w, s.charge_limit_w, take_w)
        return active + self._inverter.var_available(p_w)

    def failed_state(
        self, time_s: float, conditions: Conditions, shares: Triple, _value: Callable[[str], object]
    ) -> DeviceState:
        """The state of a DER that failed: no power, registers and state of charge as they were."""
        plate = self._plate
        soc_pct = self._soc_pct
        self._source = GivenSource(plate)
        self._source.soc_pct = soc_pct
        return self._state(time_s, conditions, shares, self._signs(Alarm(0), lambda _: None))

    def dc_iv(self, name: str, state: DeviceState) -> dict[str, Any]:
        """The PV array's I-V curve and operating point; ConfigError names the DER if it has none."""
        array = getattr(self._source, "pv", getattr(self._source, "source", self._source))
        if not isinstance(array, PvArray):
            raise ConfigError(f"{name} has no PV array and so no I-V curve")
        side = state.pv
        point = DcPoint(side.v, side.a, side.p_w) if side else DcPoint(0.0, 0.0, 0.0)
        return {
            "irradiance_w_m2": state.irradiance_w_m2,
            "cell_temperature_c": state.cell_temperature_c,
            "operating_point": point._asdict(),
            "curve": [sample._asdict() for sample in array.curve().samples()],
        }

    def _dc_sides(self, p_w: float, exported_wh: float, imported_wh: float) -> tuple[DcSide, ...]:
        out_wh, in_wh = exported_wh - self._start_wh[0], imported_wh - self._start_wh[1]
        if self._service.failed:
            return self._sides.stopped(out_wh, in_wh)
        return self._sides.read(p_w, out_wh, in_wh)

    def _connection(self, sleeps: bool) -> Connection:
        """The bits of DERStatus. In service without power by command is operating; asleep is not."""
        service, seen = self._service, self._seen
        closed = service.closed and not service.failed
        live = service.in_service and not service.ceased
        return Connection(
            connected=closed,
            available=closed and (seen.available_w > 0 or seen.charge_w > 0),
            operating=live and not sleeps,
            test=False,
            fault=service.tripped or service.failed,
            energized=live,
        )


def _given(conditions: Conditions) -> int:
    """The alarms that are inputs."""
    return (
        conditions.current_imbalance * _UNEQUAL_CURRENTS
        + conditions.phase_rotation * _ROTATION
        + conditions.emergency_local * _LOCAL_EMERGENCY
        + conditions.emergency_remote * _REMOTE_EMERGENCY
    )


def _is_standby(value: Callable[[str], object]) -> bool:
    return value("opModEnergize") is False and value("opModConnect") is not False


def _triple(values: list[float]) -> Triple:
    return (values[0], values[1], values[2])


def _storage_mode(sides: tuple[DcSide, ...]) -> StorageMode | None:
    battery = next((side for side in sides if side.kind == "battery"), None)
    if battery is None:
        return None
    if abs(battery.p_w) < _RESTS_W:
        return StorageMode.HOLDING
    return StorageMode.DISCHARGING if battery.p_w > 0 else StorageMode.CHARGING
