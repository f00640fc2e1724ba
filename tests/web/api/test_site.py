"""The site's meter over REST."""

import json

from tests.web.conftest import make_state

from dersim.grid.site_load import SiteLoad
from dersim.hardware.site_meter import SiteMeter


def with_site(running):
    """Give the first DER a load of 3 kW and 900 var."""
    device = running.context.fleet.devices[0].begin()
    device.inputs.site = SiteLoad(3, 0.9)
    meter = SiteMeter(3)
    meter.see((1000.0, 1000.0, 1000.0), (300.0, 300.0, 300.0))
    meter.count_to(8000.0, -600.0, 8000.0, -600.0, 0.0)
    meter.count_to(8000.0, -600.0, 8000.0, -600.0, 3600.0)
    third = 1 / 3
    device.told = make_state(site=meter.read(8000.0, -600.0, (third,) * 3, (277.0, 277.2, 277.4)))
    return device


async def test_the_meter_and_the_overview_tell_the_same(open_site):
    async with open_site() as site:
        with_site(site)
        meter = json.loads((await site("GET", "/api/dersim/site")).body)
        overview = json.loads((await site("GET", "/api/dersim/overview")).body)["site"]
    assert overview == {
        "power_kw": 5.0,
        "reactive_power_kvar": -1.5,
        "load_kw": 3.0,
        "load_kvar": 0.9,
        "energy_imported_kwh": 0.0,
        "energy_exported_kwh": meter["energy"]["exported_kwh"],
    }
    assert {name: meter[name] for name in ("power_kw", "reactive_power_kvar", "load_kw")} == {
        "power_kw": 5.0,
        "reactive_power_kvar": -1.5,
        "load_kw": 3.0,
    }
    assert meter["energy"] == {
        "imported_kwh": 0.0,
        "exported_kwh": 5.0,
        "q1_kvarh": 0.0,
        "q2_kvarh": 1.5,
        "q3_kvarh": 0.0,
        "q4_kvarh": 0.0,
    }
    assert len(meter["phases"]) == 3
    assert meter["phases"][0]["power_kw"] == 1.666667


async def test_a_post_changes_the_load(open_site):
    async with open_site() as site:
        with_site(site)
        one = await site("POST", "/api/dersim/inputs", body=b'{"load_w": 2500}')
        three = await site("POST", "/api/dersim/inputs", body=b'{"load_w": [1, 2, 3], "load_var": 0}')
        wrong = await site("POST", "/api/dersim/inputs", body=b'{"load_w": [1, 2]}')
    first = json.loads(one.body)
    assert first["load_w"] == 2500
    assert round(first["load_var"], 3) == 1210.805
    assert json.loads(three.body)["load_w"] == [1, 2, 3]
    assert json.loads(three.body)["load_var"] == 0
    assert json.loads(wrong.body)["errors"][0]["pointer"] == "/load_w"


async def test_without_a_load_the_address_says_how_to_get_one(open_site):
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/site")
        overview = json.loads((await site("GET", "/api/dersim/overview")).body)
        refused = await site("POST", "/api/dersim/inputs", body=b'{"load_w": 5}')
    assert answer.status == 409
    assert "--site_load 0" in json.loads(answer.body)["hint"]
    assert overview["site"] is None
    assert refused.status == 400
    assert json.loads(refused.body)["detail"].startswith("load_w: the DER has no load behind its meter")
