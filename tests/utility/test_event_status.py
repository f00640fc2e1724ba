"""EventStatus over time; the clock is a number."""

import pytest

from dersim.errors import ConfigError
from dersim.modes import FixedPowerFactor
from dersim.utility.event_status import ENDED_LISTED_S
from dersim.utility.program import ACTIVE, CANCELLED, COMPLETED, SCHEDULED, SUPERSEDED
from dersim.utility.programs import ControlOrder, Programs

T = 1_700_000_000
LIMIT = {"opModMaxLimW": 50.0}
PF = {"opModFixedPFInjectW": FixedPowerFactor(0.95, "inject")}


@pytest.fixture
def store():
    return Programs()


@pytest.fixture
def system(store):
    return store.create("system", 10)


@pytest.fixture
def service_point(store):
    return store.create("service point", 4)


def order(start, duration, modes=LIMIT, **rest):
    return ControlOrder(modes, T + start, duration, **rest)


def at(store, seconds):
    return store.advance(T + seconds)


def test_a_control_is_scheduled_active_completed_and_gone(store, system):
    control = store.publish(system, order(100, 60), T + 0.5)
    assert (control.status, control.status_since_s) == (SCHEDULED, T)
    at(store, 99.9)
    assert control.status == SCHEDULED
    at(store, 100)
    assert (control.status, control.status_since_s) == (ACTIVE, T + 100)
    assert system.active_controls() == [control]
    at(store, 160)
    assert (control.status, control.status_since_s) == (COMPLETED, T + 160)
    assert system.listed_controls() == [control]
    assert system.active_controls() == []
    at(store, 160 + ENDED_LISTED_S)
    assert system.listed_controls() == []


def test_one_late_look_tells_the_same_times_as_many(store, system):
    control = store.publish(system, order(100, 60), T)
    assert [(c.control, c.status, c.at_s) for c in at(store, 10_000)] == [
        (control, ACTIVE, T + 100),
        (control, COMPLETED, T + 160),
        (control, None, T + 160 + ENDED_LISTED_S),
    ]


def test_active_begins_at_the_earliest_effective_start_and_lasts_to_the_latest_end(store, system):
    early = store.publish(system, order(100, 60, randomize_start_s=-30), T)
    late = store.publish(system, order(300, 60, randomize_start_s=30, randomize_duration_s=20), T)
    at(store, 70)
    assert early.status == ACTIVE
    at(store, 160)
    assert early.status == COMPLETED
    at(store, 300)
    assert late.status == ACTIVE
    at(store, 409)
    assert late.status == ACTIVE
    at(store, 410)
    assert late.status == COMPLETED


def test_a_start_that_is_past_is_never_scheduled(store, system):
    control = store.publish(system, order(-10, 60), T + 0.4)
    assert (control.status, control.status_since_s) == (ACTIVE, T)


def test_cancelled_stays_listed_for_two_of_the_slowest_polls_and_only_once(store, system):
    control = store.publish(system, order(100, 6000), T)
    store.cancel(control, T + 20)
    assert (control.status, control.status_since_s) == (CANCELLED, T + 20)
    with pytest.raises(ConfigError, match="over"):
        store.cancel(control, T + 21)
    at(store, 20 + 2 * 900 - 1)
    assert system.listed_controls() == [control]
    at(store, 20 + 2 * 900)
    assert system.listed_controls() == []


def test_an_ended_control_is_gone_within_twenty_seconds_however_it_ended(store, system):
    done = store.publish(system, order(0, 60), T)
    cancelled = store.publish(system, order(0, 60, PF), T)
    superseding = store.publish(system, order(5, 55), T)
    store.cancel(cancelled, T + 10)
    at(store, 59)
    assert {done.status, cancelled.status, superseding.status} == {SUPERSEDED, CANCELLED, ACTIVE}
    assert len(system.listed_controls()) == 3
    at(store, 79)
    assert system.listed_controls() == []


