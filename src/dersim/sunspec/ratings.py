"""Models of ratings and settings: 1 and 120, 702 and 121, 703.

702 and 121 are two views of one table of settings (2030.5 DERSettings). A write goes to `Settings.update`,
which checks ranges and takes all or nothing; a setting that a DefaultDERControl may carry goes to
`Setpoints.submit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.local_control.permission import permit, permitted
from dersim.local_control.submitting import update_settings
from dersim.local_control.view import View
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Meaning, Model, Values
from dersim.sunspec.eei_power_factor import SIGN
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Value
from dersim.sunspec.scales import Scales

#: Mode -> bit of 702.CtrlModes.
_CONTROL_MODES = {
    "opModMaxLimW": 0,
    "opModFixedW": 1,
    "opModTargetW": 1,
    "opModFixedVar": 2,
    "opModTargetVar": 2,
    "opModFixedPFInjectW": 3,
    "opModFixedPFAbsorbW": 3,
    "opModVoltVar": 4,
    "opModFreqDroop": 5,
    "opModFreqWatt": 5,
    "opModLVRTMustTrip": 7,
    "opModHVRTMustTrip": 8,
    "opModWattVar": 9,
    "opModVoltWatt": 10,
    "opModLFRTMustTrip": 12,
    "opModHFRTMustTrip": 13,
}


class Common(Model):
    """1, common. DA is our unit id; it is writable."""

    KEPT = ("device_address",)

    model_id = 1

    def __init__(self, view: View, address: int) -> None:
        self.view = view
        self.device_address = address

    def stamp(self) -> object:
        """The unit id, the only value that changes."""
        return self.device_address

    def values(self) -> Values:
        """Names and ratings of the nameplate."""
        plate = self.view.plate
        return {
            "Mn": plate.manufacturer,
            "Md": plate.model,
            "Opt": plate.options,
            "Vr": plate.version,
            "SN": plate.serial_number,
            "DA": self.device_address,
        }

    def writable(self, path: str) -> bool:
        """DA only."""
        return path == "DA"

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:  # noqa: ARG002 - as in Model
        """Answer to another unit id from the next request on."""
        address = changes["DA"]
        if not 1 <= address <= 247:
            raise ModbusRefusal(ILLEGAL_VALUE, f"1.DA: {address} is not 1 to 247")
        self.device_address = address


class LegacyNameplate(Model):
    """120, nameplate ratings. By quadrant: 1 injects, 4 absorbs while generating; 2 and 3, charging."""

    model_id = 120

    def __init__(self, view: View, scales: Scales) -> None:
        self.view = view
        self.scales = {
            "WRtg_SF": scales.w,
            "VARtg_SF": scales.va,
            "VArRtg_SF": scales.var,
            "ARtg_SF": scales.a,
            "PFRtg_SF": -3,
            "WHRtg_SF": scales.wh,
            "MaxChaRte_SF": scales.w,
            "MaxDisChaRte_SF": scales.w,
        }

    def values(self) -> Values:
        """Names and ratings of the nameplate."""
        plate = self.view.plate
        out: dict[str, Value] = {
            "DERTyp": 82 if plate.rtgMaxWh else 4,
            "WRtg": plate.rtgMaxW,
            "VARtg": plate.rtgMaxVA,
            "VArRtgQ1": plate.rtgMaxVar,
            "VArRtgQ2": plate.rtgMaxVar,
            "VArRtgQ3": plate.rtgMaxVarNeg,
            "VArRtgQ4": plate.rtgMaxVarNeg,
            "ARtg": plate.rtgMaxA,
            "PFRtgQ1": SIGN[1] * plate.rtgMinPFOverExcited,
            "PFRtgQ2": SIGN[2] * plate.rtgMinPFOverExcited,
            "PFRtgQ3": SIGN[3] * plate.rtgMinPFUnderExcited,
            "PFRtgQ4": SIGN[4] * plate.rtgMinPFUnderExcited,
        }
        if plate.rtgMaxWh:
            out["WHRtg"] = plate.rtgMaxWh
            out["MaxChaRte"] = plate.rtgMaxChargeRateW
            out["MaxDisChaRte"] = plate.rtgMaxDischargeRateW
        return out


class SettingsModel(Model):
    """A view of settings: `settings_of` point -> (setting, sign)."""

    settings_of: Mapping[str, tuple[str, int]] = {}

    def __init__(self, view: View) -> None:
        self.view = view

    def stamp(self) -> object:
        """Changes with settings and setpoints."""
        return self.view.rules_stamp()

    def shown_settings(self) -> dict[str, Value]:
        """The settings in force, by point."""
        s = self.view.settings
        return {point: sign * s[name] for point, (name, sign) in self.settings_of.items()}

    def meaning(self, values: Values) -> Meaning:
        """The settings."""
        read = {point: value for point, value in values.items() if isinstance(value, int | float)}
        return Meaning(
            {name: sign * read[point] for point, (name, sign) in self.settings_of.items() if point in read}
        )

    def writable(self, path: str) -> bool:
        """Every point that has a setting."""
        return path in self.settings_of

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Update the settings."""
        values: dict[str, float] = {}
        for point, value in changes.items():
            name, sign = self.settings_of[point]
            if values.setdefault(name, sign * value) != sign * value:
                raise ModbusRefusal(ILLEGAL_VALUE, f"{self.model_id}.{point}: a second value for {name}")
        update_settings(self.view, source, values, str(self.model_id))


