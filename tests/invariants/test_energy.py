"""I5: what a register does wrong is found, and what it does right is not."""

import pytest
from tests.invariants.rig import Rig

from dersim.invariants.energy import Energy
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def limit(percent, ramp_s=0.0):
    return SetpointChange(SetpointSource.REST, "opModMaxLimW", percent, ramp_s=ramp_s)


def test_a_healthy_register_is_the_integral():
    rig = Rig(Energy())
    assert rig.tick(1800) == []
    rig.device.setpoints.submit(limit(50.0, ramp_s=60.0))
    assert rig.tick(300) == []
    rig.device.inputs.set(irradiance_w_m2=200.0)
    rig.clock.time_s += 0.4
    rig.device.setpoints.submit(limit(3.0))
    assert rig.tick(1800) == []


@pytest.mark.parametrize("share", [0.99, 1.01])
def test_a_register_that_counts_one_percent_wrong_is_found(share):
    rig = Rig(Energy())
    rig.tick(20)
    registers, count = rig.device._registers, rig.device._registers.count
    registers.count = lambda p_w, q_var, dt_s: count(share * p_w, q_var, dt_s)
    found = rig.tick(600)
    assert {each.id for each in found} == {"I5"}
    assert "exported Wh to have risen by" in found[0].expected


def test_a_register_that_goes_back_is_found_once():
    rig = Rig(Energy())
    rig.tick(600)
    rig.device._registers._exported[:] = [0.0, 0.0, 0.0]
    rig.device.disturb()
    found = rig.tick(60)
    assert [each.id for each in found] == ["I5"]
    assert found[0].expected.startswith("exported Wh not below")


def test_a_register_with_the_wrong_sign_is_found():
    rig = Rig(Energy())
    registers, count = rig.device._registers, rig.device._registers.count
    registers.count = lambda p_w, q_var, dt_s: count(-p_w, q_var, dt_s)
    found = rig.tick(60)
    assert found
    assert {"exported", "imported"} & {each.expected.split()[0] for each in found}


def test_a_failed_der_counts_no_more():
    rig = Rig(Energy())
    rig.tick(30)
    rig.device.fail("test")
    assert rig.tick(60) == []


def test_the_registers_of_a_site_only_rise():
    rig = Rig(Energy(), load_w=3000.0)
    assert rig.tick(600) == []
    rig.device.inputs.set(load_w=50_000)
    assert rig.tick(600) == []
    rig.device._registers.site._registers[1] = 0.0
    rig.device.disturb()
    found = rig.tick(60)
    assert [each.expected.partition(" not")[0] for each in found] == ["exported_wh of the site"]
