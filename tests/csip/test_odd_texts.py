"""Texts that no server should send are shown and logged, and harm nothing."""

import json

import pytest
import trio

from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, encode

PLAIN = (("content-type", "text/plain"),)


@pytest.mark.parametrize("text", ["\u202e\u0085x", "\U0001f600" * 50, "{}%s{0}", "a" * 5000])
async def test_a_description_of_any_characters_is_shown(autojump_clock, world, text):
    client = await world.ready()
    world.tree["/derp/1"].description = "here"
    body = encode(world.tree["/derp/1"], Edition.E2023).replace(b">here<", f">{text}<".encode())
    world.tree["/derp/1"] = body
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert client.snapshot()["programs"][0]["description"] == text
    json.dumps(client.snapshot(), ensure_ascii=False).encode()


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"\xed\xa0\x80", b"\x1b[31mred", b"{}{0}%s"])
async def test_an_error_of_any_bytes_is_one_line(autojump_clock, world, body):
    client = await world.start(for_s=5)
    world.server.answers["GET", "/edev/1/fsa"] = Response(500, PLAIN, body)
    await trio.sleep(10)
    error = client.snapshot()["last_error"]
    assert "500" in error
    assert "bytearray" not in error
    error.encode()
    assert "\x1b" not in world.stream.getvalue()
    assert not world.fences.counts


@pytest.mark.parametrize(
    "href", ["http://[::1", "//", "http://h:0/x", "\u00e9", "http://\u00e9.test/", "a" * 3000]
)
async def test_a_link_of_any_characters_costs_that_link_only(autojump_clock, world, href):
    client = await world.ready()
    world.tree["/edev/1"].LogEventListLink.href = href
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModMaxLimW") == 90
    assert not world.fences.counts


async def test_a_long_location_is_cut_in_the_log(autojump_clock, world):
    await world.ready()
    world.server.answers["GET", "/edev/1/fsa"] = Response(302, (("location", "/" + "a" * 9000),))
    world.begin()
    await trio.sleep(5)
    assert all(len(line) < 500 for line in world.logged("/edev/1/fsa"))
