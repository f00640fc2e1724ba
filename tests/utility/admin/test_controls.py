"""Controls by the admin REST: published, read, cancelled, taken out, and in many programs at once."""

import time

import pytest

from dersim.ieee2030_5 import Edition, decode
from dersim.utility.modes_2023 import SPECS
from dersim.utility.programs import ControlOrder

T = 1_700_000_000
ORDER = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}


def publish(lab, order=ORDER, program=2):
    status, place = lab.admin("POST", f"/programs/{program}/controls", order)
    assert status == 201, place
    return place["mRID"]


def test_a_control_carries_all_that_was_ordered(lab, client):
    order = ORDER | {
        "randomize_start_s": -20,
        "randomize_duration_s": 10,
        "response_required": 3,
        "description": "peak",
        "device_category": "00200000",
        "reply_to": "/rsps/1/rsp?x=1",
    }
    mrid = publish(lab, order)
    shown = lab.admin("GET", f"/controls/{mrid}")[1]
    assert {key: shown[key] for key in order if key not in ("modes", "start_in_s")} == {
        key: order[key] for key in order if key not in ("modes", "start_in_s")
    }
    (control,) = client.get("/derp/2/derc?l=9").DERControl
    assert (control.randomizeStart, control.randomizeDuration, control.responseRequired) == (-20, 10, 3)
    assert (control.description, control.deviceCategory, control.replyTo) == (
        "peak",
        0x200000,
        "/rsps/1/rsp?x=1",
    )
    assert (control.interval.start, control.interval.duration) == (T + 30, 120)


def test_a_control_may_ask_for_no_answer_at_all(lab, client):
    publish(lab, ORDER | {"reply_to": None, "response_required": 0})
    assert b"replyTo" not in client.ask("GET", "/derp/2/derc?l=9").body


@pytest.mark.parametrize(
    ("start", "seconds"),
    [
        ({"start": "2023-11-14T22:15:00Z"}, T + 100),
        ({"start": "2023-11-14T23:15:00.5+01:00"}, T + 101),
        ({"start": "2023-11-14T22:13:10Z"}, T - 10),
        ({"start_in_s": 30}, T + 30),
        ({"start_in_s": -10}, T - 10),
        ({}, T),
    ],
)
def test_a_start_is_absolute_or_relative(lab, client, start, seconds):
    publish(lab, {"modes": {"opModMaxLimW": 60}, "duration_s": 300} | start)
    assert client.get("/derp/2/derc").DERControl[0].interval.start == seconds


@pytest.mark.parametrize(
    ("change", "pointer", "text"),
    [
        ({"start": "2023-11-14T22:15:00Z"}, "/start", "give either start or start_in_s"),
        ({"start_in_s": None}, "/start_in_s", "start_in_s: null is not a number"),
        ({"device_category": "xyz"}, "/device_category", "up to 8 hexadecimal digits"),
        ({"device_category": 5}, "/device_category", "device_category: 5 is not a text in quotes"),
        ({"reply_to": ""}, "/reply_to", "reply_to: a path of at most 255 characters or null"),
        ({"modes": {"opModMaxLimWInject": -1}}, "/modes/opModMaxLimWInject", "outside 0 to"),
        ({"modes": {"opModMaxLimVarInject": "x"}}, "/modes/opModMaxLimVarInject", "a number is needed"),
        ({"modes": {}}, "/modes", "modes: at least one is needed"),
        ({"modes": {"opModMaxLim": 60}}, "/modes/opModMaxLim", "did you mean opModMaxLimW?"),
        ({"modes": {"ChaGriSet": True}}, "/modes/ChaGriSet", "modes: 'ChaGriSet' is no mode"),
        ({"modes": {"opModGridConnectPermit": 1}}, "/modes/opModGridConnectPermit", "true or false"),
    ],
)
def test_a_bad_order_is_one_line_with_its_place(lab, change, pointer, text):
    status, problem = lab.admin("POST", "/programs/2/controls", ORDER | change)
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert text in problem["detail"]
    assert lab.admin("GET", "/controls")[1] == []


@pytest.mark.parametrize("start", ["tomorrow", "2023-11-14T22:15:00", "2025-11-14T22:15:00Z", "", "12345"])
def test_a_start_that_is_no_time_within_a_year_is_refused(lab, start):
    order = {"modes": {"opModMaxLimW": 60}, "duration_s": 5, "start": start}
    status, problem = lab.admin("POST", "/programs/2/controls", order)
    assert (status, problem["errors"][0]["pointer"]) == (400, "/start")


def test_every_mistake_of_a_body_has_its_pointer(lab):
    problem = lab.admin("POST", "/programs/2/controls", {"duration_s": 0, "start_in_s": "x", "tea": 1})[1]
    assert {error["pointer"] for error in problem["errors"]} == {"/duration_s", "/start_in_s", "/tea", ""}
    assert problem["detail"] == problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("status", "text"), [(2, "cancelled"), (3, "cancelled with randomization"), (4, "superseded")]
)
def test_a_control_is_cancelled_with_the_status_that_was_asked_for(lab, client, status, text):
    mrid = publish(lab)
    answered, control = lab.admin("DELETE", f"/controls/{mrid}?status={status}")
    assert (answered, control["status"], control["status_text"]) == (200, status, text)
    (shown,) = client.get("/derp/2/derc?l=9").DERControl
    assert (shown.EventStatus.currentStatus, shown.EventStatus.dateTime) == (status, T)
    assert lab.admin("DELETE", f"/controls/{mrid}")[0] == 409


