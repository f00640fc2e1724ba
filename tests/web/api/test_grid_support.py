"""Modes read and set over REST, on a real device."""

import json

import pytest

from dersim.errors import ConfigError
from dersim.fleet import Device
from dersim.setpoints import SetpointChange, Source


@pytest.fixture
def real(open_site):
    """A site whose first device is a real one, stepped once."""

    def make_real(site):
        clock = site.context.clock
        device = site.context.fleet.devices[0] = Device(1, clock=clock)
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
        device.setpoints.submit(SetpointChange(Source.CSIP, "opModMaxLimW", 60.0, "C1"))
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


class StandInRegisters:
    """As `dersim.sunspec.server.ModbusServer` answers: one model with one point, and its setpoint."""

    def __init__(self, device):
        self.device = device

    def shown_points(self, model=None):
        if model is None:
            return {"models": [{"model": 704, "name": "DERCtlAC"}]}
        if model != 704:
            raise ConfigError(f"this device has no model {model}; it has 704")
        return {"model": 704, "points": {"WMaxLimPct": self.device.setpoints.value("opModMaxLimW")}}

    def apply_points(self, model, points):
        self.shown_points(model)
        self.device.setpoints.submit(
            SetpointChange(Source.REST, "opModMaxLimW", float(points["WMaxLimPct"]), "704.WMaxLimPct")
        )
        return self.shown_points(model)


async def test_points_of_a_sunspec_model_are_the_same_setpoints(open_site, real):
    async with open_site() as site:
        device = real(site)
        site.context.services["modbus", 1] = StandInRegisters(device)
        body = b'{"model": 704, "points": {"WMaxLimPct": 40}}'
        document = json.loads((await site("POST", "/api/dersim/grid-support", body=body)).body)
        assert (document["model"], document["points"]) == (704, {"WMaxLimPct": 40})
        assert [(e["mode"], e["value"], e["source"]) for e in document["in_force"]] == [
            ("opModMaxLimW", 40.0, "rest")
        ]
        await post(site, {"modes": {"opModMaxLimW": 70}})
        shown = json.loads((await site("GET", "/api/dersim/grid-support?model=704")).body)
        listed = json.loads((await site("GET", "/api/dersim/grid-support")).body)
    assert shown["points"]["WMaxLimPct"] == 70
    assert listed == {"models": [{"model": 704, "name": "DERCtlAC"}]}


async def test_a_refusal_of_the_registers_is_a_bad_request_that_says_why(open_site, real):
    async with open_site() as site:
        site.context.services["modbus", 1] = StandInRegisters(real(site))
        wrong = b'{"model": 9, "points": {"A": 1}}'
        answer = await site("POST", "/api/dersim/grid-support", body=wrong)
        read = await site("GET", "/api/dersim/grid-support?model=9")
    assert (answer.status, read.status) == (400, 400)
    assert json.loads(answer.body)["detail"] == "this device has no model 9; it has 704"


async def test_without_registers_grid_support_says_so(open_site):
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/grid-support")
    assert answer.status == 503


async def test_the_timeline_pairs_begin_and_end(open_site, real):
    async with open_site(csip=False) as site:
        device = real(site)
        device.setpoints.submit(SetpointChange(Source.CSIP, "opModMaxLimW", 60.0, "C1"))
        device.setpoints.submit(SetpointChange(Source.CSIP, "opModMaxLimW", 50.0, "C2"))
        device.setpoints.submit(SetpointChange(Source.CSIP, "opModMaxLimW", 500.0, "C3"))
        device.setpoints.submit(SetpointChange(Source.CSIP, "opModMaxLimW", None, "C2"))
        device.setpoints.submit(SetpointChange(Source.REST, "opModMaxLimW", 40.0, "REST"))
        document = json.loads((await site("GET", "/api/dersim/timeline")).body)
    told = [(each["value"], each["detail"], each["end"] is None) for each in document["applied"]]
    assert told == [(60, "C1", False), (50, "C2", False), (40, "REST", True)]
