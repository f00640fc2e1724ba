"""The nameplate: ratings that do not change while the DER runs.

A nameplate file is JSON, keyed by SunSpec model number and point name, the names on data sheets:
``{"1": {"Mn": ...}, "701": {"ACType": 3}, "702": {"WMaxRtg": 10000, ...}}``. Values are in plain units (W,
VA, var, V, A, Wh), without scale factors. Where SunSpec has no point (cell temperature coefficient,
efficiencies, nominal frequency) the model is ``"dersim"``.

The attributes are those of IEEE 2030.5 DERCapability (10.10.4.2).
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from dersim import json_text
from dersim.errors import ConfigError
from dersim.hardware.nameplate_points import POINTS, Point
from dersim.hardware.nameplate_schema import nameplate_schema, place_of, pointer_of
from dersim.json_schema import require
from dersim.json_text import BodyError
from dersim.modes import ModeValue, modes_from_json

#: 1547-2018 table 21: the rate of change of frequency that each abnormal category rides through, Hz/s.
ROCOF_HZ_S = {1: 0.5, 2: 2.0, 3: 3.0}

PROFILES = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Nameplate:
    """Ratings in W, VA, var, V, A, Wh. `rtgMaxVarNeg` is negative, as on the wire.

    phases: 1, 2 (split phase, two legs of 180 degrees) or 3. rtgVNom: line to line, for a single-phase
    DER phase to neutral. der_type: DERType (2030.5), 4 PV, 80 storage, 83 both, 3 fuel cell, ...
    normal_category: "A" or "B"; abnormal_category: 1 to 3 (1547-2018 1.4).
    rtgMinPFOverExcited, rtgMinPFUnderExcited: 0 to 1. default_modes: in force with source ``nameplate``.
    part_load, start_up_w, shut_down_w (DC): see `pv.py`; night_draw_w: of an inverter without power, AC.
    angle_jump_trips, rocof_trip_hz_s (0: never), island_trip_s: see `loss_of_mains.py`.
    reactive_priority, q_needs_power: see `inverter.py`. battery_ramp_s: of a battery, from 0 to rtgMaxW.
    v_ref_pct: the lowest and highest autonomous VRef. settings: at the start, where they are not the ratings.
    registers: by SunSpec model and point, what was written there and is not in force (sets 2 and 3, ...).
    points: the file's values by point name. path: the file, None for one that was made without.
    """

    phases: int
    rtgMaxW: float
    rtgMaxVA: float
    rtgMaxVar: float
    rtgMaxVarNeg: float
    rtgVNom: float
    rtgMaxA: float
    der_type: int
    normal_category: str
    abnormal_category: int
    rtgMinPFOverExcited: float
    rtgMinPFUnderExcited: float
    rtgMinV: float
    rtgMaxV: float
    frequency_hz: float
    rtgMaxChargeRateW: float
    rtgMaxChargeRateVA: float
    rtgMaxDischargeRateVA: float
    rtgMaxDischargeRateW: float
    rtgMaxWh: float
    manufacturer: str
    model: str
    serial_number: str
    version: str
    options: str
    reactive_priority: bool
    q_needs_power: bool
    angle_jump_trips: bool
    rocof_trip_hz_s: float
    island_trip_s: float
    pv_w: float
    pv_v: float
    pv_gamma_per_k: float
    inverter_efficiency: float
    part_load: bool
    start_up_w: float
    shut_down_w: float
    night_draw_w: float
    charge_efficiency: float
    discharge_efficiency: float
    self_discharge_w: float
    soc_pct: float
    soc_min_pct: float
    soc_max_pct: float
    taper_pct: float
    battery_ramp_s: float
    v_ref_pct: tuple[float, float]
    initial_exported_wh: tuple[float, float, float]
    initial_imported_wh: tuple[float, float, float]
    initial_injected_varh: tuple[float, float, float]
    initial_absorbed_varh: tuple[float, float, float]
    anti_islanding: bool = True
    settings: Mapping[str, float] = field(default_factory=dict)
    default_modes: Mapping[str, ModeValue] = field(default_factory=dict)
    registers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    points: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)
    _digest: str = field(default="", init=False, compare=False, repr=False)

    @property
    def digest(self) -> str:
        """A short digest of all values, which tells two nameplates apart."""
        if not self._digest:
            values = [getattr(self, each.name) for each in fields(self) if each.compare]
            digest = hashlib.sha256(repr(values).encode()).hexdigest()[:16]
            object.__setattr__(self, "_digest", digest)
        return self._digest

    @property
    def rtgNormalCategory(self) -> int:  # noqa: N802 - the standard's name
        """1 for Category A, 2 for Category B (2030.5 DERCapability)."""
        return 1 if self.normal_category == "A" else 2

    @property
    def rtgAbnormalCategory(self) -> int:  # noqa: N802 - the standard's name
        """1 to 3 for Category I to III."""
        return self.abnormal_category

    def refusal(self, pointer: str, text: str) -> ConfigError:
        """The error of a value that shows to be wrong later: with the file, and its place in it."""
        error = BodyError(text, pointer)
        return ConfigError(
            f"nameplate {json_text.file_error(self.path, error) if self.path else error.placed}"
        )

    @property
    def v_ln_v(self) -> float:
        """Nominal phase-to-neutral voltage, V."""
        return self.rtgVNom / {1: 1.0, 2: 2.0, 3: math.sqrt(3)}[self.phases]


def bundled(name: str) -> Path:
    """The file of a bundled profile, e.g. ``10kW-3Phase``; an absolute path is a plug-in's own file."""
    if Path(name).is_absolute():
        return Path(name)
    path = PROFILES / f"{name}.json"
    if not path.exists():
        have = ", ".join(sorted(p.stem for p in PROFILES.glob("*.json")))
        raise ConfigError(f"nameplate profile {name!r} is not bundled; bundled are {have}")
    return path


