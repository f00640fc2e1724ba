"""When a control counts as applied."""

import pytest

from dersim.clock import SimClock
from dersim.load.applied import is_applied
from dersim.modes import FixedPowerFactor
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

START_S = 1_800_000_000.0


@pytest.fixture
def device():
    made = make_device(1, clock=SimClock(start_s=START_S))
    made.step(START_S)
    return made


def submit(device, mode, value, mrid="A", ramp_s=None):
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, mode, value, mrid, None, ramp_s))


def test_a_limit_is_applied_when_p_is_at_most_two_percent_above(device):
    submit(device, "opModMaxLimW", 50.0, ramp_s=60.0)
    device.step(START_S + 1)
    assert is_applied(device, "A") is False
    for second in range(2, 200):
        device.step(START_S + second)
    assert is_applied(device, "A") is True
    assert device.state.p_w <= 0.51 * device.settings.setMaxW


def test_a_target_that_the_source_cannot_give_is_applied_when_it_gives_all(device):
    device.inputs.set(irradiance_w_m2=200.0)
    submit(device, "opModFixedW", 90.0)
    for second in range(1, 200):
        device.step(START_S + second)
    assert device.state.p_w < 0.5 * device.settings.setMaxW
    assert is_applied(device, "A") is True


def test_off_is_applied_at_no_power(device):
    assert device.state.p_w > 0
    submit(device, "opModEnergize", False)
    for second in range(1, 100):
        device.step(START_S + second)
    assert is_applied(device, "A") is True


def test_a_mode_without_p_is_applied_when_it_is_in_force(device):
    submit(device, "opModFixedPFInjectW", FixedPowerFactor(0.95, "inject"))
    assert is_applied(device, "A") is True


def test_a_control_that_rules_nothing_is_looked_at_no_more(device):
    assert is_applied(device, "A") is None
