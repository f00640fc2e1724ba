"""What became of a control on each device: read, received, started, ended or refused, and how late."""

from collections import Counter, deque

import pytest

from dersim.ieee2030_5 import resources as r
from dersim.utility import responses

T = 1_700_000_000
ORDER = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}
OTHER, THIRD = b"certificate of the second", b"certificate of the third"


def publish(lab, order=ORDER):
    status, place = lab.admin("POST", "/programs/2/controls", order)
    assert status == 201
    return place["mRID"]


def answer(client, mrid, status, at_s):
    body = r.DERControlResponse(
        createdDateTime=int(at_s), endDeviceLFDI=client.lfdi, status=status, subject=mrid
    )
    assert client.post("/rsps/1/rsp", body).status == 201


def rows(lab, mrid, query=""):
    document = lab.admin("GET", f"/control-lives/{mrid.lower()}{query}")[1]
    return document, {row["lfdi"]: row for row in document["rows"]}


def test_each_device_goes_its_own_way(lab):
    one, two, three = lab.client(), lab.client(OTHER), lab.client(THIRD)
    for client in (one, two, three):
        client.get("/dcap")
    mrid = publish(lab)
    lab.now += 5
    one.get("/derp/2/derc?l=9")
    two.get("/derp/2/derc?l=9")
    answer(one, mrid, 1, lab.now)
    answer(two, mrid, 252, lab.now)
    lab.now += 29
    answer(one, mrid, 2, lab.now)
    document, found = rows(lab, mrid)
    assert document["counts"] == {"unread": 1, "started": 1, "refused": 1}
    assert (document["devices"], document["late"], document["listed"]) == (3, 1, True)
    assert Counter(row["stage"] for row in document["rows"]) == document["counts"]
    assert document["refusals"] == {"rejected: parameter not applicable": 1}
    assert found[one.lfdi]["read"] == "2023-11-14T22:13:25.000Z"
    assert [each["status"] for each in found[one.lfdi]["responses"]] == [1, 2]
    assert (found[one.lfdi]["stage"], found[one.lfdi]["started_late_s"]) == ("started", 4)
    assert found[two.lfdi]["text"] == "rejected: parameter not applicable"
    assert (found[three.lfdi]["stage"], found[three.lfdi]["read"]) == ("unread", None)
    only, chosen = rows(lab, mrid, "?stage=refused&limit=1")
    assert (only["matching"], list(chosen)) == (1, [two.lfdi])
    assert rows(lab, mrid, "?start=2")[0]["matching"] == 3


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        (3, "completed"),
        (6, "cancelled"),
        (7, "superseded"),
        (4, "opted out"),
        (14, "refused"),
        (11, "started"),
    ],
)
def test_a_stage_is_that_of_the_last_response_that_tells(lab, client, status, stage):
    client.get("/dcap")
    mrid = publish(lab)
    for each in (1, 2, status):
        answer(client, mrid, each, T + 30)
    assert rows(lab, mrid)[1][client.lfdi]["stage"] == stage


def test_a_response_that_tells_nothing_of_it_leaves_the_stage(lab, client):
    client.get("/dcap")
    mrid = publish(lab)
    answer(client, mrid, 2, T + 30)
    answer(client, mrid, 11, T + 31)
    assert rows(lab, mrid)[1][client.lfdi]["stage"] == "started"


def test_a_randomized_start_is_late_only_after_its_window(lab, client):
    client.get("/dcap")
    mrid = publish(lab, ORDER | {"randomize_start_s": 60, "randomize_duration_s": -20})
    answer(client, mrid, 2, T + 90)
    answer(client, mrid, 3, T + 125)
    row = rows(lab, mrid)[1][client.lfdi]
    assert (row["started_late_s"], row["ended_late_s"]) == (0, -5)


def test_a_device_is_not_late_before_it_has_read_the_control(lab, client):
    client.get("/dcap")
    mrid = publish(lab, ORDER | {"start_in_s": 0})
    lab.now += 9
    client.get("/derp/2/derc?l=9")
    answer(client, mrid, 2, T + 10)
    assert rows(lab, mrid)[1][client.lfdi]["started_late_s"] == 1


def test_a_page_of_the_list_is_no_sight_of_the_rest(lab, client):
    client.get("/dcap")
    first, second = publish(lab), publish(lab, ORDER | {"start_in_s": 500})
    client.get("/derp/2/derc")
    assert [rows(lab, each)[1][client.lfdi]["stage"] for each in (first, second)] == ["read", "unread"]
    lab.now += 9
    client.get("/derp/2/derc?s=1&l=5")
    assert rows(lab, second)[1][client.lfdi]["read"] == "2023-11-14T22:13:29.000Z"
    assert rows(lab, first)[1][client.lfdi]["read"] == "2023-11-14T22:13:20.000Z"


def test_an_ended_control_is_still_there_for_the_operator(lab, client):
    client.get("/dcap")
    mrid = publish(lab)
    client.get("/derp/2/derc?l=9")
    lab.now += 1000
    (life,) = lab.admin("GET", "/control-lives")[1]
    assert (life["control"]["mRID"], life["control"]["status_text"], life["listed"]) == (
        mrid,
        "completed",
        False,
    )
    assert (life["program"], life["groups"], life["counts"]) == ("operator", ["all DERs"], {"read": 1})
    assert lab.admin("GET", "/control-lives?state=live")[1] == []
    assert lab.admin("GET", f"/controls/{mrid}")[0] == 404


def test_it_is_told_where_responses_were_dropped(lab, client, monkeypatch):
    monkeypatch.setattr(responses, "KEPT", 2)
    lab.head_end.responses.all = deque(maxlen=2)
    client.get("/dcap")
    mrid = publish(lab)
    lab.now += 1
    answer(client, mrid, 1, T)
    assert rows(lab, mrid)[0]["incomplete"] is False
    for status in (2, 3):
        answer(client, mrid, status, T)
    assert rows(lab, mrid)[0]["incomplete"] is True


@pytest.mark.parametrize("path", ["/controls/{}?remove=yes", "/programs/2"])
def test_a_control_that_was_taken_back_is_not_live(lab, client, path):
    client.get("/dcap")
    mrid = publish(lab)
    assert lab.admin("DELETE", path.format(mrid))[0] == 200
    assert lab.admin("GET", "/control-lives?state=live")[1] == []
    (life,) = lab.admin("GET", "/control-lives?state=over")[1]
    assert (life["control"]["mRID"], life["listed"]) == (mrid, False)


def test_the_controls_of_one_device_alone(lab):
    one, two = lab.client(), lab.client(OTHER)
    one.get("/dcap"), two.get("/dcap")
    lab.admin("POST", f"/end-devices/{one.lfdi}/controls", ORDER)
    for_all = publish(lab)
    of_two = lab.admin("GET", f"/control-lives?lfdi={two.lfdi}")[1]
    assert [each["control"]["mRID"] for each in of_two] == [for_all]
    assert of_two[0]["life"]["stage"] == "unread"
    assert len(lab.admin("GET", f"/control-lives?lfdi={one.lfdi}&limit=5")[1]) == 2
    assert len(lab.admin("GET", f"/control-lives?lfdi={one.lfdi}&limit=1")[1]) == 1
    assert lab.admin("GET", "/control-lives?program=2")[1][0]["devices"] == 2
