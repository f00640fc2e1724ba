"""Programs and their defaults by the admin REST: every verb, and what devices see of it."""

import pytest

from dersim.ieee2030_5 import resources as r

PROGRAM = {"description": "feeder 7", "primacy": 10}


def test_a_program_is_made_read_changed_and_removed(lab, client):
    status, made = lab.admin("POST", "/programs", PROGRAM)
    assert (status, made["id"], made["order"], made["groups"]) == (201, 3, 0, [1])
    assert lab.admin("GET", "/programs/3") == (200, made)
    status, changed = lab.admin("PUT", "/programs/3", {"description": "feeder 8", "primacy": 2})
    assert (status, changed) == (200, made | {"description": "feeder 8", "primacy": 2})
    shown = client.get("/derp?l=255").DERProgram[0]
    assert (shown.description, shown.primacy, shown.mRID) == ("feeder 8", 2, made["mRID"])
    assert lab.admin("DELETE", "/programs/3") == (200, changed)
    assert [program.href for program in client.get("/derp?l=255").DERProgram] == ["/derp/2", "/derp/1"]
    assert client.ask("GET", "/derp/3").status == 404
    assert lab.admin("GET", "/programs/3")[0] == lab.admin("DELETE", "/programs/3")[0] == 404


def test_the_order_puts_a_program_where_its_primacy_does_not(lab, client):
    lab.admin("PUT", "/programs/1", {"order": -1})
    assert [program.primacy for program in client.get("/derp?l=255").DERProgram] == [50, 5]
    assert [program["id"] for program in lab.admin("GET", "/programs")[1]] == [1, 2]
    lab.admin("POST", "/programs", PROGRAM | {"order": -2})
    assert [program["id"] for program in lab.admin("GET", "/programs")[1]] == [3, 1, 2]


def test_a_program_is_given_to_groups(lab, client):
    feeder = lab.admin("POST", "/groups", {"name": "feeder 7", "level": "feeder"})[1]["id"]
    assert lab.admin("POST", "/programs", PROGRAM | {"groups": [feeder]})[1]["groups"] == [feeder]
    assert client.ask("GET", "/derp/3").status == 404
    assert lab.admin("PUT", "/programs/3", {"groups": [1, feeder]})[1]["groups"] == [1, feeder]
    assert client.get("/derp/3", r.DERProgram).primacy == 10
    assert lab.admin("PUT", "/programs/3", {"groups": [feeder, 9]})[0] == 400


@pytest.mark.parametrize(
    ("change", "pointer", "text"),
    [
        ({}, "", "one of description, primacy, order and groups is needed"),
        ({"primacy": -1}, "/primacy", "primacy: -1 is outside 0 to 255"),
        ({"primacy": "5"}, "/primacy", "primacy: '5' is not a whole number"),
        ({"description": "x" * 33}, "/description", "description: 33 characters, 0 to 32 are needed"),
        ({"description": "a\nb"}, "/description", "description: a line of at most 32"),
        ({"order": 1.5}, "/order", "order: 1.5 is not a whole number"),
        ({"groups": []}, "/groups", "groups: 0 items"),
        ({"groups": [1, 9]}, "/groups", "groups: there is no group 9, number 2 of the list"),
        ({"primasy": 5}, "/primasy", "primasy: primasy is not known; did you mean primacy?"),
    ],
)
def test_a_bad_change_is_one_line_with_its_place_and_changes_nothing(lab, change, pointer, text):
    before = lab.admin("GET", "/programs")
    status, problem = lab.admin("PUT", "/programs/2", change)
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
    assert text in problem["detail"]
    assert "for instance" in problem["hint"]
    assert lab.admin("GET", "/programs") == before


def test_programs_are_filtered_and_paged(lab):
    for number in range(3, 8):
        lab.admin("POST", "/programs", {"description": f"p{number}", "primacy": number % 2})

    def ids(query):
        return [program["id"] for program in lab.admin("GET", f"/programs?{query}")[1]]

    assert ids("limit=3") == [1, 2, 3]
    assert ids("limit=3&after=3") == [4, 5, 6]
    assert ids("after=6") == [7]
    assert ids("limit=0") == ids("after=99") == []
    assert sorted(ids("primacy=1")) == [3, 5, 7]
    assert ids("description=P4") == [4]
    assert len(ids("group=1")) == 7
    assert lab.admin("GET", "/programs?limit=-1")[0] == lab.admin("GET", "/programs?tea=1")[0] == 400


def test_programs_are_listed_without_their_controls_on_request(lab):
    assert all("controls" in program for program in lab.admin("GET", "/programs")[1])
    assert not any("controls" in program for program in lab.admin("GET", "/programs?controls=no")[1])


def test_a_default_is_set_read_replaced_and_removed(lab, client):
    assert lab.admin("GET", "/programs/2/default-control")[0] == 404
    assert lab.admin("DELETE", "/programs/2/default-control")[0] == 404
    made = lab.admin("PUT", "/programs/2/default-control", {"modes": {"opModMaxLimW": 80}})[1]
    assert lab.admin("GET", "/programs/2/default-control") == (200, made)
    assert client.get("/derp/2").DefaultDERControlLink.href == "/derp/2/dderc"
    assert lab.admin("DELETE", "/programs/2/default-control") == (200, made)
    assert client.get("/derp/2").DefaultDERControlLink is None
    assert client.ask("GET", "/derp/2/dderc").status == 404
    again = lab.admin("PUT", "/programs/2/default-control", {"modes": {"opModMaxLimW": 70}})[1]
    assert (again["mRID"], again["version"]) == (made["mRID"], made["version"] + 1)
    assert client.get("/derp/2/dderc").version == again["version"]


def test_the_program_of_the_running_cycle_cannot_be_removed(make_lab):
    lab = make_lab(cycle=True)
    status, problem = lab.admin("DELETE", "/programs/1")
    assert (status, problem["hint"]) == (409, "start the server without --cycle")
    assert lab.admin("DELETE", "/programs/2")[0] == 200


def test_a_server_that_is_started_again_brings_back_nothing_that_was_removed(lab):
    lab.admin("DELETE", "/programs/1/default-control")
    lab.head_end.start()
    assert lab.admin("GET", "/programs/1")[1]["default_control"] is None
