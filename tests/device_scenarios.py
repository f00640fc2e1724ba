"""Scenarios of one DER: a machine, settings, controls, grid and weather over time.

A scenario is plain data that can be printed. `play` carries it out with a division into ticks; everything in
it happens at the same instants whatever the division.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.hardware.device_type import DeviceType, find_type
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.plugin.builtin import DEVICE_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

#: Instants lie on this grid (s), so that no timer with a round number ends at the same time.
INSTANT_S = 0.5137
#: Within the length of a scenario, and seconds rather than minutes.
ENTER_SERVICE = {"setESDelay": 5.0, "setESRampTms": 20.0}
#: The range of most changes of these settings; the full one mostly keeps the DER out of service.
_SMALL = {
    "setESDelay": (0.0, 20.0),
    "setESRandomDelay": (0.0, 10.0),
    "setESRampTms": (0.0, 60.0),
    "setESLowVolt": (88.0, 95.0),
    "setESHighVolt": (105.0, 110.0),
    "setESLowFreq": (59.0, 59.9),
    "setESHighFreq": (60.1, 61.0),
    "setGradW": (0.0, 10.0),
    "setSoftGradW": (0.0, 10.0),
}
#: Likewise, per unit of rtgVNom.
_SMALL_PU = {"setVNom": (0.95, 1.05), "setVRef": (0.95, 1.05), "setVRefOfs": (-0.04, 0.04)}


class Setting(NamedTuple):
    """Write a setting at a share of the allowed range; small: of a small range around nominal."""

    name: str
    share: float
    small: bool = True

    def act(self, device: Device) -> None:
        """Write it."""
        low, high = device.settings.allowed(self.name)
        if self.small and self.name in _SMALL:
            low, high = _SMALL[self.name]
        elif self.small and self.name in _SMALL_PU:
            low, high = (share * device.nameplate.rtgVNom for share in _SMALL_PU[self.name])
        elif self.name == "setMaxVarNeg":
            low, high = high, low
        device.settings.update({self.name: low + self.share * (high - low)}, device._clock.now_s())


class Ask(NamedTuple):
    """Submit a setpoint; None withdraws. A number for a mode in W or var is a share of the rating."""

    mode: str
    value: Any
    source: SetpointSource = SetpointSource.REST
    ramp_s: float | None = None
    for_s: float | None = None

    def act(self, device: Device) -> None:
        """Submit it; the device may refuse it."""
        value, plate = self.value, device.nameplate
        if self.mode == "opModTargetVar" and value is not None:
            value *= plate.rtgMaxVar
        elif self.mode == "opModTargetW" and value is not None:
            value *= plate.rtgMaxW if value > 0 else plate.rtgMaxChargeRateW
        until = None if self.for_s is None or value is None else device._clock.now_s() + self.for_s
        if self.mode in device.setpoints.supported_modes:
            change = SetpointChange(self.source, self.mode, value, "", until, self.ramp_s)
            device.setpoints.submit(change)


class Conditioned(NamedTuple):
    """Change inputs of grid or weather."""

    values: tuple[tuple[str, Any], ...]

    def act(self, device: Device) -> None:
        """Set them."""
        device.inputs.set(**dict(self.values))


class Commanded(NamedTuple):
    """The operator's start, stop or reset."""

    command: Any

    def act(self, device: Device) -> None:
        """Give the command."""
        device.command(self.command)


Action = Setting | Ask | Conditioned | Commanded


class Scenario(NamedTuple):
    """A machine and what happens to it.

    plate: changes of nameplate points. first: before time 0. later: (instants since the one before, action).
    rows: of a grid profile, as (instants, voltage of each phase pu, Hz); without any the grid is constant.
    """

    kind: str
    plate: tuple[tuple[str, Any], ...]
    conditions: Conditions
    first: tuple[Action, ...]
    later: tuple[tuple[int, Action], ...]
    rows: tuple[tuple[int, tuple[float, float, float], float], ...] = ()

    @property
    def instants(self) -> list[float]:
        """When something happens, s, from 0 to the end."""
        times, total = [0.0], 0
        for gap, _ in self.later:
            total += gap
            times.append(total * INSTANT_S)
        return times

    def make(self) -> tuple[Device, ManualClock]:
        """The machine at time 0, after `first`."""
        kind: DeviceType = find_type(self.kind, DEVICE_TYPES)
        plate = read_nameplate(bundled(kind.profile), **dict(self.plate))
        clock = ManualClock()
        inputs = Inputs(self.conditions, grid=self._profile())
        device = make_device(device_type=kind, nameplate=plate, clock=clock, inputs=inputs)
        device.settings.update(ENTER_SERVICE)
        for action in self.first:
            action.act(device)
        device.step(0.0)
        return device, clock

    def _profile(self) -> Profile | None:
        if not self.rows:
            return None
        times, total = [], 0
        for gap, _, _ in self.rows:
            times.append(total * INSTANT_S)
            total += gap
        # The last row lasts as long as the one before it.
        times.append(total * INSTANT_S)
        columns: dict[str, list[Any]] = {
            "voltage_pu": [v for _, v, _ in self.rows] + [self.rows[-1][1]],
            "frequency_hz": [f for _, _, f in self.rows] + [self.rows[-1][2]],
        }
        return Profile(times, columns, stepwise=True)


def play(scenario: Scenario, ticks_s: tuple[float, ...]) -> Iterator[tuple[Device, bool]]:
    """Carry out a scenario; yields the device after each tick, and with True before and after each action.

    ticks_s: lengths of the ticks in turn, whatever happens in between.
    """
    device, clock = scenario.make()
    yield device, True
    count = 0
    for end_s, (_, action) in zip(scenario.instants[1:], scenario.later, strict=True):
        while clock.time_s < end_s:
            clock.time_s = min(clock.time_s + ticks_s[count % len(ticks_s)], end_s)
            count += 1
            device.step(clock.time_s)
            yield device, clock.time_s == end_s
        action.act(device)
        device.step(clock.time_s)
        yield device, True


def finite(device: Device) -> bool:
    """Whether the last state has no NaN or infinity."""
    s = device.state
    numbers = (
        s.p_w, s.q_var, s.s_va, s.dc_w, s.dc_v, s.dc_a, s.available_w, s.charge_available_w,
        s.var_inject_available, s.var_absorb_available, s.soc_pct or 0.0, s.cell_temperature_c,
        *s.current_a, *s.voltage_ln_v, *s.voltage_ll_v, *s.phase_p_w, *s.phase_q_var,
        *s.exported_wh, *s.imported_wh, *s.injected_varh, *s.absorbed_varh,
    )  # fmt: skip
    return all(math.isfinite(x) for x in numbers)
