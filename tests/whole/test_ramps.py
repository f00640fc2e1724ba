"""How fast a change is made: by the rampTms of what is changed to, else by setGradW (2030.5-2018 10.10.4)."""

import pytest
import trio

from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

RAMP_S = 10


async def powers(house, seconds):
    """What the overview shows in each of the coming seconds."""
    before = len(house.story)
    await trio.sleep(seconds)
    return [event.p_w for event in house.story[before:]]


@pytest.mark.parametrize(("ramp", "steps"), [({}, 1), ({"rampTms": RAMP_S}, RAMP_S)])
async def test_the_ramp_of_a_default_is_for_the_way_back_alone(autojump_clock, open_house, ramp, steps):
    house = await open_house("PV", {"opModMaxLimW": 60, "rampTms": RAMP_S, "setGradW": 100})
    await house.await_mode("rampTms", "csip-default")
    await trio.sleep(RAMP_S + 2)
    house.publish({"opModMaxLimW": 20, **ramp}, duration_s=40)
    await house.await_mode("opModMaxLimW", "csip")
    line = await house.in_force("rampTms")
    assert (line and line["source"]) == ("csip" if ramp else None)
    down = await powers(house, 20)
    on_the_way = [p for p in down if 2001 < p < 5999]
    assert len(on_the_way) in (steps - 1, steps)
    assert down[-1] == pytest.approx(2000, abs=1)
    await house.await_mode("opModMaxLimW", "csip-default")
    up = await powers(house, 20)
    assert len([p for p in up if 2001 < p < 5999]) in (RAMP_S - 2, RAMP_S - 1, RAMP_S)
    assert up[-1] == pytest.approx(6000, abs=1)


async def test_the_ramp_of_a_control_is_not_for_a_limit_of_another_source(autojump_clock, open_house):
    house = await open_house("PV", {"setGradW": 100})
    factor = {"pf": 0.95, "excitation": "inject"}
    house.publish({"opModFixedPFInjectW": factor, "rampTms": 60}, duration_s=200)
    await house.await_mode("opModFixedPFInjectW", "csip")
    change = SetpointChange(SetpointSource.REST, "opModMaxLimW", 20.0)
    assert house.device.setpoints.submit(change)[0].verdict is Verdict.ACCEPTED
    assert (await powers(house, 3))[-1] == pytest.approx(2000, abs=1)
    assert house.device.setpoints.value("rampTms") == 60
    house.device.setpoints.submit(change._replace(value=None))
    assert (await powers(house, 3))[-1] > 6500
    quarter_q = house.story[-1].q_var / house.story[-1].p_w
    assert 0 < quarter_q < 0.8 * 0.3287  # still on its way to 0.95
