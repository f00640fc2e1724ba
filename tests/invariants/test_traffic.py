"""I10, I11, I12, I14: what the requests of the clients show."""

import pytest
from tests.invariants.rig import Rig

from dersim.invariants.alertness import MOST_READ, Alertness
from dersim.invariants.documents import ValidBodies
from dersim.invariants.independence import Independence
from dersim.invariants.rates import Rates, Spread

SIXTY = b'<DERControlList xmlns="urn:ieee:std:2030.5:ns" all="0" results="0" pollRate="60"/>'


def poll(rig, seconds, every, **more):
    found = []
    for second in range(seconds):
        if second % every == 0:
            rig.exchange(url="/derc", got=SIXTY, **more)
        found += rig.tick()
    return found


def test_a_poll_at_its_rate_is_right():
    assert poll(Rig(Rates()), 900, 60) == []
    assert poll(Rig(Rates()), 900, 10) == []


def test_a_poll_each_second_is_found():
    assert len(poll(Rig(Rates()), 200, 1)) > 5


def test_a_discovery_at_once_is_no_poll():
    rig = Rig(Rates())
    rig.client.state = "retrying"
    assert poll(rig, 60, 1) == []


def retries(pauses, count=30, fleet=None, losses=1):
    """`count` DERs of a fleet fail in one instant, and try again after these pauses, so many times."""
    rig = Rig(Spread(), count=fleet or count)
    found = []
    for lost in range(losses):
        for number in range(1, count + 1):
            rig.exchange(status=0, device=number, outcome="gone")
        found += rig.tick(5)
        for second in range(5, 65):
            for number in range(1, count + 1):
                if int(pauses(number, lost)) == second:
                    rig.exchange(device=number, status=200 if lost == losses - 1 else 0)
            found += rig.tick()
    return [each.id for each in found]


def test_retries_that_are_spread_are_right():
    assert retries(lambda number, _: 10 + number % 10) == []


def test_retries_in_one_instant_are_found():
    assert retries(lambda number, _: 15) == ["I10"]
    assert retries(lambda number, _: 15, count=40, fleet=40) == ["I10"]


def test_as_many_as_connect_at_once_are_no_storm_of_a_large_fleet():
    assert retries(lambda number, _: 15, count=30, fleet=40) == []


def test_only_the_first_retry_after_a_loss_must_be_spread():
    assert retries(lambda number, lost: 15 if lost else 10 + number % 10, losses=2) == []


def sent_at_once(body):
    """Thirty DERs whose Response failed in one second send another body together, 15 s later."""
    rig = Rig(Spread(), count=30)
    for number in range(1, 31):
        rig.exchange("POST", "/rsp", sent=b"received", status=0, device=number, outcome="gone")
    found = rig.tick(15)
    for number in range(1, 31):
        rig.exchange("POST", "/rsp", sent=body, device=number)
    found += rig.tick(60)
    return [each.id for each in found]


def test_what_a_fleet_sends_at_the_start_of_a_control_is_no_retry():
    assert sent_at_once(b"started") == []


def test_a_body_that_a_fleet_sends_again_in_one_instant_is_found():
    assert sent_at_once(b"received") == ["I10"]


def test_a_connected_der_that_asks_no_more_is_found():
    rig = Rig(Independence(), count=2)
    for _ in range(20):
        for number in (1, 2):
            rig.exchange(url="/derc", got=SIXTY, device=number, cause="poll derc, 60 s")
        assert rig.tick(60) == []
    found = []
    for _ in range(5):
        rig.exchange(url="/derc", got=SIXTY, device=1, cause="poll derc, 60 s")
        found += rig.tick(60)
    assert [each.device for each in found] == [2]


def test_one_that_is_away_asks_nothing():
    rig = Rig(Independence())
    rig.exchange(url="/derc", got=SIXTY, cause="poll derc, 60 s")
    rig.client.state = "away"
    assert rig.tick(1000) == []


def test_a_body_that_is_not_valid_in_the_edition_is_found():
    rig = Rig(ValidBodies())
    rig.respond(1, mrid="0" * 31 + "1")
    assert rig.tick() == []
    rig.exchange("PUT", "/der/1/ders", sent=b'<DERStatus xmlns="urn:ieee:std:2030.5:ns"/>')
    assert [each.expected for each in rig.tick()] == ["PUT /der/1/ders DERStatus valid in 2018"]


def test_a_failure_that_the_status_keeps_quiet_about_is_found():
    rig = Rig(Alertness())
    rig.exchange(status=503, url="/derp", cause="poll derp, 60 s", outcome="refused with 503")
    assert rig.tick(5) == []
    assert [each.seen for each in rig.tick(30)] == ["connected, no trouble"]


def test_a_failure_that_is_kept_quiet_about_is_found_in_long_ticks_too():
    rig = Rig(Alertness())
    rig.clock.tick_s = 20.0
    rig.exchange(status=503, url="/derp", cause="poll derp, 60 s", outcome="refused with 503")
    assert rig.tick() == []
    assert [each.seen for each in rig.tick(3)] == ["connected, no trouble"]


