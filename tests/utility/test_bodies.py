"""Unknown elements in what devices send: kept, shown and counted; refused under --strict."""

import json

import pytest

from dersim.ieee2030_5 import Edition, encode, identity
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


MRID = b"<mRID>00000000000000000000000000009F1C</mRID>"
READING = b"<MirrorMeterReading>%s<ReadingType><uom>38</uom></ReadingType></MirrorMeterReading>" % MRID
POINT = (
    b"<MirrorUsagePoint>%s<roleFlags>49</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status>"
    b"<deviceLFDI>@LFDI</deviceLFDI>%s</MirrorUsagePoint>" % (MRID, READING)
)
#: Every body that a client may send: method, path, body.
KINDS = {
    "DERCapability": (
        "PUT",
        "/edev/1/der/1/dercap",
        b"<DERCapability><modesSupported>03</modesSupported><rtgMaxW><multiplier>0</multiplier>"
        b"<value>5000</value></rtgMaxW><type>4</type></DERCapability>",
    ),
    "DERSettings": (
        "PUT",
        "/edev/1/der/1/derg",
        b"<DERSettings><modesEnabled>03</modesEnabled><setGradW>100</setGradW><setMaxW><multiplier>0"
        b"</multiplier><value>5000</value></setMaxW><updatedTime>5</updatedTime></DERSettings>",
    ),
    "DERStatus": (
        "PUT",
        "/edev/1/der/1/ders",
        b"<DERStatus><alarmStatus>03</alarmStatus><readingTime>5</readingTime></DERStatus>",
    ),
    "DERAvailability": (
        "PUT",
        "/edev/1/der/1/dera",
        b"<DERAvailability><readingTime>5</readingTime></DERAvailability>",
    ),
    "DeviceInformation": (
        "PUT",
        "/edev/1/di",
        b"<DeviceInformation><lFDI>@LFDI</lFDI><mfDate>5</mfDate><mfHwVer>1</mfHwVer><mfID>1</mfID>"
        b"<mfModel>m</mfModel><mfSerNum>1</mfSerNum><primaryPower>1</primaryPower><secondaryPower>0"
        b"</secondaryPower><swActTime>5</swActTime><swVer>1</swVer></DeviceInformation>",
    ),
    "EndDevice": (
        "POST",
        "/edev",
        b"<EndDevice><lFDI>@LFDI</lFDI><sFDI>@SFDI</sFDI><changedTime>5</changedTime></EndDevice>",
    ),
    "LogEvent": (
        "POST",
        "/edev/1/lel",
        b"<LogEvent><createdDateTime>5</createdDateTime><functionSet>0</functionSet><logEventCode>1"
        b"</logEventCode><logEventID>1</logEventID><logEventPEN>40732</logEventPEN><profileID>2</profileID>"
        b"</LogEvent>",
    ),
    "DERControlResponse": (
        "POST",
        "/rsps/1/rsp",
        b"<DERControlResponse><createdDateTime>5</createdDateTime><endDeviceLFDI>@LFDI</endDeviceLFDI>"
        b"<status>1</status><subject>@SUBJECT</subject></DERControlResponse>",
    ),
    "MirrorUsagePoint": ("POST", "/mup", POINT),
    "MirrorMeterReading": ("POST", "/mup/1", READING),
    "MirrorMeterReadingList": (
        "POST",
        "/mup/1",
        b"<MirrorMeterReadingList>%s</MirrorMeterReadingList>" % READING,
    ),
}


def sent(lab, client, kind, *, unknown=b"", inside=""):
    """The response to a body of this kind, with `unknown` at the end of the root or of `inside`."""
    method, target, body = KINDS[kind]
    control = lab.head_end.programs.listed()[0].listed_controls()[0]
    for name, text in (
        ("LFDI", client.lfdi),
        ("SFDI", str(identity.sfdi(client.lfdi))),
        ("SUBJECT", control.mrid),
    ):
        body = body.replace(b"@" + name.encode(), text.encode())
    end = b"</%s>" % (inside or kind).encode()
    before, _, after = body.rpartition(end)
    body = (before + unknown + end + after).replace(b">", b' xmlns="urn:ieee:std:2030.5:ns">', 1)
    return client.send(method, target, body)


@pytest.fixture
def make_busy(make_lab):
    """A server with a control and a client, registered unless its POST is to do that, with a mirror."""

    def make(kind, **config):
        lab = make_lab(registration="inband" if kind == "EndDevice" else "open", **config)
        client = lab.client()
        client.get("/dcap")
        lab.admin("POST", "/programs/2/controls", {"modes": {"opModMaxLimW": 60}, "duration_s": 60})
        if target_of(kind) == "/mup/1":
            assert sent(lab, client, "MirrorUsagePoint").status == 201
        return lab, client

    return make


def target_of(kind):
    return KINDS[kind][1]