def read_nameplate(path: Path, **changes: Any) -> Nameplate:
    """Read a nameplate file; `changes` replace points, e.g. ``{"702.WMaxRtg": 8000}``.

    ConfigError names the file, the line, the JSON Pointer of the value, and what is allowed.
    """
    try:
        return replace(nameplate_from_json(json_text.read_file(path), **changes), path=path)
    except json_text.BodyError as error:
        raise ConfigError(f"nameplate {json_text.file_error(path, error)}") from error
    except ConfigError as error:
        raise ConfigError(f"nameplate {error}") from error


def nameplate_from_json(document: Any, **changes: Any) -> Nameplate:
    """Make a nameplate from the parsed JSON; BodyError has the JSON Pointer and what is allowed."""
    if not isinstance(document, dict):
        raise BodyError('a JSON object such as {"702": {"WMaxRtg": 10000}} is needed')
    if "EVSE" in document or "evse" in document:
        raise BodyError("this is a profile of an EVSE; give it with --evse_profile")
    if changes:
        document = _changed(document, changes)
    schema = nameplate_schema()
    require(schema, schema["$defs"], document)
    values = {name: _value(document, point) for name, point in POINTS.items()}
    try:
        modes = modes_from_json(values["dersim.modes"]) if values["dersim.modes"] else {}
    except ConfigError as error:
        raise BodyError(str(error), "/dersim/modes") from error
    plate = _build(values, modes)
    _contradictions(plate)
    return plate


