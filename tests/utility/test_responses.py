"""Responses: kept in order, answered 201, checked; visible to their sender and the operator only."""

import pytest

from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r

T = 1_700_000_000
UNKNOWN = "0123456789ABCDEF0123456700009F1C"
ORDER = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 60}


def published(lab):
    return lab.admin("POST", "/programs/2/controls", ORDER)[1]["mRID"]


def response(client, status, created=T, cls=r.DERControlResponse, **changes):
    return cls(
        **{
            "createdDateTime": created,
            "endDeviceLFDI": client.lfdi,
            "status": status,
            "subject": changes.get("subject") or published(client.lab),
        }
        | changes
    )


def test_one_two_three_are_kept_in_order(lab, client):
    subject = published(lab)
    for seconds, status in enumerate((1, 2, 3)):
        answer = client.post("/rsps/1/rsp", response(client, status, T + seconds, subject=subject))
        assert answer.status == 201
        assert client.get(answer.header("location")).status == status
    shown = lab.admin("GET", "/responses")[1]
    assert [(s["status"], s["status_text"]) for s in shown] == [
        (1, "event received"),
        (2, "event started"),
        (3, "event completed"),
    ]
    assert {(s["subject"], s["lfdi"]) for s in shown} == {(subject, client.lfdi)}
    assert shown[0]["time"] == "2023-11-14T22:13:20.000Z"
    listed = client.get("/rsps/1/rsp?l=255").Response
    assert [item.status for item in listed] == [3, 2, 1], "newest first"


def test_a_plain_response_is_one_too(client):
    assert client.post("/rsps/1/rsp", response(client, 1, cls=r.Response)).status == 201
    assert client.get("/rsps/1/rsp").Response[0].status == 1


def test_each_sees_only_its_own(lab, client):
    place = client.post("/rsps/1/rsp", response(client, 1)).header("location")
    other = lab.client(b"another")
    assert other.get("/rsps/1/rsp").all == 0
    assert other.get("/rsps/1").ResponseListLink.all == 0
    assert other.ask("GET", place).status == 404


def test_one_to_an_event_that_is_gone_is_kept(lab, client):
    subject = published(lab)
    lab.admin("DELETE", f"/controls/{subject}")
    lab.now += 86_400
    assert lab.admin("DELETE", f"/controls/{subject}")[0] == 404
    assert client.post("/rsps/1/rsp", response(client, 6, subject=subject)).status == 201
    assert lab.head_end.end_devices.get(1).violations == 0


def test_one_to_an_event_that_never_was_is_a_violation(lab, client):
    assert client.post("/rsps/1/rsp", response(client, 1, subject=UNKNOWN)).status == 201
    assert lab.head_end.end_devices.get(1).violation_texts[0] == (
        f"Response/subject {UNKNOWN} is no event of this server"
    )


def test_one_to_an_event_that_never_was_is_400_under_strict(make_lab):
    lab = make_lab(strict=True)
    client = lab.client()
    assert client.post("/rsps/1/rsp", response(client, 1, subject=UNKNOWN)).status == 400
    assert lab.admin("GET", "/responses")[1] == []
    assert client.post("/rsps/1/rsp", response(client, 1)).status == 201


def test_one_in_the_name_of_another_device_is_403(lab, client):
    other = lab.client(b"another")
    other.get("/dcap")
    for lfdi in (other.lfdi, "00" * 20):
        assert client.post("/rsps/1/rsp", response(client, 1, endDeviceLFDI=lfdi)).status == 403
    assert lab.admin("GET", "/responses")[1] == []


def test_an_aggregator_answers_for_its_devices(lab, client):
    client.get("/dcap")
    device = "AB" * 20
    assert lab.admin("POST", "/end-devices", {"lfdi": device, "aggregator": client.lfdi})[0] == 201
    assert client.post("/rsps/1/rsp", response(client, 1, endDeviceLFDI=device)).status == 201
    assert lab.admin("GET", "/responses")[1][0]["lfdi"] == device
    assert {item.lFDI for item in client.get("/edev?l=9").EndDevice} == {client.lfdi, device}
    assert lab.client(b"another").post("/rsps/1/rsp", response(client, 1, endDeviceLFDI=device)).status == 403


def test_an_lfdi_without_its_leading_zeros_is_the_same(lab):
    number = next(n for n in range(10_000) if lab.client(b"%d" % n).lfdi.startswith("00"))
    client = lab.client(b"%d" % number)
    assert client.post("/rsps/1/rsp", response(client, 1, endDeviceLFDI=client.lfdi[2:])).status == 201


@pytest.mark.parametrize("created", [T * 1000, 253_402_300_800, 2**63 - 1, -(2**63)])
def test_a_time_that_no_calendar_has_is_a_violation_and_null(lab, client, created):
    assert client.post("/rsps/1/rsp", response(client, 1, created)).status == 201
    assert f"createdDateTime is {created}" in lab.head_end.end_devices.get(1).violation_texts[0]
    assert lab.admin("GET", "/responses")[1][0]["time"] is None
    assert client.get("/rsps/1/rsp").Response[0].createdDateTime == created


@pytest.mark.parametrize(
    ("edition", "changes", "text"),
    [
        (Edition.E2018, {"status": 99}, "Response/status 99 is reserved in the 2018 edition"),
        (Edition.E2018, {"status": 251}, "Response/status 251 is reserved in the 2018 edition"),
        (Edition.E2023, {}, "modesResponded must be included since 2023"),
    ],
)
def test_what_is_against_the_standard_is_kept_and_counted(lab, edition, changes, text):
    client = lab.client(edition=edition)
    client.get("/dcap")
    assert client.post("/rsps/1/rsp", response(client, **{"status": 1} | changes)).status == 201
    assert text in lab.head_end.end_devices.get(1).violation_texts[0]
    assert len(lab.admin("GET", "/responses")[1]) == 1


def test_251_with_its_modes_is_right_in_2023(lab):
    client = lab.client(edition=Edition.E2023)
    client.get("/dcap")
    assert client.post("/rsps/1/rsp", response(client, 251, modesResponded=1 << 20)).status == 201
    assert lab.head_end.end_devices.get(1).violations == 0


def test_another_set_is_not_there(client):
    assert client.post("/rsps/2/rsp", response(client, 1)).status == 404
    assert client.ask("GET", "/rsps/2").status == 404


@pytest.mark.parametrize("changes", [{"subject": UNKNOWN}, {"status": 15}])
def test_a_profile_may_have_what_is_counted_refused(make_lab, changes):
    lab = make_lab(refused=frozenset(("response",)))
    client = lab.client()
    client.get("/edev")
    assert client.post("/rsps/1/rsp", response(client, 1)).status == 201
    given = {"status": 1} | changes
    assert client.post("/rsps/1/rsp", response(client, given.pop("status"), **given)).status == 400
    assert len(lab.admin("GET", "/responses")[1]) == 1
