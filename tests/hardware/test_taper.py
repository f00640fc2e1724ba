"""The taper of a battery before full and empty."""

import math

import pytest

from dersim.device import ManualClock
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.taper import hours_until, share_after
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


@pytest.mark.parametrize(
    ("left_wh", "share"), [(1000, 1.0), (750, 1.0), (375, 0.5), (75, 0.1), (30, 0.05), (0, 0.05)]
)
def test_the_share_at_an_instant(left_wh: float, share: float) -> None:
    assert share_after(left_wh, 750, 10_000, 10_000, 0.0) == pytest.approx(share)


@pytest.mark.parametrize(("power_w", "hours"), [(10_000, 0.05), (10_000, 0.0), (6000, 0.09)])
def test_the_share_after_some_time_is_that_of_many_short_steps(power_w: float, hours: float) -> None:
    left_wh, steps = 1000.0, 10_000
    for _ in range(steps):
        share = share_after(left_wh, 750, 10_000, power_w, 0.0)
        left_wh -= min(power_w, share * 10_000) * hours / steps
    assert share_after(1000.0, 750, 10_000, power_w, hours) == pytest.approx(share, abs=1e-3)


def test_without_a_taper_the_share_is_one_and_the_power_goes_on_until_the_limit() -> None:
    assert share_after(500, 0, 10_000, 10_000, 0.05) == 1.0
    assert hours_until(500, 0, 10_000, 10_000) == pytest.approx(0.05)
    assert hours_until(500, 0, 10_000, 0.0) == math.inf


def test_a_power_goes_on_until_its_share() -> None:
    assert hours_until(1000, 750, 10_000, 10_000) == pytest.approx(0.025)
    assert hours_until(1000, 750, 10_000, 5000) == pytest.approx(0.125)
    assert hours_until(30, 750, 10_000, 500) == pytest.approx(0.06)


def test_the_limit_is_reached_after_the_time_that_the_taper_needs() -> None:
    """Full power to 5 % of the capacity, the exponential to 5 % of that, then 5 % of the power."""
    plate = read_nameplate(
        bundled("15kWh-3Phase"), **{"dersim.SelfDischargeW": 0.0, "dersim.ChargeEfficiency": 1.0}
    )
    clock = ManualClock()
    device = make_device(device_type="Batt", nameplate=plate, clock=clock)
    device.step(0.0)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetW", -10_000.0))
    taper_wh, last_wh = 0.05 * 15_000, 0.05**2 * 15_000
    ahead_wh = (plate.soc_max_pct - plate.soc_pct) / 100 * 15_000
    hours = ((ahead_wh - taper_wh) + taper_wh * math.log(20) + last_wh * 20) / 10_000
    clock.time_s = hours * 3600 - 5
    device.step(clock.time_s)
    assert device.state.p_w == pytest.approx(-500)
    clock.time_s += 10
    device.step(clock.time_s)
    assert device.state.p_w == 0
    assert device.state.soc_pct == pytest.approx(plate.soc_max_pct, abs=1e-3)


@pytest.mark.parametrize("target_w", [10_000.0, -10_000.0, 4000.0])
def test_ticks_of_any_length_move_the_same_energy(target_w: float) -> None:
    found = []
    for tick_s in (1, 60, 300):
        clock = ManualClock()
        device = make_device(device_type="Batt", clock=clock)
        device.step(0.0)
        device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetW", target_w))
        seen = []
        for second in range(tick_s, 5401, tick_s):
            clock.time_s = second
            device.step(clock.time_s)
            if second % 300 == 0:
                state = device.state
                assert state.soc_pct is not None
                energy = sum(state.exported_wh) + sum(state.imported_wh)
                seen.append((state.soc_pct, energy / 10, state.p_w / 100))
        found.append(seen)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert b == pytest.approx(a, rel=1e-3, abs=0.5)
