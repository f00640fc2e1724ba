"""A scenario by the operator's REST: begun, seen, replaced and ended; a mistake has its line and pointer."""

import json

import pytest
from tests.utility.conftest import T

from dersim.http11 import Request
from dersim.ieee2030_5 import Edition

TEXT = b"""
description: a limit
personality: 2018
registration: known
programs: [{name: P, primacy: 3, default: {opModMaxLimW: 60}}]
controls: [{program: P, start_s: 100, duration_s: 60, modes: {opModMaxLimW: 40}}]
"""


@pytest.fixture
def upload(lab):
    def upload(text, kind="application/yaml"):
        headers = (("host", "127.0.0.1:8444"), ("content-type", kind))
        request = Request("POST", "/api/utility/scenario", headers, text, None, "127.0.0.1:50000")
        answer = lab.server.answer_admin(request)
        return answer.status, json.loads(answer.body)

    return upload


def test_begun_seen_and_ended(lab, upload):
    assert lab.admin("GET", "/scenario") == (200, None)
    status, begun = upload(TEXT)
    assert (status, begun["name"], begun["description"], begun["next_in_s"]) == (
        201,
        "scenario",
        "a limit",
        40,
    )
    lab.now = T + 50
    status, seen = lab.admin("GET", "/scenario")
    assert (status, seen["elapsed_s"], seen["published"], seen["to_publish"]) == (200, 50, 1, 1)
    assert len(lab.admin("GET", "/programs")[1]) == 3
    head_end = lab.server.head_end
    assert (head_end.config.personality, head_end.end_devices.mode) == (Edition.E2018, "known")
    status, _ = lab.admin("DELETE", "/scenario")
    assert (status, len(lab.admin("GET", "/programs")[1])) == (200, 2)
    assert (head_end.config.personality, head_end.end_devices.mode) == (None, "open")
    assert lab.admin("DELETE", "/scenario")[0] == 404


def test_json_is_taken_too(upload):
    status, begun = upload(b'{"programs": [{"name": "P", "primacy": 3}]}', "application/json; charset=utf-8")
    assert (status, len(begun["programs"])) == (201, 1)


def test_a_mistake_has_its_line_and_pointer_and_the_one_that_is_played_goes_on(lab, upload):
    upload(TEXT)
    status, problem = upload(b"programs:\n- {name: P, primacy: 3, defualt: {}}\n")
    assert (status, problem["errors"][0]["pointer"]) == (400, "/programs/0/defualt")
    assert problem["detail"].startswith("line 2: defualt is not known; did you mean default?")
    assert lab.admin("GET", "/scenario")[1]["description"] == "a limit"


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        (TEXT, "text/plain", 415),
        (b"#" * (1 << 19), "application/yaml", 413),
        (b"a: [", "application/yaml", 400),
    ],
)
def test_what_is_no_scenario_is_refused(upload, text, kind, status):
    assert upload(text, kind)[0] == status
