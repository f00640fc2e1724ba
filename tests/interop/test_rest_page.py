"""docs/rest.md has an example of every address, and each works, letter for letter, on a live demo.

And the document shown in docs/websocket.md is one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import httpx
import pytest
from tests.interop.processes import ROOT, eventually, get_json, program

from dersim.json_schema import check
from dersim.pages.openapi import openapi
from dersim.web.api import ROUTES

PAGE = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
#: Port of the page -> key of the ready line.
PORTS = {"8111": "dashboard", "5000": "csip_ui", "8444": "utility_admin"}
#: Every failure of curl, or of its server, ends the block.
PRELUDE = (
    'set -eu\ncurl() { command curl --silent --show-error --fail-with-body --max-time 20 "$@"; echo; }\n'
)


def examples():
    """(port, method, path) of every curl on the page; `$ID` stands as `{id}`."""
    found = set()
    for block in BLOCKS:
        for command in re.findall(r"curl\b[^\n]*", block.replace("\\\n", " ")):
            port, path = re.search(r"http://localhost:(\d+)([^'\" ?)]*)", command).groups()
            method = re.search(r"-X (\w+)", command)
            found.add((port, method[1] if method else "GET", re.sub(r"\$\w+", "{id}", path)))
    return found


def test_every_address_has_an_example():
    shown = {(method, path) for port, method, path in examples() if port in ("8111", "5000")}
    assert shown == {(route.method, route.path) for route in ROUTES}


def test_examples_on_the_management_uis_port_are_there():
    its_own = {(route.method, route.path) for route in ROUTES if "csip_ui" in route.sites}
    assert {(method, path) for port, method, path in examples() if port == "5000"} <= its_own


def test_the_document_on_the_websocket_page_is_an_overview():
    page = (ROOT / "docs" / "websocket.md").read_text(encoding="utf-8")
    sample = json.loads(re.search(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1])
    schemas = openapi(ROUTES, "dashboard")["components"]["schemas"]
    assert check({"$ref": "#/components/schemas/Overview"}, schemas, sample) == []


#: Only `dersim server --state` has it; its example is in docs/server.md.
NEED_A_STATE_FILE = {"readings"}
#: Only a plug-in has documents to set; it is named in a comment.
NEED_A_PLUG_IN = {"end-devices/{id}/resources/{id}"}


def test_what_needs_a_state_file_has_its_example_on_the_servers_page():
    page = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    assert all(f"/api/utility/{name}" in page for name in NEED_A_STATE_FILE)


def test_every_example_works(tmp_path):
    if missing := [name for name in ("curl", "jq") if shutil.which(name) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    flags = ["--csip_server_port", "--admin_port", "--website_port", "--csip_website_port", "--mb_port"]
    with program(
        "dersim",
        "sim",
        "--demo",
        "--pcap",
        "--site_load",
        "1500",
        *(word for flag in flags for word in (flag, "0")),
    ) as child:
        facts = child.ready()
        base = f"{facts['dashboard']}/api/dersim"
        eventually("connected", lambda: get_json(f"{base}/csip-client")["state"] == "connected")
        assert BLOCKS[-1].rstrip().endswith("/api/dersim/stop")

        unknown = httpx.get(f"{facts['utility_admin']}/api/utility/nothing", trust_env=False).json()["hint"]
        of_utility = {path for port, _, path in examples() if port == "8444"}
        known = [re.sub(r"\{\w+\}", "{id}", path) for path in unknown.split(" are ")[1].split(", ")]
        tried = {path.removeprefix("/api/utility/") for path in of_utility}
        assert tried == set(known) - NEED_A_STATE_FILE - NEED_A_PLUG_IN

        environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        for block in BLOCKS:
            # A new discovery, asked for by an example, must be over before a control can be looked up.
            eventually(
                "controls", lambda: get_json(f"{base}/csip-client")["scheduled_controls"], timeout_s=60
            )
            script = block
            for port, key in PORTS.items():
                script = script.replace(f"localhost:{port}", facts[key].partition("//")[2])
            done = subprocess.run(
                ["/bin/sh", "-c", PRELUDE + script],
                capture_output=True, text=True, timeout=60, check=False, env=environment, cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr}"
            assert "urn:dersim:problem" not in done.stdout
        assert child.process.wait(10) == 0
