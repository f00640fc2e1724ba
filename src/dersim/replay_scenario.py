"""The scenario of a replay: its JSON Schema, and the reader that checks a scenario against it.

The names and units are those of OpenDER's reference trajectories: per unit of w_max and va_max. The keys of
`_Record` are of those trajectories, too; nothing here reads them.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.json_schema import Note, Schema, described, file_schema, require, unit
from dersim.json_text import BodyError

Flag = Annotated[bool, described("whether it acts")]
Seconds = Annotated[float, unit("s", minimum=0, maximum=3600)]
ResponseTime = Annotated[float, unit("s", "open-loop response time", minimum=0, maximum=655.35)]
Watts = Annotated[float, unit("W", minimum=0.001, maximum=1e9)]
Vars = Annotated[float, unit("var", minimum=0.001, maximum=1e9)]
VoltAmperes = Annotated[float, unit("VA", minimum=0.001, maximum=1e9)]
Voltage = Annotated[float, unit("pu of v_nom", minimum=0, maximum=2)]
Frequency = Annotated[float, unit("Hz", minimum=30, maximum=90)]
Share = Annotated[float, unit("pu", minimum=-1, maximum=1)]
SignlessShare = Annotated[float, unit("pu", minimum=0, maximum=1)]
Hertz = Annotated[float, unit("Hz", minimum=0, maximum=65.535)]
Droop = Annotated[float, unit("pu frequency per pu power", minimum=0, maximum=65.535)]
PowerFactor = Annotated[float, described("", minimum=0.001, maximum=1)]
Excitation = Annotated[Literal["INJ", "ABS"], described("INJ injects reactive power, ABS absorbs it")]
TripPoint = tuple[Voltage, Annotated[float, unit("s", minimum=0, maximum=3600)]]
FrequencyTripPoint = tuple[Frequency, Annotated[float, unit("s", minimum=0, maximum=3600)]]


def _points(doc: str) -> Note:
    return described(doc, minItems=1, maxItems=10)


def _when_enabled(*names: str) -> Note:
    """What a function needs only where it is enabled."""
    return Note(**{"if": {"properties": {"enabled": {"enum": [True]}}}, "then": {"required": list(names)}})


class Nameplate(TypedDict):
    """The ratings."""

    w_max: Annotated[Watts, described("active power")]
    va_max: Annotated[VoltAmperes, described("apparent power")]
    var_max_inj: Annotated[Vars, described("reactive power, injected")]
    var_max_abs: Annotated[Vars, described("reactive power, absorbed, as a positive number")]
    v_nom: Annotated[float, unit("V", "line to line, SINGLE: phase to neutral", minimum=0.001, maximum=1e9)]
    phase: NotRequired[Annotated[Literal["SINGLE", "SPLIT", "THREE"], described("", default="THREE")]]
    f_nom: NotRequired[Annotated[Literal[50, 60], unit("Hz", "nominal frequency", default=60)]]
    category: NotRequired[
        Annotated[
            tuple[Literal["CAT_A", "CAT_B"], Literal["CAT_I", "CAT_II", "CAT_III"]],
            described("1547-2018 categories, normal and abnormal", default=["CAT_B", "CAT_III"]),
        ]
    ]
    current_max_pu: NotRequired[
        Annotated[float, unit("pu", "highest current", minimum=0.001, maximum=1e3, default=1.2)]
    ]
    dc_ac_efficiency: NotRequired[Annotated[float, described("of PV", minimum=0.5, maximum=1, default=1.0)]]
    w_charge_max: NotRequired[Annotated[Watts, described("charging power; needed with storage")]]
    va_charge_max: NotRequired[Annotated[VoltAmperes, described("charging; left out: va_max")]]


class VoltVar(TypedDict):
    """Volt-Var; Q per unit of va_max."""

    enabled: Flag
    curve: NotRequired[Annotated[list[tuple[Voltage, Share]], _points("[V, Q], V rising")]]
    olrt_s: NotRequired[ResponseTime]
    vref: NotRequired[Annotated[float, unit("pu", "shifts the curve", minimum=0.5, maximum=1.5, default=1)]]
    vref_auto: NotRequired[Annotated[bool, described("VRef follows the voltage", default=False)]]
    vref_time_s: NotRequired[Annotated[float, unit("s", "time constant of vref_auto", minimum=0)]]
    vref_auto_min: NotRequired[Annotated[float, unit("pu", minimum=0.5, maximum=1, default=0.95)]]
    vref_auto_max: NotRequired[Annotated[float, unit("pu", minimum=1, maximum=1.5, default=1.05)]]


class VoltWatt(TypedDict):
    """Volt-Watt; P per unit of w_max."""

    enabled: Flag
    curve: NotRequired[Annotated[list[tuple[Voltage, Share]], _points("[V, P], V rising")]]
    olrt_s: NotRequired[ResponseTime]


class FreqWatt(TypedDict):
    """Frequency-Watt; P per unit of w_max."""

    enabled: Flag
    curve: NotRequired[Annotated[list[tuple[Frequency, Share]], _points("[Hz, P], Hz rising")]]
    olrt_s: NotRequired[ResponseTime]


class WattVar(TypedDict):
    """Watt-Var; P per unit of w_max, Q of va_max."""

    enabled: Flag
    gen: NotRequired[Annotated[list[tuple[Share, Share]], _points("[P, Q] while generating")]]
    load: NotRequired[Annotated[list[tuple[Share, Share]], _points("[P, Q] while charging")]]
    rt_s: NotRequired[ResponseTime]


class ConstPF(TypedDict):
    """A fixed power factor."""

    enabled: Flag
    pf: NotRequired[PowerFactor]
    excitation: NotRequired[Excitation]
    rt_s: NotRequired[Annotated[ResponseTime, described("response time", default=5)]]


class ConstVar(TypedDict):
    """Fixed reactive power, per unit of va_max; above 0 injects."""

    enabled: Flag
    q: NotRequired[Share]
    rt_s: NotRequired[Annotated[ResponseTime, described("response time", default=5)]]


class FreqDroop(TypedDict):
    """Frequency droop: dead-bands, slopes and response time."""

    enabled: Flag
    db_of_hz: NotRequired[Hertz]
    db_uf_hz: NotRequired[Hertz]
    k_of: NotRequired[Droop]
    k_uf: NotRequired[Droop]
    olrt_s: NotRequired[ResponseTime]
    p_min_pu: NotRequired[Annotated[Share, described("lowest power at high frequency", default=0)]]


class ActivePowerLimit(TypedDict):
    """A limit of P, per unit of w_max."""

    enabled: Flag
    limit: NotRequired[SignlessShare]
    full_scale_ramp_s: NotRequired[Annotated[Seconds, described("from 0 to w_max; 0: at once", default=0)]]


class EnterService(TypedDict):
    """When service is entered."""

    permit: NotRequired[Annotated[bool, described("permit service", default=True)]]
    v_low: Annotated[float, unit("pu", minimum=0, maximum=1)]
    v_high: Annotated[float, unit("pu", minimum=1, maximum=1.5)]
    f_low: Annotated[float, unit("Hz", minimum=40, maximum=60)]
    f_high: Annotated[float, unit("Hz", minimum=50, maximum=70)]
    delay_s: Annotated[float, unit("s", minimum=0, maximum=86400)]
    ramp_s: Annotated[float, unit("s", minimum=0, maximum=86400)]


class Trip(TypedDict):
    """The must-trip points: [V (pu) or Hz, clearing time (s)]; 2 is the fast one."""

    ov2: TripPoint
    ov1: TripPoint
    uv1: TripPoint
    uv2: TripPoint
    of2: FrequencyTripPoint
    of1: FrequencyTripPoint
    uf1: FrequencyTripPoint
    uf2: FrequencyTripPoint


class MomentaryCessation(TypedDict):
    """Momentary cessation below v_low and above v_high."""

    enabled: Flag
    v_low: NotRequired[Voltage]
    v_high: NotRequired[Voltage]


class Storage(TypedDict):
    """A battery; with it the trajectory has p_dem_pu."""

    NP_BESS_CAPACITY: Annotated[float, unit("Wh", minimum=0.001, maximum=1e12)]
    NP_BESS_SOC_MIN: SignlessShare
    NP_BESS_SOC_MAX: SignlessShare
    NP_EFFICIENCY: Annotated[float, described("round trip", minimum=0.5, maximum=1)]
    NP_BESS_SELF_DISCHARGE: NotRequired[Annotated[SignlessShare, described("of the capacity, W per Wh")]]
    NP_BESS_P_RAMP_TIME: NotRequired[Annotated[Seconds, described("from 0 to w_max", default=0)]]
    SOC_INIT: NotRequired[Annotated[SignlessShare, described("state of charge at the start", default=0.5)]]


class Settings(TypedDict):
    """The DER and its functions."""

    nameplate: Nameplate
    volt_var: NotRequired[Annotated[VoltVar, _when_enabled("curve", "olrt_s")]]
    volt_watt: NotRequired[Annotated[VoltWatt, _when_enabled("curve", "olrt_s")]]
    freq_watt: NotRequired[Annotated[FreqWatt, _when_enabled("curve", "olrt_s")]]
    watt_var: NotRequired[Annotated[WattVar, _when_enabled("gen")]]
    const_pf: NotRequired[Annotated[ConstPF, _when_enabled("pf", "excitation")]]
    const_var: NotRequired[Annotated[ConstVar, _when_enabled("q")]]
    freq_droop: NotRequired[
        Annotated[FreqDroop, _when_enabled("db_of_hz", "db_uf_hz", "k_of", "k_uf", "olrt_s")]
    ]
    active_power_limit: NotRequired[Annotated[ActivePowerLimit, _when_enabled("limit")]]
    enter_service: NotRequired[EnterService]
    trip: NotRequired[Trip]
    momentary_cessation: NotRequired[Annotated[MomentaryCessation, _when_enabled("v_low", "v_high")]]
    priority: NotRequired[Annotated[Literal["ACTIVE", "REACTIVE"], described("", default="REACTIVE")]]
    storage: NotRequired[Storage]
    v_meas_unbalance: NotRequired[Annotated[Literal["AVG"], described("the mean voltage of the phases")]]
    out_of_usual_range: NotRequired[Annotated[list[str], described("a record; not read")]]


class Changes(TypedDict, total=False):
    """What an event sets, in OpenDER's names; each needs its part of settings."""

    AP_LIMIT: NotRequired[Annotated[SignlessShare, described("active_power_limit/limit")]]
    CONST_PF: NotRequired[PowerFactor]
    CONST_PF_EXCITATION: NotRequired[Excitation]
    CONST_Q: NotRequired[Annotated[Share, described("const_var/q")]]
    ES_PERMIT_SERVICE: NotRequired[Literal["ENABLED", "DISABLED"]]