@pytest.mark.parametrize("unknown", [FOREIGN, UNKNOWN])
@pytest.mark.parametrize("kind", KINDS)
def test_every_put_and_post_takes_unknown_elements_and_shows_them(make_busy, kind, unknown):
    lab, client = make_busy(kind)
    assert sent(lab, client, kind, unknown=unknown).status in (201, 204)
    device = lab.head_end.end_devices.get(1)
    counts = 2 if kind == "MirrorMeterReadingList" else 0  # all and results
    assert device.violations == 1 + counts
    assert device.violation_texts[0].startswith(f"/{kind}/fan")
    shown = [lab.admin("GET", path)[1] for path in ("/end-devices", "/responses", "/log-events")]
    if kind != "MirrorMeterReadingList":  # its own additions have no place to be shown; those of its items do
        assert "900" in json.dumps([*shown, lab.admin("GET", "/mirror-usage-points")[1]])


@pytest.mark.parametrize("inside", ["ReadingType", "MirrorMeterReading"])
@pytest.mark.parametrize("kind", ["MirrorUsagePoint", "MirrorMeterReading", "MirrorMeterReadingList"])
def test_unknown_elements_further_down_are_shown_too(make_busy, kind, inside):
    lab, client = make_busy(kind)
    assert sent(lab, client, kind, unknown=FOREIGN, inside=inside).status in (201, 204)
    (mirror,) = lab.admin("GET", "/mirror-usage-points")[1]
    assert mirror["readings"][0]["extra"][0]["name"] == "fan"


@pytest.mark.parametrize("unknown", [FOREIGN, UNKNOWN])
@pytest.mark.parametrize("kind", KINDS)
def test_no_put_and_no_post_takes_unknown_elements_under_strict(make_busy, kind, unknown):
    lab, client = make_busy(kind, strict=True)
    assert sent(lab, client, kind, unknown=unknown).status == 400
    if kind != "MirrorMeterReadingList":  # which is without its counts here
        assert sent(lab, client, kind).status in (201, 204)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        (b'vendor="x"', "/DERStatus/@vendor is not known"),
        (b'v:model="x" xmlns:v="urn:vendor"', "/DERStatus/@model of urn:vendor is not known"),
    ],
)
def test_unknown_attributes_are_accepted_and_counted(lab, client, attributes, text):
    client.get("/dcap")
    assert client.put(STATUS, status().replace(b"<DERStatus ", b"<DERStatus %s " % attributes)).status == 204
    assert lab.admin("GET", "/violations")[1] == {text: 1}


def test_an_unknown_attribute_further_down_is_400_under_strict(make_lab):
    lab = make_lab(strict=True)
    client = lab.client()
    client.get("/dcap")
    body = status().replace(b"<readingTime>", b'<readingTime zone="UTC">')
    assert client.put(STATUS, body).status == 400


def test_a_posted_list_may_leave_out_its_counts(make_busy):
    lab, client = make_busy("MirrorMeterReadingList")
    response = sent(lab, client, "MirrorMeterReadingList")
    assert (response.status, response.header("location")) == (204, "/upt/1/mr")
    told = "/MirrorMeterReadingList/@{} is missing: the number of items is taken"
    assert lab.admin("GET", "/violations")[1] == {told.format("all"): 1, told.format("results"): 1}


def test_a_posted_list_without_its_counts_is_400_under_strict(make_busy):
    lab, client = make_busy("MirrorMeterReadingList", strict=True)
    assert sent(lab, client, "MirrorMeterReadingList").status == 400


@pytest.mark.parametrize(
    ("kind", "element"),
    [
        ("DERStatus", b"<alarmStatus>03</alarmStatus>"),
        ("DERCapability", b"<modesSupported>03</modesSupported>"),
        ("DERSettings", b"<modesEnabled>03</modesEnabled>"),
    ],
)
def test_a_hexbinary_is_given_back_as_it_was_given(make_busy, kind, element):
    lab, client = make_busy(kind)
    assert sent(lab, client, kind).status == 204
    assert element in client.ask("GET", target_of(kind)).body


def test_a_mirror_gives_back_its_flags_and_its_short_lfdi_as_given(make_lab):
    lab = make_lab(encrypted=False)
    client = lab.plain()  # without TLS
    client.lfdi = "AB"
    lab.admin("POST", "/end-devices", {"lfdi": "AB".zfill(40)})
    lab.admin("POST", "/programs/2/controls", {"modes": {"opModMaxLimW": 60}, "duration_s": 60})
    assert sent(lab, client, "MirrorUsagePoint").status == 201
    for target in ("/mup/1", "/upt/1"):
        body = client.ask("GET", target).body
        assert b"<roleFlags>49</roleFlags>" in body
        assert b"<deviceLFDI>AB</deviceLFDI>" in body
    assert lab.admin("GET", "/mirror-usage-points")[1][0]["lfdi"] == "AB".zfill(40)
