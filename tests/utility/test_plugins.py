"""The companion server with a plug-in: the one of docs/plugins.md, as it stands there."""

import json
import re
import types
from argparse import Namespace
from pathlib import Path

import pytest
import trio
from tests.utility.conftest import Client, Log, T

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.http11 import Request
from dersim.ieee2030_5 import Edition, decode, extensions
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.plugin.candidates import Candidate
from dersim.plugin.loader import PluginSet
from dersim.plugin.panel import Panel
from dersim.plugin.server_parts import ServerDocument, ServerParts
from dersim.utility.config import UtilityConfig
from dersim.utility.scenario.reader import parse_scenario
from dersim.utility.server import UtilityServer

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
FUSE = re.search(r"`fuse\.py`:\n\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
NAMESPACE = "https://example.org/fuse"
PLACE = "/edev/1/fuse"


@pytest.fixture(scope="module")
def plugins():
    """The plug-in of the page, its elements known."""
    module = types.ModuleType("fuse")
    exec(compile(FUSE, "docs/plugins.md", "exec"), module.__dict__)
    found = PluginSet([Candidate("fuse", "1", "docs/plugins.md", lambda: module)])
    found.learn_extensions()
    yield found
    for each in module.register_schema_extensions():
        extensions.unregister(each)


class Device(Client):
    """A client of 2018, whose foreign elements stand after those of the standard."""

    def get(self, target, expected=None):
        answer = self.ask("GET", target)
        assert answer.status == 200, answer
        return decode(answer.body, expected, strict=True, edition=Edition.E2018).resource


class Served:
    """A server with the parts of plug-ins, and its operator."""

    def __init__(self, parts, scenario=None, **config):
        self.log, self.now = Log(), T
        settings = UtilityConfig(**config)
        settings.follow(parts.one_profile())
        fences = Fences(self.log, fail_fast=True)
        self.server = UtilityServer(
            settings, lambda: self.now, self.log, fences, scenario=scenario, parts=parts
        )
        self.server.begin()

    def client(self, certificate=b"certificate of the first"):
        return Device(self, certificate)

    def operate(self, method, path, data=None):
        body = b"" if data is None else json.dumps(data).encode()
        fields = (("host", "127.0.0.1:8444"), ("content-type", "application/json"))
        answer = self.server.answer_admin(Request(method, path, fields, body, None, "127.0.0.1:50000"))
        kind = answer.header("content-type") or ""
        return answer.status, json.loads(answer.body) if "json" in kind else answer.body.decode()


@pytest.fixture
def served(plugins):
    return Served(plugins.server_parts(Namespace()))


def fuse(ampere=35, place="hall", **changes):
    return Extra(NAMESPACE, "Fuse", {"ampere": ampere, "place": place} | changes)


def test_the_end_device_has_the_link_and_the_document_is_given_back(served):
    client = served.client()
    device = client.get("/edev?l=1").EndDevice[0]
    [link] = device.extra
    assert (link.namespace, link.name, link.value.href) == (NAMESPACE, "FuseLink", PLACE)
    assert client.ask("GET", PLACE).status == 404
    first = client.put(PLACE, fuse())
    assert (first.status, first.header("location")) == (201, PLACE)
    assert client.get(PLACE, Extra).value == {"href": PLACE, "ampere": 35, "place": "hall"}
    again = client.put(PLACE, fuse(63))
    assert (again.status, again.header("location")) == (204, PLACE)
    assert client.get(PLACE, Extra).value["ampere"] == 63


def test_what_the_check_refuses_is_answered_400_with_reason_code_1_and_changes_nothing(served):
    client = served.client()
    client.put(PLACE, fuse(35))
    refused = client.put(PLACE, fuse(6))
    assert refused.status == 400
    assert b"a fuse of 6 A; at least 16 A are needed" in refused.body
    assert decode(refused.body, r.Error).resource.reasonCode == 1
    assert client.get(PLACE, Extra).value["ampere"] == 35


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Fuse/>",
        b'<Fuse xmlns="https://example.org/fuse"><ampere>many</ampere></Fuse>',
        b'<Fuse xmlns="https://example.org/fuse"><place>hall</place></Fuse>',
        b'<Error xmlns="urn:ieee:std:2030.5:ns"><reasonCode>0</reasonCode></Error>',
    ],
)
def test_another_body_is_refused(served, body):
    assert served.client().put(PLACE, body).status == 400


def test_methods_that_it_does_not_have_are_refused(served):
    client = served.client()
    assert client.post(PLACE, fuse()).header("allow") == "GET, HEAD, PUT"
    assert client.ask("DELETE", PLACE).status == 405


def test_another_device_neither_reads_nor_sets_it(served):
    served.client().put(PLACE, fuse())
    other = served.client(b"certificate of the second")
    other.get("/edev")
    assert (other.ask("GET", PLACE).status, other.put(PLACE, fuse()).status) == (404, 404)


def test_the_flag_of_the_plugin_reaches_its_check(plugins):
    client = Served(plugins.server_parts(Namespace(fuse_min_a=40))).client()
    client.get("/edev")
    assert client.put(PLACE, fuse(35)).status == 400


