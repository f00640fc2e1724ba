"""Every request says why it is made."""

import trio
from tests.csip.conftest import START_S, control, listing

from dersim.csip import causes
from dersim.http11 import Response
from dersim.ieee2030_5 import resources as r


def causes_of(client, path, method="GET"):
    """The causes of all requests of a path, in order, without repeats."""
    held = client.conversation.entries(limit=10_000)
    found = [
        e.cause
        for e in held
        if e.method == method and e.url.partition("?")[0] == f"http://127.0.0.1:8443{path}"
    ]
    return list(dict.fromkeys(found))


def test_a_poll_has_the_short_name_and_the_spacing():
    assert causes.poll(10.0).cause(r.DERControlList) == "poll derc, 10 s"
    assert causes.poll(0.5).cause(r.Time) == "poll tm, 0.5 s"
    assert causes.DISCOVERY.cause(r.EndDeviceList) == "discovery: EndDevice list"
    assert causes.DISCOVERY.cause(r.DeviceCapability) == "discovery: DeviceCapability"


async def test_every_request_of_a_whole_run_has_its_cause(autojump_clock, world):
    client = await world.ready("--put_refresh_s", "100")
    tree, server = world.server.tree, world.server
    first = control(1, int(START_S) + 30, 20)
    tree["/derp/1/derc"] = listing(r.DERControlList, "/derp/1/derc", first)
    server.answers["POST", "/edev"] = Response(403)
    world.begin()
    await trio.sleep(20)
    client.log_event_burst(count=5, interval_s=1)
    await trio.sleep(300)
    held = client.conversation.entries(limit=10_000)
    assert len(held) == len(server.seen) > 100
    assert [e for e in held if not e.cause.strip()] == []
    assert causes_of(client, "/edev") == ["discovery: EndDevice list", "poll edev, 10 s"]
    assert causes_of(client, "/derp/1/derc") == ["discovery: DERControl list", "poll derc, 10 s"]
    assert causes_of(client, "/tm") == ["time sample"]
    lists = [f"log event {number} of 5" for number in (1, 2, 3, 4, 5)]
    assert causes_of(client, "/edev/1/lel", "POST") == lists
    answers = [f"Response {status} for {first.mRID}" for status in (1, 2, 3)]
    assert causes_of(client, "/rsp", "POST") == answers
    assert causes_of(client, "/edev/1/der/1/ders", "PUT")[0] == "discovery: DERStatus"
    assert "PUT refresh" in causes_of(client, "/edev/1/der/1/dercap", "PUT")
    assert causes_of(client, "/mup", "POST") == ["meter post"]


async def test_a_changed_status_and_changed_settings_say_so(autojump_clock, world):
    client = await world.start(for_s=20)
    world.device.command("stop")
    await trio.sleep(20)
    assert causes_of(client, "/edev/1/der/1/ders", "PUT")[-1] == "state change"


async def test_a_link_that_is_gone_and_a_failure_name_themselves(autojump_clock, world):
    client = await world.start(for_s=15)
    del world.server.tree["/edev/1/fsa/1/derp"]
    await trio.sleep(15)
    assert "re-read after a lost link: FunctionSetAssignments list" in causes_of(client, "/edev/1/fsa")


async def test_a_redirected_request_keeps_its_cause(autojump_clock, world):
    client = await world.ready()
    world.server.answers["GET", "/tm"] = Response(302, (("location", "/tm2"),))
    world.server.tree["/tm2"] = world.server.tree["/tm"]
    world.begin()
    await trio.sleep(2)
    assert causes_of(client, "/tm2") == ["time sample, redirected"]


async def test_after_a_wrong_pin_the_registration_alone_is_read_and_says_why(autojump_clock, world):
    client = await world.start("--csip_pin", "123455", for_s=2_000)
    assert causes_of(client, "/edev/1/rg") == ["discovery: Registration", "after a wrong PIN: Registration"]