class Capacity(SettingsModel):
    """702, ratings and settings of capacity."""

    model_id = 702

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.scales = {
            "W_SF": scales.w,
            "PF_SF": -3,
            "VA_SF": scales.va,
            "Var_SF": scales.var,
            "V_SF": scales.v,
            "A_SF": scales.a,
            "S_SF": -3,
        }
        self.settings_of = {
            "WMax": ("setMaxW", 1),
            "WOvrExtPF": ("setMinPFOverExcited", 1),
            "WUndExtPF": ("setMinPFUnderExcited", 1),
            "VAMax": ("setMaxVA", 1),
            "VarMaxInj": ("setMaxVar", 1),
            "VarMaxAbs": ("setMaxVarNeg", -1),
            "VNom": ("setVNom", 1),
            "VMax": ("setMaxV", 1),
            "VMin": ("setMinV", 1),
            "AMax": ("setMaxA", 1),
            "PFOvrExt": ("setMinPFOverExcited", 1),
            "PFUndExt": ("setMinPFUnderExcited", 1),
        }
        if view.plate.rtgMaxWh:
            self.settings_of |= {
                "WChaRteMax": ("setMaxChargeRateW", 1),
                "WDisChaRteMax": ("setMaxDischargeRateW", 1),
                "VAChaRteMax": ("setMaxChargeRateVA", 1),
                "VADisChaRteMax": ("setMaxDischargeRateVA", 1),
            }

    def values(self) -> Values:
        """Ratings of the nameplate and settings in force."""
        p, modes = self.view.plate, self.view.setpoints.supported_modes
        over, under = p.rtgMinPFOverExcited, p.rtgMinPFUnderExcited
        return {
            "WMaxRtg": p.rtgMaxW,
            "WOvrExtRtg": min(p.rtgMaxW, p.rtgMaxVA * over),
            "WOvrExtRtgPF": over,
            "WUndExtRtg": min(p.rtgMaxW, p.rtgMaxVA * under),
            "WUndExtRtgPF": under,
            "VAMaxRtg": p.rtgMaxVA,
            "VarMaxInjRtg": p.rtgMaxVar,
            "VarMaxAbsRtg": -p.rtgMaxVarNeg,
            "WChaRteMaxRtg": p.rtgMaxChargeRateW,
            "WDisChaRteMaxRtg": p.rtgMaxDischargeRateW,
            "VAChaRteMaxRtg": p.rtgMaxChargeRateVA,
            "VADisChaRteMaxRtg": p.rtgMaxDischargeRateVA,
            "VNomRtg": p.rtgVNom,
            "VMaxRtg": p.rtgMaxV,
            "VMinRtg": p.rtgMinV,
            "AMaxRtg": p.rtgMaxA,
            "PFOvrExtRtg": over,
            "PFUndExtRtg": under,
            # Reactive power drawn while out of service: none, because our DER is disconnected then.
            "ReactSusceptRtg": 0,
            "NorOpCatRtg": p.rtgNormalCategory - 1,
            "AbnOpCatRtg": p.rtgAbnormalCategory - 1,
            "CtrlModes": sum({1 << bit for mode, bit in _CONTROL_MODES.items() if mode in modes}),
            "IntIslandCatRtg": 0,
            **self.shown_settings(),
        }


