"""The inputs that move: the meter, what is available, the alarms, the states, the energies."""

from __future__ import annotations

from collections.abc import Callable

from dersim.plugin import DeviceState, Nameplate
from dersim_dnp3.points import AI, BI, CTR, Input, Rating, Read
from dersim_dnp3.see import See

#: Bits of `DeviceState.alarms` (DERStatus.alarmStatus of IEEE 2030.5).
OVER_VOLTAGE, UNDER_VOLTAGE, OVER_FREQUENCY, UNDER_FREQUENCY = 1 << 1, 1 << 2, 1 << 3, 1 << 4
_TRIPS = OVER_VOLTAGE | UNDER_VOLTAGE | OVER_FREQUENCY | UNDER_FREQUENCY
#: Below this part of the rating a machine that is connected is idle.
_IDLE = 0.0005
#: The phases of each circuit: the profile's kinds 1 single, 2 split, 6 three-phase wye, grounded.
_CIRCUITS = {1: 1.0, 2: 2.0, 3: 6.0}
#: The angle of each phase's voltage behind that of A, degrees.
_ANGLES = {1: (0.0, None, None), 2: (0.0, 180.0, None), 3: (0.0, 240.0, 120.0)}


def of_watts(plate: Nameplate) -> float:
    """Dead-bands of active power: rtgMaxW."""
    return plate.rtgMaxW


def of_va(plate: Nameplate) -> float:
    """Dead-bands of reactive and apparent power: rtgMaxVA."""
    return plate.rtgMaxVA


def of_amperes(plate: Nameplate) -> float:
    """Dead-bands of currents: rtgMaxA."""
    return plate.rtgMaxA


def of_volts(plate: Nameplate) -> float:
    """Dead-bands of voltages: a fifth of the nominal phase voltage."""
    return 0.2 * plate.v_ln_v


def of_hertz(plate: Nameplate) -> float:
    """Dead-bands of the frequency: a fiftieth of the nominal one."""
    return 0.02 * plate.frequency_hz


def _meter(
    index: int,
    name: str,
    read: Read,
    unit: str = "",
    multiplier: float = 1.0,
    event_class: int = 3,
    rating: Rating | None = None,
) -> Input:
    return Input(AI, index, name, read, unit, multiplier, event_class, rating=rating)


def _phase(read: Callable[[DeviceState], tuple[float, ...]], phase: int) -> Read:
    """A value of one phase; None where the machine has no such phase."""
    return lambda see: read(see.state)[phase] if phase < see.phases else None


def _angle(phase: int) -> Read:
    return lambda see: _ANGLES[see.phases][phase]


def power_factor(see: See) -> float:
    """P over S with the sign of AO 4; 1 while nothing flows."""
    state = see.state
    if state.s_va < 0.001 * see.plate.rtgMaxVA:
        return 1.0
    negative = state.p_w < 0 if see.power_factor_sign == 1 else state.q_var > 0
    return -abs(state.p_w) / state.s_va if negative else abs(state.p_w) / state.s_va


def line_voltage(see: See) -> float:
    """The mean voltage from line to line, V."""
    lines = [each for each in see.state.voltage_ll_v if each]
    return sum(lines) / len(lines) if lines else 0.0


METER = (
    _meter(533, "where the meter is, 1 between the DER and its site", lambda _see: 1.0),
    _meter(534, "circuit, 1 single phase, 2 split phase, 6 wye", lambda see: _CIRCUITS[see.phases]),
    _meter(535, "apparent power is the sum of vectors (1)", lambda _see: 1.0, "", 1, 2),
    _meter(536, "frequency", lambda see: see.state.frequency_hz, "Hz", 0.001, 3, of_hertz),
    _meter(537, "active power, > 0 generates", lambda see: see.state.p_w, "W", 1, 3, of_watts),
    *(
        _meter(
            538 + k,
            f"active power of phase {'ABC'[k]}",
            _phase(lambda s: s.phase_p_w, k),
            "W",
            1,
            1,
            of_watts,
        )
        for k in range(3)
    ),
    _meter(541, "reactive power, > 0 injects", lambda see: see.state.q_var, "var", 1, 3, of_va),
    *(
        _meter(
            542 + k,
            f"reactive power of phase {'ABC'[k]}",
            _phase(lambda s: s.phase_q_var, k),
            "var",
            1,
            1,
            of_va,
        )
        for k in range(3)
    ),
    _meter(545, "power factor", power_factor, "", 0.01, 3, lambda _plate: 1.0),
    _meter(546, "apparent power", lambda see: see.state.s_va, "VA", 1, 3, of_va),
    *(
        _meter(
            547 + 2 * k,
            f"voltage of phase {'ABC'[k]}",
            _phase(lambda s: s.voltage_ln_v, k),
            "V",
            0.1,
            3,
            of_volts,
        )
        for k in range(3)
    ),
    *(_meter(548 + 2 * k, f"angle of phase {'ABC'[k]}", _angle(k), "degrees", 0.1) for k in range(3)),
    _meter(553, "mean voltage from line to line", line_voltage, "V", 0.1, 1, of_volts),
    *(
        _meter(
            554 + k, f"current of phase {'ABC'[k]}", _phase(lambda s: s.current_a, k), "A", 0.1, 1, of_amperes
        )
        for k in range(3)
    ),
)

