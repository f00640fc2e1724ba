"""From the step's few numbers to the `DeviceState` that everybody reads, with its alarms and status words.

Built only when somebody looks: the physics of a thousand DERs then cost nothing that nobody reads.
"""

from __future__ import annotations

import math

from dersim.device.nameplate import Nameplate
from dersim.device.registers import Registers
from dersim.device.settings import Settings
from dersim.device.source import Source
from dersim.device.state import (
    Alarm,
    Connection,
    DeviceState,
    InverterStatus,
    OperationalMode,
    StorageMode,
    Triple,
)
from dersim.device.terminals import line_to_line
from dersim.extension import Measured
from dersim.functions.chain import Chain
from dersim.grid.conditions import Conditions

#: Below this share of rtgMaxW a PV inverter sleeps and says that its input is low.
_LOW_INPUT = 0.005
#: Largest deviation of a phase from the mean that counts as balanced (ANSI C84.1 annex: 3 %).
_IMBALANCE = 0.03


def alarms_now(
    plate: Nameplate, settings: Settings, seen: Measured, conditions: Conditions, chain: Chain
) -> Alarm:
    """The alarms that the present conditions raise."""
    low, high, slow, fast = chain.trip_window
    alarm = Alarm(0)
    if seen.v_high_pu > high:
        alarm |= Alarm.OVER_VOLTAGE
    if seen.v_low_pu < low:
        alarm |= Alarm.UNDER_VOLTAGE
    if seen.frequency_hz > fast:
        alarm |= Alarm.OVER_FREQUENCY
    if seen.frequency_hz < slow:
        alarm |= Alarm.UNDER_FREQUENCY
    used = conditions.voltage_pu[: plate.phases]
    mean = sum(used) / len(used)
    if mean > 0 and max(abs(v - mean) for v in used) > _IMBALANCE * mean:
        alarm |= Alarm.VOLTAGE_IMBALANCE
    if plate.pv_w and plate.rtgMaxWh == 0 and seen.available_w < _LOW_INPUT * plate.rtgMaxW:
        alarm |= Alarm.LOW_POWER_INPUT
    volts = mean * plate.v_ln_v * plate.phases
    if volts > 0 and math.hypot(seen.p_w, seen.q_var) / volts > settings.setMaxA * 0.999:
        alarm |= Alarm.OVER_CURRENT
    return alarm


def inverter_status(plate: Nameplate, seen: Measured, chain: Chain, alarm: Alarm) -> InverterStatus:
    """InverterStatusType of the present state."""
    if not chain.permitted:
        return InverterStatus.OFF
    if not chain.in_service:
        if chain.tripped:
            return InverterStatus.FAULT
        return InverterStatus.OFF if seen.blocked else InverterStatus.STANDBY
    if chain.ceased:
        return InverterStatus.STANDBY
    if Alarm.LOW_POWER_INPUT in alarm:
        return InverterStatus.SLEEPING
    if chain.entering:
        return InverterStatus.STARTING
    if plate.rtgMaxWh:
        return InverterStatus.RUNNING if seen.p_w else InverterStatus.STANDBY
    full = min(seen.available_w, plate.rtgMaxW)
    return InverterStatus.FORCED_DERATING if seen.p_w < full * 0.999 else InverterStatus.RUNNING


def build_state(
    time_s: float,
    plate: Nameplate,
    settings: Settings,
    seen: Measured,
    conditions: Conditions,
    chain: Chain,
    source: Source,
    registers: Registers,
    shares: Triple,
    alarms: Alarm,
    *,
    switch_closed: bool,
) -> DeviceState:
    """Everything that the front-ends show, of one instant."""
    p, q = seen.p_w, seen.q_var
    s = math.hypot(p, q)
    a, b, c = conditions.voltage_pu
    v_nom = plate.v_ln_v
    used = [v * v_nom if index < plate.phases else 0.0 for index, v in enumerate((a, b, c))]
    v_ln: Triple = (used[0], used[1], used[2])
    total_v = sum(used)
    amps = s / total_v if total_v > 0 else 0.0
    exported, imported, injected, absorbed = registers.read()
    inject, absorb = chain.inverter.var_available(p)
    dc = source.dc(p)
    status = inverter_status(plate, seen, chain, alarms)
    soc = source.soc_pct
    live = chain.in_service and not chain.ceased
    return DeviceState(
        time_s=time_s,
        p_w=p,
        q_var=q,
        s_va=s,
        frequency_hz=conditions.frequency_hz,
        voltage_ln_v=v_ln,
        voltage_ll_v=line_to_line(plate.phases, v_ln),
        current_a=_times(tuple(float(index < plate.phases) for index in range(3)), amps),
        phase_p_w=_times(shares, p),
        phase_q_var=_times(shares, q),
        exported_wh=exported,
        imported_wh=imported,
        injected_varh=injected,
        absorbed_varh=absorbed,
        available_w=min(seen.available_w, settings.setMaxW),
        var_inject_available=inject,
        var_absorb_available=absorb,
        dc_w=dc.p,
        dc_v=dc.v,
        dc_a=dc.i,
        irradiance_w_m2=conditions.irradiance_w_m2,
        temperature_c=conditions.temperature_c,
        cell_temperature_c=source.cell_temperature_c,
        soc_pct=soc,
        connection=Connection(
            connected=chain.in_service and switch_closed,
            available=seen.available_w > 0 and not chain.tripped,
            operating=live and (p != 0 or q != 0),
            test=False,
            fault=chain.tripped,
            energized=live,
        ),
        inverter_status=status,
        operational_mode=OperationalMode.OPERATIONAL if chain.in_service else OperationalMode.OFF,
        storage_mode=None if soc is None else _storage_mode(p),
        alarms=alarms,
        tripped=chain.tripped,
    )


def _times(shares: tuple[float, ...], value: float) -> Triple:
    return (shares[0] * value, shares[1] * value, shares[2] * value)


def _storage_mode(p_w: float) -> StorageMode:
    if p_w == 0:
        return StorageMode.HOLDING
    return StorageMode.DISCHARGING if p_w > 0 else StorageMode.CHARGING
