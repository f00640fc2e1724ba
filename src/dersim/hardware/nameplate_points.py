"""The points of a nameplate file, with unit, range and default."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class Point(NamedTuple):
    """One point of a nameplate: model and name as in SunSpec, or model ``dersim``.

    default None and not optional: must be given. optional with default None: derived from other points.
    """

    name: str
    doc: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    default: Any = None
    optional: bool = False
    kind: type = float
    allowed: tuple[Any, ...] = ()


def _positive(name: str, doc: str, unit: str, default: Any = None, *, optional: bool = False) -> Point:
    return Point(name, doc, unit, 1e-3, 1e9, default, optional)


def _text(name: str, doc: str, default: str) -> Point:
    return Point(name, doc, kind=str, default=default)


def _count(name: str, doc: str, unit: str, default: float = 0.0) -> Point:
    return Point(name, doc, unit, 0.0, 1e12, default)


_ALL = (
    _text("1.Mn", "manufacturer", "dersim"),
    _text("1.Md", "model", "DER Simulator"),
    _text("1.Opt", "options", ""),
    _text("1.Vr", "version", "1.0"),
    _text("1.SN", "serial number; DER K of several gets -K appended", "SN-0001"),
    Point("1.DA", "Modbus device address", low=1, high=247, default=1, kind=int),
    Point("701.ACType", "1 single phase, 2 split phase, 3 three phase", allowed=(1, 2, 3)),
    *(_count(f"701.TotWhInjL{i}", "energy delivered so far", "Wh") for i in (1, 2, 3)),
    *(_count(f"701.TotWhAbsL{i}", "energy taken in so far", "Wh") for i in (1, 2, 3)),
    *(_count(f"701.TotVarhInjL{i}", "reactive energy injected so far", "varh") for i in (1, 2, 3)),
    *(_count(f"701.TotVarhAbsL{i}", "reactive energy absorbed so far", "varh") for i in (1, 2, 3)),
    _positive("702.WMaxRtg", "active power rating", "W"),
    _positive("702.VAMaxRtg", "apparent power rating; left out: WMaxRtg", "VA", optional=True),
    _positive("702.VarMaxInjRtg", "reactive power rating, injecting", "var"),
    _positive("702.VarMaxAbsRtg", "reactive power rating, absorbing, as a positive number", "var"),
    _positive("702.VNomRtg", "nominal AC voltage, line to line (single phase: to neutral)", "V"),
    _positive("702.VMinRtg", "lowest AC voltage; left out: half of VNomRtg", "V", optional=True),
    _positive("702.VMaxRtg", "highest AC voltage; left out: 1.2 VNomRtg", "V", optional=True),
    _positive("702.AMaxRtg", "AC current rating per phase; left out: from VAMaxRtg", "A", optional=True),
    _positive("702.WChaRteMaxRtg", "charging power; left out: WMaxRtg with a battery", "W", optional=True),
    _positive("702.VAChaRteMaxRtg", "charging apparent power; left out: VAMaxRtg", "VA", optional=True),
    _positive("702.WDisChaRteMaxRtg", "discharging power; left out: WMaxRtg", "W", optional=True),
    _positive("702.VADisChaRteMaxRtg", "discharging apparent power; left out: VAMaxRtg", "VA", optional=True),
    Point("702.PFOvrExtRtg", "lowest power factor, over-excited", "", 0.0, 1.0, 0.85),
    Point("702.PFUndExtRtg", "lowest power factor, under-excited", "", 0.0, 1.0, 0.85),
    Point("702.NorOpCatRtg", "1547-2018 normal category: 0 A, 1 B", default=1, allowed=(0, 1)),
    Point("702.AbnOpCatRtg", "1547-2018 abnormal category: 0 I, 1 II, 2 III", default=2, allowed=(0, 1, 2)),
    _count("713.WHRtg", "battery energy", "Wh"),
    Point("713.SoC", "state of charge at the start", "%", 0.0, 100.0, 50.0),
    _count("714.Prt[0].DCW", "PV array at 1,000 W/m2 and 25 C cell temperature", "W"),
    _positive("714.Prt[0].DCV", "PV voltage at the maximum power point, or battery voltage", "V", 600.0),
    Point("dersim.HzNom", "nominal frequency", "Hz", default=60, allowed=(50, 60)),
    Point(
        "dersim.DERType",
        "2030.5 DERType; left out: 4 PV, 80 storage or 83 both, by battery and PV ratings",
        default=None,
        optional=True,
        allowed=(1, 2, 3, 4, 5, 6, 80, 81, 82, 83),
    ),
    Point("dersim.GammaPct", "power temperature coefficient of the PV array", "%/K", -1.0, 0.0, -0.35),
    Point("dersim.InverterEfficiency", "PV inverter efficiency", "", 0.5, 1.0, 0.96),
    Point(
        "dersim.InverterCurve",
        "PV inverter efficiency at part load: flat, or that of PVWatts",
        kind=str,
        default="flat",
        allowed=("flat", "pvwatts"),
    ),
    Point("dersim.StartUpW", "DC power of the array at which the inverter starts", "W", 0.0, 1e9, 0.0),
    Point("dersim.ShutDownW", "DC power of the array below which it stops", "W", 0.0, 1e9, 0.0),
    Point("dersim.NightDrawW", "AC power that a PV inverter draws without sun", "W", 0.0, 1e6, 0.0),
    Point("dersim.ChargeEfficiency", "AC to cell", "", 0.5, 1.0, 0.96),
    Point("dersim.DischargeEfficiency", "cell to AC", "", 0.5, 1.0, 0.96),
    Point("dersim.SelfDischargeW", "battery self-discharge", "W", 0.0, 1e9, 0.0),
    Point("dersim.SoCMin", "lowest state of charge", "%", 0.0, 100.0, 5.0),
    Point("dersim.SoCMax", "highest state of charge", "%", 0.0, 100.0, 95.0),
    Point("dersim.SoCTaper", "width of the taper below SoCMax and above SoCMin", "%", 0.0, 50.0, 5.0),
    Point("dersim.BatteryRampTms", "battery power from 0 to WMaxRtg; 0: at once", "s", 0.0, 3600.0, 0.0),
    Point("dersim.VRefMin", "lowest autonomous VRef (1547-2018 5.3.3)", "% setVRef", 50.0, 100.0, 95.0),
    Point("dersim.VRefMax", "highest autonomous VRef (1547-2018 5.3.3)", "% setVRef", 100.0, 150.0, 105.0),
    Point(
        "dersim.AngleJump",
        "what a jump of the phase angle beyond ride-through does",
        kind=str,
        default="ride",
        allowed=("ride", "trip"),
    ),
    Point("dersim.RocofTrip", "frequency that moves faster trips; 0: never", "Hz/s", 0.0, 100.0, 0.0),
    Point("dersim.IslandTripTms", "from loss of the grid to the trip by anti-islanding", "s", 0.05, 2.0, 1.0),
    Point(
        "dersim.Priority",
        "what has priority beyond the category's reactive power",
        kind=str,
        default="reactive",
        allowed=("active", "reactive"),
    ),
    Point(
        "dersim.QNeedsPower",
        "1: Q falls from 20 % to 5 % of WMaxRtg",
        default=None,
        optional=True,
        allowed=(0, 1),
    ),
    Point("704.AntiIslEna", "anti-islanding: 1 on, 0 off", default=1, allowed=(0, 1)),
    Point("dersim.settings", "settings at the start, by their 2030.5 names", kind=dict, default={}),
    Point("dersim.modes", "modes in force by the nameplate, as in the REST API", kind=dict, default={}),
    Point("dersim.comments", "lines for people, by subject; nothing reads them", kind=dict, default={}),
    Point("dersim.registers", "stored SunSpec registers at the start, by model", kind=dict, default={}),
)

#: Every point by its name, ``model.point``.
POINTS: dict[str, Point] = {point.name: point for point in _ALL}

#: The settings that a nameplate may give, with their units; their ranges go by its ratings.
SETTINGS: dict[str, str] = {
    "setMaxW": "W",
    "setMaxVA": "VA",
    "setMaxVar": "var",
    "setMaxVarNeg": "var",
    "setMaxChargeRateW": "W",
    "setMaxChargeRateVA": "VA",
    "setMaxDischargeRateVA": "VA",
    "setMaxDischargeRateW": "W",
    "setMaxA": "A",
    "setMaxV": "V",
    "setMinV": "V",
    "setMaxWh": "Wh",
    "setVNom": "V",
    "setVRef": "V",
    "setVRefOfs": "V",
    "setMinPFOverExcited": "",
    "setMinPFUnderExcited": "",
    "setGradW": "% setMaxW/s",
    "setSoftGradW": "% setMaxW/s",
    "setESDelay": "s",
    "setESRandomDelay": "s",
    "setESRampTms": "s",
    "setESLowVolt": "% setVRef",
    "setESHighVolt": "% setVRef",
    "setESLowFreq": "Hz",
    "setESHighFreq": "Hz",
}
