"""What each mode does to the power, worked out by hand from the standard's definition of the mode.

The DER is 10 kW, 10 kVA, 4.4 kvar and could make 7 kW under this sun; a default limit holds it at 6 kW.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

BASE = {"opModMaxLimW": 60}
BASE_W = 6000.0
#: Entering service at once, without a ramp: so that each of its parameters can be seen alone.
AT_ONCE = {"setESDelay": 0, "setESRampTms": 0}

Power = float | Callable[[float], float]


class Act(NamedTuple):
    """Something done over the DER's own API, and what the overview shows `after_s` seconds later.

    p_w, q_var: numbers, or functions of the seconds since what was done. connect: the word for the switch.
    """

    after_s: float
    p_w: Power
    q_var: Power = 0.0
    do: tuple[str, Mapping[str, Any]] | None = None
    tripped: bool = False
    connect: str = ""


def grid(after_s: float, p_w: Power, q_var: Power = 0.0, *, tripped: bool = False, **inputs: float) -> Act:
    """The grid changes."""
    return Act(after_s, p_w, q_var, ("inputs", inputs), tripped)


def command(word: str, after_s: float, p_w: Power) -> Act:
    """The operator of the DER gives a command."""
    return Act(after_s, p_w, 0.0, ("commands", {"command": word}))


class Case(NamedTuple):
    """One mode with what is ordered beside it (`also`, for storage) or stands below it (`default`)."""

    value: Any
    acts: tuple[Act, ...]
    device_type: str = "PV-3Phase"
    also: Mapping[str, Any] = {}
    default: Mapping[str, Any] = {}


def curve(*points: tuple[Any, ...], **more: Any) -> dict[str, Any]:
    return {"curve": [list(point) for point in points], **more}


def tangent(pf: float) -> float:
    return math.sqrt(1 - pf * pf) / pf


CASES: dict[str, Case] = {
    # One opens the switch, the other stops the current behind a closed one.
    "opModConnect": Case(False, (Act(2, 0, connect="disconnected"),)),
    "opModEnergize": Case(False, (Act(2, 0, connect="connected"),)),
    # Charging 5 kW; the excitation is absolute: var are injected although W are taken in.
    "opModFixedPFAbsorbW": Case(
        {"pf": 0.9, "excitation": "inject"},
        (Act(12, -5000, 5000 * tangent(0.9)),),
        "Batt-3Phase",
        also={"opModFixedW": -50},
    ),
    "opModFixedPFInjectW": Case(
        {"pf": 0.9, "excitation": "absorb"}, (Act(12, BASE_W, -BASE_W * tangent(0.9)),)
    ),
    "opModFixedVar": Case({"percent": 50, "ref": "setMaxVar"}, (Act(12, BASE_W, 2200),)),
    "opModFixedW": Case(40, (Act(3, 4000),)),
    # 0.964 Hz beyond the dead-band, over k times the nominal frequency: 32.13 % of 10 kW less.
    "opModFreqDroop": Case(
        {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05, "open_loop_s": 1},
        (
            grid(12, BASE_W - 10_000 * 0.964 / (60 * 0.05), frequency_hz=61.0),
            grid(12, BASE_W, frequency_hz=60),
        ),
    ),
    "opModFreqWatt": Case(
        curve((60, 100), (61.5, 0), open_loop_s=1),
        (grid(12, 4000, frequency_hz=60.9), grid(12, BASE_W, frequency_hz=60)),
    ),
    # May-trip allows and does not oblige: this machine rides through.
    "opModHFRTMayTrip": Case(curve((0.1, 60.5), (10, 60.5)), (grid(5, BASE_W, frequency_hz=61),)),
    "opModLFRTMayTrip": Case(curve((0.1, 59.5), (10, 59.5)), (grid(5, BASE_W, frequency_hz=59),)),
    "opModHVRTMayTrip": Case(curve((0.1, 105), (10, 105)), (grid(5, BASE_W, voltage_pu=1.08),)),
    "opModLVRTMayTrip": Case(curve((0.1, 95), (10, 95)), (grid(5, BASE_W, voltage_pu=0.92),)),
    # Tripped after 3 s, which the defaults of the category would have borne for minutes or for good.
    "opModHFRTMustTrip": Case(
        curve((0.16, 62), (3, 62), (3, 60.5)),
        (grid(2, BASE_W, frequency_hz=61), Act(2, 0, tripped=True)),
    ),
    "opModLFRTMustTrip": Case(
        curve((0.16, 57), (3, 57), (3, 59.5)),
        (grid(2, BASE_W, frequency_hz=59), Act(2, 0, tripped=True)),
    ),
    "opModHVRTMustTrip": Case(
        curve((0.16, 120), (3, 120), (3, 106)),
        (grid(2, BASE_W, voltage_pu=1.08), Act(2, 0, tripped=True)),
    ),
    "opModLVRTMustTrip": Case(
        curve((0.5, 50), (3, 50), (3, 94)),
        (grid(2, BASE_W, voltage_pu=0.92), Act(2, 0, tripped=True)),
    ),
    # No current at once, no trip, and back at once.
    "opModHVRTMomentaryCessation": Case(
        curve((0, 106), (100, 106)), (grid(2, 0, voltage_pu=1.08), grid(2, BASE_W, voltage_pu=1.0))
    ),
    "opModLVRTMomentaryCessation": Case(
        curve((0, 94), (100, 94)), (grid(2, 0, voltage_pu=0.92), grid(2, BASE_W, voltage_pu=1.0))
    ),
    "opModMaxLimW": Case(30, (Act(3, 3000),)),
    "opModTargetVar": Case(-1500, (Act(12, BASE_W, -1500),)),
    "opModTargetW": Case(2500, (Act(3, 2500),)),
    # 105 %: half way down a flank that ends at -30 % of setMaxVar.
    "opModVoltVar": Case(
        curve((92, 30), (98, 0), (102, 0), (108, -30), open_loop_s=1),
        (grid(12, BASE_W, -660, voltage_pu=1.05),),
    ),
    "opModVoltWatt": Case(
        curve((104, 100), (110, 20), open_loop_s=1), (grid(12, 10_000 * (1 - 0.8 * 4 / 6), voltage_pu=1.08),)
    ),
    # At 60 % of setMaxW the factor is 0.88.
    "opModWattPF": Case(
        curve((0, 1, "absorb"), (100, 0.8, "absorb")), (Act(12, BASE_W, -BASE_W * tangent(0.88)),)
    ),
    "opModWattVar": Case(curve((20, 0), (100, -100)), (Act(12, BASE_W, -2200),)),
    # From 60 to 20 % in 10 s.
    "rampTms": Case(10, (Act(5, lambda t: BASE_W - 400 * t), Act(8, 2000)), also={"opModMaxLimW": 20}),
    "setESDelay": Case(
        6,
        (command("stop", 2, 0), command("start", 4, 0), Act(4, BASE_W)),
        default={"setESRampTms": 0},
    ),
    # Out for one second at least and for eleven at most; when exactly, the twin knows.
    "setESRandomDelay": Case(
        10,
        (command("stop", 2, 0), command("start", 0.5, 0), Act(12, BASE_W)),
        default={"setESDelay": 1, "setESRampTms": 0},
    ),
    # Half of the ramp is half of setMaxW.
    "setESRampTms": Case(
        20,
        (command("stop", 2, 0), command("start", 8, lambda t: 500 * t), Act(10, BASE_W)),
        default={"setESDelay": 0},
    ),
    "setSoftGradW": Case(
        4,
        (command("stop", 2, 0), command("start", 8, lambda t: 400 * t), Act(10, BASE_W)),
        default=AT_ONCE,
    ),
    # Each window is narrowed to keep the DER out at a grid at which the default would let it in.
    "setESHighVolt": Case(
        103,
        (
            command("stop", 2, 0),
            grid(1, 0, voltage_pu=1.04),
            command("start", 5, 0),
            grid(2, BASE_W, voltage_pu=1.02),
        ),
        default=AT_ONCE,
    ),
    "setESLowVolt": Case(
        97,
        (
            command("stop", 2, 0),
            grid(1, 0, voltage_pu=0.96),
            command("start", 5, 0),
            grid(2, BASE_W, voltage_pu=0.98),
        ),
        default=AT_ONCE,
    ),
    "setESHighFreq": Case(
        60.05,
        (
            command("stop", 2, 0),
            grid(1, 0, frequency_hz=60.07),
            command("start", 5, 0),
            grid(2, BASE_W, frequency_hz=60.04),
        ),
        default=AT_ONCE,
    ),
    "setESLowFreq": Case(
        59.9,
        (
            command("stop", 2, 0),
            grid(1, 0, frequency_hz=59.8),
            command("start", 5, 0),
            grid(2, BASE_W, frequency_hz=59.92),
        ),
        default=AT_ONCE,
    ),
}
#: What means something else to a machine that charges: percent of setMaxChargeRateW, negative watts, a curve
#: mirrored or crossing zero. The battery is half full, 10 kW either way.
STORAGE: dict[str, Case] = {
    "opModFixedW": Case(-40, (Act(3, -4000),), "Batt"),
    "opModTargetW": Case(-2500, (Act(3, -2500),), "Batt"),
    "opModMaxLimW": Case(30, (Act(3, 3000),), "Batt", also={"opModFixedW": 80}),
    "opModFixedPFInjectW": Case(
        {"pf": 0.9, "excitation": "absorb"},
        (Act(12, 5000, -5000 * tangent(0.9)),),
        "Batt",
        also={"opModFixedW": 50},
    ),
    # Without points below zero the curve is mirrored for charging: absorbing becomes injecting.
    "opModWattVar": Case(
        curve((20, 0), (100, -100)), (Act(12, -6000, 2200),), "Batt", also={"opModFixedW": -60}
    ),
    # Resting, it takes in what the frequency asks for, and gives.
    "opModFreqDroop": Case(
        {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05, "open_loop_s": 1},
        (
            grid(12, -10_000 * 0.964 / (60 * 0.05), frequency_hz=61.0),
            grid(12, 0, frequency_hz=60.0),
            grid(12, 10_000 * 0.964 / (60 * 0.05), frequency_hz=59.0),
        ),
        "Batt",
    ),
    "opModFreqWatt": Case(
        curve((60, 100), (61, -100), open_loop_s=1), (grid(12, -6000, frequency_hz=60.8),), "Batt"
    ),
    "opModVoltWatt": Case(
        curve((104, 100), (110, -50), open_loop_s=1), (grid(12, -2500, voltage_pu=1.09),), "Batt"
    ),
}