def _changed(document: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    for point, value in changes.items():
        model, group, name = place_of(point)
        holder = document.setdefault(model, {})
        if group:
            holder = holder.setdefault(group, [{}])[0]
        holder[name] = value
    return document


def _value(document: Mapping[str, Any], point: Point) -> Any:
    """The value of a point in a document that the schema holds valid, else its default."""
    model, group, name = place_of(point.name)
    holder = document.get(model, {})
    if group:
        holder = holder.get(group, [{}])[0]
    value = holder.get(name, point.default)
    return int(value) if point.kind is int else value


def _build(v: Mapping[str, Any], modes: Mapping[str, ModeValue]) -> Nameplate:
    return Nameplate(
        **_ac_side(v),
        **_dc_side(v),
        **_identity(v),
        anti_islanding=bool(v["704.AntiIslEna"]),
        settings={name: float(value) for name, value in v["dersim.settings"].items()},
        default_modes=modes,
        # The SunSpec server knows the names and ranges of the points.
        registers={int(model): points for model, points in v["dersim.registers"].items()},
        points=v,
    )


def _ac_side(v: Mapping[str, Any]) -> dict[str, Any]:
    phases = int(v["701.ACType"])
    watts, v_nom = float(v["702.WMaxRtg"]), float(v["702.VNomRtg"])
    va = float(v["702.VAMaxRtg"] or watts)
    v_ln = v_nom / {1: 1.0, 2: 2.0, 3: math.sqrt(3)}[phases]
    storage = bool(v["713.WHRtg"])
    needs_power = v["dersim.QNeedsPower"]
    return {
        "phases": phases,
        "rtgMaxW": watts,
        "rtgMaxVA": va,
        "rtgMaxVar": float(v["702.VarMaxInjRtg"]),
        "rtgMaxVarNeg": -float(v["702.VarMaxAbsRtg"]),
        "rtgVNom": v_nom,
        "rtgMaxA": float(v["702.AMaxRtg"] or 1.2 * va / phases / v_ln),
        "normal_category": {0: "A", 1: "B"}[int(v["702.NorOpCatRtg"])],
        "abnormal_category": int(v["702.AbnOpCatRtg"]) + 1,
        "rtgMinPFOverExcited": float(v["702.PFOvrExtRtg"]),
        "rtgMinPFUnderExcited": float(v["702.PFUndExtRtg"]),
        "rtgMinV": float(v["702.VMinRtg"] or 0.5 * v_nom),
        "rtgMaxV": float(v["702.VMaxRtg"] or 1.2 * v_nom),
        "frequency_hz": float(v["dersim.HzNom"]),
        "rtgMaxChargeRateW": float(v["702.WChaRteMaxRtg"] or watts) if storage else 0.0,
        "rtgMaxChargeRateVA": float(v["702.VAChaRteMaxRtg"] or va) if storage else 0.0,
        "rtgMaxDischargeRateVA": float(v["702.VADisChaRteMaxRtg"] or va) if storage else 0.0,
        "rtgMaxDischargeRateW": float(v["702.WDisChaRteMaxRtg"] or watts) if storage else 0.0,
        "angle_jump_trips": v["dersim.AngleJump"] == "trip",
        "rocof_trip_hz_s": float(v["dersim.RocofTrip"]),
        "island_trip_s": float(v["dersim.IslandTripTms"]),
        "reactive_priority": v["dersim.Priority"] == "reactive",
        "q_needs_power": not storage if needs_power is None else bool(needs_power),
    }


def _dc_side(v: Mapping[str, Any]) -> dict[str, Any]:
    storage_wh, pv_w = float(v["713.WHRtg"] or 0), float(v["714.Prt[0].DCW"] or 0)
    return {
        "der_type": int(v["dersim.DERType"] or (4 if not storage_wh else (83 if pv_w else 80))),
        "rtgMaxWh": storage_wh,
        "pv_w": pv_w,
        "pv_v": float(v["714.Prt[0].DCV"]),
        "pv_gamma_per_k": float(v["dersim.GammaPct"]) / 100,
        "inverter_efficiency": float(v["dersim.InverterEfficiency"]),
        "part_load": v["dersim.InverterCurve"] == "pvwatts",
        "start_up_w": float(v["dersim.StartUpW"]),
        "shut_down_w": float(v["dersim.ShutDownW"]),
        "night_draw_w": float(v["dersim.NightDrawW"]),
        "charge_efficiency": float(v["dersim.ChargeEfficiency"]),
        "discharge_efficiency": float(v["dersim.DischargeEfficiency"]),
        "self_discharge_w": float(v["dersim.SelfDischargeW"]),
        "soc_pct": float(v["713.SoC"]),
        "soc_min_pct": float(v["dersim.SoCMin"]),
        "soc_max_pct": float(v["dersim.SoCMax"]),
        "taper_pct": float(v["dersim.SoCTaper"]),
        "battery_ramp_s": float(v["dersim.BatteryRampTms"]),
        "v_ref_pct": (float(v["dersim.VRefMin"]), float(v["dersim.VRefMax"])),
    }


def _identity(v: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "manufacturer": v["1.Mn"],
        "model": v["1.Md"],
        "serial_number": v["1.SN"],
        "version": v["1.Vr"],
        "options": v["1.Opt"],
        "initial_exported_wh": _per_phase(v, "701.TotWhInjL"),
        "initial_imported_wh": _per_phase(v, "701.TotWhAbsL"),
        "initial_injected_varh": _per_phase(v, "701.TotVarhInjL"),
        "initial_absorbed_varh": _per_phase(v, "701.TotVarhAbsL"),
    }


def _per_phase(v: Mapping[str, Any], stem: str) -> tuple[float, float, float]:
    return (float(v[f"{stem}1"]), float(v[f"{stem}2"]), float(v[f"{stem}3"]))


def _contradictions(plate: Nameplate) -> None:
    """BodyError where two values of the nameplate cannot both be."""
    _check_ratings(plate)
    _check_thresholds(plate)
    _check_sources(plate)


def _need(holds: bool, point: str, text: str) -> None:
    if not holds:
        raise BodyError(text, pointer_of(point))


def _check_ratings(plate: Nameplate) -> None:
    _need(
        plate.rtgMaxW <= plate.rtgMaxVA,
        "702.WMaxRtg",
        f"{plate.rtgMaxW:g} W is more than 702.VAMaxRtg, {plate.rtgMaxVA:g} VA",
    )
    for point, var in (("VarMaxInjRtg", plate.rtgMaxVar), ("VarMaxAbsRtg", -plate.rtgMaxVarNeg)):
        _need(
            var <= plate.rtgMaxVA,
            f"702.{point}",
            f"{var:g} var is more than 702.VAMaxRtg, {plate.rtgMaxVA:g} VA",
        )
    for way, watts, va in (
        ("Cha", plate.rtgMaxChargeRateW, plate.rtgMaxChargeRateVA),
        ("DisCha", plate.rtgMaxDischargeRateW, plate.rtgMaxDischargeRateVA),
    ):
        _need(
            watts <= va or not plate.points[f"702.W{way}RteMaxRtg"],
            f"702.W{way}RteMaxRtg",
            f"{watts:g} W is more than 702.VA{way}RteMaxRtg, {va:g} VA",
        )
    _need(
        plate.rtgMinV < plate.rtgVNom < plate.rtgMaxV,
        "702.VNomRtg",
        f"{plate.rtgVNom:g} V is not between 702.VMinRtg, {plate.rtgMinV:g} V, "
        f"and 702.VMaxRtg, {plate.rtgMaxV:g} V",
    )


def _check_thresholds(plate: Nameplate) -> None:
    _need(
        plate.shut_down_w <= plate.start_up_w,
        "dersim.ShutDownW",
        f"{plate.shut_down_w:g} W is more than dersim.StartUpW, {plate.start_up_w:g} W",
    )
    _need(
        not (plate.night_draw_w and plate.rtgMaxWh),
        "dersim.NightDrawW",
        "with a battery give its losses as dersim.SelfDischargeW",
    )
    ridden = ROCOF_HZ_S[plate.abnormal_category]
    _need(
        not 0 < plate.rocof_trip_hz_s < ridden,
        "dersim.RocofTrip",
        f"{plate.rocof_trip_hz_s:g} Hz/s is below {ridden:g} Hz/s, which the category of 702.AbnOpCatRtg "
        f"rides through; 0 is never",
    )


def _check_sources(plate: Nameplate) -> None:
    _need(
        plate.pv_w > 0 or plate.rtgMaxWh > 0 or plate.der_type not in (4, 80, 83),
        "714.Prt[0].DCW",
        "neither a PV array nor a battery (713.WHRtg); give one of them, "
        "or say by dersim.DERType what else it is",
    )
    _need(
        plate.soc_min_pct <= plate.soc_pct <= plate.soc_max_pct and plate.soc_min_pct < plate.soc_max_pct,
        "713.SoC",
        f"{plate.soc_pct:g} % is outside dersim.SoCMin, {plate.soc_min_pct:g} %, "
        f"to dersim.SoCMax, {plate.soc_max_pct:g} %",
    )