class LegacySettings(SettingsModel):
    """121, basic settings; the percents of WGra are those of 2030.5's setGradW."""

    model_id = 121

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        self.scales = {
            "WMax_SF": scales.w,
            "VRef_SF": scales.v,
            "VRefOfs_SF": scales.v,
            "VMinMax_SF": scales.v,
            "VAMax_SF": scales.va,
            "VArMax_SF": scales.var,
            "WGra_SF": -2,
            "PFMin_SF": -3,
            "ECPNomHz_SF": -2,
        }
        self.settings_of = {
            "WMax": ("setMaxW", 1),
            "VRef": ("setVRef", 1),
            "VRefOfs": ("setVRefOfs", 1),
            "VMax": ("setMaxV", 1),
            "VMin": ("setMinV", 1),
            "VAMax": ("setMaxVA", 1),
            "VArMaxQ1": ("setMaxVar", 1),
            "VArMaxQ4": ("setMaxVarNeg", 1),
            "WGra": ("setGradW", 1),
            "PFMinQ1": ("setMinPFOverExcited", SIGN[1]),
            "PFMinQ4": ("setMinPFUnderExcited", SIGN[4]),
        }

    def values(self) -> Values:
        """The settings in force."""
        return {**self.shown_settings(), "ECPNomHz": self.view.plate.frequency_hz}

    def writable(self, path: str) -> bool:
        """Every point that has a setting, and the nominal frequency, which takes its own value only."""
        return path in self.settings_of or path == "ECPNomHz"

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Update the settings."""
        hz = self.view.plate.frequency_hz
        if changes.get("ECPNomHz", hz) != hz:
            raise ModbusRefusal(ILLEGAL_VALUE, f"121.ECPNomHz: fixed by the nameplate at {hz:g} Hz")
        super().write({point: value for point, value in changes.items() if point != "ECPNomHz"}, source)


class EnterService(SettingsModel):
    """703, enter service. ES is the permission: opModEnergize of 2030.5, and the operator's stop.

    ES = 0 takes the machine out of service at once; ES = 1 lets it come back by window, delay and ramp.
    """

    model_id = 703
    scales = {"V_SF": -2, "Hz_SF": -3}  # noqa: RUF012 - never changed
    settings_of = {  # noqa: RUF012 - never changed
        "ESVHi": ("setESHighVolt", 1),
        "ESVLo": ("setESLowVolt", 1),
        "ESHzHi": ("setESHighFreq", 1),
        "ESHzLo": ("setESLowFreq", 1),
        "ESDlyTms": ("setESDelay", 1),
        "ESRndTms": ("setESRandomDelay", 1),
        "ESRmpTms": ("setESRampTms", 1),
    }

    def stamp(self) -> object:
        """Changes with settings and with every step, which moves the remaining delay."""
        return (self.view.rules_stamp(), self.view.state_stamp())

    def values(self) -> Values:
        """Permission, window, delay and ramp in force."""
        return {
            "ES": int(permitted(self.view)),
            **self.shown_settings(),
            "ESDlyRemTms": self.view.device.enter_service_s,
        }

    def meaning(self, values: Values) -> Meaning:
        """The settings, and the permission where it is withdrawn."""
        return Meaning(
            super().meaning(values).settings, {"opModEnergize": False} if values.get("ES") == 0 else {}
        )

    def writable(self, path: str) -> bool:
        """ES and every point that has a setting."""
        return path == "ES" or path in self.settings_of

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Write the settings first, so that a permission in the same write uses them."""
        rest = {point: value for point, value in changes.items() if point != "ES"}
        if rest:
            super().write(rest, source)
        if "ES" in changes:
            permit(self.view, source, allowed=bool(changes["ES"]), detail="703.ES")
