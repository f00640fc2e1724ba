"""Operator commands."""

import json


async def test_commands_reach_the_device_and_are_listed(open_site):
    async with open_site(count=2) as site:
        first = await site("POST", "/api/dersim/commands", body=b'{"command": "stop", "device": 2}')
        second = await site("POST", "/api/dersim/commands?device=1", body=b'{"command": "reset"}')
        listed = json.loads((await site("GET", "/api/dersim/commands")).body)
    assert (first.status, second.status) == (200, 200)
    assert site.context.fleet.devices[0].commands == ["reset"]
    assert site.context.fleet.devices[1].commands == ["stop"]
    assert [(line["command"], line["device"]) for line in listed["commands"]] == [("reset", 1), ("stop", 2)]


async def test_a_command_for_a_device_that_is_not_there(open_site):
    async with open_site() as site:
        answer = await site("POST", "/api/dersim/commands", body=b'{"command": "stop", "device": 9}')
    assert answer.status == 404


async def test_stop_stops(open_site):
    async with open_site() as site:
        assert (await site("POST", "/api/dersim/stop")).status == 202
        assert site.stopped.is_set()
