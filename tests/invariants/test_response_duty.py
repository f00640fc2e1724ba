"""I2: a Response that is never sent is found."""

import pytest
from tests.invariants.rig import START_S, Rig, published, view

from dersim.ieee2030_5.event_types import Phase
from dersim.invariants.response_duty import ResponseDuty

START = int(START_S)
MODE = "opModMaxLimW"


def run(*answers, phase=Phase.ACTIVE, required=3, ticks=150, status=0):
    """An event that came to a phase; (status, answer) of the Responses; the violations."""
    rig = Rig(ResponseDuty())
    rig.tick(2)
    listed = published.control("AA", START, 600, percent=50, required=required, status=status)
    rig.exchange(url="/derc", got=published.controls(listed))
    rig.client.views = [view("AA", {MODE: 50.0}, phase=phase)]
    for told, answer in answers:
        rig.respond(told, answer=answer)
    return rig, [each.expected for each in rig.tick(ticks)]


def test_a_response_that_was_taken_is_enough():
    assert run((2, 201))[1] == []


def test_a_response_that_is_left_out_is_found_once():
    assert run((1, 201), ticks=400)[1] == ["a Response 2 for AA"]


def test_one_that_was_not_asked_for_is_not_owed():
    assert run(required=1)[1] == []
    assert run(required=1, phase=Phase.SCHEDULED)[1] == ["a Response 1 for AA"]


def test_a_refused_one_is_settled_and_a_failed_one_is_not():
    assert run((2, 400))[1] == []
    assert run((2, 503))[1] == ["a Response 2 for AA"]


def test_a_redirect_is_no_answer():
    assert run((2, 302))[1] == ["a Response 2 for AA"]
    assert run((2, 302), (2, 201))[1] == []


def test_a_client_whose_responses_meet_redirects_has_its_time():
    """As it gives up the redirects, the Responses behind the first one wait, too."""
    rig, found = run((1, 302), ticks=100)
    rig.respond(1, answer=302)
    assert found + [each.expected for each in rig.tick(100)] == []
    assert [each.expected for each in rig.tick(60)] == ["a Response 2 for AA"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_that_a_server_asks_to_wait_may_wait(method):
    rig, found = run(ticks=10)
    asked = {"status": 503, "headers": (("retry-after", "300"),)}
    rig.exchange(method, "/mup", **asked)
    assert found + rig.tick(400) == []
    assert [each.expected for each in rig.tick(60)] == ["a Response 2 for AA"]


def test_it_may_wait_while_the_server_is_away():
    rig, found = run(ticks=100)
    assert found == []
    rig.client.state = "retrying"
    assert rig.tick(500) == []
    rig.client.state = "connected"
    assert rig.tick(100) == []
    assert len(rig.tick(60)) == 1


def test_what_was_before_the_first_look_is_not_owed():
    rig = Rig(ResponseDuty())
    listed = published.control("AA", START, 600, percent=50, required=3)
    rig.exchange(url="/derc", got=published.controls(listed))
    rig.client.views = [view("AA", {MODE: 50.0})]
    assert rig.tick(300) == []


def test_an_event_that_was_over_when_it_was_first_read_owes_nothing():
    assert run(phase=Phase.COMPLETED, status=5)[1] == []
    assert run(phase=Phase.COMPLETED)[1] != []


def test_one_that_was_over_when_first_read_and_is_in_no_list_any_more_owes_nothing():
    rig = Rig(ResponseDuty())
    rig.tick(2)
    rig.client.state = "discovering"
    listed = published.control("AA", START, 600, percent=50, required=7, status=5)
    rig.exchange(url="/derc", got=published.controls(listed))
    rig.client.views = [view("AA", {MODE: 50.0}, phase=Phase.COMPLETED)]
    rig.tick()
    rig.exchange(url="/derc", got=published.controls())
    rig.client.state = "connected"
    assert rig.tick(150) == []


def test_a_response_is_heard_among_the_thousand_pages_of_a_list_without_an_end():
    rig, found = run(ticks=1)
    rig.respond(2)
    for start in range(1000):
        rig.exchange(url=f"/edev?s={start}&l=1")
    assert [*found, *rig.tick(150)] == []
