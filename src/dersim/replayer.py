"""Replay: one DER through a recorded trajectory of grid and source, one row per step, without front-ends.

A scenario describes the DER and its functions (names and units as in OpenDER's reference trajectories: per
unit of w_max and va_max); the rows give grid and source. Both are converted to a nameplate, setpoints and
inputs, so a replay runs the same code as the simulator.

Row k applies over [t, t + dt); its outputs are those at the end of that interval.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dersim.device import Device, ManualClock
from dersim.errors import ConfigError
from dersim.functions.enter_service import EnterService
from dersim.functions.fixed_pf import FixedPF
from dersim.functions.target_var import TargetVar
from dersim.functions.trip import steps
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.battery import Battery
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import Nameplate, nameplate_from_json
from dersim.hardware.nameplate_schema import pointer_of
from dersim.hardware.source import GivenSource, Source
from dersim.json_text import BodyError
from dersim.modes import Curve, FixedPowerFactor, FreqDroop, ModeValue
from dersim.plugin.builtin import FUNCTION_TYPES
from dersim.replay_rows import COLUMNS, PHASE_COLUMNS, Row, RowReader
from dersim.replay_scenario import CHANGED_PARTS, check_scenario
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

#: Phases and phase-to-neutral share of v_nom, by the scenario's name.
_PHASES = {"SINGLE": (1, 1.0), "SPLIT": (2, 0.5), "THREE": (3, 1 / math.sqrt(3))}
#: DERUnitRefType: percent of setMaxVA, as the scenarios' curves are.
_OF_VA = 8
_NEUTRAL = Conditions()
#: Where the scenario gives a point of the nameplate.
_PLACES = {
    "702.WMaxRtg": "nameplate/w_max",
    "702.VAMaxRtg": "nameplate/va_max",
    "702.WChaRteMaxRtg": "nameplate/w_charge_max",
    "702.VAChaRteMaxRtg": "nameplate/va_charge_max",
    "702.VarMaxInjRtg": "nameplate/var_max_inj",
    "702.VarMaxAbsRtg": "nameplate/var_max_abs",
    "702.VNomRtg": "nameplate/v_nom",
    "702.AMaxRtg": "nameplate/current_max_pu",
    "713.SoC": "storage/SOC_INIT",
    "dersim.SoCMin": "storage/NP_BESS_SOC_MIN",
    "dersim.SoCMax": "storage/NP_BESS_SOC_MAX",
    "dersim.SelfDischargeW": "storage/NP_BESS_SELF_DISCHARGE",
}
#: The part of the settings that a mode comes from.
_PARTS = {
    "setGradW": "/active_power_limit/full_scale_ramp_s",
    "opModMaxLimW": "/active_power_limit",
    "opModVoltWatt": "/volt_watt",
    "opModFreqWatt": "/freq_watt",
    "opModFreqDroop": "/freq_droop",
    "opModVoltVar": "/volt_var",
    "opModWattVar": "/watt_var",
    "opModFixedPF": "/const_pf",
    "opModTargetVar": "/const_var",
    "opModHVRTMo": "/momentary_cessation",
    "opModLVRTMo": "/momentary_cessation",
    "opModHVRTMust": "/trip/ov1",
    "opModLVRTMust": "/trip/uv1",
    "opModHFRT": "/trip/of1",
    "opModLFRT": "/trip/uf1",
    "setES": "/enter_service",
}
#: OpenDER's names of the service states; out of service is "Trip" whatever the cause.
_STATUS = {
    "ceased": "Momentary Cessation",
    "entering service": "Entering Service",
    "in service": "Continuous Operation",
}


def replay(scenario: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Run a scenario's DER through the rows; returns one ``{"t", "p_w", "q_var", "status"}`` for each.

    The scenario's ``columns`` may ask for more: ``"soc"`` (0 to 1) and ``"phases"`` (`PHASE_COLUMNS`).

    rows have t (s), f_hz, v_pu or v_a_pu, v_b_pu, v_c_pu, and p_avl_pu (PV) or p_dem_pu (storage), as numbers
    or as text. ConfigError names what is missing or impossible, with its JSON Pointer or its row.
    """
    try:
        runner = Runner(scenario)
    except BodyError as error:
        raise ConfigError(f"scenario: {error.placed}") from error
    outputs, names = [], None
    for index, row in enumerate(rows, 1):
        where = f"trajectory row {index}"
        if row.keys() != names:
            names = row.keys()
            runner.check_columns(where, names)
        outputs.append(runner.row(where, row))
    return outputs


