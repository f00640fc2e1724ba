"""The state of a DER after a step, as every front-end reads it.

Signs: P > 0 generates (or discharges), Q > 0 injects (over-excited), as in 2030.5 for a DER and in the
OpenDER trajectories. Currents and voltages are RMS magnitudes.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

from dersim.hardware.source import SourceKind


class Alarm(IntFlag):
    """DERStatus.alarmStatus bits (2030.5-2018 10.10.4.4; CSIP table 14)."""

    OVER_CURRENT = 1 << 0
    OVER_VOLTAGE = 1 << 1
    UNDER_VOLTAGE = 1 << 2
    OVER_FREQUENCY = 1 << 3
    UNDER_FREQUENCY = 1 << 4
    VOLTAGE_IMBALANCE = 1 << 5
    CURRENT_IMBALANCE = 1 << 6
    EMERGENCY_LOCAL = 1 << 7
    EMERGENCY_REMOTE = 1 << 8
    LOW_POWER_INPUT = 1 << 9
    PHASE_ROTATION = 1 << 10


class InverterStatus(IntEnum):
    """DERStatus.inverterStatus (2030.5 InverterStatusType)."""

    NOT_APPLICABLE = 0
    OFF = 1
    SLEEPING = 2
    STARTING = 3
    RUNNING = 4
    FORCED_DERATING = 5
    SHUTTING_DOWN = 6
    FAULT = 7
    STANDBY = 8
    TEST = 9
    MANUFACTURER = 10


class OperationalMode(IntEnum):
    """DERStatus.operationalModeStatus."""

    NOT_APPLICABLE = 0
    OFF = 1
    OPERATIONAL = 2
    TEST = 3


class StorageMode(IntEnum):
    """DERStatus.storageModeStatus."""

    CHARGING = 0
    DISCHARGING = 1
    HOLDING = 2


class Connection(NamedTuple):
    """The input of genConnectStatus and storConnectStatus; their bits differ between the editions."""

    connected: bool
    available: bool
    operating: bool
    test: bool
    fault: bool
    energized: bool


class DcSide(NamedTuple):
    """One DC source of a DER: its PV array, its battery, or another generator.

    p_w, v, a: on the DC side; > 0 flows into the inverter, < 0 charges. ac_w: its share of the AC power.
    delivered_wh, taken_wh: DC energy, counting up only. available_w: what it could give now, on the AC side;
    charge_available_w: what it could take now, from the grid or from PV beside it.
    """

    kind: SourceKind
    p_w: float
    v: float
    a: float
    ac_w: float
    delivered_wh: float
    taken_wh: float
    available_w: float
    charge_available_w: float = 0.0


Triple = tuple[float, float, float]


class MeterEnergy(NamedTuple):
    """The registers of a meter, counting up only: Wh from and to the grid, varh by quadrant."""

    imported_wh: float
    exported_wh: float
    q1_varh: float
    q2_varh: float
    q3_varh: float
    q4_varh: float


class SiteState(NamedTuple):
    """What the meter of a site measures, a DER and a load behind one connection to the grid.

    p_w, q_var: the DER's less the load's, so P > 0 and Q > 0 are exported. load_w, load_var: consumed by the
    load. Triples are (A, B, C). energy: of the net power; phase_energy: of each phase of the DER.
    """

    p_w: float
    q_var: float
    s_va: float
    load_w: float
    load_var: float
    phase_p_w: Triple
    phase_q_var: Triple
    current_a: Triple
    energy: MeterEnergy
    phase_energy: tuple[MeterEnergy, ...]


class Signs(NamedTuple):
    """What a utility is told at once when it changes."""

    alarms: Alarm
    connection: Connection
    inverter_status: InverterStatus
    operational_mode: OperationalMode


class DeviceState(NamedTuple):
    """One DER at one instant; immutable.

    time_s: simulated UTC. Per-phase triples are (A, B, C), 0 where the device has no such phase.
    Energies count up only, in Wh and varh; exported is delivered by the DER, imported is consumed.
    available_w: available power on the AC side, at most setMaxW. charge_available_w: what could be absorbed
    now on the AC side. soc_pct: None without a battery. dc_sides: one for each DC source, PV first.
    failed: an error in a step stopped the DER for good. site: None without a load behind the DER's meter.
    """

    time_s: float
    p_w: float
    q_var: float
    s_va: float
    frequency_hz: float
    voltage_ln_v: Triple
    voltage_ll_v: Triple
    current_a: Triple
    phase_p_w: Triple
    phase_q_var: Triple
    exported_wh: Triple
    imported_wh: Triple
    injected_varh: Triple
    absorbed_varh: Triple
    available_w: float
    var_inject_available: float
    var_absorb_available: float
    charge_available_w: float
    dc_sides: tuple[DcSide, ...]
    irradiance_w_m2: float
    temperature_c: float
    cell_temperature_c: float
    soc_pct: float | None
    connection: Connection
    inverter_status: InverterStatus
    operational_mode: OperationalMode
    storage_mode: StorageMode | None
    alarms: Alarm
    tripped: bool
    failed: bool = False
    site: SiteState | None = None

    @property
    def signs(self) -> Signs:
        """Its alarms and status."""
        return Signs(self.alarms, self.connection, self.inverter_status, self.operational_mode)

    @property
    def pv(self) -> DcSide | None:
        """The PV array; None without one."""
        return self._side("pv")

    @property
    def battery(self) -> DcSide | None:
        """The battery; None without one."""
        return self._side("battery")

    def connection_of(self, kind: SourceKind) -> Connection:
        """The connection of one kind of source; one without anything to give or take is not available."""
        whole, side = self.connection, self._side(kind)
        if side is None or len(self.dc_sides) == 1:
            return whole
        able = side.available_w > 0 or (kind == "battery" and self.charge_available_w > 0)
        return whole._replace(available=whole.available and able, operating=whole.operating and able)

    def _side(self, kind: str) -> DcSide | None:
        return next((side for side in self.dc_sides if side.kind == kind), None)

    @property
    def dc_w(self) -> float:
        """Power of all DC sources together, W; > 0 flows into the inverter."""
        return sum(side.p_w for side in self.dc_sides)

    @property
    def dc_v(self) -> float:
        """Voltage of the DC bus: of the first source that has a voltage, V."""
        return next((side.v for side in self.dc_sides if side.v), 0.0)

    @property
    def dc_a(self) -> float:
        """Current of all DC sources together at the voltage of the bus, A."""
        volts = self.dc_v
        return self.dc_w / volts if volts else 0.0
