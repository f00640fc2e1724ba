"""`/conversation`: the requests of devices, judged."""

import json
from functools import partial

import pytest

from dersim.ieee2030_5 import resources as r
from dersim.utility.request_log import REQUESTS_KEPT

PATH = "/conversation"
STRANGE = b"<DERStatus xmlns='urn:ieee:std:2030.5:ns'><readingTime>1</readingTime><x/></DERStatus>"


@pytest.fixture
def talk(lab, client):
    """`talk(**query) -> document`, after a device has read, written, and written badly."""
    client.get("/dcap")
    client.get("/edev/1/rg")
    client.put("/edev/1/der/1/ders", r.DERStatus(readingTime=1_700_000_000))
    client.put("/edev/1/der/1/ders", STRANGE)
    client.ask("GET", "/nothing")

    def ask(path=PATH, **query):
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return lab.admin("GET", f"{path}?{text}")

    return ask


def paths(found):
    status, document = found
    assert status == 200
    return [each["url"] for each in document["exchanges"]]


def test_each_exchange_has_its_device_and_its_verdict(talk, client):
    status, found = talk()
    assert (status, found["matches"], found["held"], found["older"]) == (200, 5, 5, None)
    told = [(each["method"], each["url"], each["status"], each["verdict"]) for each in found["exchanges"]]
    assert told == [
        ("GET", "/dcap", 200, "valid"),
        ("GET", "/edev/1/rg", 200, "valid"),
        ("PUT", "/edev/1/der/1/ders", 204, "valid"),
        ("PUT", "/edev/1/der/1/ders", 204, "violations"),
        ("GET", "/nothing", 404, "error status"),
    ]
    assert {(each["device"], each["lfdi"]) for each in found["exchanges"]} == {(1, client.lfdi)}
    assert found["exchanges"][4]["outcome"] == "refused with 404"
    assert found["exchanges"][0]["resource"] == "DeviceCapability"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"method": "PUT"}, 2),
        ({"status": "4xx"}, 1),
        ({"verdict": "violations"}, 1),
        ({"resource": "Registration"}, 1),
        ({"text": "sFDI"}, 0),
        ({"lfdi": "0" * 40}, 0),
        ({"limit": "2"}, 2),
        ({"after": "3"}, 2),
    ],
)
def test_the_list_is_filtered(talk, query, expected):
    assert len(paths(talk(**query))) == expected


def test_it_is_filtered_by_device(talk, lab, client):
    other = lab.client(b"certificate of the second")
    other.get("/tm")
    assert paths(talk(lfdi=other.lfdi)) == ["/tm"]
    assert len(paths(talk(lfdi=client.lfdi.lower()))) == len(paths(talk(lfdi=client.lfdi[:6]))) == 5
    assert paths(talk(lfdi=2)) == ["/tm"]
    assert lab.head_end.provision(client.lfdi[:6].ljust(40, "0"), None, None)[1]
    assert talk(lfdi=client.lfdi[:6])[1]["detail"] == "lfdi: 2 LFDIs begin so; give more digits"


def test_one_exchange_tells_what_is_wrong_and_what_was_dropped(talk):
    status, found = talk(f"{PATH}/exchange", id=4)
    assert status == 200
    check = found["request_check"]
    assert (check["verdict"], check["resource"], check["edition"]) == ("violations", "DERStatus", "2018")
    assert any("x" in each["message"] or "x" in each["path"] for each in check["violations"])
    assert check["reader"]
    assert found["previous"] == 3
    assert talk(f"{PATH}/exchange", id=99)[0] == 404


def test_pins_are_masked(talk):
    _, found = talk(f"{PATH}/exchange", id=2)
    assert "111115" not in json.dumps(found)
    assert "masked" in found["response_body"]
    assert found["response_check"]["verdict"] == "valid"


def test_a_planted_fault_is_told(lab, client):
    lab.admin("POST", "/faults", {"kind": "status", "status": 503, "count": 1})
    client.ask("GET", "/dcap")
    (exchange,) = lab.admin("GET", PATH)[1]["exchanges"]
    assert exchange["outcome"].startswith("refused with 503; planted fault #1")


def test_the_exports_have_all_that_match(lab, talk):
    def raw(path):
        from dersim.http11 import Request

        fields = (("host", "127.0.0.1"),)
        return lab.server.answer_admin(Request("GET", f"/api/utility{path}", fields, b"", None, ""))

    lines = raw(f"{PATH}/export.jsonl?method=PUT")
    assert lines.header("content-disposition") == 'attachment; filename="conversation.jsonl"'
    assert [json.loads(line)["id"] for line in lines.body.splitlines()] == [3, 4]
    archive = json.loads(raw(f"{PATH}/export.har?status=404").body)
    told = [(each["request"]["url"], each["response"]["status"]) for each in archive["log"]["entries"]]
    assert told == [("https://127.0.0.1:8443/nothing", 404)]


def test_what_the_log_has_forgotten_is_forgotten(lab):
    ask = partial(lab.admin, "GET", f"{PATH}?limit=1")
    log = lab.head_end.request_log
    log.add(0.0, "GET", "/a", 200, None, b"", b"")
    assert ask()[1]["held"] == 1
    for number in range(REQUESTS_KEPT + 10):
        log.add(0.0, "GET", f"/{number}", 200, None, b"", b"")
    (last,) = ask()[1]["exchanges"]
    assert (last["id"], last["url"], last["lfdi"]) == (REQUESTS_KEPT + 11, f"/{REQUESTS_KEPT + 9}", None)


@pytest.mark.parametrize("query", ["verdict=good", "status=abc", "limit=0", "unknown=1"])
def test_a_bad_query_is_400(lab, query):
    assert lab.admin("GET", f"{PATH}?{query}")[0] == 400
