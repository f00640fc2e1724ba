"""What a device PUTs and POSTs of itself: accepted in both editions, returned as sent, violations counted."""

import pytest

from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r

T = 1_700_000_000
BOTH = [Edition.E2018, Edition.E2023]


def watts(value, multiplier=0):
    return r.ActivePower(multiplier=multiplier, value=value)


def var(value):
    return r.ReactivePower(multiplier=0, value=value)


def capability(**changes):
    return r.DERCapability(
        **{"modesSupported": 0x00500088, "rtgMaxW": watts(10_000), "rtgMaxVar": var(4400), "type": 4}
        | changes
    )


def settings(**changes):
    return r.DERSettings(
        **{"modesEnabled": 0x00500088, "setGradW": 10_000, "setMaxW": watts(10_000), "updatedTime": T}
        | changes
    )


REPORTED = {
    "/edev/1/der/1/dercap": capability(),
    "/edev/1/der/1/derg": settings(setMaxVarNeg=var(-4400)),
    "/edev/1/der/1/ders": r.DERStatus(
        alarmStatus=0, inverterStatus=r.InverterStatusType(dateTime=T, value=4), readingTime=T
    ),
    "/edev/1/der/1/dera": r.DERAvailability(readingTime=T, statWAvail=watts(8000)),
    "/edev/1/di": r.DeviceInformation(
        lFDI="00" * 20,
        mfDate=T,
        mfHwVer="1",
        mfID=40732,
        mfModel="PV",
        mfSerNum="1",
        primaryPower=1,
        secondaryPower=0,
        swActTime=T,
        swVer="1",
    ),
}


@pytest.fixture(params=BOTH, ids=["2018", "2023"])
def speaker(lab, request):
    client = lab.client(edition=request.param)
    client.get("/dcap")
    return client


@pytest.mark.parametrize("path", REPORTED)
def test_what_is_put_is_given_back(lab, speaker, path):
    assert speaker.ask("GET", path).status == 404
    response = speaker.put(path, REPORTED[path])
    assert (response.status, response.body) == (204, b"")
    back = speaker.get(path)
    assert back.href == path
    back.href = None
    assert back == REPORTED[path]
    assert lab.head_end.end_devices.get(1).violations == 0


def test_members_of_2023_survive_the_way_back(lab):
    client = lab.client(edition=Edition.E2023)
    client.get("/dcap")
    status = r.DERStatus(connectStatus=r.ConnectStatusType2(dateTime=T, value=3), readingTime=T)
    assert client.put("/edev/1/der/1/ders", status).status == 204
    assert client.get("/edev/1/der/1/ders").connectStatus.value == 3


def test_a_client_is_answered_in_the_edition_that_it_speaks(lab):
    client = lab.client(edition=Edition.E2023)
    assert b"schemaVer" not in client.ask("GET", "/tm").body
    client.put("/edev/1/der/1/derg", settings())
    assert b'schemaVer="2.2"' in client.ask("GET", "/tm").body
    assert b"schemaVer" not in lab.client(b"another").ask("GET", "/tm").body
    client.edition = Edition.E2018
    client.put("/edev/1/der/1/derg", settings())
    assert b"schemaVer" not in client.ask("GET", "/tm").body


def test_a_2023_body_without_schema_ver_is_understood(lab, client):
    client.get("/dcap")
    body = (
        b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><connectStatus><dateTime>1</dateTime><value>03</value>'
        b"</connectStatus><readingTime>1</readingTime></DERStatus>"
    )
    assert client.put("/edev/1/der/1/ders", body).status == 204
    assert lab.head_end.end_devices.get(1).reported["status"].edition is Edition.E2023


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", b"empty"),
        (b"<DERStatus", b"well-formed"),
        (b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"/>', b"readingTime"),
        (b'<DERSettings xmlns="urn:ieee:std:2030.5:ns"/>', b"DERStatus"),
        (b'<DERStatus xmlns="http://ieee.org/2030.5"/>', b"2013"),
        (b'<!DOCTYPE x><DERStatus xmlns="urn:ieee:std:2030.5:ns"/>', b"DOCTYPE"),
        (
            b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><readingTime>1</readingTime>'
            b"<alarmStatus>00</alarmStatus></DERStatus>",
            b"alarmStatus",
        ),
        (
            b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><readingTime>soon</readingTime></DERStatus>',
            b"readingTime",
        ),
    ],
)
def test_what_is_not_valid_is_400_and_says_why(lab, client, body, reason):
    client.get("/dcap")
    response = client.put("/edev/1/der/1/ders", body)
    assert response.status == 400
    assert reason in response.body
    assert lab.head_end.end_devices.get(1).reported == {}


