"""The three registration modes, and that a client reads nothing but its own resources."""

import pytest

from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r

OTHER = b"certificate of the second"


def end_device(lfdi, sfdi=None):
    return r.EndDevice(
        lFDI=lfdi, sFDI=identity.sfdi(lfdi) if sfdi is None else sfdi, changedTime=1_700_000_000
    )


def test_open_registers_at_first_contact(lab, client):
    listed = client.get("/edev?l=255")
    assert [d.lFDI for d in listed.EndDevice] == [client.lfdi]
    assert client.get("/dcap").EndDeviceListLink.all == 1
    own = client.get(listed.EndDevice[0].href)
    assert own.sFDI == identity.sfdi(client.lfdi)
    assert client.get(own.RegistrationLink.href).pIN == 111115
    assert (
        client.get(own.FunctionSetAssignmentsListLink.href).FunctionSetAssignments[0].TimeLink.href == "/tm"
    )
    assert [line for line in lab.log.lines if "at first contact" in line]


def test_open_answers_a_post_of_the_known_device_409_with_its_place(client):
    response = client.post("/edev", end_device(client.lfdi))
    assert (response.status, response.header("location")) == (409, "/edev/1")


def test_inband_starts_empty_and_takes_the_client_once(make_lab):
    client = make_lab(registration="inband").client()
    assert client.get("/edev?l=255").all == 0
    assert client.get("/dcap").EndDeviceListLink.all == 0
    response = client.post("/edev", end_device(client.lfdi))
    assert (response.status, response.header("location")) == (201, "/edev/1")
    assert client.get("/edev?l=255").all == 1
    assert client.get("/edev/1").lFDI == client.lfdi
    assert client.get("/edev/1/rg").pIN == 111115
    assert client.post("/edev", end_device(client.lfdi)).status == 409


def test_inband_by_sfdi_alone_is_the_certificates_own(make_lab):
    lab = make_lab(registration="inband")
    client, other = lab.client(), lab.client(OTHER)
    assert client.post("/edev", end_device(other.lfdi)).status == 403
    by_sfdi = r.EndDevice(sFDI=identity.sfdi(other.lfdi), changedTime=0)
    assert client.post("/edev", by_sfdi).status == 403
    assert client.get("/edev").all == 0
    by_sfdi.sFDI = identity.sfdi(client.lfdi)
    assert client.post("/edev", by_sfdi).status == 201
    assert client.get("/edev/1").lFDI == client.lfdi


def test_an_sfdi_that_does_not_match_the_lfdi_is_accepted_and_counted(make_lab):
    lab = make_lab(registration="inband")
    client = lab.client()
    assert client.post("/edev", end_device(client.lfdi, 16726121139)).status == 201
    assert client.get("/edev/1").sFDI == identity.sfdi(client.lfdi)
    assert lab.head_end.end_devices.get(1).violations == 1
    assert any("EndDevice/sFDI is 16726121139" in line for line in lab.log.lines)


def test_known_knows_only_those_provisioned(make_lab):
    lab = make_lab(registration="known")
    client, stranger = lab.client(), lab.client(OTHER)
    status, device = lab.admin("POST", "/end-devices", {"lfdi": client.lfdi.lower(), "pin": 123455})
    assert (status, device["lfdi"], device["pin"]) == (201, client.lfdi, "******")
    assert client.get("/edev").all == 1
    assert client.get("/edev/1/rg").pIN == 123455
    assert stranger.get("/edev").all == 0
    assert stranger.post("/edev", end_device(stranger.lfdi)).status == 403
    assert client.post("/edev", end_device(client.lfdi)).status == 409


@pytest.mark.parametrize("mode", ["known", "inband"])
def test_no_link_of_dcap_is_refused_to_a_client_that_is_not_registered_yet(make_lab, mode):
    client = make_lab(registration=mode).client()
    capability = client.get("/dcap")
    links = (capability.EndDeviceListLink, capability.MirrorUsagePointListLink, capability.UsagePointListLink)
    for link in (*links, capability.ResponseSetListLink):
        listed = client.get(f"{link.href}?s=0&l=255")
        assert (link.all, listed.all, listed.results) == (0, 0, 0)
    assert client.get(capability.TimeLink.href).quality == 7


def test_the_lists_fill_once_the_client_is_registered(make_lab):
    lab = make_lab(registration="known")
    client = lab.client()
    assert client.get("/rsps").all == 0
    lab.admin("POST", "/end-devices", {"lfdi": client.lfdi})
    assert (client.get("/dcap").ResponseSetListLink.all, client.get("/rsps").all) == (1, 1)
    assert client.get("/edev").all == 1


