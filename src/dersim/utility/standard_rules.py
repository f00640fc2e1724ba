"""Rules of the standard that no XML schema can check (its SHALLs), applied to what devices send.

Each check returns one text per violation, with the element, its value and the rule. The caller decides what
follows: the document is accepted and the violations are counted, or with `--strict` it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import TYPES, Simple
from dersim.ieee2030_5.edition import Edition
from dersim.timestamps import has_date
from dersim.utility.end_devices import ReportedDocument

#: PowerOfTenMultiplierType: from nano to giga.
MAX_MULTIPLIER = 9
#: modesSupported bits that came with 2023.
_NEW_MODES = 0xF8000000
_RESPONSES_2018 = frozenset((*range(1, 15), 252, 253, 254))
_RESPONSES_2023 = _RESPONSES_2018 | {251}

#: Settings that may not exceed a rating of the nameplate.
_RATED = (
    ("setMaxW", "rtgMaxW"),
    ("setMaxVA", "rtgMaxVA"),
    ("setMaxVar", "rtgMaxVar"),
    ("setMaxA", "rtgMaxA"),
    ("setMaxWh", "rtgMaxWh"),
    ("setMaxChargeRateW", "rtgMaxChargeRateW"),
    ("setMaxDischargeRateW", "rtgMaxDischargeRateW"),
    ("setMaxChargeRateVA", "rtgMaxChargeRateVA"),
    ("setMaxDischargeRateVA", "rtgMaxDischargeRateVA"),
)


def of_reported(resource: Any, edition: Edition, reported: Mapping[str, ReportedDocument]) -> list[str]:
    """Violations of a document that a device PUTs; `reported` holds its earlier documents by name."""
    capability = reported["capability"].resource if "capability" in reported else None
    match resource:
        case r.DERCapability():
            return der_capability(resource, edition)
        case r.DERSettings():
            return der_settings(resource, edition, capability)
        case r.DERStatus():
            return der_status(resource, edition)
        case _:
            return []


def der_capability(capability: r.DERCapability, edition: Edition) -> list[str]:
    """2030.5-2018 10.10.4.2: signs, and the mode bits defined in the edition."""
    found = _new_mode_bits("DERCapability/modesSupported", capability.modesSupported, edition)
    return found + _negative("DERCapability/rtgMaxVarNeg", capability.rtgMaxVarNeg)


def der_settings(settings: r.DERSettings, edition: Edition, capability: r.DERCapability | None) -> list[str]:
    """2030.5-2018 10.10.4.3: signs, and no setting beyond its rating in `capability`."""
    found = _new_mode_bits("DERSettings/modesEnabled", settings.modesEnabled, edition)
    found += _negative("DERSettings/setMaxVarNeg", settings.setMaxVarNeg)
    if settings.setMaxVar is not None and settings.setMaxVar.value < 0:
        found.append(f"DERSettings/setMaxVar is {amount(settings.setMaxVar):g}: it must be positive")
    if capability is None:
        return found
    for setting, rating in _RATED:
        set_to, rated = getattr(settings, setting), getattr(capability, rating)
        if set_to is not None and rated is not None and amount(set_to) > amount(rated):
            found.append(
                f"DERSettings/{setting} is {amount(set_to):g}: it must not exceed {rating} {amount(rated):g}"
            )
    lowest = capability.rtgMaxVarNeg
    if settings.setMaxVarNeg is not None and lowest is not None:
        set_to, rated = amount(settings.setMaxVarNeg), amount(lowest)
        if set_to < rated:
            found.append(
                f"DERSettings/setMaxVarNeg is {set_to:g}: it must not be below rtgMaxVarNeg {rated:g}"
            )
    return found


def der_status(status: r.DERStatus, edition: Edition) -> list[str]:
    """2030.5 10.10.4.5: reserved bits, and elements of the other edition."""
    found = []
    if status.alarmStatus is not None and status.alarmStatus >> 11:
        found.append(f"DERStatus/alarmStatus is {status.alarmStatus:08X}: bits 11 to 31 are reserved")
    for name in ("genConnectStatus", "storConnectStatus"):
        connect = getattr(status, name)
        if connect is None:
            continue
        if edition is Edition.E2023:
            found.append(f"DERStatus/{name} must not be included since 2023: connectStatus replaces it")
        elif connect.value >> 5:
            found.append(f"DERStatus/{name} is {connect.value:02X}: bits 5 to 7 are reserved")
    if status.connectStatus is not None and status.connectStatus.value >> 2:
        found.append(f"DERStatus/connectStatus is {status.connectStatus.value:02X}: bits 2 to 7 are reserved")
    return found


def end_device(posted: r.EndDevice, sfdi: int) -> list[str]:
    """2030.5-2018 6.3.3: the SFDI follows from the LFDI."""
    if posted.sFDI != sfdi:
        return [f"EndDevice/sFDI is {posted.sFDI}: that of the lFDI is {sfdi}"]
    return []


def response(posted: r.Response, edition: Edition) -> list[str]:
    """2030.5-2018 10.2.3: a defined status, and since 2023 the modes."""
    found = []
    allowed = _RESPONSES_2023 if edition is Edition.E2023 else _RESPONSES_2018
    if posted.status is not None and posted.status not in allowed:
        found.append(f"Response/status {posted.status} is reserved in the {edition.value} edition")
    if (
        edition is Edition.E2023
        and isinstance(posted, r.DERControlResponse)
        and posted.modesResponded is None
        and posted.modesResponded2 is None
    ):
        found.append("DERControlResponse/modesResponded must be included since 2023")
    return found


def log_event(event: r.LogEvent) -> list[str]:
    """2030.5-2018 12.3: codes of the IEEE profile come with the IEEE's enterprise number."""
    if event.profileID == 2 and event.logEventPEN != 40732:
        return [f"LogEvent/logEventPEN is {event.logEventPEN}: codes of profileID 2 are those of PEN 40732"]
    return []


