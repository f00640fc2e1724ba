"""Numbers, texts and names at their extremes: 400 with a pointer or 404, never 500, and no Python in it."""

import json

import h11
import pytest
import trio
import trio.testing

from dersim.pages import serving
from dersim.web.api import ROUTES

BODIES = [
    (route.path, name)
    for route in ROUTES
    if route.request is not None
    for name in getattr(route.request, "__annotations__", {"opModMaxLimW": 0})
]
TOO_MUCH = {
    "an integer of 400 digits": "1" * 400,
    "an integer of 5000 digits": "-" + "9" * 5000,
    "a float beyond all": "1e999",
    "no number": "NaN",
    "3000 lists": "[" * 3000 + "]" * 3000,
    "3000 objects": '{"a":' * 3000 + "1" + "}" * 3000,
    "half a surrogate pair": r'"\ud800"',
}
PYTHON = ("recursion", "sys.set_int", "bytearray", "{}", "<class", "char ", "Errno", "\\ud800")


@pytest.mark.parametrize("value", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_a_rest_body_beyond_all_bounds_is_refused_in_words(open_site, value):
    async with open_site() as site:
        for path, name in BODIES:
            answer = await site("POST", path, body=f'{{"{name}": {value}}}'.encode())
            assert answer.status == 400, (path, name, answer.body[:300])
            problem = json.loads(answer.body)
            assert problem["errors"]
            assert not [word for word in PYTHON if word in answer.body.decode()], answer.body[:300]
        assert site.context.fences.counts == {}
        assert (await site("GET", "/api/dersim/logs")).status == 200


async def test_the_refusal_of_a_long_integer_points_at_it(open_site):
    body = b'{"modes": {"opModMaxLimW": ' + b"1" * 400 + b"}}"
    async with open_site() as site:
        [error] = json.loads((await site("POST", "/api/dersim/setpoints", body=body)).body)["errors"]
    assert error == {
        "pointer": "/modes/opModMaxLimW",
        "detail": "a number of 400 digits; at most 40 are read",
    }


@pytest.mark.parametrize("site_name", ["dashboard", "csip_ui"])
async def test_a_key_with_half_a_surrogate_pair_is_refused(open_site, site_name):
    async with open_site(site_name) as site:
        answer = await site("POST", "/api/dersim/csip/opt-out", body=rb'{"\ud800": "C513"}')
    assert answer.status == 400


async def test_a_log_with_half_a_surrogate_pair_is_still_shown(open_site):
    async with open_site() as site:
        site.context.log.log("Warning", "CSIP", "the server's text is \ud800")
        answer = await site("GET", "/api/dersim/logs")
    assert answer.status == 200
    assert "the server's text is \\ud800" in [entry["message"] for entry in json.loads(answer.body)["logs"]]


@pytest.mark.parametrize("name", ["%00", "a%00b.js", "a" * 300 + ".js", "a/" * 3000 + "a.js"])
async def test_a_name_that_no_file_can_have_is_not_found(open_site, name):
    async with open_site() as site:
        assert (await site("GET", f"/static/{name}")).status == 404
        assert site.context.fences.counts == {}


@pytest.mark.parametrize("text", ["9" * 5000, "%ED%A0%80", "1e999"])
async def test_a_query_beyond_all_bounds_is_refused_in_a_line(open_site, text):
    async with open_site() as site:
        answer = await site("GET", f"/api/dersim/overview?device={text}")
    assert answer.status == 400
    assert len(json.loads(answer.body)["detail"]) < 160


async def test_the_log_of_a_dropped_connection_quotes_no_python(open_site, monkeypatch):
    async def read(connection):
        await connection.stream.receive_some()
        raise h11.RemoteProtocolError("illegal request line: bytearray(b'SM')")

    monkeypatch.setattr(serving.TCPServer, "_read_data", read)
    async with open_site() as site:
        async with await trio.open_tcp_stream("127.0.0.1", site.port) as stream:
            await stream.send_all(b"SM")
            assert await stream.receive_some() == b""
        await trio.testing.wait_all_tasks_blocked()
        line = site.context.log.entries(["WS"])[-1].message
    assert line == 'connection dropped: RemoteProtocolError: illegal request line: "SM"'
