"""The lab's addresses: what they take, whom they refuse, and one life of a real server through them."""

import io
import json
from pathlib import Path

import pytest
import trio

from dersim.cli.lab import make_programs
from dersim.fences import Fences
from dersim.lab.app import make_lab_app
from dersim.lab.programs import PROGRAMS
from dersim.lab.state import LabState
from dersim.logbuffer import LogBuffer

HERE = {"Host": "127.0.0.1:8100"}
FREE_PORTS = {"values": {"--port": "0", "--admin_port": "0", "--enc": "no"}}


class Lab:
    def __init__(self, state, app):
        self.state = state
        self._client = app.test_client()

    async def __call__(self, method, path, body=None, headers=(), data=None):
        content = {"json": body} if data is None else {"data": data}
        answer = await self._client.open(path, method=method, headers={**HERE, **dict(headers)}, **content)
        answer.text = (await answer.get_data()).decode()
        answer.json_body = json.loads(answer.text) if "json" in (answer.content_type or "") else None
        return answer


@pytest.fixture
async def lab(nursery):
    state = LabState(make_programs(), Path("certs"))
    return Lab(state, make_lab_app(state, nursery, Fences(LogBuffer(stream=io.StringIO()))))


async def test_the_page_and_what_it_loads_come_from_here_under_a_strict_policy(lab):
    page = await lab("GET", "/")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for path in ("/lab/js/lab.js", "/lab/js/settings.js", "/lab/css/lab.css", "/static/css/style.css",
                 "/static/js/dom.js", "/static/js/shell.js", "/static/icon.svg"):  # fmt: skip
        assert (await lab("GET", path)).status_code == 200, path


@pytest.mark.parametrize(
    "path", ["/lab/../command.py", "/lab/%2e%2e/command.py", "/static/../api.py", "/lab/no.js"]
)
async def test_nothing_else_of_the_disk_is_served(lab, path):
    assert (await lab("GET", path)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/lab/programs/server/start"), ("PUT", "/api/lab/programs/server/settings")],
)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8111"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_pages_from_elsewhere_start_and_set_nothing(lab, method, path, headers, status):
    answer = await lab(method, path, {"values": {"--enc": "no"}}, headers)
    assert answer.status_code == status
    assert answer.json_body["hint"]
    assert not lab.state.children["server"].is_up
    assert lab.state.version == 0


async def test_a_name_rebound_to_loopback_reads_nothing(lab):
    assert (await lab("GET", "/api/lab/state", headers={"Host": "evil.example"})).status_code == 421


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "no object of values"),
        ({"values": []}, "no object of values"),
        ({"values": {"--nothing": "1"}}, "--nothing: no such flag"),
        ({"values": {"--demo": "yes"}}, "--demo: no such flag"),
        ({"values": {"--port": 1}}, "text of one line"),
        ({"values": {"--host": "a\nb"}}, "text of one line"),
        ({"values": {"--enc": "maybe"}}, "yes or no is needed"),
    ],
)
async def test_settings_that_cannot_be_are_refused_with_the_field(lab, body, words):
    answer = await lab("PUT", "/api/lab/programs/server/settings", body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert words in answer.json_body["detail"]
    assert lab.state.version == 0


async def test_the_refusal_of_a_parser_points_at_its_field(lab):
    body = {"values": {"--csip_server_port": "high"}}
    answer = await lab("PUT", "/api/lab/programs/simulator/settings", body)
    [error] = answer.json_body["errors"]
    assert error["pointer"] == "/values/--csip_server_port"


async def test_a_form_needs_the_json_type(lab):
    headers = {"Content-Type": "text/plain"}
    answer = await lab("PUT", "/api/lab/programs/server/settings", data=b"{}", headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/api/lab/programs/bash/start", "/api/lab/programs/sim/start"])
async def test_only_the_two_programs_can_be_started(lab, path):
    answer = await lab("POST", path)
    assert answer.status_code == 404
    assert set(PROGRAMS) == {"server", "simulator"}


async def test_state_hangs_until_there_is_news(lab, autojump_clock):
    first = (await lab("GET", "/api/lab/state")).json_body
    began = trio.current_time()

    async def change():
        await trio.sleep(3)
        await lab("PUT", "/api/lab/programs/server/settings", FREE_PORTS)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change)
        news = (await lab("GET", f"/api/lab/state?version={first['version']}")).json_body
    assert news["version"] > first["version"]
    assert trio.current_time() == began + 3


async def test_a_real_server_lives_and_stops(lab):
    await lab("PUT", "/api/lab/programs/server/settings", FREE_PORTS)
    assert (await lab("POST", "/api/lab/programs/server/stop")).status_code == 409
    started = await lab("POST", "/api/lab/programs/server/start")
    assert started.status_code == 202
    assert (await lab("POST", "/api/lab/programs/server/start")).status_code == 409
    news = await _until(lab, "running")
    assert news["addresses"]["utility"].startswith("http://127.0.0.1:")
    assert any(line["text"].startswith("dersim ready") for line in news["log"])
    assert (await lab("POST", "/api/lab/programs/server/stop")).status_code == 202
    news = await _until(lab, "stopped")
    assert (news["exit_code"], news["pid"]) == (0, None)


async def _until(lab, state):
    version = -1
    with trio.fail_after(30):
        while True:
            news = (await lab("GET", f"/api/lab/state?version={version}")).json_body
            if news["programs"][0]["state"] == state:
                return news["programs"][0]
            version = news["version"]


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_form_sent_back_unedited_changes_nothing(lab, program):
    """As settings.js sends it: a secret that is set and left blank is null."""
    path = f"/api/lab/programs/{program}/settings"
    changed = {"server": {"--port": "0", "--pin": "111115"}, "simulator": {"--csip_pin": "111115", "-N": "3"}}

    async def shown():
        groups = (await lab("GET", path)).json_body["groups"]
        return {field["name"]: field for group in groups for field in group["fields"]}

    names = set(await shown())
    chosen = {name: text for name, text in changed[program].items() if name in names}
    assert (await lab("PUT", path, {"values": chosen})).status_code == 200
    before = await shown()
    command = lab.state.snapshot({})["programs"]
    values = {
        name: None if field["kind"] == "secret" and field["is_set"] else field["value"].strip()
        for name, field in before.items()
    }
    assert (await lab("PUT", path, {"values": values})).status_code == 200
    assert await shown() == before
    assert lab.state.snapshot({})["programs"] == command
