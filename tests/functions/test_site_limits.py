"""A limit of what a site exports: it ramps as a command, and what the load does acts at once."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from dersim.device import Device, ManualClock
from dersim.functions.base import Function
from dersim.functions.contract import Demand, FunctionType
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.grid.site_load import SiteLoad
from dersim.hardware.measured import Measured
from dersim.modes import ModeValue
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

#: Any mode of one number will do: the test's function takes it from the one that comes with dersim.
MODE = "opModTargetW"


class ExportLimit(Function):
    """At most so many W beyond the load."""

    limit_w = math.inf

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        watts = modes.get(MODE)
        self.limit_w = float(watts) if isinstance(watts, int | float) else math.inf

    def step(self, dt_s: float, seen: Measured) -> Demand:
        return Demand(limit_w=self.limit_w + seen.load_w, follows_load=True)


TYPE = FunctionType("export-limit", (MODE,), "command", ExportLimit)


def machine(load_w: float = 0.0, load: Profile | None = None) -> tuple[Device, ManualClock]:
    clock, site = ManualClock(), SiteLoad(3)
    conditions = Conditions(irradiance_w_m2=2000.0)._replace(**site.completed({"load_w": load_w}))
    inputs = Inputs(conditions, load=None if load is None else site.of_profile(load), site=site)
    functions = (*(each for each in FUNCTION_TYPES if MODE not in each.modes), TYPE)
    device = make_device(clock=clock, inputs=inputs, functions=functions)
    device.settings.update({"setGradW": 1.0})
    device.step(0.0)
    return device, clock


def limit(device: Device, watts: float | None) -> None:
    device.setpoints.submit(SetpointChange(SetpointSource.REST, MODE, watts))


def run_to(device: Device, clock: ManualClock, end_s: float, tick_s: float = 1.0) -> None:
    while clock.time_s < end_s:
        clock.time_s = min(clock.time_s + tick_s, end_s)
        device.step(clock.time_s)


def site_w(device: Device) -> float:
    assert device.state.site is not None
    return device.state.site.p_w


def test_the_limit_ramps_and_the_load_acts_at_once() -> None:
    device, clock = machine(load_w=1000.0)
    limit(device, 2000.0)
    run_to(device, clock, 30.0)
    assert device.state.p_w == pytest.approx(10_000 - 3000)
    device.inputs.set(load_w=500)
    assert device.state.p_w == pytest.approx(6500)
    run_to(device, clock, 300.0)
    assert site_w(device) == pytest.approx(2000)
    for load_w in (6000.0, 0.0, 3000.0):
        device.inputs.set(load_w=load_w)
        assert site_w(device) == pytest.approx(2000)
    limit(device, None)
    run_to(device, clock, 310.0)
    assert device.state.p_w == pytest.approx(5000 + 1000)


def test_a_load_beyond_the_rating_leaves_no_ramp_behind() -> None:
    device, clock = machine()
    limit(device, 2000.0)
    run_to(device, clock, 300.0)
    device.inputs.set(load_w=50_000)
    assert device.state.p_w == pytest.approx(10_000)
    device.inputs.set(load_w=1000)
    assert site_w(device) == pytest.approx(2000)


@pytest.mark.parametrize("tick_s", [0.5, 7.0, 60.0])
def test_the_export_stays_at_the_limit_through_a_profile_at_any_tick(tick_s: float) -> None:
    rows = Profile([0.0, 400.0, 433.0, 500.0], {"load_w": [500.0, 7000.0, 1000.0, 2500.0]}, stepwise=True)
    device, clock = machine(load=rows)
    limit(device, 2000.0)
    run_to(device, clock, 300.0, tick_s)
    before = device.state.site
    run_to(device, clock, 540.0, tick_s)
    after = device.state.site
    assert before is not None
    assert after is not None
    exported_ws = 3600 * (after.energy.exported_wh - before.energy.exported_wh)
    assert exported_ws == pytest.approx(2000 * 240, rel=1e-6)
    assert after.energy.imported_wh == before.energy.imported_wh
