"""I1: a control that runs too early, too late, not at all or with another value is found."""

import pytest
from tests.invariants.rig import START_S, Rig, published, view

from dersim.ieee2030_5.event_types import Phase
from dersim.invariants.events import Events
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

MODE = "opModMaxLimW"
START = int(START_S)


@pytest.fixture
def rig():
    """Connected for long, with a program of primacy 1 whose controls are at /derc."""
    rig = Rig(Events())
    rig.exchange(url="/derp", got=published.programs(("/derc", 1, "/dderc")))
    rig.tick(30)
    return rig


def publish(rig, *controls):
    rig.exchange(url="/derc", got=published.controls(*controls))
    rig.tick(25)


def found(rig, phase, **more):
    more.setdefault("start", START + 100)
    more.setdefault("end", START + 700)
    rig.client.views = [view("AA", {MODE: 50.0}, phase=phase, **more)]
    return [each.expected for each in rig.tick(2)]


def control(**more):
    return published.control("AA", START + 100, 600, percent=50, **more)


def test_the_life_of_a_control_is_right(rig):
    rig.client.views = [view("AA", {MODE: 50.0}, phase=Phase.SCHEDULED, start=START + 100, end=START + 700)]
    publish(rig, control())
    assert found(rig, Phase.SCHEDULED) == []
    rig.tick(46)
    assert found(rig, Phase.ACTIVE) == []
    rig.tick(590)
    assert found(rig, Phase.ACTIVE) == []
    rig.tick(15)
    assert found(rig, Phase.COMPLETED) == []


def test_an_early_start_is_found(rig):
    publish(rig, control())
    assert found(rig, Phase.ACTIVE) == [f"AA not to run before {START + 100}"]


def test_a_control_that_does_not_start_is_found_once(rig):
    rig.client.views = [view("AA", {MODE: 50.0}, phase=Phase.SCHEDULED)]
    publish(rig, control())
    assert [each.expected for each in rig.tick(60)] == [f"AA to run since {START + 100}"]
    assert found(rig, Phase.SCHEDULED) == []


def test_a_start_may_wait_for_its_randomization(rig):
    rig.client.views = [view("AA", {MODE: 50.0}, phase=Phase.SCHEDULED)]
    publish(rig, control(randomize_start=300))
    rig.tick(200)
    assert found(rig, Phase.SCHEDULED) == []
    assert len(rig.tick(170)) == 1


def test_a_control_that_does_not_end_is_found(rig):
    rig.client.views = [view("AA", {MODE: 50.0}, start=START + 100)]
    publish(rig, control())
    rig.tick(60)
    assert rig.tick(560) == []
    assert [each.expected for each in rig.tick(50)] == [f"AA to end by {START + 700}"]


def test_a_cancelled_control_that_runs_is_found(rig):
    publish(rig, control(status=2))
    rig.tick(60)
    assert found(rig, Phase.ACTIVE) == ["AA not to run: cancelled"]


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.EXPIRED, Phase.CANCELLED])
def test_an_early_end_is_found(rig, phase):
    rig.client.views = [view("AA", {MODE: 50.0}, phase=Phase.SCHEDULED)]
    publish(rig, control())
    rig.tick(50)
    assert found(rig, phase) == [f"AA not to be over before {START + 700}"]


def test_a_superseded_control_needs_a_better_one(rig):
    rig.client.views = [view("AA", {MODE: 50.0}, phase=Phase.SCHEDULED)]
    publish(rig, control())
    assert found(rig, Phase.SUPERSEDED) == ["a better control where AA is superseded"]


def test_a_control_that_is_not_held_is_found(rig):
    publish(rig, control())
    assert [each.expected for each in rig.tick(2)] == []  # told once, in publish
    assert rig.watcher.violations[-1].expected == "AA to be known"


def test_another_value_is_found(rig):
    publish(rig, published.control("AA", START - 100, 6000, percent=50))
    rig.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, MODE, 5.0, detail="AA"))
    assert found(rig, Phase.ACTIVE, start=START - 100) == ["opModMaxLimW 50 % of AA"]


def test_a_default_that_is_not_in_force_is_found(rig):
    rig.exchange(url="/dderc", got=published.default(70))
    rig.device.setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, MODE, 70.0, detail="D"))
    assert rig.tick(30) == []
    rig.device.setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, MODE, None))
    assert [each.expected for each in rig.tick(5)] == ["opModMaxLimW 70 % by default"]