def test_one_cancelled_just_before_its_end_is_shown_as_long_as_one_that_ended(store, system):
    control = store.publish(system, order(0, 60), T)
    store.cancel(control, T + 59)
    at(store, 59 + ENDED_LISTED_S - 1)
    assert system.listed_controls() == [control]
    at(store, 60 + ENDED_LISTED_S)
    assert system.listed_controls() == []


@pytest.mark.parametrize("listed_s", [0, 40, 3600])
def test_how_long_ended_controls_are_listed_can_be_chosen(listed_s):
    store = Programs(listed_s)
    program = store.create("system", 10)
    control = store.publish(program, order(0, 60), T)
    cancelled = store.publish(program, order(0, 60, PF), T)
    store.cancel(cancelled, T + 60 - 0.5)
    at(store, 60 + listed_s - 0.5)
    assert control in program.listed_controls()
    at(store, 61 + listed_s)
    assert program.listed_controls() == []


def test_quick_replacements_have_rising_creation_times_and_the_last_wins(store, system):
    controls = [store.publish(system, order(10, 60), T + 0.1 * i) for i in range(4)]
    assert [c.creation_s for c in controls] == [T, T + 1, T + 2, T + 3]
    assert [c.potentially_superseded for c in controls] == [True, True, True, False]
    at(store, 10)
    assert [c.status for c in controls] == [SUPERSEDED, SUPERSEDED, SUPERSEDED, ACTIVE]
    assert [c.status_since_s for c in controls] == [T + 10] * 4


def test_a_running_loser_runs_until_the_winner_has_started_everywhere(store, system, service_point):
    loser = store.publish(system, order(0, 300), T)
    winner = store.publish(service_point, order(100, 60, randomize_start_s=20), T + 5)
    assert (loser.potentially_superseded, loser.potentially_superseded_s) == (True, T + 5)
    assert not winner.potentially_superseded
    at(store, 119)
    assert (loser.status, winner.status) == (ACTIVE, ACTIVE)
    at(store, 120)
    assert (loser.status, loser.status_since_s) == (SUPERSEDED, T + 120)
    at(store, 200)
    assert loser.status == SUPERSEDED, "never resumed"


def test_primacy_beats_a_later_creation(store, system, service_point):
    best = store.publish(service_point, order(100, 60), T)
    newer = store.publish(system, order(100, 60), T + 50)
    at(store, 100)
    assert (best.status, newer.status) == (ACTIVE, SUPERSEDED)


def test_independent_modes_do_not_compete(store, system, service_point):
    one = store.publish(system, order(100, 60, PF), T)
    other = store.publish(service_point, order(100, 60, LIMIT), T)
    at(store, 130)
    assert (one.status, other.status) == (ACTIVE, ACTIVE)
    assert not one.potentially_superseded


def test_a_shared_ramp_time_is_no_competition(store, system, service_point):
    one = store.publish(system, order(100, 60, {**PF, "rampTms": 5.0}), T)
    store.publish(service_point, order(100, 60, {**LIMIT, "rampTms": 1.0}), T)
    at(store, 130)
    assert one.status == ACTIVE


def test_a_control_that_loses_some_modes_goes_on_with_the_rest(store, system, service_point):
    both = store.publish(system, order(0, 300, {**PF, **LIMIT}), T)
    store.publish(service_point, order(50, 20, LIMIT), T)
    at(store, 60)
    assert (both.status, both.lost) == (ACTIVE, {"opModMaxLimW"})
    store.publish(service_point, order(100, 20, PF), T + 60)
    at(store, 100)
    assert both.status == SUPERSEDED


def test_a_winner_cancelled_in_time_takes_nothing(store, system, service_point):
    loser = store.publish(system, order(50, 100), T)
    winner = store.publish(service_point, order(100, 60), T)
    store.cancel(winner, T + 20)
    assert (loser.potentially_superseded, loser.potentially_superseded_s) == (False, None)
    at(store, 120)
    assert loser.status == ACTIVE


