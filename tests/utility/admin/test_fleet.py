"""The EndDevices as a table in words, and all about one of them."""

from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r

OTHER = b"certificate of the second"
T = 1_700_000_000


def put_all(client):
    client.put(
        "/edev/1/der/1/dercap",
        r.DERCapability(modesSupported=1 << 20, rtgMaxW=r.ActivePower(multiplier=2, value=70), type=4),
    )
    client.put(
        "/edev/1/der/1/ders",
        r.DERStatus(
            alarmStatus=2,
            inverterStatus=r.InverterStatusType(dateTime=T, value=4),
            genConnectStatus=r.ConnectStatusType(dateTime=T, value=7),
            stateOfChargeStatus=r.StateOfChargeStatusType(dateTime=T, value=5025),
            readingTime=T,
        ),
    )


def mirror(client, watts):
    reading = r.MirrorMeterReading(
        mRID="0A" * 16,
        Reading=r.Reading(value=watts),
        ReadingType=r.ReadingType(powerOfTenMultiplier=1, uom=38),
    )
    point = r.MirrorUsagePoint(
        mRID="0B" * 16,
        roleFlags=0,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=client.lfdi,
        MirrorMeterReading=(reading,),
    )
    assert client.post("/mup", point).status == 201


def test_a_row_says_in_words_what_the_device_has_sent(lab, client):
    client.get("/dcap")
    lab.now += 3
    client.get("/edev/1/rg")
    put_all(client)
    mirror(client, -31)
    (row,) = lab.admin("GET", "/fleet")[1]["rows"]
    assert (row["state"], row["rtg_max_w"], row["power_w"], row["soc_percent"]) == (
        "connected",
        7000,
        -310,
        50.25,
    )
    assert row["status"] == ["running", "connected, available, operating"]
    assert row["alarms"] == "over voltage"
    assert (row["groups"], row["registered_by"]) == (["all DERs"], "contact")
    assert row["pin_read"] == "2023-11-14T22:13:23.000Z"


def test_a_device_that_has_said_nothing_has_an_empty_row(lab):
    lab.admin("POST", "/end-devices", {"lfdi": "AB" * 20})
    (row,) = lab.admin("GET", "/fleet")[1]["rows"]
    assert (row["state"], row["last_seen"], row["status"], row["alarms"]) == ("never seen", None, [], "")
    assert (row["rtg_max_w"], row["power_w"], row["soc_percent"], row["registered_by"]) == (
        None,
        None,
        None,
        "operator",
    )


def test_a_device_that_registers_itself_is_told_from_others(make_lab):
    lab = make_lab(registration="inband")
    client = lab.client()
    posted = r.EndDevice(lFDI=client.lfdi, sFDI=identity.sfdi(client.lfdi), changedTime=5)
    assert client.post("/edev", posted).status == 201
    assert lab.admin("GET", "/fleet")[1]["rows"][0]["registered_by"] == "itself"


def test_the_states_are_counted_and_chosen_by(lab):
    one, two = lab.client(), lab.client(OTHER)
    one.get("/dcap")
    lab.now += 10_000
    two.get("/dcap")
    lab.admin("POST", "/end-devices", {"lfdi": "AB" * 20})
    lab.admin("POST", "/end-devices", {"lfdi": "CD" * 20})
    lab.admin("PUT", "/end-devices/" + "CD" * 20, {"enabled": False})
    document = lab.admin("GET", "/fleet?limit=1&start=1")[1]
    assert document["states"] == {"connected": 1, "silent": 1, "never seen": 1, "disabled": 1}
    assert (document["total"], document["matching"], len(document["rows"])) == (4, 4, 1)
    assert [row["lfdi"] for row in lab.admin("GET", "/fleet?state=silent")[1]["rows"]] == [one.lfdi]


def test_rows_are_found_by_lfdi_sfdi_number_and_group(lab, client):
    client.get("/dcap")
    lab.client(OTHER).get("/dcap")
    lab.admin("POST", "/groups", {"name": "north", "level": "substation"})
    body = {"name": "feeder 7", "level": "feeder", "parent": 2, "lfdis": [client.lfdi]}
    group = lab.admin("POST", "/groups", body)[1]["id"]
    sfdi = str(identity.sfdi(client.lfdi))

    def found(query):
        return [row["id"] for row in lab.admin("GET", f"/fleet?{query}")[1]["rows"]]

    assert found(f"text={client.lfdi[3:20].lower()}") == found(f"text={sfdi[:6]}") == [1]
    assert 2 in found("text=2")
    assert found("text=FEEDER%207") == found(f"group={group}") == [1]
    assert found("violating=yes") == []
    assert lab.admin("GET", "/fleet?text=feeder")[1]["rows"][0]["groups"] == ["north / feeder 7"]


def test_all_about_one_device(lab, client):
    client.get("/dcap")
    put_all(client)
    lab.head_end.note_violation(lab.head_end.end_devices.find(client.lfdi), "PUT", "the first")
    lab.head_end.note_violation(lab.head_end.end_devices.find(client.lfdi), "PUT", "the second")
    status, detail = lab.admin("GET", f"/fleet/{client.lfdi}")
    assert status == 200
    assert list(detail["documents"]) == ["DERCapability", "DERStatus"]
    told = {each["name"]: each["text"] for each in detail["documents"]["DERCapability"]}
    assert (told["rtgMaxW"], told["modesSupported"]) == ("7000 W", "opModMaxLimW")
    assert [each["description"] for each in detail["programs"]] == ["operator", "system"]
    assert detail["violation_texts"] == ["the second", "the first"]
    assert detail["own_groups"] == [1]
    assert lab.admin("GET", "/fleet/" + "00" * 20)[0] == 404
