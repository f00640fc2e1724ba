"""The conditions at a DER's terminals at one instant, and the alarms that nothing simulated raises."""

from typing import NamedTuple


class Conditions(NamedTuple):
    """Grid and weather at one instant.

    voltage_pu: phase-to-neutral RMS voltages A, B, C in per-unit of the nominal; single-phase devices read
    the first, split-phase ones the first two. frequency_hz. irradiance_w_m2 in the plane of the array.
    temperature_c and wind_m_s of the ambient air. The booleans each raise the alarm of that name, no more.
    angle_deg: how far the voltage phasors A, B, C lead their nominal places, degrees; a change is a jump.
    rocof_hz_s: the rate at which frequency_hz moves. grid_lost: the DER is in an island.
    load_w, load_var: what the load behind the DER's meter consumes in A, B, C.
    """

    voltage_pu: tuple[float, float, float] = (1.0, 1.0, 1.0)
    frequency_hz: float = 60.0
    irradiance_w_m2: float = 800.0
    temperature_c: float = 25.0
    wind_m_s: float = 1.0
    current_imbalance: bool = False
    phase_rotation: bool = False
    emergency_local: bool = False
    emergency_remote: bool = False
    angle_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rocof_hz_s: float = 0.0
    grid_lost: bool = False
    load_w: tuple[float, float, float] = (0.0, 0.0, 0.0)
    load_var: tuple[float, float, float] = (0.0, 0.0, 0.0)