@pytest.mark.parametrize("path", ["/derp", "/derp/1/derc", "/rsps/1/rsp", "/rsps/1"])
def test_the_unregistered_see_no_programs(make_lab, path):
    lab = make_lab(registration="known")
    assert lab.client().ask("GET", path).status == 403
    assert lab.client().get("/tm").quality == 7
    assert lab.client().post("/rsps/1/rsp", b"<x/>").status == 403


@pytest.mark.parametrize(
    "below",
    ["", "/rg", "/fsa", "/fsa/1", "/di", "/der", "/der/1", "/der/1/ders", "/der/1/derg", "/lel", "/lel/1"],
)
def test_the_end_device_of_another_client_is_404(lab, client, below):
    client.get("/dcap")
    other = lab.client(OTHER)
    other.get("/dcap")
    assert [d.lFDI for d in other.get("/edev?l=255").EndDevice] == [other.lfdi]
    assert other.ask("GET", f"/edev/1{below}").status == 404
    status = r.DERStatus(readingTime=0)
    if below == "/der/1/ders":
        assert other.put("/edev/1/der/1/ders", status).status == 404
        assert client.put("/edev/1/der/1/ders", status).status == 204
    if below == "/lel":
        assert other.post("/edev/1/lel", b"<x/>").status == 404


def test_without_a_certificate_everything_is_403(lab):
    assert lab.plain().ask("GET", "/dcap").status == 403


def test_without_tls_all_are_shown_and_open_takes_a_post(make_lab):
    lab = make_lab(encrypted=False)
    plain = lab.plain()
    assert plain.get("/edev").all == 0
    lfdis = [f"{number:040X}" for number in (1, 2)]
    for number, lfdi in enumerate(lfdis, 1):
        response = plain.post("/edev", end_device(lfdi))
        assert (response.status, response.header("location")) == (201, f"/edev/{number}")
    assert plain.post("/edev", end_device(lfdis[0])).status == 409
    assert {d.lFDI for d in plain.get("/edev?l=255").EndDevice} == set(lfdis)
    assert plain.get("/edev/2/rg").pIN == 111115
    assert plain.post("/edev", r.EndDevice(sFDI=5, changedTime=0)).status == 400


def test_without_tls_known_still_refuses(make_lab):
    plain = make_lab(encrypted=False, registration="known").plain()
    assert plain.post("/edev", end_device("00" * 20)).status == 403


def test_the_order_is_changed_time_then_sfdi(make_lab):
    lab = make_lab(encrypted=False, registration="known")
    for number in (5, 3, 9):
        lab.admin("POST", "/end-devices", {"lfdi": f"{number:02x}" + "00" * 19})
    lab.now += 10
    lab.admin("POST", "/end-devices", {"lfdi": "ff" * 20})
    listed = lab.plain().get("/edev?l=255").EndDevice
    assert [d.lFDI[:2] for d in listed] == ["FF", "03", "05", "09"]


def test_the_device_category_is_given_back_as_it_was_posted(make_lab):
    client = make_lab(registration="inband").client()
    posted = end_device(client.lfdi)
    posted.deviceCategory = 0x200000
    client.post("/edev", posted)
    assert client.get("/edev/1").deviceCategory == 0x200000
    assert client.get("/edev").EndDevice[0].deviceCategory == 0x200000


def test_a_pin_by_the_other_rule_of_the_check_digit_is_taken_with_a_warning(make_lab):
    def warnings(lab):
        return [line for line in lab.log.lines if "the first five digits mod 10" in line]

    lab = make_lab(pin=332211)
    assert len(warnings(lab)) == 1
    client = lab.client()
    client.get("/edev")
    assert client.get("/edev/1/rg").pIN == 332211
    lab.admin("POST", "/end-devices", {"lfdi": client.lfdi, "pin": 111115})
    assert len(warnings(lab)) == 1, "both rules agree"
    lab.admin("PUT", f"/end-devices/{client.lfdi}", {"pin": 332211})
    lab.admin("PUT", f"/end-devices/{client.lfdi}", {"enabled": True})
    assert len(warnings(lab)) == 2
    assert lab.admin("POST", "/end-devices", {"lfdi": client.lfdi, "pin": 332212})[0] == 400


def test_a_path_that_is_not_there_registers_nobody(make_lab):
    lab = make_lab()
    assert lab.client().ask("GET", "/nothing").status == 404
    assert len(lab.head_end.end_devices) == 0
