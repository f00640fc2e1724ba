"""A ramp by rampTms ends in rampTms, whatever its goal does; then the goal itself is followed."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.functions.ramp import Track
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.modes import Curve, FixedPowerFactor, FixedVar
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

HYBRID = "HybridDC-3Phase"
VOLT_VAR = Curve(((92.0, 100.0), (98.0, 0.0), (102.0, 0.0), (108.0, -100.0)), 2, 5.0)
REST, CSIP = SetpointSource.REST, SetpointSource.CSIP


class Bench:
    """A device with real sources, a clock by hand, and constant inputs to be changed."""

    def __init__(self, device_type: str = "PV", **conditions: Any) -> None:
        self.clock = ManualClock()
        inputs = Inputs(Conditions(**conditions))
        self.device: Device = make_device(device_type=device_type, clock=self.clock, inputs=inputs)
        self.device.step(0.0)

    def ask(self, source: SetpointSource = REST, **modes: Any) -> None:
        changes = [SetpointChange(source, mode, value, "a") for mode, value in modes.items()]
        assert all(o.verdict.name == "ACCEPTED" for o in self.device.setpoints.submit(*changes))

    def go(self, seconds: float, tick_s: float = 1.0) -> None:
        for _ in range(round(seconds / tick_s)):
            self.clock.time_s += tick_s
            self.device.step(self.clock.time_s)

    def sun(self, watts_per_m2: float) -> None:
        self.device.inputs.set(irradiance_w_m2=watts_per_m2)

    @property
    def p(self) -> float:
        return self.device.state.p_w

    @property
    def q(self) -> float:
        return self.device.state.q_var

    @property
    def pv_w(self) -> float:
        return sum(side.available_w for side in self.device.state.dc_sides if side.kind == "pv")


def test_a_hybrid_under_a_full_limit_with_ramp_tms_follows_its_sun() -> None:
    bench = Bench(HYBRID, irradiance_w_m2=400.0)
    bench.ask(opModMaxLimW=100.0, rampTms=60.0)
    for watts in range(400, 1000, 5):
        bench.sun(float(watts))
        bench.go(1)
        assert bench.p == pytest.approx(bench.pv_w)
    bench.sun(0.0)
    bench.go(3600, 60.0)
    assert bench.p == 0.0
    assert bench.device.source.soc_pct == pytest.approx(50.0)


@pytest.mark.parametrize("grad", [0.5, 5.0])
def test_a_hybrid_s_sun_is_not_slowed_by_set_grad_w(grad: float) -> None:
    bench = Bench(HYBRID, irradiance_w_m2=100.0)
    bench.device.settings.update({"setGradW": grad})
    for watts in (900.0, 50.0, 700.0, 0.0):
        bench.sun(watts)
        assert bench.p == pytest.approx(bench.pv_w)


def test_after_a_target_a_hybrid_ramps_to_its_sun_and_then_follows_it() -> None:
    bench = Bench(HYBRID, irradiance_w_m2=800.0)
    bench.device.settings.update({"setGradW": 1.0})
    most_w = bench.device.settings.setMaxW
    bench.ask(CSIP, opModFixedW=10.0)
    bench.go(200)
    bench.ask(CSIP, opModFixedW=None)
    bench.go(10)
    assert bench.p == pytest.approx(0.2 * most_w)
    bench.sun(100.0)  # less than the ramp has reached
    bench.go(1)
    assert bench.p == pytest.approx(bench.pv_w)
    bench.sun(800.0)
    bench.go(1)
    assert bench.p == pytest.approx(bench.pv_w)


def test_the_end_of_a_volt_watt_that_held_nothing_does_not_slow_a_hybrid_s_sun() -> None:
    bench = Bench(HYBRID, irradiance_w_m2=300.0)
    bench.device.settings.update({"setGradW": 1.0})
    bench.ask(opModVoltWatt=Curve(((106.0, 100.0), (110.0, 20.0)), 1, 1.0))
    bench.go(5)
    bench.ask(opModVoltWatt=None)
    bench.go(1)
    bench.sun(900.0)
    bench.go(1)
    assert bench.p == pytest.approx(bench.pv_w)


def test_a_battery_s_command_beside_the_sun_keeps_set_grad_w() -> None:
    bench = Bench(HYBRID, irradiance_w_m2=800.0)
    bench.device.settings.update({"setGradW": 1.0})
    step_w = 0.01 * bench.device.settings.setMaxW
    bench.ask(InWRte=-50.0)  # discharge
    for number in range(1, 6):
        bench.sun(800.0 - 100.0 * number)
        bench.go(1)
        assert bench.p == pytest.approx(bench.pv_w + number * step_w)


@pytest.mark.parametrize("source", [REST, CSIP])
def test_volt_var_with_ramp_tms_reaches_a_goal_that_was_small_at_first(source: SetpointSource) -> None:
    """At 1.021 pu the goal is -73 var; 1.2 var/s would be -1,467 var after 20 minutes."""
    bench = Bench(irradiance_w_m2=500.0, voltage_pu=(1.021,) * 3)
    bench.ask(source, opModVoltVar=VOLT_VAR, rampTms=60.0)
    bench.go(5)
    bench.device.inputs.set(voltage_pu=(1.09,) * 3)
    bench.go(56)
    assert bench.q == pytest.approx(-4400, rel=1e-3)
    bench.device.inputs.set(voltage_pu=(1.0,) * 3)
    bench.go(20)
    assert bench.q == pytest.approx(0.0, abs=1.0)


def test_a_fixed_power_factor_with_ramp_tms_ends_at_the_power_factor_at_dawn() -> None:
    bench = Bench(irradiance_w_m2=20.0)
    bench.ask(opModFixedPFInjectW=FixedPowerFactor(0.9, "inject"), rampTms=60.0)
    for second in range(600):
        bench.sun(20.0 + second)
        bench.go(1)
    bench.go(20)
    assert bench.p / math.hypot(bench.p, bench.q) == pytest.approx(0.9, rel=1e-6)


@pytest.mark.parametrize(("ramp_s", "grad"), [(60.0, 100.0), (None, 1.0)])
def test_settings_written_every_10_s_do_not_hold_up_a_limit(ramp_s: float | None, grad: float) -> None:
    bench = Bench(irradiance_w_m2=1000.0)
    bench.device.settings.update({"setGradW": grad})
    bench.device.setpoints.submit(SetpointChange(CSIP, "opModMaxLimW", 40.0, ramp_s=ramp_s))
    bench.device.setpoints.submit(
        SetpointChange(CSIP, "opModFixedVar", FixedVar(50.0, "setMaxVar"), ramp_s=60.0)
    )
    for number in range(6):
        bench.go(10)
        bench.device.settings.update({"setESDelay": 100.0 + number, "setMaxVar": 4400.0 - number % 2})
    bench.go(5)
    assert bench.p == pytest.approx(4000)
    assert bench.q == pytest.approx(2200, rel=1e-3)


def test_a_goal_that_meets_the_value_on_the_way_does_not_prolong_the_ramp() -> None:
    track = Track(0.0)
    track.start(0.0, 100.0, 10.0)
    for goal in (100.0, 10.0, 19.0, 19.0, 50.0, 100.0, 80.0, 90.0, 70.0):
        track.follow(1.0, goal, 0.0)
    assert track.follow(1.0, 60.0, 0.0) == 60.0
    assert track.left_s == 0.0


POWER_MODES = ("opModMaxLimW", "opModFixedW", "opModTargetW")
MODES: dict[str, Any] = {
    "opModMaxLimW": lambda rng: rng.uniform(0, 100),
    "opModFixedW": lambda rng: rng.uniform(0, 100),
    "opModTargetW": lambda rng: rng.uniform(0, 10_000),
    "opModFixedVar": lambda rng: FixedVar(rng.uniform(-100, 100), "setMaxVar"),
    "opModTargetVar": lambda rng: rng.uniform(-4400, 4400),
    "opModFixedPFInjectW": lambda rng: FixedPowerFactor(
        rng.uniform(0.9, 1), rng.choice(["inject", "absorb"])
    ),
    "opModVoltVar": lambda _: VOLT_VAR,
}


def _disturb(bench: Bench, rng: random.Random) -> None:
    """Move the goals: sun, voltage, and settings that change them or nothing."""
    kind = rng.randrange(4)
    if kind == 0:
        bench.sun(rng.uniform(0, 1000))
    elif kind == 1:
        bench.device.inputs.set(voltage_pu=(rng.uniform(0.95, 1.05),) * 3)
    elif kind == 2:
        bench.device.settings.update({"setMaxW": bench.device.nameplate.rtgMaxW * rng.uniform(0.8, 1)})
    else:
        bench.device.settings.update(
            {"setESDelay": rng.uniform(0, 300), "setMaxVar": rng.uniform(4000, 4400)}
        )


@pytest.mark.parametrize("seed", range(60))
def test_whatever_moves_a_ramp_ends_in_ramp_tms_and_one_tick(seed: int) -> None:
    """Two of the same: one asked with rampTms, one without any ramp; after rampTms they agree."""
    rng = random.Random(seed)
    device_type = rng.choice(["PV", HYBRID, "Batt"])
    mode, ramp_s, tick_s = rng.choice([*MODES]), rng.uniform(1, 60), rng.choice([0.5, 1.0, 7.0])
    ramped, at_once = Bench(device_type), Bench(device_type)
    benches = (ramped, at_once)
    for bench in benches:
        bench.device.settings.update({"setGradW": 0.0})
        bench.go(5)
    value = MODES[mode](rng)
    for bench, rampTms in ((ramped, ramp_s), (at_once, 0.0)):
        bench.device.setpoints.submit(SetpointChange(CSIP, mode, value, ramp_s=rampTms))
    moves = math.ceil(ramp_s / tick_s)
    for number in range(moves + 1):
        if number < moves:
            same = rng.getrandbits(32)
            for bench in benches:
                _disturb(bench, random.Random(same))
        for bench in benches:
            bench.go(tick_s, tick_s)
    if mode in POWER_MODES:
        assert ramped.p == pytest.approx(at_once.p, abs=1e-3)
    # What is left is the open-loop response of Q to the last disturbances, if they came at the very end.
    for bench in benches:
        bench.go(20, 1.0)
    assert ramped.p == pytest.approx(at_once.p, abs=1.0)
    assert ramped.q == pytest.approx(at_once.q, abs=1.0)


def test_a_battery_that_may_give_nothing_charges_by_command_at_once() -> None:
    bench = Bench("Batt-3Phase")
    bench.device.settings.update({"setMaxW": 0.0})
    for percent in (-50.0, -20.0):
        bench.ask(opModFixedW=percent)
        bench.go(3)
        assert bench.p == percent * 100
