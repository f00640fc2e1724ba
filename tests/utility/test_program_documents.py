"""DERPrograms as a client reads them: links, modes, EventStatus and edition."""

import pytest

from dersim.ieee2030_5 import Edition, controlbase, decode
from dersim.ieee2030_5 import resources as r
from dersim.modes import MODES, modes_from_json
from dersim.utility.head_end import DEFAULT_CONTROL

T = 1_700_000_000

EVERY_MODE = {
    "opModConnect": True,
    "opModEnergize": False,
    "opModFixedPFAbsorbW": {"pf": 0.95, "excitation": "absorb"},
    "opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"},
    "opModFixedVar": {"percent": -25.5, "ref": "statVarAvail"},
    "opModFixedW": -40,
    "opModFreqDroop": {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05, "open_loop_s": 5},
    "opModMaxLimW": 62.5,
    "opModTargetVar": -2000,
    "opModTargetW": 40_000,
    "opModVoltVar": {"curve": [[92, 44], [98, 0], [102, 0], [108, -44]], "open_loop_s": 5, "v_ref": 100},
    "opModWattPF": [[0, 1, "inject"], [50, 1, "absorb"], [100, 0.9, "absorb"]],
    "opModHVRTMustTrip": [[0.16, 120], [13, 110]],
    "opModLFRTMustTrip": [[0.16, 56.5], [300, 58.5]],
    "rampTms": 12.5,
}


def publish(lab, modes, program=2, **rest):
    data = {"modes": modes, "start_in_s": 60, "duration_s": 120, **rest}
    status, body = lab.admin("POST", f"/programs/{program}/controls", data)
    assert status == 201, body
    return body


def test_two_programs_the_users_better_than_the_systems(client):
    programs = client.get("/derp?l=255", r.DERProgramList)
    assert [p.description for p in programs.DERProgram] == ["operator", "system"]
    assert programs.DERProgram[0].primacy < programs.DERProgram[1].primacy
    assert programs.DERProgram[0].DefaultDERControlLink is None
    assert client.ask("GET", "/derp/2/dderc").status == 404


def test_every_mode_arrives_as_it_was_ordered(lab, client):
    place = publish(lab, EVERY_MODE)
    control = client.get(place["href"])
    assert control.mRID == place["mRID"]
    links = [getattr(control.DERControlBase, name) for name in EVERY_MODE if MODES[name].kind == "curve"]
    curves = {link.href: client.get(link.href) for link in links}
    assert controlbase.modes_of(control.DERControlBase, curves) == modes_from_json(EVERY_MODE)
    listed = client.get("/derp/2/dc?l=255").DERCurve
    assert {c.href for c in listed} == set(curves)
    assert all(c.creationTime == T and c.mRID.endswith("00009F1C") for c in listed)


def test_the_default_arrives_as_set(client):
    default = client.get("/derp/1/dderc")
    href = default.DERControlBase.opModVoltVar.href
    assert controlbase.default_modes_of(default, {href: client.get(href)}) == modes_from_json(DEFAULT_CONTROL)


def test_a_control_says_where_to_answer_and_when(lab, client):
    place = publish(lab, {"opModMaxLimW": 50}, randomize_start_s=-30, randomize_duration_s=20)
    control = client.get(place["href"])
    assert (control.replyTo, control.responseRequired) == ("/rsps/1/rsp", 7)
    assert (control.interval.start, control.interval.duration) == (T + 60, 120)
    assert (control.randomizeStart, control.randomizeDuration) == (-30, 20)
    assert control.EventStatus.currentStatus == 0
    assert control.creationTime == T


def test_status_moves_on_the_wire_and_the_active_list_follows(lab, client):
    place = publish(lab, {"opModMaxLimW": 50})
    assert client.get("/derp/2/actderc?l=255").all == 0
    lab.now = T + 61
    status = client.get(place["href"]).EventStatus
    assert (status.currentStatus, status.dateTime) == (1, T + 60)
    assert [c.mRID for c in client.get("/derp/2/actderc?l=255").DERControl] == [place["mRID"]]
    assert client.get("/derp/2").ActiveDERControlListLink.all == 1
    lab.admin("DELETE", f"/controls/{place['mRID']}")
    status = client.get(place["href"]).EventStatus
    assert (status.currentStatus, status.dateTime) == (2, T + 61)
    assert client.get("/derp/2/actderc").all == 0
    assert client.get("/derp/2/derc").all == 1
    lab.now = T + 1000
    assert client.get("/derp/2/derc").all == 0
    assert client.ask("GET", place["href"]).status == 404