@pytest.mark.parametrize("query", ["status=1", "status=5", "status=x", "remove=perhaps"])
def test_no_other_status_cancels(lab, query):
    mrid = publish(lab)
    assert lab.admin("DELETE", f"/controls/{mrid}?{query}")[0] == 400
    assert lab.admin("GET", f"/controls/{mrid}")[1]["status"] == 0


def test_a_control_is_taken_out_of_its_list_without_a_status(lab, client):
    mrid = publish(lab)
    assert lab.admin("DELETE", f"/controls/{mrid}?remove=yes")[1]["status"] == 0
    assert client.get("/derp/2/derc").all == 0
    assert lab.admin("GET", f"/controls/{mrid}")[0] == 404


def test_controls_are_filtered_and_paged(lab):
    first = publish(lab)
    second = publish(lab, ORDER | {"modes": {"opModFixedW": 50}})
    third = publish(lab, ORDER, program=1)
    lab.admin("DELETE", f"/controls/{second}")

    def mrids(path):
        return [control["mRID"] for control in lab.admin("GET", path)[1]]

    assert set(mrids("/controls")) == {first, second, third}
    assert mrids("/controls?status=2") == mrids("/controls?mode=opModFixedW") == [second]
    assert mrids("/controls?program=1") == mrids("/programs/1/controls") == [third]
    assert mrids("/controls?limit=2") == [first, second]
    assert mrids("/controls?after=2") == [third]
    assert mrids("/programs/2/controls?status=0") == [first]


def test_one_order_is_published_in_many_programs(lab, client):
    status, published = lab.admin("POST", "/controls", {**ORDER, "programs": [1, 2]})
    assert status == 201
    assert [control["program"] for control in published["controls"]] == [1, 2]
    assert client.get("/derp/1/derc").all == client.get("/derp/2/derc").all == 1
    assert len(lab.admin("POST", "/controls", {**ORDER, "programs": "all"})[1]["controls"]) == 2


@pytest.mark.parametrize(
    ("programs", "pointer", "text"),
    [
        ([1, 9, 2], "/programs/1", "programs.1: there is no program 9"),
        ([1, 1], "/programs", "each program may be named once"),
        ([], "/programs", "at least one id"),
        ("some", "/programs", "all"),
    ],
)
def test_a_bulk_order_is_refused_as_a_whole(lab, programs, pointer, text):
    status, problem = lab.admin("POST", "/controls", {**ORDER, "programs": programs})
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert text in problem["detail"]
    assert lab.admin("GET", "/controls")[1] == []


def test_a_mode_of_2023_reaches_a_client_of_2018_in_a_document_of_2023(lab, client):
    publish(lab, ORDER)
    assert b"schemaVer" not in client.ask("GET", "/derp/2/derc?l=9").body
    mrid = publish(lab, ORDER | {"modes": {"opModMaxLimWInject": 4000}})
    for target in ("/derp/2/derc?l=9", "/derp/2/derc/2", "/derp/2/actderc"):
        assert b"schemaVer" in client.ask("GET", target).body
    control = client.get("/derp/2/derc/2")
    assert control.DERControlBase.opModMaxLimWInject.value == 4000
    assert b"schemaVer" not in client.ask("GET", "/derp/1/derc").body
    lab.admin("DELETE", f"/controls/{mrid}?remove=yes")
    assert b"schemaVer" not in client.ask("GET", "/derp/2/derc?l=9").body


@pytest.mark.parametrize("mode", SPECS)
def test_every_mode_of_2023_can_be_ordered_and_is_valid(lab, client, mode):
    value = {"bool": True, "fixed_var": {"percent": 30, "ref": "setMaxVar"}}.get(SPECS[mode].kind, 30)
    publish(lab, ORDER | {"modes": {mode: value}})
    lab.admin("PUT", "/programs/2/default-control", {"modes": {mode: value}})
    for target in ("/derp/2/derc", "/derp/2/dderc"):
        body = client.ask("GET", target).body
        assert f"<{mode}>".encode() in body
        assert decode(body, strict=True, edition=Edition.E2023).violations == ()
    assert list(lab.admin("GET", "/controls")[1][0]["modes"]) == [mode]


def thousand(lab):
    """1,000 devices, each with a service point of its own and 24 controls in its program."""
    service_points = []
    for number in range(1000):
        lab.head_end.provision(f"{number:040X}", None)
        group = lab.head_end.groups.create(f"sp {number}", "service_point")
        lab.head_end.groups.set_members(group, [f"{number:040X}"], ())
        service_points.append(lab.head_end.create_program(f"sp {number}", 4, (group,)))
    for hour in range(24):
        order = ControlOrder({"opModMaxLimW": 50.0}, T + 3600 * hour, 3600)
        lab.head_end.publish_to(service_points, order)
    return [program.number for program in service_points]


def cpu_s(work):
    """Its CPU time, s."""
    began = time.process_time()
    work()
    return time.process_time() - began


def slowdown():
    """How much slower this machine is now than a quiet one: others share its caches."""
    return max(cpu_s(lambda: sum(number * number for number in range(200_000))) / 0.012, 1)


def test_a_thousand_lists_take_an_order_in_fifty_milliseconds(lab):
    body = {"programs": thousand(lab), "modes": {"opModMaxLimW": 60}, "duration_s": 60}

    def publish_at(start_in_s):
        status, published = lab.admin("POST", "/controls", body | {"start_in_s": start_in_s})
        assert (status, len(published["controls"])) == (201, 1000)

    took = [cpu_s(lambda start=start: publish_at(start)) / slowdown() for start in (100_000, 50, 200_000)]
    assert min(took) < 0.05