class Runner:
    """One replay: the DER of a scenario, and its state between rows.

    BodyError for a scenario that is refused, with the JSON Pointer of what is wrong.
    """

    def __init__(self, scenario: Mapping[str, Any]) -> None:
        check_scenario(scenario)
        # A copy: events write into the settings, and they are the caller's.
        self._settings: dict[str, Any] = copy.deepcopy(scenario["settings"])
        self._dt_s = float(scenario["dt"])
        events = enumerate(scenario.get("events", ()))
        self._events = sorted(events, key=lambda event: float(event[1]["t"]))
        # NaN: no step before the first row, from whose inputs the filters start.
        self._clock = ManualClock(math.nan)
        init = scenario.get("init", {})
        self._plate = plate = _nameplate(self._settings, init)
        mc = self._settings.get("momentary_cessation", {}).get("enabled", True)
        self._device = Device(
            nameplate=plate,
            device_type=DeviceType("replay", "10kW-3Phase", _make_source),
            functions=[t for t in FUNCTION_TYPES if mc or t.name != "momentary-cessation"],
            clock=self._clock,
            inputs=Inputs(_NEUTRAL._replace(frequency_hz=plate.frequency_hz)),
            start="off" if init.get("STATUS_INIT") == "OFF" else "in_service",
            sampled=True,
        )
        self._rows = RowReader(plate.phases, storage=isinstance(self._device.source, Battery))
        self.check_columns = self._rows.check_columns
        self._columns = frozenset(scenario.get("columns", ()))
        self._respond()
        self._submit(_modes(self._settings))
        self._try_events()
        self._begun = False

    def _try_events(self) -> None:
        """Refuse an event that cannot be before the first row is played."""
        settings = copy.deepcopy(self._settings)
        for index, event in self._events:
            for name, value in event["set"].items():
                _change(settings, name, value)
            for mode, value in _modes(settings).items():
                outcome = self._device.setpoints.check(mode, value)
                if outcome.verdict is not Verdict.ACCEPTED:
                    raise BodyError(outcome.reason, f"/events/{index}/set")

    def row(self, where: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Apply a row; its outputs. ConfigError names the row by `where`."""
        now = self._rows.read(where, row)
        self._meet(now)
        t = now.t
        if not self._begun:
            self._begun = True
            self._clock.time_s = t
            self._device.step(t)
        self._happen(t)
        self._clock.time_s = t + self._dt_s
        self._device.step(self._clock.time_s)
        state = self._device.state
        out = {"t": t, "p_w": state.p_w, "q_var": state.q_var, "status": self._status()}
        if "soc" in self._columns:
            out["soc"] = None if state.soc_pct is None else state.soc_pct / 100
        if "phases" in self._columns:
            out |= dict(
                zip(PHASE_COLUMNS, (*state.phase_p_w, *state.phase_q_var, *state.current_a), strict=True)
            )
        return out

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the outputs of a row."""
        soc = ("soc",) if "soc" in self._columns else ()
        return (*COLUMNS, *soc, *(PHASE_COLUMNS if "phases" in self._columns else ()))

    def _meet(self, row: Row) -> None:
        self._device.inputs.hold(_NEUTRAL._replace(voltage_pu=row.voltage_pu, frequency_hz=row.f_hz))
        source = self._device.source
        if isinstance(source, Battery):
            source.idle_w = row.power_pu * self._plate.rtgMaxW
        elif isinstance(source, GivenSource):
            source.available_w = row.power_pu * self._plate.rtgMaxW * self._plate.inverter_efficiency
        self._device.disturb()

    def _happen(self, t: float) -> None:
        while self._events and float(self._events[0][1]["t"]) <= t + 1e-9:
            for name, value in self._events.pop(0)[1]["set"].items():
                _change(self._settings, name, value)
            self._submit(_modes(self._settings))

    def _submit(self, values: Mapping[str, ModeValue]) -> None:
        changes = [
            SetpointChange(SetpointSource.OPERATOR, mode, value, "scenario") for mode, value in values.items()
        ]
        for outcome in self._device.setpoints.submit(*changes):
            if outcome.verdict is not Verdict.ACCEPTED:
                part = next((part for name, part in _PARTS.items() if outcome.reason.startswith(name)), "")
                raise BodyError(outcome.reason, f"/settings{part}")

    def _respond(self) -> None:
        """Set the response times that no 2030.5 mode carries."""
        functions = self._device.functions
        fixed_pf, target_var = functions["fixed-pf"], functions["target-var"]
        enter = functions["enter-service"]
        if isinstance(enter, EnterService):
            # The reference counts the whole step in which service is entered.
            enter.head_start_s = self._dt_s
        if isinstance(fixed_pf, FixedPF):
            fixed_pf.response_s = float(self._settings.get("const_pf", {}).get("rt_s", 5))
        if isinstance(target_var, TargetVar):
            target_var.response_s = float(self._settings.get("const_var", {}).get("rt_s", 5))

    def _status(self) -> str:
        return _STATUS.get(self._device.service_word, "Trip")


def _make_source(nameplate: Nameplate) -> Source:
    return Battery(nameplate) if nameplate.rtgMaxWh else GivenSource(nameplate)


def _change(settings: dict[str, Any], name: str, value: Any) -> None:
    """Carry out one change of an event in the settings."""
    part = settings[CHANGED_PARTS[name]]
    if name == "ES_PERMIT_SERVICE":
        part["permit"] = value == "ENABLED"
    else:
        part[{"AP_LIMIT": "limit", "CONST_PF": "pf", "CONST_Q": "q"}.get(name, "excitation")] = value


def _nameplate(settings: Mapping[str, Any], init: Mapping[str, Any]) -> Nameplate:
    n = settings["nameplate"]
    storage, volt_var = settings.get("storage"), settings.get("volt_var", {})
    category, abnormal = n.get("category", ["CAT_B", "CAT_III"])
    phases, share = _PHASES[n.get("phase", "THREE")]
    va, v_nom = n["va_max"], n["v_nom"]
    v_ln = v_nom * share
    points: dict[str, dict[str, Any]] = {
        "701": {"ACType": phases},
        "702": {
            "WMaxRtg": n["w_max"],
            "VAMaxRtg": va,
            "VarMaxInjRtg": n["var_max_inj"],
            "VarMaxAbsRtg": n["var_max_abs"],
            "VNomRtg": v_nom,
            "AMaxRtg": float(n.get("current_max_pu", 1.2)) * va / phases / v_ln,
            "PFOvrExtRtg": 0.0,
            "PFUndExtRtg": 0.0,
            "NorOpCatRtg": 0 if category == "CAT_A" else 1,
            "AbnOpCatRtg": {"CAT_I": 0, "CAT_II": 1, "CAT_III": 2}[abnormal],
        },
        "714": {"Prt": [{"DCW": n["w_max"]}]},
        "dersim": {
            "HzNom": n.get("f_nom", 60),
            "VRefMin": 100 * volt_var.get("vref_auto_min", 0.95),
            "VRefMax": 100 * volt_var.get("vref_auto_max", 1.05),
            "InverterEfficiency": n.get("dc_ac_efficiency", 1.0),
            "Priority": settings.get("priority", "REACTIVE").lower(),
        },
    }
    if storage:
        _add_battery(points, n, storage, init)
    try:
        return nameplate_from_json(points)
    except BodyError as error:
        raise _as_in_scenario(error, "SOC_INIT" in init) from error


def _add_battery(
    points: dict[str, dict[str, Any]],
    n: Mapping[str, Any],
    storage: Mapping[str, Any],
    init: Mapping[str, Any],
) -> None:
    points["702"]["WChaRteMaxRtg"] = n["w_charge_max"]
    points["702"]["VAChaRteMaxRtg"] = n.get("va_charge_max", n["va_max"])
    points["713"] = {
        "WHRtg": storage["NP_BESS_CAPACITY"],
        "SoC": 100 * init.get("SOC_INIT", storage.get("SOC_INIT", 0.5)),
    }
    points["714"] = {"Prt": [{"DCV": 400.0}]}
    points["dersim"] |= {
        # The scenarios give a round-trip efficiency, counted when charging.
        "ChargeEfficiency": storage["NP_EFFICIENCY"],
        "DischargeEfficiency": 1.0,
        "SoCMin": 100 * storage["NP_BESS_SOC_MIN"],
        "SoCMax": 100 * storage["NP_BESS_SOC_MAX"],
        "SoCTaper": 0.0,
        "BatteryRampTms": storage.get("NP_BESS_P_RAMP_TIME", 0),
        "SelfDischargeW": storage.get("NP_BESS_SELF_DISCHARGE", 0) * storage["NP_BESS_CAPACITY"],
    }


def _as_in_scenario(error: BodyError, soc_of_init: bool) -> BodyError:
    """An error of the nameplate by the names of the scenario."""
    text, pointer = str(error), "/settings/nameplate"
    for point, place in _PLACES.items():
        text = text.replace(point, place.rsplit("/", 1)[1])
        if error.pointer == pointer_of(point):
            pointer = f"/settings/{place}"
    return BodyError(text, "/init/SOC_INIT" if soc_of_init and pointer.endswith("SOC_INIT") else pointer)


def _modes(settings: Mapping[str, Any]) -> dict[str, ModeValue]:
    modes: dict[str, ModeValue] = {"setGradW": 0.0, "setSoftGradW": 0.0}
    modes |= _active_modes(settings) | _reactive_modes(settings) | _protection_modes(settings)
    return modes


def _on(settings: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    part = settings.get(name)
    return part if isinstance(part, Mapping) and part.get("enabled") else None


def _percent(points: Sequence[Sequence[float]], shift: float = 0.0) -> tuple[tuple[float, float], ...]:
    return tuple(((x + shift) * 100, y * 100) for x, y in points)


def _active_modes(settings: Mapping[str, Any]) -> dict[str, ModeValue]:
    modes: dict[str, ModeValue] = {}
    if limit := _on(settings, "active_power_limit"):
        modes["opModMaxLimW"] = 100.0 * limit["limit"]
        ramp_s = limit.get("full_scale_ramp_s", 0)
        modes["setGradW"] = 100.0 / ramp_s if ramp_s else 0.0
    if vw := _on(settings, "volt_watt"):
        modes["opModVoltWatt"] = Curve(_percent(vw["curve"]), 1, vw["olrt_s"])
    if fw := _on(settings, "freq_watt"):
        modes["opModFreqWatt"] = Curve(tuple((f, 100 * p) for f, p in fw["curve"]), 1, fw["olrt_s"])
    if fd := _on(settings, "freq_droop"):
        w_max = settings["nameplate"]["w_max"]
        modes["opModFreqDroop"] = FreqDroop(
            fd["db_of_hz"],
            fd["db_uf_hz"],
            fd["k_of"],
            fd["k_uf"],
            fd["olrt_s"],
            fd.get("p_min_pu", 0) * w_max,
        )
    return modes


def _reactive_modes(settings: Mapping[str, Any]) -> dict[str, ModeValue]:
    modes: dict[str, ModeValue] = {}
    if vv := _on(settings, "volt_var"):
        auto = bool(vv.get("vref_auto"))
        # VRef of 1547-2018 table 8 shifts the curve; vRef of 2030.5 would scale it.
        shift = 0.0 if auto else vv.get("vref", 1) - 1
        modes["opModVoltVar"] = Curve(
            _percent(vv["curve"], shift),
            _OF_VA,
            vv["olrt_s"],
            autonomous_v_ref=auto,
            autonomous_v_ref_s=vv.get("vref_time_s") if auto else None,
        )
    if wv := _on(settings, "watt_var"):
        points = sorted([*wv.get("load", []), *wv["gen"]], key=lambda point: point[0])
        modes["opModWattVar"] = Curve(_percent(points), _OF_VA, wv.get("rt_s"))
    if pf := _on(settings, "const_pf"):
        value = FixedPowerFactor(pf["pf"], "inject" if pf["excitation"] == "INJ" else "absorb")
        modes["opModFixedPFInjectW"] = value
        if "storage" in settings:
            modes["opModFixedPFAbsorbW"] = value
    if cq := _on(settings, "const_var"):
        modes["opModTargetVar"] = cq["q"] * settings["nameplate"]["va_max"]
    return modes


def _protection_modes(settings: Mapping[str, Any]) -> dict[str, ModeValue]:
    modes: dict[str, ModeValue] = {}
    if es := settings.get("enter_service"):
        modes["opModConnect"] = bool(es.get("permit", True))
        modes["setESLowVolt"], modes["setESHighVolt"] = 100.0 * es["v_low"], 100.0 * es["v_high"]
        modes["setESLowFreq"], modes["setESHighFreq"] = float(es["f_low"]), float(es["f_high"])
        modes["setESDelay"], modes["setESRampTms"] = float(es["delay_s"]), float(es["ramp_s"])
    if trip := settings.get("trip"):
        for mode, fast, slow, scale in (
            ("opModHVRTMustTrip", "ov2", "ov1", 100),
            ("opModLVRTMustTrip", "uv2", "uv1", 100),
            ("opModHFRTMustTrip", "of2", "of1", 1),
            ("opModLFRTMustTrip", "uf2", "uf1", 1),
        ):
            (y_fast, t_fast), (y_slow, t_slow) = trip[fast], trip[slow]
            points = steps((y_fast * scale, t_fast), (y_slow * scale, t_slow))
            modes[mode] = Curve(points, 4 if scale == 100 else 0)
    mc = settings.get("momentary_cessation", {})
    if mc.get("enabled"):
        high, low = mc["v_high"] * 100, mc["v_low"] * 100
        modes["opModHVRTMomentaryCessation"] = Curve(((0.0, high), (3600.0, high)), 4)
        modes["opModLVRTMomentaryCessation"] = Curve(((0.0, low), (3600.0, low)), 4)
    return modes
