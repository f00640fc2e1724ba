"""Modes read and set over REST, on a real device."""

import json

import pytest

from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


@pytest.fixture
def real(open_site):
    """A site whose first device is a real one, stepped once."""

    def make_real(site):
        clock = site.context.clock
        device = site.context.fleet.devices[0] = make_device(1, clock=clock)
        device.step(clock.now_s())
        return device

    return make_real


async def post(site, body):
    answer = await site("POST", "/api/dersim/setpoints", body=json.dumps(body).encode())
    return answer.status, json.loads(answer.body)


async def mode(site, name):
    document = json.loads((await site("GET", "/api/dersim/functions")).body)
    return next(m for f in document["functions"] for m in f["modes"] if m["mode"] == name)


async def test_a_limit_set_over_rest_is_in_force_and_can_be_withdrawn(open_site, real):
    async with open_site() as site:
        device = real(site)
        status, document = await post(site, {"modes": {"opModMaxLimW": 40}})
        assert status == 200
        assert ("opModMaxLimW", 40.0, "rest") in [
            (each["mode"], each["value"], each["source"]) for each in document["in_force"]
        ]
        assert (await mode(site, "opModMaxLimW"))["rest"] == 40
        assert device.setpoints.value("opModMaxLimW") == 40
        await post(site, {"modes": {"opModMaxLimW": None}})
        assert device.setpoints.value("opModMaxLimW") is None
        assert (await mode(site, "opModMaxLimW"))["rest"] is None


async def test_a_curve_and_a_reversion(open_site, real):
    curve = [[92, 44], [98, 0], [102, 0], [108, -44]]
    async with open_site() as site:
        device = real(site)
        status, _ = await post(site, {"modes": {"opModVoltVar": {"curve": curve}}, "duration_s": 60})
        assert status == 200
        assert device.setpoints.value("opModVoltVar").points == tuple(map(tuple, curve))
        shown = await mode(site, "opModVoltVar")
        assert shown["kind"] == "curve"
        assert shown["in_force"]["until"] > shown["in_force"]["since"]


async def test_an_active_control_rules_over_rest(open_site, real):
    async with open_site() as site:
        device = real(site)
        device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 60.0, "C1"))
        await post(site, {"modes": {"opModMaxLimW": 40}})
        shown = await mode(site, "opModMaxLimW")
        assert (shown["in_force"]["value"], shown["rest"]) == (60, 40)


@pytest.mark.parametrize(
    ("modes", "status", "words"),
    [
        ({"opModMaxLimW": 140}, 400, "140"),
        ({"opModFly": 1}, 400, "not known"),
        ({"opModFly": None}, 400, "not known"),
        ({"opModVoltVar": {"curve": [[92, 30], [90, 0]]}}, 400, "x must not fall"),
        ({}, 400, "at least one"),
    ],
)
async def test_refusals_change_nothing(open_site, real, modes, status, words):
    async with open_site() as site:
        device = real(site)
        before = device.setpoints.changes
        answered, problem = await post(site, {"modes": modes})
        assert answered == status
        assert words in json.dumps(problem)
        assert device.setpoints.changes == before


async def test_the_timeline_pairs_begin_and_end(open_site, real):
    async with open_site(csip=False) as site:
        device = real(site)
        device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 60.0, "C1"))
        device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 50.0, "C2"))
        device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 500.0, "C3"))
        device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", None, "C2"))
        device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 40.0, "REST"))
        document = json.loads((await site("GET", "/api/dersim/timeline")).body)
    told = [(each["value"], each["detail"], each["end"] is None) for each in document["applied"]]
    assert told == [(60, "C1", False), (50, "C2", False), (40, "REST", True)]
