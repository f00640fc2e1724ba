"""DERCapability, DERSettings, DERStatus and DERAvailability in plain units and words, with wire values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from dersim.json_schema import described
from dersim.modes import MODES
from dersim.timestamps import has_date, rfc3339


class Told(TypedDict):
    """One element of a resource."""

    name: str
    text: Annotated[str, described("in plain units or words")]
    wire: Annotated[str, described("as in the XML; empty where that is the same")]
    since: Annotated[str | None, described("of a status: since when")]


_UNITS = {
    "ActivePower": "W",
    "UnsignedActivePower": "W",
    "ApparentPower": "VA",
    "ReactivePower": "var",
    "UnsignedReactivePower": "var",
    "VoltageRMS": "V",
    "CurrentRMS": "A",
    "WattHour": "Wh",
    "AmpereHour": "Ah",
    "PowerFactor": "",
    "ReactiveSusceptance": "S",
}


#: InverterStatusType.
INVERTER_STATUS = dict(
    enumerate(
        (
            "not applicable",
            "off",
            "sleeping",
            "starting",
            "running",
            "forced derating",
            "shutting down",
            "fault",
            "standby",
            "test",
            "manufacturer",
        )
    )
)
#: OperationalModeStatusType.
OPERATIONAL_MODE = {0: "not applicable", 1: "off", 2: "operational", 3: "test"}
#: StorageModeStatusType.
STORAGE_MODE = {0: "charging", 1: "discharging", 2: "holding"}
#: DERUnitRefType, of what y of a curve is a percent.
Y_REFERENCES = {
    1: "% of setMaxW",
    2: "% of setMaxVar",
    3: "% of the var available now (statVarAvail)",
    4: "% of setVRef",
    7: "% of the W available now (statWAvail)",
    8: "% of setMaxVA",
}
#: The bits of DeviceCategoryType that a DER can have.
DEVICE_CATEGORIES = {
    16: "electric vehicle",
    17: "electric vehicle supply equipment",
    18: "virtual or mixed DER",
    19: "reciprocating engine",
    20: "fuel cell",
    21: "photovoltaic system",
    22: "combined heat and power",
    23: "combined photovoltaic and storage",
    24: "other generation system",
    25: "other storage system",
}
#: The bits of alarmStatus.
ALARMS = dict(
    enumerate(
        (
            "over current",
            "over voltage",
            "under voltage",
            "over frequency",
            "under frequency",
            "voltage imbalance",
            "current imbalance",
            "emergency local",
            "emergency remote",
            "low power input",
            "phase rotation",
        )
    )
)
#: Elements that are hundredths of this unit (2030.5-2018 10.10.4).
_HUNDREDTHS = {
    "setESDelay": "s",
    "setESRandomDelay": "s",
    "setESRampTms": "s",
    "setESHighFreq": "Hz",
    "setESLowFreq": "Hz",
    "setESHighVolt": "%",
    "setESLowVolt": "%",
    "setGradW": "% of setMaxW per s",
    "setSoftGradW": "% of setMaxW per s",
    "reserveChargePercent": "%",
    "reservePercent": "%",
    "stateOfChargeStatus": "%",
}
_SECONDS = ("availabilityDuration", "maxChargeDuration")
_TIMES = ("readingTime", "updatedTime")
_CONNECTED = ("connected", "available", "operating", "test", "fault")
_CHARGE_BITS = {0: "charge mode", 1: "discharge mode"}
_MODE_BITS = _CHARGE_BITS | {spec.bit: spec.name for spec in MODES.values() if spec.bit is not None}
#: Bitmaps: by element the word of each bit.
_BITS: Mapping[str, Mapping[int, str]] = {
    "modesSupported": _MODE_BITS,
    "modesEnabled": _MODE_BITS,
    "alarmStatus": ALARMS,
    "connectStatus": dict(enumerate(("connected", "energized"))),
    "genConnectStatus": dict(enumerate(_CONNECTED)),
    "storConnectStatus": dict(enumerate(_CONNECTED)),
}
#: What no bit set means.
_NO_BIT = {"alarmStatus": "no alarm", "connectStatus": "not connected"}
_DER_TYPES = {
    0: "not applicable",
    1: "virtual or mixed",
    2: "reciprocating engine",
    3: "fuel cell",
    4: "photovoltaic system",
    5: "combined heat and power",
    6: "other generation system",
    80: "other storage system",
    81: "electric vehicle",
    82: "electric vehicle supply equipment",
    83: "combined photovoltaic and storage",
}


#: Codes: by element the word of each value.
_CODES: Mapping[str, Mapping[int, str]] = {
    "inverterStatus": INVERTER_STATUS,
    "operationalModeStatus": OPERATIONAL_MODE,
    "storageModeStatus": STORAGE_MODE,
    "localControlModeStatus": {0: "local control", 1: "remote control"},
    "type": _DER_TYPES,
    "rtgNormalCategory": {0: "not specified", 1: "Category A", 2: "Category B"},
    "rtgAbnormalCategory": {0: "not specified", 1: "Category I", 2: "Category II", 3: "Category III"},
}


def in_words(resource: Any) -> list[Told]:
    """Each element that a resource has, in the order of the standard."""
    pairs = ((field.name, getattr(resource, field.name)) for field in dataclasses.fields(resource))
    return [_told(name, value) for name, value in pairs if value is not None and value != ()]


def _told(name: str, value: Any) -> Told:
    since = getattr(value, "dateTime", None)
    if since is not None:
        value = value.value
    text, wire = _quantity(value) or _number(name, value)
    return {
        "name": name,
        "text": text,
        "wire": "" if wire == text else wire,
        "since": rfc3339(float(since)) if since is not None and has_date(since) else None,
    }


def _quantity(value: Any) -> tuple[str, str] | None:
    """A {multiplier, value}; the multiplier is a power of ten."""
    multiplier = getattr(value, "multiplier", None)
    if multiplier is None:
        return None
    number = getattr(value, "value", None)
    number = value.displacement if number is None else number
    # Divided, because 950 * 10**-3 is not the float 0.95.
    plain = number * 10**multiplier if multiplier >= 0 else number / 10**-multiplier
    unit = _UNITS.get(type(value).__name__, "")
    return f"{plain:.10g} {unit}".strip(), f"{number} * 10^{multiplier}"


def _number(name: str, value: Any) -> tuple[str, str]:
    text = wire = str(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return text, wire
    if name in _HUNDREDTHS:
        text = f"{value / 100:.10g} {_HUNDREDTHS[name]}"
    elif name in _BITS:
        text, wire = bits(name, value), f"{value:X} hex"
    elif name in _CODES:
        text = _CODES[name].get(value, "unknown to the standard")
    elif name in _SECONDS:
        text = f"{value} s"
    elif name in _TIMES and has_date(value):
        text = rfc3339(float(value))
    return text, wire


def bits(name: str, value: int) -> str:
    """The words of the bits that are set."""
    words = _BITS[name]
    found = [words.get(bit, f"bit {bit}") for bit in range(value.bit_length()) if value >> bit & 1]
    return ", ".join(found) or _NO_BIT.get(name, "none")
