"""Unknown elements in what devices send: kept, shown and counted; refused under --strict."""

import pytest

from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

STATUS = "/edev/1/der/1/ders"
FOREIGN = b'<v:fan xmlns:v="urn:vendor"><v:rpm>900</v:rpm></v:fan>'
UNKNOWN = b"<fanSpeed>900</fanSpeed>"


def status(extra=b""):
    body = encode(r.DERStatus(alarmStatus=2, readingTime=5), Edition.E2018)
    return body.replace(b"</DERStatus>", extra + b"</DERStatus>")


BODIES = (status(FOREIGN), status(UNKNOWN))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (status(FOREIGN), "/DERStatus/fan of urn:vendor is not known"),
        (status(UNKNOWN), "/DERStatus/fanSpeed of urn:ieee:std:2030.5:ns is not known"),
    ],
)
def test_what_is_not_known_is_accepted_and_counted(lab, client, body, text):
    client.get("/dcap")
    assert client.put(STATUS, body).status == 204
    assert list(lab.head_end.end_devices.get(1).violation_texts) == [text]
    assert lab.admin("GET", "/violations")[1] == {text: 1}
    assert client.ask("GET", STATUS).status == 200


@pytest.mark.parametrize(("extra", "name"), [(FOREIGN, "fan"), (UNKNOWN, "fanSpeed")])
def test_an_unknown_element_is_shown_to_the_operator(lab, client, extra, name):
    client.get("/dcap")
    client.put(STATUS, status(extra))
    shown = lab.admin("GET", "/end-devices")[1][0]["der"]["status"]
    assert (shown["alarmStatus"], shown["extra"][0]["name"]) == (2, name)
    assert "900" in shown["extra"][0]["value"]


@pytest.mark.parametrize("body", BODIES)
def test_what_is_not_known_is_400_under_strict(make_lab, body):
    lab = make_lab(strict=True)
    client = lab.client()
    client.get("/dcap")
    assert client.put(STATUS, body).status == 400
    assert client.ask("GET", STATUS).status == 404
    assert client.put(STATUS, status()).status == 204


def test_everything_else_that_the_schema_refuses_stays_400(client):
    client.get("/dcap")
    for body in (status(UNKNOWN).replace(b">5<", b">x<"), status(FOREIGN).replace(b"readingTime", b"time")):
        assert client.put(STATUS, body).status == 400
    assert client.put(STATUS, b"<!DOCTYPE DERStatus>" + status(UNKNOWN)).status == 400


def test_a_violation_of_a_rule_is_400_under_strict_and_stores_nothing(make_lab):
    lab = make_lab(strict=True)
    client = lab.client()
    client.get("/dcap")
    point = r.MirrorUsagePoint(
        mRID="00" * 16, roleFlags=0, serviceCategoryKind=0, status=1, deviceLFDI=client.lfdi
    )
    assert client.post("/mup", point).status == 400
    assert client.get("/mup").all == 0
    assert client.put(STATUS, r.DERStatus(alarmStatus=1 << 20, readingTime=5)).status == 400


FIRST = status().replace(b"<alarmStatus>", FOREIGN + b"<alarmStatus>")


def test_a_foreign_element_does_not_make_a_2018_client_one_of_2023(lab, client):
    client.get("/dcap")
    assert client.put(STATUS, FIRST).status == 204
    device = lab.head_end.end_devices.get(1)
    assert (device.edition, device.violations) == (Edition.E2018, 1)


def test_a_foreign_element_in_its_place_in_a_2023_body_is_no_violation(make_lab):
    lab = make_lab(strict=True)
    client = lab.client()
    client.get("/dcap")
    assert client.put(STATUS, FIRST).status == 400
    assert client.put(STATUS, FIRST.replace(b"<DERStatus ", b'<DERStatus schemaVer="2.2" ')).status == 204


def test_many_violations_of_one_body_are_logged_by_their_number(lab, client):
    client.get("/dcap")
    assert client.put(STATUS, status(UNKNOWN * 50)).status == 204
    assert lab.head_end.end_devices.get(1).violations == 10
    assert any("40 more violations of the standard" in line for line in lab.log.lines)


def test_counted_texts_are_bounded(lab, client):
    client.get("/dcap")
    for number in range(1100):
        client.put(STATUS, status(b"<x%d/>" % number))
    assert len(lab.head_end.violations) == 1001
    assert lab.head_end.violations["others"] == 100
