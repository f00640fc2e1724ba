"""I4: power beyond a rating or a limit is found."""

import pytest
from tests.invariants.rig import Rig

from dersim.invariants.power import Power
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def limit(percent, ramp_s):
    return SetpointChange(SetpointSource.REST, "opModMaxLimW", percent, ramp_s=ramp_s)


def test_a_limit_is_kept_after_its_ramp():
    rig = Rig(Power())
    rig.tick(5)
    rig.device.setpoints.submit(limit(20.0, 30.0))
    assert rig.tick(60) == []


def test_a_limit_that_is_not_carried_out_is_found_only_after_its_ramp():
    rig = Rig(Power())
    rig.tick(5)
    rig.device.functions["max-w"].configure = lambda modes, seen: None
    rig.device.setpoints.submit(limit(20.0, 30.0))
    assert rig.tick(31) == []
    found = rig.tick(5)
    assert found
    assert "P at most" in found[0].expected


def test_a_limit_below_another_one_is_judged_from_when_it_came_into_force():
    rig = Rig(Power())
    default = SetpointChange(SetpointSource.CSIP_DEFAULT, "opModMaxLimW", 20.0, ramp_s=30.0)
    rig.device.setpoints.submit(default, limit(60.0, 0.0))
    assert rig.tick(60) == []
    rig.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", None))
    assert rig.tick(60) == []


def test_a_limit_that_was_below_another_one_within_a_tick_is_judged_anew():
    """A control of a second: the power rises, and has to come down by the ramp again."""
    rig = Rig(Power())
    rig.device.setpoints.submit(
        SetpointChange(SetpointSource.CSIP_DEFAULT, "opModMaxLimW", 20.0, ramp_s=30.0)
    )
    assert rig.tick(60) == []
    rig.device.setpoints.submit(limit(90.0, 0.0))
    rig.clock.time_s += 0.5
    rig.device.step(rig.clock.time_s)
    rig.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", None))
    rig.clock.time_s -= 0.5
    assert rig.tick(60) == []


@pytest.mark.parametrize(("name", "value", "what"), [("p_w", 1e6, "P"), ("q_var", -1e6, "Q")])
def test_power_beyond_a_rating_is_found(name, value, what):
    rig = Rig(Power())
    rig.tick()
    rig.device._state = rig.device.state._replace(**{name: value})
    found = rig.watcher.step()
    assert [each.expected[0] for each in found] == [what, "S"]