def test_a_failure_that_is_told_or_is_over_is_right():
    rig = Rig(Alertness())
    rig.exchange(status=503, url="/derp", cause="poll derp, 60 s")
    rig.client.state = "retrying"
    assert rig.tick(30) == []
    rig.client.state = "connected"
    rig.exchange(status=503, url="/derp", cause="poll derp, 60 s")
    rig.tick(3)
    rig.exchange(url="/derp", cause="poll derp, 60 s")
    assert rig.tick(30) == []


def failing_curves(rig, listed="/derp/1/dc"):
    rig.client.unreadable[listed] = "the server answered 500"
    rig.exchange(status=500, url="/derp/1/dc?s=0&l=255", cause="poll derp, 60 s", outcome="refused with 500")
    return [each.seen for each in rig.tick(30)]


def test_what_was_never_read_is_told_where_it_is_listed_as_unreadable():
    assert failing_curves(Rig(Alertness())) == []
    assert failing_curves(Rig(Alertness()), "derp/1/dc") == []


@pytest.mark.parametrize("listed", ["/dc", "/derp/2/dc", "/derp/1/dc/1", "http://[::1"])
def test_another_address_that_is_listed_tells_nothing_of_it(listed):
    assert failing_curves(Rig(Alertness()), listed) == ["connected, no trouble"]


def test_what_cannot_be_written_is_not_told_by_what_cannot_be_read():
    rig = Rig(Alertness())
    rig.client.unreadable["/mup"] = "the server answered 500"
    rig.exchange("POST", "/mup", status=500, outcome="refused with 500")
    assert [each.seen for each in rig.tick(30)] == ["connected, no trouble"]


def test_the_second_page_of_a_list_may_never_have_been_read():
    rig = Rig(Alertness())
    rig.exchange(url="/derp/1/dc?s=0&l=1", cause="poll derp, 60 s")
    rig.client.unreadable["/derp/1/dc"] = "the server answered 500"
    rig.exchange(status=500, url="/derp/1/dc?s=1&l=1", cause="poll derp, 60 s", outcome="refused with 500")
    assert rig.tick(30) == []


def meter_post(rig, method, url, status):
    outcome = "ok" if status < 300 else f"refused with {status}"
    rig.exchange(method, url, status=status, outcome=outcome, cause="meter post")


@pytest.mark.parametrize("found", [("GET", "/mup", 200), ("POST", "/mup", 201)])
def test_readings_that_another_mirror_takes_are_no_failure(found):
    rig = Rig(Alertness())
    meter_post(rig, "POST", "/mup/1", 500)
    meter_post(rig, *found)
    meter_post(rig, "POST", "/mup/2", 204)
    assert rig.tick(30) == []


@pytest.mark.parametrize(
    ("then", "taken", "seen"),
    [
        (("GET", "/mup?s=0&l=255", 500), "/mup/1", []),  # looked for in vain, and taken after all
        (("POST", "/mup/2", 204), "/mup/2", ["connected, no trouble"]),  # one of two takes nothing
    ],
)
def test_readings_that_are_taken_are_no_failure_of_their_own_mirror(then, taken, seen):
    rig = Rig(Alertness())
    meter_post(rig, "POST", "/mup/1", 500)
    meter_post(rig, *then)
    meter_post(rig, "POST", taken, 204)
    assert [each.seen for each in rig.tick(30)] == seen


def test_with_too_many_addresses_all_count_as_read():
    rig = Rig(Alertness())
    for number in range(MOST_READ):
        rig.exchange(url=f"/derp/2/derc/{number}", cause="poll derp, 60 s")
        if number % 400 == 399:
            rig.tick()
    assert failing_curves(rig) == ["connected, no trouble"]


def test_what_was_read_once_has_to_be_a_trouble():
    rig = Rig(Alertness())
    rig.exchange(url="/derp/1/dc?s=0&l=255", cause="poll derp, 60 s")
    rig.tick()
    assert failing_curves(rig) == ["connected, no trouble"]


def test_what_was_never_read_and_is_listed_nowhere_is_found():
    rig = Rig(Alertness())
    rig.exchange(status=500, url="/derp/1/dc", cause="poll derp, 60 s", outcome="refused with 500")
    assert [each.seen for each in rig.tick(30)] == ["connected, no trouble"]


def test_a_failure_behind_a_redirect_is_over_once_the_address_is_read():
    rig = Rig(Alertness())
    there = (("location", "/r-0/mup"),)
    rig.exchange(url="/mup", status=301, headers=there, outcome="redirect", cause="poll mup, 60 s")
    rig.exchange(url="/r-0/mup", status=500, cause="poll mup, 60 s")
    rig.tick(3)
    rig.exchange(url="/mup", cause="poll mup, 60 s")
    assert rig.tick(30) == []
    rig.exchange(url="/r-0/mup", status=500, cause="poll mup, 60 s")
    assert [each.seen for each in rig.tick(30)] == ["connected, no trouble"]


def test_a_request_that_the_client_ended_itself_is_no_failure():
    rig = Rig(Alertness())
    rig.exchange(status=0, url="/edev", cause="poll edev, 60 s", outcome="cancelled")
    assert rig.tick(30) == []


def test_a_failed_der_whose_state_is_well_is_found():
    rig = Rig(Alertness())
    rig.tick()
    state = rig.device.state
    rig.device.failed = "test"
    rig.device._state = state
    assert len(rig.watcher.step()) == 1