def test_superseding_shows_from_the_publication_on(lab, client):
    loser = publish(lab, {"opModMaxLimW": 50}, program=1)
    lab.now = T + 5
    publish(lab, {"opModMaxLimW": 60}, program=2, start_in_s=100)
    status = client.get(loser["href"]).EventStatus
    assert (status.currentStatus, status.potentiallySuperseded) == (0, True)
    assert status.potentiallySupersededTime == T + 5
    lab.now = T + 105
    assert client.get(loser["href"]).EventStatus.currentStatus == 4


def test_completed_is_a_status_of_2023_only(lab, client):
    modern = lab.client(b"modern", Edition.E2023)
    modern.get("/dcap")
    modern.put("/edev/1/der/1/ders", r.DERStatus(readingTime=0))
    place = publish(lab, {"opModMaxLimW": 50})
    lab.now = T + 181
    assert modern.get(place["href"]).EventStatus.currentStatus == 5
    status = client.get(place["href"]).EventStatus
    assert (status.currentStatus, status.dateTime) == (1, T + 60)


def test_a_start_now_is_active_at_once(lab, client):
    lab.now = T + 0.7
    place = publish(lab, {"opModMaxLimW": 50}, start_in_s=0)
    control = client.get(place["href"])
    assert (control.interval.start, control.EventStatus.currentStatus) == (T, 1)


def test_controls_come_by_start_and_the_query_after_looks_at_it(lab, client):
    for start in (300, 100, 200):
        publish(lab, {"opModMaxLimW": 50}, start_in_s=start)
    starts = [c.interval.start - T for c in client.get("/derp/2/derc?l=255").DERControl]
    assert starts == [100, 200, 300]
    page = client.get(f"/derp/2/derc?l=255&a={T + 100}")
    assert [c.interval.start - T for c in page.DERControl] == [200, 300]
    assert (page.all, page.results) == (3, 2)
    assert client.get("/derp/2/derc").results == 1, "the default limit is one item"


def test_the_cycle_is_there_before_the_first_request(make_lab):
    lab = make_lab(cycle=True)
    first = lab.client().get("/derp/1/derc").DERControl[0]
    assert (first.interval.start, first.interval.duration) == (T + 5, 20)
    assert first.DERControlBase.opModMaxLimW == 4000
    assert first.responseRequired == 7
    lab.now = T + 400
    assert lab.client().get("/derp/1/actderc").all in (0, 1)
    assert lab.client().get("/derp/1/derc").all >= 1


@pytest.mark.parametrize("edition", list(Edition))
def test_every_document_of_the_tree_is_valid_in_its_edition(make_lab, edition):
    lab = make_lab(cycle=True)
    publish(lab, EVERY_MODE)
    client = lab.client(edition=edition)
    client.get("/dcap")
    client.put("/edev/1/der/1/ders", r.DERStatus(readingTime=0))
    seen, to_do = set(), ["/dcap"]
    while to_do:
        href = to_do.pop()
        if href in seen:
            continue
        seen.add(href)
        response = client.ask("GET", f"{href}?l=255")
        if response.status == 404:
            assert href.startswith("/edev/1/"), "only what the device has not PUT yet"
            continue
        document = decode(response.body, strict=True, edition=edition).resource
        assert document.href == href
        to_do += [href for href in hrefs_in(document) if href not in seen]
    assert {"/tm", "/edev/1/rg", "/derp/2/derc/1", "/derp/2/dc/1", "/derp/1/dderc", "/rsps/1/rsp"} <= seen


def hrefs_in(resource):
    if isinstance(resource, tuple):
        for item in resource:
            yield from hrefs_in(item)
    elif hasattr(resource, "__slots_all__"):
        if isinstance(getattr(resource, "href", None), str):
            yield resource.href
        for name in resource.__slots_all__:
            yield from hrefs_in(getattr(resource, name))
