"""What binds, in setpoints and overview, over a site."""

import json

from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


async def told(site, path="setpoints"):
    return json.loads((await site("GET", f"/api/dersim/{path}")).body)


async def test_setpoints_and_overview_tell_what_binds(open_site):
    async with open_site() as site:
        device = site.context.fleet.devices[0].begin()
        assert (await told(site))["binding"] == {"p": None, "q": None}
        device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 40.0, "page"))
        for second in (1.0, 2.0, 3.0):
            device.step(second)
        document = await told(site)
        assert document["binding"]["p"] == {
            "mode": "opModMaxLimW", "function": "max-w", "value": 40.0, "source": "rest", "detail": "page",
            "limit_kw": 4.0, "moving": False, "text": "40 % by opModMaxLimW (REST), 4.0 kW",
        }  # fmt: skip
        assert document["return_to_service"] is None
        assert (await told(site, "overview"))["binding"] == document["binding"]


async def test_a_trip_binds_both_and_returns(open_site):
    async with open_site() as site:
        device = site.context.fleet.devices[0].begin()
        device.inputs.set(voltage_pu=1.3)
        device.step(1.0)
        device.step(2.0)
        document = await told(site)
        assert document["binding"]["p"]["mode"] == document["binding"]["q"]["mode"] == "trip"
        assert document["return_to_service"]["state"] == "waiting"
        [waits] = document["return_to_service"]["waits_for"]
        assert waits == {"quantity": "voltage", "value": 130.0, "low": 91.7, "high": 105.0, "unit": "%"}