class Event(TypedDict):
    """A change at a time of the trajectory."""

    t: Annotated[float, unit("s")]
    set: Annotated[Changes, described("what changes", minProperties=1)]


class Init(TypedDict, total=False):
    """The state at the start."""

    SOC_INIT: NotRequired[Annotated[SignlessShare, described("state of charge")]]
    STATUS_INIT: NotRequired[Annotated[Literal["ON", "OFF"], described("in service or not", default="ON")]]


class _Record(TypedDict, total=False):
    """What reference trajectories have besides; not read."""

    name: NotRequired[str]
    note: NotRequired[str]
    der: NotRequired[Any]
    rows: NotRequired[Any]
    opender: NotRequired[Any]
    opender_settings: NotRequired[Any]
    compare: NotRequired[Any]
    conv: NotRequired[Any]
    tol: NotRequired[Any]
    steady: NotRequired[Any]
    status_changes: NotRequired[Any]


class Scenario(_Record):
    """A DER and its functions, for `dersim replay`."""

    dt: Annotated[float, unit("s", "the length of a row", exclusiveMinimum=0, maximum=86400)]
    settings: Annotated[
        Settings,
        Note(
            **{
                "if": {"required": ["storage"]},
                "then": {"properties": {"nameplate": {"required": ["w_charge_max"]}}},
            }
        ),
    ]
    events: NotRequired[list[Event]]
    init: NotRequired[Init]
    columns: NotRequired[
        Annotated[list[Literal["soc", "phases"]], described("further columns of the output")]
    ]


#: The part of the settings that each change of an event needs.
CHANGED_PARTS = {
    "AP_LIMIT": "active_power_limit",
    "CONST_PF": "const_pf",
    "CONST_PF_EXCITATION": "const_pf",
    "CONST_Q": "const_var",
    "ES_PERMIT_SERVICE": "enter_service",
}


@functools.cache
def scenario_schema() -> Schema:
    """The schema of a scenario file."""
    return file_schema(Scenario, "dersim replay scenario")


def check_scenario(scenario: Any) -> None:
    """BodyError with the JSON Pointer of what is wrong."""
    schema = scenario_schema()
    require(schema, schema["$defs"], scenario)
    for index, event in enumerate(scenario.get("events", ())):
        for name in event["set"]:
            if CHANGED_PARTS[name] not in scenario["settings"]:
                raise BodyError(
                    f"settings has no {CHANGED_PARTS[name]}, which this changes; add it",
                    f"/events/{index}/set/{name}",
                )