VIOLATIONS = [
    (settings(setMaxVarNeg=var(4400)), "DERSettings/setMaxVarNeg is 4400: it must not be positive"),
    (settings(setMaxVar=var(-1)), "DERSettings/setMaxVar is -1: it must be positive"),
    (settings(setMaxW=watts(1, 5)), "DERSettings/setMaxW is 100000: it must not exceed rtgMaxW 10000"),
    (settings(setMaxVar=var(4401)), "DERSettings/setMaxVar is 4401: it must not exceed rtgMaxVar 4400"),
    (settings(setMaxVarNeg=var(-5000)), "setMaxVarNeg is -5000: it must not be below rtgMaxVarNeg -4400"),
    (settings(modesEnabled=0x08000000), "DERSettings/modesEnabled is 08000000: bits 27 to 31 are reserved"),
    (capability(rtgMaxVarNeg=var(1)), "DERCapability/rtgMaxVarNeg is 1: it must not be positive"),
    (r.DERStatus(alarmStatus=0x800, readingTime=T), "DERStatus/alarmStatus is 00000800"),
    (
        r.DERStatus(genConnectStatus=r.ConnectStatusType(dateTime=T, value=0x27), readingTime=T),
        "DERStatus/genConnectStatus is 27",
    ),
]
PATHS = {r.DERSettings: "derg", r.DERCapability: "dercap", r.DERStatus: "ders"}


@pytest.mark.parametrize(("document", "text"), VIOLATIONS)
def test_a_violation_of_the_standard_is_accepted_logged_and_counted(lab, client, document, text):
    client.get("/dcap")
    client.put("/edev/1/der/1/dercap", capability(rtgMaxVarNeg=var(-4400)))
    assert client.put(f"/edev/1/der/1/{PATHS[type(document)]}", document).status == 204
    device = lab.head_end.end_devices.get(1)
    assert device.violations == 1
    assert text in device.violation_texts[0]
    assert any(line.startswith("Warning") and text in line for line in lab.log.lines)
    assert lab.admin("GET", "/end-devices")[1][0]["violations"] == 1
    assert sum(lab.admin("GET", "/violations")[1].values()) == 1


def test_the_old_connect_status_in_a_2023_body_is_against_the_standard(lab):
    client = lab.client(edition=Edition.E2023)
    client.get("/dcap")
    status = r.DERStatus(genConnectStatus=r.ConnectStatusType(dateTime=T, value=7), readingTime=T)
    assert client.put("/edev/1/der/1/ders", status).status == 204
    assert "must not be included since 2023" in lab.head_end.end_devices.get(1).violation_texts[0]


def log_event(number, created=T, **changes):
    return r.LogEvent(
        **{
            "createdDateTime": created,
            "functionSet": 0,
            "logEventCode": 2,
            "logEventID": number,
            "logEventPEN": 40732,
            "profileID": 2,
        }
        | changes
    )


def test_basic_027_five_log_events_newest_first(lab, client):
    href = client.get("/edev").EndDevice[0].LogEventListLink.href
    places = []
    for number in range(5):
        response = client.post(href, log_event(number, T + number))
        assert response.status == 201
        places.append(response.header("location"))
    assert len(set(places)) == 5
    assert client.get(places[2]).logEventID == 2
    listed = client.get(f"{href}?l=255")
    assert (listed.all, listed.results) == (5, 5)
    assert [event.logEventID for event in listed.LogEvent] == [4, 3, 2, 1, 0]
    assert client.get("/edev/1").LogEventListLink.all == 5
    assert client.get(f"{href}?a={T + 2}&l=255").results == 2


def test_log_events_of_one_second_are_ordered_by_their_id(client):
    client.get("/dcap")
    for number in (7, 9, 8):
        client.post("/edev/1/lel", log_event(number))
    assert [e.logEventID for e in client.get("/edev/1/lel?l=255").LogEvent] == [9, 8, 7]


def test_at_least_ten_log_events_are_kept_and_not_for_ever(lab, client):
    client.get("/dcap")
    for number in range(300):
        client.post("/edev/1/lel", log_event(number, T + number))
    listed = client.get("/edev/1/lel?l=1000")
    assert 10 <= listed.all < 300
    assert listed.LogEvent[0].logEventID == 299


def test_a_foreign_pen_on_the_ieee_profile_is_counted(lab, client):
    client.get("/dcap")
    assert client.post("/edev/1/lel", log_event(1, logEventPEN=37244)).status == 201
    assert lab.head_end.end_devices.get(1).violations == 1
    shown = lab.admin("GET", "/log-events")[1][0]
    assert (shown["lfdi"], shown["logEventPEN"], shown["logEventCode"]) == (client.lfdi, 37244, 2)


@pytest.mark.parametrize("multiplier", [10, -10, 127, -128])
def test_settings_with_a_multiplier_outside_9_are_a_violation(lab, client, multiplier):
    client.get("/dcap")
    client.put("/edev/1/der/1/dercap", capability())
    answer = client.put("/edev/1/der/1/derg", settings(setMaxW=watts(5, multiplier)))
    assert answer.status == 204
    assert "DERSettings/setMaxW/multiplier" in lab.head_end.end_devices.get(1).violation_texts[0]
    assert client.ask("GET", "/edev/1/der/1/derg").status == 200
    assert lab.admin("GET", "/end-devices")[0] == 200


@pytest.mark.parametrize("time", [1_700_000_000_000, 2**63 - 1])
def test_a_status_with_a_time_in_milliseconds_is_a_violation_and_can_be_read(lab, client, time):
    client.get("/dcap")
    assert client.put("/edev/1/der/1/ders", r.DERStatus(alarmStatus=0, readingTime=time)).status == 204
    assert f"DERStatus/readingTime is {time}" in lab.head_end.end_devices.get(1).violation_texts[0]
    assert lab.admin("GET", "/end-devices")[0] == 200
