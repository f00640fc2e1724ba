"""What each fault of a document makes of it, as a client of ours reads it."""

import pytest
from lxml import etree

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.modes import modes_from_json
from dersim.utility.faults.forms import XmlFlaw
from dersim.utility.programs import ControlOrder

LISTS = "/derp/2/derc"
#: Still used by a client that is not strict.
READABLE = {
    "unknown_elements", "wrong_order", "missing_required", "bom", "utf16", "duplicate_elements", "bad_number",
    "huge_number", "wrong_content_type",
}  # fmt: skip
FLAWS = XmlFlaw.__args__


@pytest.fixture
def controls(lab):
    """Three controls in the list /derp/2/derc."""
    program = lab.head_end.programs.get(2)
    for limit in (40, 50, 60):
        order = ControlOrder(modes_from_json({"opModMaxLimW": limit}), int(lab.now) + limit, 60)
        lab.head_end.publish(program, order)
    return LISTS


def read(client, target, kind=None):
    return decode(client.ask("GET", target).body, kind)


def listed(client, query="s=0&l=255"):
    return read(client, f"{LISTS}?{query}", r.DERControlList).resource


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_of_xml_is_seen_in_every_document(client, plant, controls, flaw):
    whole = {path: client.ask("GET", path).body for path in ("/dcap", f"{controls}?l=9", "/tm")}
    fault = plant("xml", flaw=flaw)
    for path, before in whole.items():
        response = client.ask("GET", path)
        assert response.body != before or response.header("content-type") == "text/plain"
        if flaw not in READABLE:
            with pytest.raises(RemoteProtocolError):
                decode(response.body, strict=True)
    assert fault.acted == 3


@pytest.mark.parametrize("flaw", sorted(READABLE - {"bad_number", "huge_number", "wrong_content_type"}))
def test_some_flaws_can_be_read_by_who_is_not_strict(client, plant, controls, flaw):
    plant("xml", flaw=flaw)
    decode(client.ask("GET", "/dcap").body, r.DeviceCapability)


def test_an_error_is_no_document_to_flaw(client, plant):
    fault = plant("xml", flaw="truncated")
    assert client.ask("GET", "/nowhere").status == 404
    assert fault.acted == 0


@pytest.mark.parametrize(
    ("lie", "counts"),
    [
        ("all_too_high", (6, 3, 3)),
        ("all_too_low", (2, 3, 3)),
        ("all_zero", (0, 3, 3)),
        ("results_too_high", (3, 6, 3)),
        ("results_too_low", (3, 2, 3)),
        ("repeats", (1003, 3, 3)),
        ("omits", (3, 3, 2)),
        ("empty", (0, 0, 0)),
        ("endless", (7, 3, 3)),
        ("reversed", (3, 3, 3)),
    ],
)
def test_each_lie_about_a_list(client, plant, controls, lie, counts):
    plant("list", lie=lie, path=controls)
    found = listed(client)
    assert (found.all, found.results, len(found.DERControl)) == counts


def test_a_list_that_repeats_sends_its_first_page_for_ever(client, plant, controls):
    first = [each.mRID for each in listed(client, "s=0&l=2").DERControl]
    plant("list", lie="repeats")
    for start in (0, 2, 500):
        assert [each.mRID for each in listed(client, f"s={start}&l=2").DERControl] == first


def test_an_endless_list_has_fresh_items_on_every_page(client, plant, controls):
    plant("list", lie="endless")
    hrefs = set()
    for page in range(20):
        found = listed(client, f"s={2 * page}&l=2")
        assert found.all > 2 * page + 2
        hrefs |= {each.href for each in found.DERControl}
    assert len(hrefs) == 40


def test_a_reversed_list(client, plant, controls):
    mrids = [each.mRID for each in listed(client).DERControl]
    plant("list", lie="reversed")
    assert [each.mRID for each in listed(client).DERControl] == mrids[::-1]


