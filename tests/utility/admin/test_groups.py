"""Groups by the admin REST: made, read, changed, removed; devices moved; orders for a group or a device."""

import pytest

ORDER = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}
FEEDER = {"name": "feeder 7", "level": "feeder"}


def test_a_group_is_made_read_changed_and_removed(lab, client):
    client.get("/dcap")
    status, made = lab.admin("POST", "/groups", FEEDER | {"lfdis": [client.lfdi.lower()]})
    assert (status, made["id"], made["parent"], made["devices"]) == (201, 2, 1, 1)
    assert lab.admin("GET", "/groups/2") == (200, made)
    assert client.get("/edev/1/fsa").all == 2
    status, changed = lab.admin("PUT", "/groups/2", {"name": "feeder 8", "time": {"offset_s": 5}})
    assert (status, changed["name"], changed["time"]["offset_s"]) == (200, "feeder 8", 5)
    assert changed["lfdis"] == [client.lfdi]
    assert lab.admin("PUT", "/groups/2", {"lfdis": [], "time": None})[1]["devices"] == 0
    assert client.get("/edev/1/fsa").all == 1
    assert lab.admin("DELETE", "/groups/2")[0] == 200
    assert lab.admin("GET", "/groups/2")[0] == 404
    status, problem = lab.admin("DELETE", "/groups/1")
    assert (status, "system" in problem["detail"]) == (409, True)


def test_a_device_is_moved_and_its_programs_with_it(lab, client):
    client.get("/dcap")
    for name in ("a", "b"):
        group = lab.admin("POST", "/groups", {"name": name, "level": "feeder"})[1]["id"]
        lab.admin("POST", "/programs", {"description": name, "primacy": 7, "groups": [group]})
    place = f"/end-devices/{client.lfdi}/groups"
    assert lab.admin("GET", place)[1] == {"lfdi": client.lfdi, "groups": [1]}
    assert set(lab.admin("PUT", place, {"group": 2})[1]["groups"]) == {1, 2}
    assert client.get("/derp/3").description == "a"
    lab.admin("PUT", place, {"group": 3})
    assert client.ask("GET", "/derp/3").status == 404
    assert client.get("/derp/4").description == "b"
    assert lab.admin("PUT", place, {"group": None})[1]["groups"] == [1]
    assert lab.admin("PUT", place, {"group": 9})[0] == 400


def test_a_control_for_a_group_reaches_its_devices_alone(lab, client):
    other = lab.client(b"certificate of the second")
    client.get("/dcap")
    other.get("/dcap")
    lab.admin("POST", "/groups", FEEDER | {"lfdis": [client.lfdi]})
    status, place = lab.admin("POST", "/groups/2/controls", ORDER)
    assert status == 201
    assert client.get(place["href"]).mRID == place["mRID"]
    assert other.ask("GET", place["href"]).status == 404


def test_a_control_for_one_device_reaches_it_alone(lab, client):
    other = lab.client(b"certificate of the second")
    client.get("/dcap")
    other.get("/dcap")
    status, place = lab.admin("POST", f"/end-devices/{client.lfdi}/controls", ORDER)
    assert status == 201
    assert client.get(place["href"]).mRID == place["mRID"]
    assert other.ask("GET", place["href"]).status == 404
    assert lab.admin("POST", "/end-devices/00/controls", ORDER)[0] == 404


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "x"}, "level is missing"),
        (FEEDER | {"level": "street"}, "level: 'street' is not one of"),
        (FEEDER | {"parent": 9}, "parent: there is no group 9"),
        (FEEDER | {"name": ""}, "name: 0 characters"),
        (FEEDER | {"name": "all DERs"}, "name: group 1 is named"),
        (FEEDER | {"lfdis": ["12"]}, "lfdis: an LFDI is 40"),
        (FEEDER | {"patterns": ["x"]}, "patterns: hexadecimal digits"),
        (FEEDER | {"time": {"offset": 5}}, "time.offset: offset is not known; did you mean offset_s?"),
    ],
)
def test_a_bad_group_is_one_line_and_changes_nothing(lab, body, text):
    before = lab.admin("GET", "/groups")
    status, problem = lab.admin("POST", "/groups", body)
    assert status == 400
    assert text in problem["detail"]
    assert lab.admin("GET", "/groups") == before


def test_groups_are_filtered_and_paged(lab):
    for number in range(3):
        lab.admin("POST", "/groups", {"name": f"f{number}", "level": "feeder"})
    assert [group["id"] for group in lab.admin("GET", "/groups?limit=2&after=1")[1]] == [2, 3]
    assert [group["id"] for group in lab.admin("GET", "/groups?name=F1")[1]] == [3]
    assert len(lab.admin("GET", "/groups?level=feeder")[1]) == 3
    assert lab.admin("GET", "/groups?level=street")[0] == 400
