"""What readings and LogEvents mean, in words: units, phases, function sets and event codes."""

from __future__ import annotations

from dersim.ieee2030_5.resources import LogEvent, ReadingType
from dersim.ieee2030_5.words import ALARMS

#: UomType.
UNITS = {
    5: "A", 23: "°C", 27: "s", 29: "V", 31: "J", 33: "Hz", 38: "W", 42: "m³", 61: "VA", 63: "var",
    65: "cos φ", 67: "V²", 69: "A²", 71: "VAh", 72: "Wh", 73: "varh", 106: "Ah", 119: "ft³", 132: "Btu",
    169: "therm",
}  # fmt: skip
#: PhaseCode; 0 is of no phase.
PHASES = {
    32: "C", 33: "C-N", 40: "C-A", 64: "B", 65: "B-N", 66: "B-C", 128: "A", 129: "A-N", 132: "A-B",
    224: "A-B-C",
}  # fmt: skip
_ACCUMULATIONS = {2: "billing", 3: "cumulative", 4: "per interval", 6: "indicating", 9: "total"}
_DIRECTIONS = {1: "forward", 19: "reverse"}
_ENERGY = frozenset({71, 72, 73, 106})

#: FunctionSet identifiers of LogEvent; those above 19 are of the 2023 edition.
FUNCTION_SETS = dict(
    enumerate(
        (
            "general",
            "subscriptions",
            "EndDevice",
            "FunctionSetAssignments",
            "Response",
            "DRLC",
            "metering",
            "pricing",
            "messaging",
            "billing",
            "prepayment",
            "DER",
            "time",
            "software download",
            "DeviceInformation",
            "power status",
            "network status",
            "log events",
            "configuration",
            "security",
            "SelfDevice",
            "flow reservation",
            "metering mirror",
            "aggregation",
            "proxied device",
        )
    )
)
_GENERAL, _DER = 0, 11
_GENERAL_CODES = ("hardware", "software")
#: profileID of the codes that the standard defines.
_STANDARD = 2


def unit(kind: ReadingType) -> str:
    """The unit of a quantity; "" where it has none."""
    uom = kind.uom or 0
    return UNITS.get(uom, f"unit {uom}" if uom else "")


def quantity(kind: ReadingType) -> str:
    """A quantity in words, as ``W, phase A`` or ``Wh, reverse, total``."""
    uom, phase = kind.uom or 0, kind.phase or 0
    words = [unit(kind) or "no unit"]
    if phase:
        words.append(f"phase {PHASES.get(phase, phase)}")
    if uom in _ENERGY and kind.flowDirection in _DIRECTIONS:
        words.append(_DIRECTIONS[kind.flowDirection])
    if kind.accumulationBehaviour in _ACCUMULATIONS:
        words.append(_ACCUMULATIONS[kind.accumulationBehaviour])
    return ", ".join(words)


def function_set(event: LogEvent) -> str:
    """The function set that an event is of."""
    return FUNCTION_SETS.get(event.functionSet, f"function set {event.functionSet}")


def log_event(event: LogEvent) -> str:
    """What an event says: "over voltage", "over voltage, back to normal", or the number of its code.

    CSIP table 14 and 2030.5-2018 table 34: an even code, and that plus one when it is over.
    """
    code, over = event.logEventCode, event.logEventCode % 2 == 1
    name = None
    if event.profileID == _STANDARD and event.functionSet == _DER:
        name = ALARMS.get(code // 2)
    elif event.profileID == _STANDARD and event.functionSet == _GENERAL and code // 2 < len(_GENERAL_CODES):
        name = _GENERAL_CODES[code // 2]
    return f"code {code}" if name is None else f"{name}, back to normal" if over else name