def obey_by_default(rig, percent):
    rig.device.setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, MODE, percent, detail="D"))


def test_a_program_that_has_moved_is_not_at_its_old_place_too(rig):
    before = published.programs(("/1/derc", 1, "/1/dderc"), ("/2/derc", 2, "/2/dderc"))
    after = published.programs(("/m/1/derc", 3, "/m/1/dderc"), ("/m/2/derc", 2, "/m/2/dderc"))
    for place, listed in (("", before), ("/m", after)):
        rig.exchange(url=f"{place}/derp", got=listed)
        rig.exchange(url=f"{place}/1/dderc", got=published.default(70))
        rig.exchange(url=f"{place}/2/dderc", got=published.default(90))
    obey_by_default(rig, 90.0)
    assert rig.tick(30) == []
    obey_by_default(rig, 70.0)
    assert [each.expected for each in rig.tick(5)] == ["opModMaxLimW 90 % by default"]


def test_programs_to_which_a_server_gives_one_mrid_all_count(rig):
    rows = (("/1/derc", 1, "/1/dderc"), ("/2/derc", 2, "/2/dderc"))
    rig.exchange(url="/derp", got=published.programs(*rows, one_mrid=True))
    for path, percent in (("/1/dderc", 70), ("/2/dderc", 90)):
        rig.exchange(url=path, got=published.default(percent))
    obey_by_default(rig, 70.0)
    assert rig.tick(30) == []


def test_another_primacy_counts_once_the_client_has_had_the_time(rig):
    for path, percent in (("/1/dderc", 70), ("/2/dderc", 90)):
        rig.exchange(url=path, got=published.default(percent))
    for first, seen in ((1, []), (3, ["opModMaxLimW 90 % by default"])):
        listed = published.programs(("/1/derc", first, "/1/dderc"), ("/2/derc", 2, "/2/dderc"))
        rig.exchange(url="/derp", got=listed)
        obey_by_default(rig, 70.0)
        assert rig.tick(15) == []
        assert [each.expected for each in rig.tick(15)] == seen


def test_links_to_what_is_no_address_end_nothing(rig):
    rig.exchange(url="/fsa", got=published.assignments("http://[::1", "/derp"))
    rig.exchange(url="/derp", got=published.programs(("/derc", 1, "http://[::1")))
    assert rig.tick(30) == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_default_that_the_server_has_no_more_is_not_expected(rig, status):
    rig.exchange(url="/dderc", got=published.default(70))
    rig.exchange(url="/dderc", status=status)
    assert rig.tick(30) == []


def test_a_default_that_was_read_elsewhere_by_a_redirect_is_that_of_its_program(rig):
    rig.exchange(url="/dderc", got=published.default(70))
    obey_by_default(rig, 70.0)
    assert rig.tick(30) == []
    for asked, status, location in (("/dderc", 301, "/r-1/dderc"), ("/r-1/dderc", 301, "/r-0/dderc")):
        rig.exchange(url=asked, status=status, headers=(("location", location),), outcome="redirect")
    rig.exchange(url="/r-0/dderc", got=published.default(90))
    obey_by_default(rig, 90.0)
    assert rig.tick(30) == []
    obey_by_default(rig, 70.0)
    assert [each.expected for each in rig.tick(5)] == ["opModMaxLimW 90 % by default"]


def test_a_redirect_to_what_is_no_address_ends_nothing(rig):
    rig.exchange(url="/dderc", status=301, headers=(("location", "http://[::1"),), outcome="redirect")
    rig.exchange(url="/dderc", got=published.default(70))
    obey_by_default(rig, 70.0)
    assert rig.tick(30) == []


def test_a_default_may_wait_for_the_rest_of_a_poll_in_which_something_is_silent(rig):
    rig.exchange(url="/dderc", got=published.default(70))
    assert rig.tick(15) == []
    rig.exchange(url="/derc", status=0, outcome="the server was silent for 10 s")
    assert rig.tick(15) == []
    assert [each.expected for each in rig.tick(15)] == ["opModMaxLimW 70 % by default"]


def test_nothing_is_judged_while_the_client_is_not_connected(rig):
    rig.client.state = "retrying"
    publish(rig, control())
    assert found(rig, Phase.ACTIVE) == []
