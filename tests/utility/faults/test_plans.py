"""A fault as it is written: what is taken, and what is said about what is not."""

import json

import pytest

from dersim.json_text import BodyError
from dersim.utility.faults.forms import FORMS, fault_schema
from dersim.utility.faults.plans import fault_from

LFDI = "AB" * 20


def test_a_fault_with_all_that_any_may_have():
    data = {
        "kind": "status",
        "status": 503,
        "retry_after_s": 30,
        "retry_after": "date",
        "path": "/derp/*",
        "method": "GET",
        "device": 3,
        "start_in_s": 5,
        "duration_s": 60,
        "count": 2,
        "probability": 0.5,
        "seed": 7,
        "note": "a bad day",
    }
    assert fault_from(data) == ("status", data)


def test_an_lfdi_is_taken_in_lower_case():
    assert fault_from({"kind": "gone", "device": LFDI.lower()}).data["device"] == LFDI


@pytest.mark.parametrize(
    ("data", "pointer", "words"),
    [
        (3, "", "an object such as"),
        ({}, "", "kind is missing"),
        ({"kind": "statis"}, "/kind", "did you mean status?"),
        ({"kind": ["status"]}, "/kind", "no kind of fault"),
        ({"kind": "status"}, "", "status is missing"),
        ({"kind": "status", "status": 200}, "/status", "outside 400 to 599"),
        ({"kind": "status", "status": True}, "/status", "not a whole number"),
        ({"kind": "status", "status": 500, "retry_after": "date"}, "/retry_after", "retry_after_s"),
        ({"kind": "hang", "at": "lunch"}, "/at", "not one of"),
        ({"kind": "hang", "lie": "omits"}, "/lie", "not known"),
        ({"kind": "gone", "path": "derp"}, "/path", "not of the form"),
        ({"kind": "gone", "device": "12"}, "/device", "EndDevice"),
        ({"kind": "gone", "device": 0}, "/device", "below 1"),
        ({"kind": "gone", "count": 0}, "/count", "outside 1"),
        ({"kind": "gone", "duration_s": 0}, "/duration_s", "not above 0"),
        ({"kind": "gone", "probability": 1.5}, "/probability", "outside 0"),
        ({"kind": "gone", "seed": 1}, "/seed", "probability"),
        ({"kind": "moved"}, "", "path is missing"),
        ({"kind": "moved", "path": "/derp/*", "probability": 0.5}, "/probability", "not known"),
        ({"kind": "redirect", "to": "/x", "hops": 2}, "/hops", "leave out"),
        ({"kind": "redirect", "to": "/x\r\nSet-Cookie: y"}, "/to", "not of the form"),
        ({"kind": "content_length", "by": 0}, "/by", "true length"),
        ({"kind": "xml", "flaw": "broken"}, "/flaw", "not one of"),
        ({"kind": "tls_alert", "path": "/dcap"}, "/path", "not known"),
        ({"kind": "tls_alert", "alert": "no_such"}, "/alert", "not one of"),
    ],
)
def test_a_mistake_is_told_with_its_place(data, pointer, words):
    with pytest.raises(BodyError, match=words) as caught:
        fault_from(data)
    assert caught.value.pointer == pointer


def test_the_schema_of_all_kinds_is_json_schema():
    schema = json.loads(json.dumps(fault_schema()))
    assert len(schema["anyOf"]) == len(FORMS)
    names = {each["properties"]["kind"]["enum"][0] for each in schema["$defs"].values()}
    assert names == set(FORMS)
