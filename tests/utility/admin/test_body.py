"""Absurd JSON in the operator's requests: 400 with the place of what is wrong, and nothing changes."""

import json

import pytest

from dersim.http11 import Request
from dersim.json_text import BodyError, parse

ORDER = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}
CONTROLS = "/programs/2/controls"


def ask(lab, method, path, body):
    fields = (("host", "localhost"), ("content-type", "application/json"))
    response = lab.server.answer_admin(Request(method, f"/api/utility{path}", fields, body, None, "peer"))
    return response.status, json.loads(response.body)


@pytest.mark.parametrize("digits", [41, 400, 5000, 100_000])
@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("POST", CONTROLS, '{"modes": {"opModMaxLimW": %s}, "duration_s": 5}', "/modes/opModMaxLimW"),
        ("POST", CONTROLS, '{"modes": {"opModMaxLimW": 5}, "duration_s": %s}', "/duration_s"),
        ("POST", CONTROLS, '{"modes": {}, "duration_s": 5, "start_in_s": -%s}', "/start_in_s"),
        ("POST", CONTROLS, '{"modes": {"opModVoltVar": [[1, %s]]}}', "/modes/opModVoltVar/0/1"),
        ("PUT", "/poll-rates", '{"derp": %s}', "/derp"),
        ("POST", "/programs", '{"description": "x", "primacy": %s}', "/primacy"),
        ("POST", "/end-devices", '{"lfdi": "00", "pin": %s}', "/pin"),
        ("POST", "/end-devices", '{"lfdi": %s}', "/lfdi"),
        ("PUT", "/poll-rates", "%s", ""),
    ],
)  # fmt: skip
def test_an_integer_of_many_digits_is_400_with_its_place(lab, digits, method, path, body, pointer):
    status, problem = ask(lab, method, path, (body % ("9" * digits)).encode())
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert len(problem["detail"]) < 200
    assert "sys." not in problem["detail"]


@pytest.mark.parametrize("levels", [21, 3000, 200_000])
def test_deep_nesting_is_400(lab, levels):
    body = b'{"modes": {"opModMaxLimW": ' + b"[" * levels + b"]" * levels + b'}, "duration_s": 5}'
    status, problem = ask(lab, "POST", CONTROLS, body)
    assert status == 400
    assert "nested deeper than 20 levels" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"description": "\\ud800", "primacy": 5}', "/description"),
        (b'{"description": "x", "\\udfff": 5}', ""),
    ],
)
def test_half_a_surrogate_pair_is_400_with_its_place(lab, body, pointer):
    status, problem = ask(lab, "POST", "/programs", body)
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert all(line.isprintable() for line in lab.log.lines)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"start_in_s": 1e12}, "/start_in_s"),
        ({"start_in_s": -1e300}, "/start_in_s"),
        ({"duration_s": 2**63 - 1}, "/duration_s"),
        ({"duration_s": 0}, "/duration_s"),
        ({"duration_s": -1}, "/duration_s"),
        ({"duration_s": 1.5}, "/duration_s"),
        ({"duration_s": True}, "/duration_s"),
        ({"randomize_start_s": 10**19}, "/randomize_start_s"),
        ({"response_required": 256}, "/response_required"),
        ({"modes": {"opModMaxLimW": 1e300}}, "/modes/opModMaxLimW"),
        ({"modes": {"no/such": 1}}, "/modes/no~1such"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_what_is_out_of_range_is_400_with_its_place(lab, changes, pointer):
    status, problem = lab.admin("POST", CONTROLS, ORDER | changes)
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert problem["errors"][0]["detail"] == problem["detail"]


@pytest.mark.parametrize("body", [b'{"derp": 1e400}', b'{"derp": -1e400}', b"[NaN]", b"[Infinity]"])
def test_what_is_no_finite_number_is_refused(body):
    with pytest.raises(BodyError):
        parse(body)
