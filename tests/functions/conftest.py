"""A device on the bench: a source of given power, a grid at will, time by hand."""

from __future__ import annotations

from typing import Any

import pytest

from dersim.device import ManualClock
from dersim.grid.conditions import Conditions
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import nameplate_from_json
from dersim.hardware.source import GivenSource
from dersim.modes import ModeValue
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

PLATE: dict[str, dict[str, Any]] = {
    "701": {"ACType": 3},
    "702": {
        "WMaxRtg": 10_000,
        "VAMaxRtg": 10_000,
        "VarMaxInjRtg": 4_400,
        "VarMaxAbsRtg": 4_400,
        "VNomRtg": 480,
        "PFOvrExtRtg": 0.8,
        "PFUndExtRtg": 0.8,
    },
    "714": {"Prt": [{"DCW": 10_000}]},
}


class Rig:
    """10 kW, 10 kVA, 4.4 kvar, three phases, on a given source of `sun_w`; setGradW 0 (no limit)."""

    def __init__(
        self, sun_w: float = 8000.0, charge_w: float = 0.0, *, start: str = "in_service", **points: Any
    ):
        self.clock = ManualClock()
        plate = nameplate_from_json(PLATE, **{"dersim.InverterEfficiency": 1.0} | points)
        kind = DeviceType("rig", "10kW-3Phase", GivenSource)
        self.device = make_device(
            nameplate=plate, device_type=kind, functions=FUNCTION_TYPES, clock=self.clock, start=start
        )
        self.device.settings.update({"setGradW": 0.0})
        self.sun(sun_w)
        self.device.source.charge_w = charge_w
        self.device.step(0.0)

    @property
    def p(self) -> float:
        return self.device.state.p_w

    @property
    def q(self) -> float:
        return self.device.state.q_var

    def sun(self, watts: float) -> None:
        self.device.source.available_w = watts
        self.device.chain.settled = False

    def grid(self, v: float | tuple[float, float, float] = 1.0, f: float = 60.0) -> None:
        """The grid jumps, now."""
        self.device.inputs.set(voltage_pu=v, frequency_hz=f)

    def ask(
        self,
        mode: str,
        value: ModeValue | None,
        source: SetpointSource = SetpointSource.CSIP,
        detail: str = "",
        ramp_s: float | None = None,
    ) -> None:
        change = SetpointChange(source, mode, value, detail, ramp_s=ramp_s)
        (outcome,) = self.device.setpoints.submit(change)
        assert outcome.verdict is Verdict.ACCEPTED, outcome.reason

    def refused(self, mode: str, value: ModeValue) -> str:
        outcome = self.device.setpoints.check(mode, value)
        assert outcome.verdict is Verdict.OUT_OF_RANGE
        return outcome.reason

    def go(self, seconds: float, dt_s: float = 0.1) -> list[tuple[float, float]]:
        """Let time pass; (p, q) after each step of dt_s."""
        out = []
        for _ in range(round(seconds / dt_s)):
            self.clock.time_s += dt_s
            self.device.step(self.clock.time_s)
            out.append((self.p, self.q))
        return out

    def conditions(self) -> Conditions:
        return self.device.inputs.at(self.clock.time_s)


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def make_rig() -> type[Rig]:
    return Rig