def test_the_operator_sees_and_sets_it_by_the_same_check(served):
    client = served.client()
    client.put(PLACE, fuse())
    at = f"/api/utility/end-devices/{client.lfdi}"
    assert served.operate("GET", at)[1]["resources"] == {"fuse": {"ampere": 35, "place": "hall"}}
    assert served.operate("GET", "/api/utility/device-resources")[1][0]["members"] == [
        {"name": "ampere", "kind": "int"},
        {"name": "place", "kind": "text"},
    ]
    status, told = served.operate("PUT", f"{at}/resources/fuse", {"ampere": 63, "place": "yard"})
    assert (status, told["resources"]["fuse"]["ampere"]) == (200, 63)
    assert client.get(PLACE, Extra).value["place"] == "yard"
    assert (
        served.operate("GET", f"/api/utility/fleet/{client.lfdi}")[1]["resources"]["fuse"]["place"] == "yard"
    )
    for wrong, words in (
        ({"ampere": 6, "place": "x"}, "a fuse of 6 A"),
        ({"ampere": 60}, "place is missing"),
        ({"ampere": 60, "place": "x", "color": 1}, "'color' is no member"),
        ({"ampere": "many", "place": "x"}, "ampere"),
        ({"ampere": 1 << 20, "place": "x"}, "ampere"),
        ({"ampere": 60, "place": "x" * 33}, "place"),
    ):
        status, problem = served.operate("PUT", f"{at}/resources/fuse", wrong)
        assert status == 400, wrong
        assert words in json.dumps(problem), wrong
    assert served.operate("PUT", f"{at}/resources/cp", {})[0] == 404
    assert served.operate("DELETE", f"{at}/resources/fuse")[1]["resources"] == {}
    assert client.ask("GET", PLACE).status == 404


def test_its_address_is_one_of_the_operators(served):
    served.client().put(PLACE, fuse())
    served.client(b"certificate of the second").get("/edev")
    assert served.operate("GET", "/api/fuse/fuses") == (200, {"known": 1, "devices": 2})
    assert "/api/fuse/fuses" in served.operate("GET", "/openapi.json")[1]["paths"]
    assert served.operate("GET", "/api/fuse/fuses?color=red")[0] == 400
    assert served.operate("POST", "/api/fuse/fuses", {})[0] == 405


def test_its_profile_refuses_what_is_counted_without_it(plugins, served):
    response = r.Response(endDeviceLFDI=served.client().lfdi, status=1, subject="0" * 32)
    assert served.client().post("/rsps/1/rsp", response).status == 400
    without = Served(PluginSet([]).server_parts(Namespace()))
    assert without.client().post("/rsps/1/rsp", response).status == 201


def test_a_panel_is_a_view_of_the_page(tmp_path):
    (tmp_path / "view.js").write_text("export function mount() {}")
    (tmp_path / "more.js").write_text("export const more = 1;")
    panel = Panel("fuse", "Fuses", str(tmp_path / "view.js"), folder=str(tmp_path))
    found = Served(ServerParts(panels=[panel]))
    assert found.operate("GET", "/api/utility/server")[1]["panels"] == [{"name": "fuse", "title": "Fuses"}]
    assert found.operate("GET", "/panels/fuse.js") == (200, "export function mount() {}")
    assert found.operate("GET", "/panels/fuse/more.js") == (200, "export const more = 1;")
    assert found.operate("GET", "/panels/fuse/../view.py")[0] == 404
    assert found.operate("GET", "/panels/other.js")[0] == 404


def test_a_document_of_the_server_is_read_by_every_client():
    document = ServerDocument("/.well-known/fuse", lambda: b'{"versions": []}')
    client = Served(ServerParts(documents=[document]), registration="known").client()
    answer = client.ask("GET", "/.well-known/fuse", accept="application/json")
    assert (answer.status, answer.body) == (200, b'{"versions": []}')
    assert answer.header("content-type") == "application/json"
    assert client.ask("PUT", "/.well-known/fuse").status == 405


SCENARIO = """
devices:
  - {lfdi: "381431F974955A7649CB34B19F705069DFE0DA8C", resources: {fuse: {ampere: %s, place: hall}}}
programs: [{name: P, primacy: 7}]
"""


def test_a_scenario_sets_it_and_a_mistake_ends_the_start(plugins):
    parts = plugins.server_parts(Namespace())
    found = Served(parts, parse_scenario((SCENARIO % 35).encode(), "s.yaml"))
    [device] = found.operate("GET", "/api/utility/end-devices")[1]
    assert device["resources"] == {"fuse": {"ampere": 35, "place": "hall"}}
    with pytest.raises(ConfigError, match=r"scenario: resources of device 3814.*a fuse of 6 A"):
        Served(parts, parse_scenario((SCENARIO % 6).encode(), "s.yaml"))
    with pytest.raises(ConfigError, match="no plug-in of this server has added one"):
        Served(ServerParts(), parse_scenario((SCENARIO % 35).encode(), "s.yaml"))


def test_a_scenario_that_is_uploaded_is_checked_too(served):
    wrong = {
        "devices": [{"lfdi": "38" * 20, "resources": {"fuse": {"ampere": 1, "place": ""}}}],
        "programs": [{"name": "P", "primacy": 1}],
    }
    status, problem = served.operate("POST", "/api/utility/scenario", wrong)
    assert (status, "a fuse of 1 A" in json.dumps(problem)) == (400, True)


def test_it_is_kept_over_a_restart(plugins, tmp_path):
    parts = plugins.server_parts(Namespace())

    async def run(work):
        found = Served(parts, state=tmp_path / "lab.db")
        await found.server.state.open()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(found.server.state.run)
            await work(found)
            nursery.cancel_scope.cancel()

    async def put(found):
        client = found.client()
        client.get("/edev")
        assert client.put(PLACE, fuse(50)).status == 201

    async def read(found):
        assert found.client().get(PLACE, Extra).value["ampere"] == 50

    trio.run(run, put)
    trio.run(run, read)
