"""SunSpec models over REST: the registers' own code, on a real device."""

import json

import pytest

from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext
from dersim.sunspec import config
from dersim.sunspec.server import ModbusServer


@pytest.fixture
def with_modbus():
    def add(site):
        clock, context = site.context.clock, site.context
        device = context.fleet.devices[0] = make_device(1, clock=clock)
        device.step(clock.now_s())
        parser = OptionParser()
        config.add_options(parser)
        options = parser.parse_args(["--mb_enable", "no"])
        ModbusServer(
            FrontendContext(
                options, context.fleet, clock, context.log, context.services, stop=None, device=device
            )
        )
        return device

    return add


async def ask(site, body=None, query=""):
    data = b"" if body is None else json.dumps(body).encode()
    answer = await site("POST" if body else "GET", f"/api/dersim/grid-support{query}", body=data)
    return answer.status, json.loads(answer.body)


async def test_a_limit_written_by_name_is_in_force(open_site, with_modbus):
    async with open_site() as site:
        device = with_modbus(site)
        status, shown = await ask(site, {"model": 704, "points": {"WMaxLimPct": 40, "WMaxLimPctEna": True}})
        assert status == 200
        assert (shown["points"]["WMaxLimPct"], shown["points"]["WMaxLimPctEna"]) == (40, 1)
        assert [(i["mode"], i["value"], i["source"]) for i in shown["in_force"]] == [
            ("opModMaxLimW", 40.0, "rest")
        ]
        clock = site.context.clock
        device.step(clock.now_s() + 2)
        assert device.state.p_w == pytest.approx(4000)
        assert (await ask(site, query="?model=103"))[1]["points"]["W"] == 4000


async def test_a_curve_nested_is_adopted(open_site, with_modbus):
    points = {
        "Crv": [None, {"ActPt": 2, "DeptRef": "W_MAX_PCT", "Pt": [{"V": 104, "W": 100}, {"V": 108, "W": 0}]}],
        "AdptCrvReq": 2,
        "Ena": "ENABLED",
    }
    async with open_site() as site:
        device = with_modbus(site)
        status, shown = await ask(site, {"model": 706, "points": points})
        assert (status, shown["points"]["AdptCrvRslt"]) == (200, 1)
        assert device.setpoints.value("opModVoltWatt").points == ((104, 100), (108, 0))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"model": 704, "points": {"WMaxLimPct": 140, "WMaxLimPctEna": 1}}, "140"),
        ({"model": 704, "points": {"WMaxLimPct": "much"}}, "a number is needed, not 'much'"),
        ({"model": 704, "points": {"WMaxLimPct": 1e9}}, "outside 0 to 655.34"),
        ({"model": 704, "points": {"Fly": 1}}, "no point 'Fly'"),
        ({"model": 701, "points": {"W": 1}}, "701.W cannot be written"),
        ({"model": 706, "points": {"Crv": [{"ActPt": 1}]}}, "706.Crv[0].ActPt cannot be written"),
        ({"model": 999, "points": {"W": 1}}, "no model 999"),
        ({"model": 705, "points": {"Ena": "MAYBE"}}, "one of DISABLED, ENABLED"),
        ({"model": 705, "points": {"Ena": 7}}, "7 is not listed"),
    ],
)
async def test_refusals_say_why_and_change_nothing(open_site, with_modbus, body, words):
    async with open_site() as site:
        device = with_modbus(site)
        before = device.setpoints.changes
        status, problem = await ask(site, body)
        assert status == 400
        assert words in problem["detail"]
        assert device.setpoints.changes == before
