"""What was PUT is read back once in a walk: another client with the same LFDI is noticed."""

import pytest
import trio

from dersim.csip.put_check import differences
from dersim.http11 import Response
from dersim.ieee2030_5 import decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition

PATHS = ["/edev/1/der/1/dercap", "/edev/1/der/1/derg", "/edev/1/der/1/ders", "/edev/1/der/1/dera"]


def echoes(world, change=lambda resource: resource):
    """Let the server give back what was PUT, changed or not."""

    def give(path):
        def answer(_request):
            bodies = world.server.bodies(path, "PUT")
            if not bodies:
                return Response(404)
            resource = change(decode(bodies[-1]).resource)
            return Response(200, (("content-type", "application/sep+xml"),), encode(resource, Edition.E2023))

        return answer

    for path in PATHS:
        world.server.answers["GET", path] = give(path)


def read_back(world):
    return {path: world.server.paths("GET").count(path) for path in PATHS}


async def test_each_resource_is_read_back_once_in_a_walk(autojump_clock, world):
    client = await world.ready()
    echoes(world)
    world.begin()
    await trio.sleep(200)
    assert read_back(world) == dict.fromkeys(PATHS, 1)
    assert not world.logged("is not what this DER has PUT")
    client.rediscover()
    await trio.sleep(5)
    assert read_back(world) == dict.fromkeys(PATHS, 2)


async def test_what_comes_back_in_the_same_bytes_is_not_parsed(autojump_clock, world, monkeypatch):
    """But for the href that the server adds, and the times."""

    def change(resource):
        for path, kind in zip(
            PATHS, (r.DERCapability, r.DERSettings, r.DERStatus, r.DERAvailability), strict=True
        ):
            if isinstance(resource, kind):
                resource.href = path
        if isinstance(resource, r.DERAvailability):
            resource.readingTime = 5
        return resource

    parsed = []
    monkeypatch.setattr("dersim.csip.put_check.decode", lambda *args: parsed.append(args))
    await world.ready()
    echoes(world, change)
    world.begin()
    await trio.sleep(100)
    assert read_back(world) == dict.fromkeys(PATHS, 1)
    assert parsed == []


async def test_values_of_another_client_are_one_warning_that_says_what_differs(autojump_clock, world):
    await world.ready()

    def change(resource):
        if isinstance(resource, r.DERStatus):
            resource.inverterStatus = r.InverterStatusType(dateTime=0, value=7)
        return resource

    echoes(world, change)
    world.begin()
    await trio.sleep(100)
    [line] = world.logged("is not what this DER has PUT")
    assert line == (
        "DERStatus at /edev/1/der/1/ders is not what this DER has PUT: inverterStatus 4 was PUT, 7 is there. "
        "Another client has this LFDI, or the server changes values; compare the certificates of all clients"
    )
    assert [e.level for e in world.log.entries() if e.message == line] == ["Warning"]


@pytest.mark.parametrize("status", [404, 405, 403, 500])
async def test_a_server_that_does_not_give_them_back_is_no_error(autojump_clock, world, status):
    client = await world.ready()
    for path in PATHS:
        world.server.answers["GET", path] = Response(status)
    world.begin()
    await trio.sleep(20)
    assert client.state == "connected"
    assert client.counts()["errors"] == (0 if status in (404, 405) else 4)
    assert [e for e in world.log.entries() if e.level in ("Warning", "Error")] == []


async def test_what_was_refused_is_not_read_back(autojump_clock, world):
    await world.ready()
    echoes(world)
    world.server.answers["PUT", PATHS[0]] = Response(400)
    world.begin()
    await trio.sleep(20)
    assert read_back(world) == {PATHS[0]: 0} | dict.fromkeys(PATHS[1:], 1)


def test_numbers_are_compared_by_value_and_times_not_at_all():
    ours = r.DERAvailability(readingTime=5, statWAvail=r.ActivePower(multiplier=0, value=5000))
    theirs = r.DERAvailability(readingTime=9, statWAvail=r.ActivePower(multiplier=2, value=50))
    assert differences(ours, theirs) == []
    theirs.statWAvail.multiplier = 3
    assert differences(ours, theirs) == ["statWAvail 5000 was PUT, 50000 is there"]
    tenths = r.DERAvailability(readingTime=5, statWAvail=r.ActivePower(multiplier=-1, value=3))
    hundredths = r.DERAvailability(readingTime=5, statWAvail=r.ActivePower(multiplier=-2, value=30))
    assert differences(tenths, hundredths) == []


def test_a_value_that_only_one_side_has_is_a_difference():
    ours = r.DERAvailability(readingTime=5, reservePercent=4000)
    assert differences(ours, r.DERAvailability(readingTime=5)) == [
        "reservePercent 4000 was PUT, nothing is there"
    ]