def test_a_single_resource_is_no_list(client, plant):
    fault = plant("list", lie="empty")
    client.get("/dcap")
    assert fault.acted == 0


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, [3600, 3601, 3602]),
        ({"offset_s": -90}, [-90, -89, -88]),
        ({"how": "frozen"}, [0, 0, 0]),
        ({"how": "jumping", "offset_s": 100}, [100, 1, 102]),
    ],
)
def test_the_time(lab, client, plant, members, found):
    plant("time", **members)
    began, seen = lab.now, []
    for _ in range(3):
        time = read(client, "/tm", r.Time).resource
        assert time.localTime - time.currentTime == 0
        seen.append(time.currentTime - began)
        lab.now += 1
    assert seen == found


def test_only_the_time_is_wrong(client, plant, controls):
    fault = plant("time")
    listed(client)
    assert fault.acted == 0


def test_items_of_one_mrid(client, plant, controls):
    plant("mrid")
    found = listed(client).DERControl
    assert len({each.mRID for each in found}) == 1
    assert len({each.href for each in found}) == 3


def test_a_single_item_gets_a_twin(client, plant, controls):
    plant("mrid")
    found = listed(client, "s=0&l=1")
    assert [found.all, found.results, len(found.DERControl)] == [4, 2, 2]
    assert found.DERControl[0].mRID == found.DERControl[1].mRID
    assert found.DERControl[0].href != found.DERControl[1].href


def test_a_re_used_mrid_stays_while_the_items_change(lab, client, plant, controls):
    plant("mrid", how="reused")
    first = listed(client, "s=0&l=1").DERControl[0]
    others = listed(client, "s=1&l=2").DERControl
    assert {each.mRID for each in others} == {first.mRID}
    assert first.interval.start not in {each.interval.start for each in others}


def test_moved_resources_are_found_by_links_and_not_by_their_old_hrefs(client, plant, controls):
    plant("moved", path="/derp/*")
    assert client.ask("GET", f"{controls}?l=5").status == 404
    programs = read(client, "/derp?l=9", r.DERProgramList).resource.DERProgram
    link = programs[0].DERControlListLink.href
    assert link == "/moved-1/derp/2/derc"
    found = read(client, f"{link}?l=5", r.DERControlList).resource
    assert found.href == link
    assert len(found.DERControl) == 3
    assert {client.ask("GET", each.href).status for each in found.DERControl} == {200}
    assert found.DERControl[0].replyTo == "/rsps/1/rsp"


def test_what_has_moved_comes_back(lab, client, plant, controls):
    fault = plant("moved", path="/derp/*", duration_s=10)
    lab.now += 10
    assert client.ask("GET", f"{controls}?l=5").status == 200
    assert client.ask("GET", f"/moved-{fault.number}{controls}").status == 404


def test_a_post_to_what_has_moved_is_carried_out_and_its_location_is_the_new_one(lab, client, plant):
    client.get("/dcap")
    plant("moved", path="/mup*")
    mirror = r.MirrorUsagePoint(
        mRID="00" * 15 + "01", roleFlags=0, serviceCategoryKind=0, status=1, deviceLFDI=client.lfdi
    )
    assert client.post("/mup", mirror).status == 404
    response = client.post("/moved-1/mup", mirror)
    assert (response.status, response.header("location")) == (201, "/moved-1/mup/1")


def test_the_device_capability_cannot_move(client, plant):
    plant("moved", path="*")
    assert client.ask("GET", "/dcap").status == 200
    assert client.ask("GET", "/tm").status == 404


def test_flawed_trees_are_still_well_formed(client, plant, controls):
    for flaw in ("unknown_elements", "wrong_order", "missing_required", "duplicate_elements"):
        plant("xml", flaw=flaw, count=1)
        etree.fromstring(client.ask("GET", f"{controls}?l=9").body)


@pytest.mark.parametrize("flaw", FLAWS)
def test_other_faults_let_a_document_pass_that_one_has_made_malformed(client, controls, plant, flaw):
    plant("xml", flaw=flaw)
    for kind, members in (("time", {}), ("mrid", {}), ("list", {"lie": "repeats"}), ("xml", {"flaw": "bom"})):
        plant(kind, **members)
    for path in ("/tm", controls, "/dcap"):
        assert client.ask("GET", path).status == 200
