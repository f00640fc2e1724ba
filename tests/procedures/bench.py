"""The bench of a type test: a 10 kW machine on a grid source and a DC source, and the criteria that it meets.

All values are in per unit of the ratings: P of rtgMaxW, Q of rtgMaxVA, V of the nominal voltage.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any, NamedTuple

from dersim.device import ManualClock
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import nameplate_from_json
from dersim.hardware.source import GivenSource
from dersim.modes import ModeValue
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

RATED = 10_000.0
#: Half of what 1547-2018 table 3 allows a DER to be off in P and Q; a simulator has no instruments.
TOLERANCE = 0.005

_PLATE: dict[str, dict[str, Any]] = {
    "701": {"ACType": 3},
    "702": {
        "WMaxRtg": 10_000,
        "VAMaxRtg": 10_000,
        "VarMaxInjRtg": 4_400,
        "VarMaxAbsRtg": 4_400,
        "VNomRtg": 480,
        "PFOvrExtRtg": 0.8,
        "PFUndExtRtg": 0.8,
        # No current limit in the way below nominal voltage: P, Q and S are what is tested here.
        "AMaxRtg": 20,
    },
    "714": {"Prt": [{"DCW": 10_000}]},
}


class Row(NamedTuple):
    """One criterion: `measured` lies within low and high, both included."""

    procedure: str
    clause: str
    criterion: str
    measured: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the criterion is met."""
        return self.low <= self.measured <= self.high


class Bench:
    """One machine. power: of the DC source, per unit; charge: of a battery, per unit.

    category: "A" or "B"; abnormal: 1 to 3; more: other points of the nameplate. setGradW is 0 (no limit) and
    service is entered at once.
    """

    def __init__(
        self,
        power: float = 1.0,
        *,
        charge: float = 0.0,
        category: str = "B",
        abnormal: int = 3,
        reactive_first: bool = True,
        start: str = "in_service",
        **more: Any,
    ) -> None:
        self.clock = ManualClock()
        points: dict[str, Any] = {
            "702.NorOpCatRtg": int(category == "B"),
            "702.AbnOpCatRtg": abnormal - 1,
            "dersim.InverterEfficiency": 1.0,
            "dersim.Priority": "reactive" if reactive_first else "active",
        }
        points |= more
        if charge:
            points["713.WHRtg"] = 10_000
        plate = nameplate_from_json(_PLATE, **points)
        self.device = make_device(
            nameplate=plate,
            device_type=DeviceType("bench", "10kW-3Phase", GivenSource),
            functions=FUNCTION_TYPES,
            clock=self.clock,
            start=start,
        )
        self.device.settings.update({"setGradW": 0.0})
        self.device.source.charge_w = charge * RATED
        self.dc(power)
        self.device.step(0.0)

    @property
    def p(self) -> float:
        """Active power, per unit."""
        return self.device.state.p_w / RATED

    @property
    def q(self) -> float:
        """Reactive power, per unit, > 0 injects."""
        return self.device.state.q_var / RATED

    @property
    def energized(self) -> bool:
        """In service and not ceased."""
        return self.device.state.connection.energized

    def dc(self, power: float) -> None:
        """The power of the DC source from now on, per unit."""
        self.device.step(self.clock.time_s)
        self.device.source.available_w = power * RATED
        self.device.disturb()
        self.device.step(self.clock.time_s)

    def grid(self, v: float | tuple[float, float, float] | None = None, f: float | None = None) -> None:
        """The grid source jumps, now; what is None stays."""
        values = {"voltage_pu": v, "frequency_hz": f}
        self.device.inputs.set(**{name: value for name, value in values.items() if value is not None})

    def ask(self, mode: str, value: ModeValue | None, ramp_s: float | None = None) -> None:
        """Give a mode as the utility does; None withdraws it."""
        change = SetpointChange(SetpointSource.CSIP, mode, value, "", ramp_s=ramp_s)
        (outcome,) = self.device.setpoints.submit(change)
        assert outcome.verdict is Verdict.ACCEPTED, outcome.reason

    def go(self, seconds: float, dt_s: float = 0.05) -> None:
        """Let time pass in steps of at most dt_s."""
        for _ in range(max(1, math.ceil(seconds / dt_s - 1e-9))):
            self.clock.time_s += seconds / max(1, math.ceil(seconds / dt_s - 1e-9))
            self.device.step(self.clock.time_s)

    def until(self, energized: bool, most_s: float, dt_s: float = 0.01) -> float:
        """Seconds until the machine is, or is no longer, energized; inf if not within most_s."""
        since_s = self.clock.time_s
        while self.clock.time_s - since_s < most_s:
            self.go(dt_s, dt_s)
            if self.energized is energized:
                return self.clock.time_s - since_s
        return math.inf


def near(procedure: str, clause: str, criterion: str, measured: float, wanted: float, slack: float) -> Row:
    """A criterion that allows `slack` on both sides."""
    return Row(procedure, clause, criterion, measured, wanted - slack, wanted + slack)


def line(points: tuple[tuple[float, float], ...], x: float) -> float:
    """Straight lines between points, flat outside: what a curve of 1547 asks for."""
    xs = [point[0] for point in points]
    index = bisect_right(xs, x)
    if index == 0:
        return points[0][1]
    if index == len(points):
        return points[-1][1]
    (x0, y0), (x1, y1) = points[index - 1 : index + 1]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 > x0 else y1


def percent(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Points in per unit as a DERCurve has them."""
    return tuple((100 * x, 100 * y) for x, y in points)
