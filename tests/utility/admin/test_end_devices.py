"""EndDevices by the admin REST: registered, read, changed, removed; and what the device sees of it."""

import pytest

from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r

OTHER = b"certificate of the second"


def test_a_device_is_registered_read_changed_and_removed(make_lab):
    lab = make_lab(registration="known")
    client = lab.client()
    status, made = lab.admin("POST", "/end-devices", {"lfdi": client.lfdi})
    assert (status, made["id"], made["enabled"], made["pin"]) == (201, 1, True, "******")
    path = f"/end-devices/{client.lfdi}"
    assert lab.admin("GET", path.lower()) == (200, made)
    status, changed = lab.admin("PUT", path, {"pin": "000019", "aggregator": "AB" * 20})
    assert (status, changed) == (200, made | {"aggregator": "AB" * 20})
    assert client.get("/edev/1/rg").pIN == 19
    assert lab.admin("PUT", path, {"aggregator": None})[1]["aggregator"] is None
    assert lab.admin("DELETE", path)[0] == 200
    assert lab.admin("GET", path)[0] == lab.admin("DELETE", path)[0] == lab.admin("PUT", path, {})[0] == 404
    assert client.ask("GET", "/edev/1").status == 404
    assert client.get("/edev").all == 0


def test_a_known_device_that_is_posted_without_a_pin_keeps_its_own(lab, client):
    client.get("/dcap")
    lab.admin("PUT", f"/end-devices/{client.lfdi}", {"pin": 19})
    assert lab.admin("POST", "/end-devices", {"lfdi": client.lfdi, "aggregator": "AB" * 20})[0] == 200
    assert client.get("/edev/1/rg").pIN == 19


def test_a_device_that_is_not_enabled_sees_its_end_device_alone(lab, client):
    client.get("/dcap")
    lab.now += 60
    assert lab.admin("PUT", f"/end-devices/{client.lfdi}", {"enabled": False})[1]["enabled"] is False
    (shown,) = client.get("/edev?l=9").EndDevice
    assert (shown.enabled, shown.changedTime) == (False, 1_700_000_060)
    assert client.ask("GET", "/derp").status == 403
    assert b"not enabled" in client.ask("GET", "/derp").body
    assert client.get("/mup").all == 0
    lab.admin("PUT", f"/end-devices/{client.lfdi}", {"enabled": True})
    assert client.get("/edev?l=9").EndDevice[0].enabled is True
    assert client.get("/derp").all == 2


@pytest.mark.parametrize("registration", ["open", "inband"])
def test_a_removed_device_stays_away_until_it_registers_itself_anew(make_lab, registration):
    lab = make_lab(registration=registration)
    client = lab.client()
    lab.admin("POST", "/end-devices", {"lfdi": client.lfdi})
    lab.admin("DELETE", f"/end-devices/{client.lfdi}")
    assert client.get("/edev").all == 0
    assert client.ask("GET", "/derp").status == 403
    posted = r.EndDevice(lFDI=client.lfdi, sFDI=identity.sfdi(client.lfdi), changedTime=5)
    response = client.post("/edev", posted)
    assert (response.status, response.header("location")) == (201, "/edev/2")
    assert client.get("/derp").all == 2


def test_a_removed_device_comes_back_by_the_operator(lab, client):
    client.get("/dcap")
    lab.admin("DELETE", f"/end-devices/{client.lfdi}")
    assert lab.admin("POST", "/end-devices", {"lfdi": client.lfdi})[1]["href"] == "/edev/2"
    assert client.get("/edev").all == 1


def test_an_aggregator_loses_a_removed_device(lab):
    aggregator, device = lab.client(), lab.client(OTHER)
    lab.admin("POST", "/end-devices", {"lfdi": device.lfdi, "aggregator": aggregator.lfdi})
    assert aggregator.get("/edev?l=9").all == 2
    lab.admin("DELETE", f"/end-devices/{device.lfdi}")
    assert [each.lFDI for each in aggregator.get("/edev?l=9").EndDevice] == [aggregator.lfdi]


@pytest.mark.parametrize(
    ("change", "pointer", "text"),
    [
        ({}, "", "one of pin, enabled and aggregator"),
        ({"pin": 111116}, "/pin", "check digit"),
        ({"pin": "19"}, "/pin", "six digits"),
        ({"enabled": "yes"}, "/enabled", "true or false"),
        ({"aggregator": "12"}, "/aggregator", "an LFDI is 40"),
        ({"lfdi": "00"}, "/lfdi", "lfdi is not known"),
    ],
)
def test_a_bad_change_is_one_line_with_its_place_and_changes_nothing(lab, client, change, pointer, text):
    client.get("/dcap")
    before = lab.admin("GET", "/end-devices")
    status, problem = lab.admin("PUT", f"/end-devices/{client.lfdi}", change)
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert text in problem["detail"]
    assert lab.admin("GET", "/end-devices") == before


def test_a_device_is_not_its_own_aggregator(lab, client):
    client.get("/dcap")
    for method, path, more in (
        ("POST", "/end-devices", {"lfdi": client.lfdi}),
        ("PUT", f"/end-devices/{client.lfdi}", {}),
    ):
        status, problem = lab.admin(method, path, {**more, "aggregator": client.lfdi.lower()})
        assert (status, problem["errors"][0]["pointer"]) == (400, "/aggregator")
        assert "acts for itself already" in problem["detail"]


def test_devices_are_filtered_and_paged(lab):
    lfdis = [f"{number:040X}" for number in range(1, 6)]
    for lfdi in lfdis:
        lab.admin("POST", "/end-devices", {"lfdi": lfdi, "aggregator": "AB" * 20})
    lab.admin("PUT", f"/end-devices/{lfdis[2]}", {"enabled": False, "aggregator": None})

    def found(query):
        return [device["lfdi"] for device in lab.admin("GET", f"/end-devices?{query}")[1]]

    assert found("limit=2") == lfdis[:2]
    assert found("limit=2&after=2") == lfdis[2:4]
    assert found("lfdi=2") == [lfdis[1]]
    assert found("enabled=no") == [lfdis[2]]
    assert len(found(f"aggregator={'AB' * 20}")) == 4
    assert len(found("edition=2018")) == 5
    assert found("edition=2023") == []


@pytest.mark.parametrize(
    "address", ["/end-devices?lfdi", "/end-devices?aggregator", "/responses?lfdi", "/log-events?lfdi"]
)
def test_a_filter_that_is_no_lfdi_is_refused_instead_of_finding_nothing(lab, address):
    status, problem = lab.admin("GET", f"{address}=roof")
    assert status == 400
    assert "an LFDI is 40 hexadecimal digits, not" in problem["detail"]
