"""The commands of the manual, letter for letter, by a shell: curl against a live demo.

They name port 8111, so a demo listens there if it is free; and they are run on a port of the system's choice.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess

import pytest
from tests.interop.processes import eventually, get_json, program

SNAPSHOT = "curl http://localhost:8111/api/dersim/csip-client | jq ."
TAIL = "curl 'http://localhost:8111/api/dersim/logs?modules=CSIP&limit=200'"
BURST = r"""curl -X POST http://localhost:8111/api/dersim/csip/log-event-burst \
     -H 'Content-Type: application/json' \
     -d '{"alarm_status": "Abnormal", "interval": 5, "count": 10}'"""


def in_use(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.mark.parametrize("port", [pytest.param(8111, marks=pytest.mark.slow), 0])
def test_the_three_commands_work_verbatim(port):
    for name in ("curl", "jq"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    if port and in_use(port):
        pytest.skip(f"port {port} is in use on this machine")
    flags = ["--csip_server_port", "0", "--admin_port", "0", "--csip_website_port", "0", "--mb_port", "0"]
    with program("dersim", "sim", "--demo", *flags, "--website_port", str(port)) as child:
        facts = child.ready()
        shown_port = facts["dashboard"].rpartition(":")[2]
        base = f"http://127.0.0.1:{shown_port}/api/dersim"
        eventually("connected", lambda: get_json(f"{base}/csip-client")["state"] == "connected")

        def shell(command):
            environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
            done = subprocess.run(
                ["/bin/sh", "-c", command if port else command.replace("8111", shown_port)],
                capture_output=True, text=True, timeout=30, check=True, env=environment,
            )  # fmt: skip
            return json.loads(done.stdout)

        snapshot = shell(SNAPSHOT)
        assert snapshot["state"] == "connected"
        assert len(snapshot["lfdi"]) == 40
        logs = shell(TAIL)["logs"]
        assert logs
        assert {entry["module"] for entry in logs} == {"CSIP"}
        assert shell(BURST) == {"accepted": "log-event-burst"}
        admin = facts["utility_admin"] + "/api/utility/log-events"
        (event, *_) = eventually("the first LogEvent", lambda: get_json(admin))
        assert (event["logEventPEN"], event["details"]) == (40732, "Abnormal")
        assert child.stop() == 0