AVAILABLE = (
    _meter(43, "generation available", lambda see: see.state.available_w, "W", 1, 2, of_watts),
    _meter(44, "charging available", lambda see: -see.state.charge_available_w, "W", 1, 2, of_watts),
    _meter(45, "var that could be injected", lambda see: see.state.var_inject_available, "var", 1, 2, of_va),
    _meter(46, "var that could be absorbed", lambda see: -see.state.var_absorb_available, "var", 1, 2, of_va),
    _meter(47, "state of charge", lambda see: see.state.soc_pct, "%", 0.1, 2, lambda _plate: 100.0),
    _meter(48, "usable state of charge", lambda see: see.state.soc_pct, "%", 0.1, 2, lambda _plate: 100.0),
    _meter(
        49,
        "start-up, 0 stopped, 99 started",
        lambda see: 99.0 if see.state.connection.energized else 0.0,
        "",
        1,
        2,
    ),
)


def _alarm(bits: int) -> Read:
    return lambda see: bool(see.state.alarms & bits)


def _operated(bit: int) -> Read:
    return lambda see: see.state.tripped and bool(see.state.alarms & bit)


def _at_soc(reached: Callable[[float, Nameplate], bool]) -> Read:
    def read(see: See) -> bool | None:
        soc_pct = see.state.soc_pct
        return None if soc_pct is None else reached(soc_pct, see.plate)

    return read


def _binary(index: int, name: str, read: Read, event_class: int = 1) -> Input:
    return Input(BI, index, name, read, event_class=event_class)


ALARMS = (
    _binary(0, "communication error", lambda _see: False),
    _binary(
        1,
        "an alarm of priority 1: a trip, or a failure",
        lambda see: see.state.tripped or bool(see.state.alarms & _TRIPS) or see.state.failed,
    ),
    _binary(2, "another alarm", lambda see: bool(see.state.alarms & ~_TRIPS)),
    _binary(3, "an alarm of priority 3", lambda _see: False),
    _binary(4, "storage full", _at_soc(lambda soc, plate: soc >= plate.soc_max_pct)),
    _binary(7, "storage empty", _at_soc(lambda soc, plate: soc <= plate.soc_min_pct)),
    *(
        row
        for first, name, bit in (
            (52, "over-voltage", OVER_VOLTAGE),
            (55, "under-voltage", UNDER_VOLTAGE),
            (58, "over-frequency", OVER_FREQUENCY),
            (61, "under-frequency", UNDER_FREQUENCY),
        )
        for row in (
            _binary(first, f"protection from {name} blocked", lambda _see: False),
            _binary(first + 1, f"protection from {name} started", _alarm(bit)),
            _binary(first + 2, f"protection from {name} operated", _operated(bit)),
        )
    ),
    _binary(106, "communication error of the meter", lambda _see: False),
)


def may_serve(see: See) -> bool:
    """Whether the operator and what acts let the machine be in service."""
    return see.device.permitted and see.setpoints.value("opModEnergize") is not False


def _starting(see: See) -> bool:
    state = see.state
    closed = see.setpoints.value("opModConnect") is not False
    return (
        may_serve(see)
        and closed
        and not state.connection.energized
        and not state.tripped
        and not state.failed
    )


def _idle(see: See) -> bool:
    return abs(see.state.p_w) < _IDLE * see.plate.rtgMaxW


def _generating(see: See) -> bool:
    return see.state.connection.energized and not _idle(see) and see.state.p_w > 0


def _charging(see: See) -> bool:
    return see.state.connection.energized and not _idle(see) and see.state.p_w < 0


STATES = (
    _binary(12, "entering service", _starting, 2),
    _binary(13, "leaving service", lambda _see: False, 2),
    _binary(14, "started", lambda see: see.state.connection.energized, 2),
    _binary(15, "stopped", lambda see: not see.state.connection.energized, 2),
    _binary(18, "connected and idle", lambda see: see.state.connection.energized and _idle(see), 2),
    _binary(19, "connected and generating", _generating, 2),
    _binary(20, "connected and charging", _charging, 2),
    _binary(21, "off, and available", _starting, 2),
    _binary(
        22, "off, and not available", lambda see: not see.state.connection.energized and not _starting(see), 2
    ),
    _binary(24, "the switch is moving", lambda _see: False, 2),
)

ENERGIES = (
    Input(CTR, 0, "active energy delivered", lambda see: sum(see.state.exported_wh), "Wh"),
    Input(CTR, 1, "active energy received", lambda see: sum(see.state.imported_wh), "Wh"),
    Input(CTR, 2, "reactive energy delivered", lambda see: sum(see.state.injected_varh), "varh"),
    Input(CTR, 3, "reactive energy received", lambda see: sum(see.state.absorbed_varh), "varh"),
)