def usage_point(point: r.MirrorUsagePoint) -> list[str]:
    """2030.5-2018 10.11: the flag isMirror, and a full mRID."""
    found = [] if point.roleFlags & 1 else ["MirrorUsagePoint/roleFlags: bit 0 (isMirror) must be set"]
    return found + _mrid("MirrorUsagePoint", point.mRID)


def meter_reading(reading: r.MirrorMeterReading, known_type: r.ReadingType | None) -> list[str]:
    """2030.5-2018 10.11: the ReadingType of an mRID does not change."""
    found = _mrid("MirrorMeterReading", reading.mRID)
    if known_type is not None and reading.ReadingType is not None and reading.ReadingType != known_type:
        found.append(f"MirrorMeterReading {reading.mRID}: its ReadingType must not change")
    return found


def amount(quantity: Any) -> float:
    """The real value of a {multiplier, value}; NaN for a multiplier outside -9 to 9."""
    multiplier = quantity.multiplier
    return float(quantity.value * 10.0**multiplier) if abs(multiplier) <= MAX_MULTIPLIER else math.nan


def values(resource: Any, path: str = "") -> list[str]:
    """Times without a calendar date and multipliers outside -9 to 9 in any resource, with their paths."""
    info = TYPES.get(type(resource))
    if info is None:
        return []
    path = path or info.name
    found: list[str] = []
    for member in info.members:
        value, at = getattr(resource, member.name), f"{path}/{member.name}"
        if member.simple is not None:
            found += _value(member.simple, value, at)
        else:
            for item in value if member.repeated else (value,):
                found += values(item, at)
    return found


def _value(simple: Simple, value: Any, at: str) -> list[str]:
    if not isinstance(value, int):
        return []
    if simple.name == "TimeType" and not has_date(value):
        return [f"{at} is {value}: no time before the year 10000; seconds are needed, not milliseconds"]
    if simple.name == "PowerOfTenMultiplierType" and abs(value) > MAX_MULTIPLIER:
        return [f"{at} is {value}: -{MAX_MULTIPLIER} to {MAX_MULTIPLIER} is allowed"]
    return []


def _mrid(where: str, mrid: str) -> list[str]:
    if len(mrid) != 32:
        return [f"{where}/mRID {mrid} has {len(mrid) * 4} bits: an mRID has 128"]
    return []


def _negative(where: str, quantity: Any) -> list[str]:
    if quantity is not None and quantity.value > 0:
        return [f"{where} is {amount(quantity):g}: it must not be positive"]
    return []


def _new_mode_bits(where: str, bits: int | None, edition: Edition) -> list[str]:
    if edition is Edition.E2018 and bits is not None and bits & _NEW_MODES:
        return [f"{where} is {bits:08X}: bits 27 to 31 are reserved in the 2018 edition"]
    return []
