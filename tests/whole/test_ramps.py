"""How fast a change is made: by the rampTms of what is changed to, else by setGradW (2030.5-2018 10.10.4)."""

import pytest
import trio

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
