"""Curves by the admin REST: listed, changed for all that refer to them, removed when nothing does."""

import pytest

VOLT_VAR = {"curve": [[92, 44], [98, 0], [102, 0], [108, -44]]}
OTHER = {"curve": [[90, 30], [110, -30]]}
ORDER = {"modes": {"opModVoltVar": VOLT_VAR}, "start_in_s": 30, "duration_s": 120}
PATH = "/programs/2/curves"


def test_the_curve_of_a_control_is_listed_with_it(lab):
    mrid = lab.admin("POST", "/programs/2/controls", ORDER)[1]["mRID"]
    (curve,) = lab.admin("GET", PATH)[1]
    assert (curve["mode"], curve["used"], curve["href"]) == ("opModVoltVar", True, "/derp/2/dc/1")
    assert lab.admin("GET", f"{PATH}/1") == (200, curve)
    status, problem = lab.admin("DELETE", f"{PATH}/1")
    assert (status, problem["hint"]) == (409, "cancel the controls, or change the default, that refer to it")
    lab.admin("DELETE", f"/controls/{mrid}?remove=yes")
    assert lab.admin("GET", PATH)[1] == []
    assert lab.admin("GET", f"{PATH}/1")[0] == 404


def test_a_curve_of_its_own_stays_until_it_is_removed(lab, client):
    status, curve = lab.admin("POST", PATH, {"mode": "opModVoltVar", "value": VOLT_VAR})
    assert (status, curve["used"], curve["value"]["curve"]) == (201, False, VOLT_VAR["curve"])
    mrid = lab.admin("POST", "/programs/2/controls", ORDER)[1]["mRID"]
    lab.admin("DELETE", f"/controls/{mrid}?remove=yes")
    assert client.get("/derp/2/dc").DERCurve[0].mRID == curve["mRID"]
    assert lab.admin("DELETE", f"{PATH}/{curve['id']}")[0] == 200
    assert client.get("/derp/2/dc").all == 0


def test_other_points_reach_the_control_and_the_default_that_refer_to_the_curve(lab, client):
    lab.admin("POST", "/programs/2/controls", ORDER)
    lab.admin("PUT", "/programs/2/default-control", {"modes": ORDER["modes"]})
    before = client.get("/derp/2/dc/1")
    lab.now += 100
    status, changed = lab.admin("PUT", f"{PATH}/1", {"value": OTHER})
    assert (status, changed["value"]["curve"], changed["used"]) == (200, OTHER["curve"], True)
    after = client.get("/derp/2/dc/1")
    assert (after.mRID, after.creationTime) == (before.mRID, before.creationTime + 100)
    assert len(after.CurveData) == 2
    assert client.get("/derp/2/derc/1").DERControlBase.opModVoltVar.href == "/derp/2/dc/1"
    assert client.get("/derp/2/dderc").DERControlBase.opModVoltVar.href == "/derp/2/dc/1"
    assert lab.admin("GET", "/controls")[1][0]["modes"]["opModVoltVar"]["curve"] == OTHER["curve"]


def test_a_curve_cannot_become_equal_to_another(lab):
    for value in (VOLT_VAR, OTHER):
        lab.admin("POST", PATH, {"mode": "opModVoltVar", "value": value})
    assert lab.admin("PUT", f"{PATH}/1", {"value": OTHER})[0] == 409
    assert lab.admin("PUT", f"{PATH}/1", {"value": VOLT_VAR})[0] == 200
    assert [curve["id"] for curve in lab.admin("GET", f"{PATH}?limit=1&after=1")[1]] == [2]
    assert lab.admin("GET", f"{PATH}?mode=opModVoltWatt")[1] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"mode": "opModMaxLimW", "value": VOLT_VAR},
            "mode: 'opModMaxLimW' takes no curve; those that do",
        ),
        ({"mode": "opModVoltVar", "value": {"curve": []}}, "opModVoltVar"),
        ({"mode": "opModVoltVar"}, "value is missing"),
        ({"mode": "opModVoltVar", "value": {"curve": [[1e9, 1], [2e9, 2]]}}, "opModVoltVar"),
    ],
)
def test_a_bad_curve_is_refused(lab, body, text):
    status, problem = lab.admin("POST", PATH, body)
    assert status == 400
    assert text in problem["detail"]
    assert lab.admin("GET", PATH)[1] == []
