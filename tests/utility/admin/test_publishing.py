"""What the form of a control offers, and that its preview is what is served."""

import re

import pytest

from dersim.ieee2030_5 import Edition
from dersim.modes_schema import modes_schema
from dersim.plugin.builtin import make_device
from dersim.utility import modes_2023
from dersim.utility.mode_offers import offers
from dersim.web.api import mode_editors

CURVE = {"curve": [[92, 30], [98, 0], [102, 0], [108, -30]], "y_ref_type": 2}
ORDER = {"modes": {"opModMaxLimW": 60}, "duration_s": 120}
MRID = re.compile(rb"<mRID>[0-9A-F]{32}</mRID>")


def asked(lab, body):
    status, found = lab.admin("POST", "/control-preview", body)
    assert status == 200, found
    return found


@pytest.mark.parametrize(
    "order",
    [
        ORDER,
        ORDER | {"start_in_s": 90, "randomize_start_s": -30, "description": "a < b", "response_required": 3},
        ORDER | {"modes": {"opModVoltVar": CURVE}, "device_category": "00200000", "reply_to": None},
    ],
    ids=["now", "later", "curve"],
)
def test_the_preview_is_what_is_served(lab, order):
    found = asked(lab, {"program": 2, **order})
    place = lab.admin("POST", "/programs/2/controls", order)[1]
    assert [each["edition"] for each in found["documents"]] == ["2018", "2023"]
    for each, edition in zip(found["documents"], ("2018", "2023"), strict=True):
        client = lab.client()
        client.get("/dcap")
        lab.head_end.end_devices.find(client.lfdi).edition = Edition(edition)
        served = client.ask("GET", place["href"]).body
        assert MRID.sub(b"", served) == MRID.sub(b"", each["xml"].encode())
        for curve in each["curves"]:
            served = client.ask("GET", curve["href"]).body
            assert MRID.sub(b"", served) == MRID.sub(b"", curve["xml"].encode())
        assert len(each["curves"]) == ("opModVoltVar" in order["modes"])


def test_a_preview_publishes_nothing(lab, client):
    client.get("/dcap")
    before = lab.admin("GET", "/programs")[1]
    asked(lab, {"device": client.lfdi, **ORDER})
    asked(lab, {"program": 2, "modes": {"opModVoltVar": CURVE}, "duration_s": 5})
    assert lab.admin("GET", "/programs")[1] == before
    assert len(lab.admin("GET", "/groups")[1]) == 1
    assert lab.admin("GET", "/programs/2/curves")[1] == []


def test_a_target_is_a_program_a_group_or_a_device(lab, client):
    client.get("/dcap")
    found = asked(lab, {"group": 1, **ORDER})
    assert (found["program"], found["made"], found["devices"]) == ("operator", False, 1)
    found = asked(lab, {"device": client.lfdi, **ORDER})
    assert (found["program"], found["made"], found["devices"]) == ("device 1", True, 1)
    feeder = lab.admin("POST", "/groups", {"name": "feeder 7", "level": "feeder"})[1]["id"]
    found = asked(lab, {"group": feeder, **ORDER})
    assert (found["program"], found["made"], found["devices"]) == ("feeder 7", True, 0)
    place = lab.admin("POST", f"/end-devices/{client.lfdi}/controls", ORDER)[1]
    made = lab.admin("GET", f"/controls/{place['mRID']}")[1]["program"]
    assert lab.admin("GET", f"/programs/{made}")[1]["description"] == "device 1"


@pytest.mark.parametrize("target", [{}, {"program": 1, "group": 1}])
def test_one_target_is_needed(lab, target):
    status, problem = lab.admin("POST", "/control-preview", {**ORDER, **target})
    assert status == 400
    assert "one of program, group and device" in problem["detail"]


def test_a_mode_of_2023_is_previewed_in_that_edition_alone(lab):
    found = asked(lab, {"program": 2, **ORDER, "modes": {"opModMaxLimWInject": 500}})
    assert [each["edition"] for each in found["documents"]] == ["2023"]


def test_a_wrong_value_is_told_with_its_place(lab):
    body = {"program": 2, **ORDER, "modes": {"opModMaxLimW": 160}}
    status, problem = lab.admin("POST", "/control-preview", body)
    assert status == 400
    assert problem["errors"][0]["pointer"] == "/modes/opModMaxLimW"


def test_every_mode_is_offered_with_the_ranges_of_its_schema(lab):
    shown = {each["mode"]: each for each in lab.admin("GET", "/control-options")[1]["modes"]}
    specs = modes_2023.all_specs()
    assert set(shown) == set(specs)
    for name, schema in modes_schema(specs)["properties"].items():
        if schema.get("type") == "number":
            (part,) = shown[name]["fields"]
            assert (part["low"], part["high"]) == (schema.get("minimum"), schema.get("maximum"))
    assert [each["path"] for each in shown["opModFreqDroop"]["fields"]][:3] == [
        "db_of_hz",
        "db_uf_hz",
        "k_of",
    ]
    assert shown["opModMaxLimWInject"]["edition"] == "2023"
    assert next(iter(shown)) == "opModMaxLimW"


def test_proposals_are_values_that_can_be_published(lab):
    for each in offers():
        if each["proposal"] is not None and not each["default_only"]:
            asked(lab, {"program": 2, "duration_s": 60, "modes": {each["mode"]: each["proposal"]}})


def test_curves_begin_as_in_the_dashboard():
    device = make_device(1)
    for each in offers():
        if each["kind"] == "curve":
            assert each["proposal"] == mode_editors.proposal(device, each["mode"])
            dashboard = mode_editors.references(device, each["mode"])
            assert [(r["y_ref_type"], r["words"]) for r in each["references"]] == [
                (r["y_ref_type"], r["words"]) for r in dashboard
            ]