def test_one_that_never_got_to_start_takes_nothing(store, system, service_point):
    middle_program = store.create("feeder", 7)
    worst = store.publish(system, order(150, 100, PF), T)
    middle = store.publish(middle_program, order(100, 100, {**PF}), T)
    best = store.publish(service_point, order(100, 20, PF), T)
    at(store, 110)
    assert (best.status, middle.status) == (ACTIVE, SUPERSEDED)
    at(store, 160)
    assert worst.status == ACTIVE, "the best ended before it starts, the middle one never ran"


def test_one_that_was_over_when_it_was_published_takes_nothing(store, system, service_point):
    running = store.publish(system, order(-60, 300), T)
    over = store.publish(service_point, order(-30, 20, randomize_duration_s=60), T + 1)
    assert not running.potentially_superseded
    at(store, 100)
    assert (over.status, running.status, running.lost) == (COMPLETED, ACTIVE, set())


def test_nothing_changes_before_the_control_that_changes_it_was_there(store, system, service_point):
    loser = store.publish(system, order(0, 3600), T)
    at(store, 2000)
    store.publish(service_point, order(-600, 3600), T + 2000)
    assert (loser.status, loser.status_since_s) == (SUPERSEDED, T + 2000)
    at(store, 2999)
    assert loser.listed, "devices have the usual time to read its status"
    over = store.publish(service_point, order(-600, 60), T + 3000)
    assert (over.status, over.status_since_s, over.listed) == (COMPLETED, T + 3000, True)


def test_one_published_beneath_a_running_better_one_is_superseded_at_once(store, system, service_point):
    store.publish(service_point, order(0, 300), T)
    late = store.publish(system, order(100, 60), T + 10)
    assert (late.status, late.status_since_s) == (SUPERSEDED, T + 10)


def test_back_to_back_controls_do_not_compete_whatever_their_randomization(store, system):
    first = store.publish(system, order(0, 60, randomize_duration_s=30), T)
    store.publish(system, order(60, 60), T)
    at(store, 70)
    assert first.status == ACTIVE
    assert not first.potentially_superseded


def test_every_change_raises_the_version_of_its_own_program_only(store, system, service_point):
    store.publish(system, order(100, 60), T)
    before = (system.version, service_point.version)
    at(store, 100)
    assert system.version > before[0]
    assert service_point.version == before[1]


def test_a_winner_takes_only_the_modes_that_it_has_kept(store, system, service_point):
    feeder = store.create("feeder", 7)
    middle = store.publish(feeder, order(0, 300, {**PF, **LIMIT}), T)
    store.publish(service_point, order(10, 30, LIMIT), T)
    at(store, 45)
    worst = store.publish(system, order(60, 100, {**PF, **LIMIT}), T + 50)
    at(store, 100)
    assert (middle.status, middle.lost) == (ACTIVE, {"opModMaxLimW"})
    assert (worst.status, worst.lost) == (ACTIVE, {"opModFixedPFInjectW"})


def test_many_programs_cost_their_number_and_not_its_square(store, system, monkeypatch):
    """A control for all overlaps with one in each of many service points, which end together."""
    points = [store.groups.create(f"point {n}", "service_point") for n in range(100)]
    programs = [store.create(f"point {n}", 4, (group,)) for n, group in enumerate(points)]
    looked_at, near = [], store._timeline._near

    def counted(control):
        looked_at.extend(found := near(control))
        return found

    monkeypatch.setattr(store._timeline, "_near", counted)
    for_all = store.publish(system, order(100, 6000), T)
    store.publish_to(programs, order(100, 60), T)
    assert for_all.potentially_superseded
    at(store, 1000)
    assert not for_all.potentially_superseded
    assert len(looked_at) < 15 * len(programs)
