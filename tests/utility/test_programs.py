"""Programs, their order, their curves, and what is refused."""

import pytest

from dersim.errors import ConfigError
from dersim.modes import modes_from_json
from dersim.utility.program import STATUS_TEXT
from dersim.utility.programs import ControlOrder, Programs

T = 1_700_000_000
VOLT_VAR = modes_from_json({"opModVoltVar": [[92, 44], [98, 0], [102, 0], [108, -44]]})
LIMIT = {"opModMaxLimW": 50.0}


@pytest.fixture
def store():
    return Programs()


def test_programs_are_listed_by_primacy_then_by_falling_mrid(store):
    programs = [store.create(f"p{i}", primacy) for i, primacy in enumerate((9, 3, 9, 3))]
    listed = store.listed()
    assert [p.primacy for p in listed] == [3, 3, 9, 9]
    assert listed[0].mrid > listed[1].mrid
    assert listed[2].mrid > listed[3].mrid
    assert set(listed) == set(programs)


def test_controls_are_listed_by_start_then_by_falling_creation(store):
    program = store.create("p", 1)
    starts = [50, 20, 50, 35]
    controls = [store.publish(program, ControlOrder(LIMIT, T + s, 5), T) for s in starts]
    assert program.listed_controls() == [controls[1], controls[3], controls[2], controls[0]]


def test_a_program_keeps_its_mrid_over_a_restart_and_ends_in_the_pen(store):
    assert store.create("feeder", 3).mrid == Programs().create("feeder", 3).mrid
    assert store.create("other", 3).mrid.endswith("00009F1C")


def test_equal_curves_are_kept_once_and_dropped_with_their_last_user(store):
    program = store.create("p", 1)
    for start in (10, 100):
        store.publish(program, ControlOrder(VOLT_VAR, T + start, 20), T)
    assert [(c.number, c.mode) for c in program.curves.listed()] == [(1, "opModVoltVar")]
    store.advance(T + 70)
    assert len(program.curves.listed()) == 1
    store.advance(T + 1000)
    assert program.controls == {}
    assert program.curves.listed() == []


def test_a_curve_of_the_default_stays(store):
    program = store.create("p", 1)
    store.set_default(program, VOLT_VAR, T)
    store.publish(program, ControlOrder(VOLT_VAR, T + 10, 20), T)
    store.advance(T + 1000)
    assert len(program.curves.listed()) == 1
    store.set_default(program, LIMIT, T)
    assert program.curves.listed() == []


def test_a_replaced_default_keeps_its_mrid_and_raises_its_version(store):
    program = store.create("p", 1)
    store.set_default(program, LIMIT, T)
    first = program.default
    store.set_default(program, {"opModMaxLimW": 70.0}, T)
    assert (program.default.mrid, program.default.version) == (first.mrid, first.version + 1)


def test_hrefs_of_controls_are_never_used_twice(store):
    program = store.create("p", 1)
    first = store.publish(program, ControlOrder(LIMIT, T, 5), T)
    store.advance(T + 1000)
    second = store.publish(program, ControlOrder(LIMIT, T + 1000, 5), T + 1000)
    assert first.href != second.href


def test_a_control_is_found_by_its_mrid_in_any_case(store):
    control = store.publish(store.create("p", 1), ControlOrder(LIMIT, T + 5, 5), T)
    assert store.find_control(control.mrid.lower()) is control
    assert store.find_control("00") is None


def test_the_order_of_a_program_comes_before_its_primacy(store):
    first, second, third = (store.create(name, primacy) for name, primacy in (("a", 1), ("b", 2), ("c", 3)))
    store.update(third, "c", 3, -1, T)
    store.update(first, "a", 1, 5, T)
    assert store.listed() == [third, second, first]
    assert list(store.of_group(store.groups.system)) == [third, second, first]


def test_a_changed_primacy_decides_who_is_superseded_from_now_on(store):
    system, feeder = store.create("system", 10), store.create("feeder", 5)
    low = store.publish(system, ControlOrder(LIMIT, T + 10, 60), T)
    high = store.publish(feeder, ControlOrder(LIMIT, T + 10, 60), T)
    assert (low.potentially_superseded, high.potentially_superseded) == (True, False)
    mrid = system.mrid
    store.update(system, "system 2", 1, 0, T)
    assert (low.potentially_superseded, high.potentially_superseded) == (False, True)
    assert (system.description, system.mrid) == ("system 2", mrid)
    store.advance(T + 10)
    assert (STATUS_TEXT[low.status], STATUS_TEXT[high.status]) == ("active", "superseded")


def test_a_removed_program_takes_its_controls_along_and_frees_the_others(store):
    system, feeder = store.create("system", 10), store.create("feeder", 5)
    low = store.publish(system, ControlOrder(LIMIT, T + 10, 60), T)
    high = store.publish(feeder, ControlOrder(LIMIT, T + 10, 60), T)
    store.remove(feeder, T)
    assert store.get(feeder.number) is None
    assert store.listed() == [system]
    assert store.find_control(high.mrid) is None
    assert store.has_published(high.mrid)
    assert not low.potentially_superseded
    assert store.advance(T + 10)[0].control is low
    assert store.create("next", 5).number == 3


def test_a_default_that_comes_back_has_its_mrid_and_a_higher_version(store):
    program = store.create("p", 1)
    store.set_default(program, LIMIT, T)
    first = program.default
    store.clear_default(program)
    assert program.default is None
    store.set_default(program, LIMIT, T)
    assert program.default == (first.mrid, LIMIT, first.version + 1)


@pytest.mark.parametrize("status", [2, 3, 4])
def test_a_control_is_ended_with_any_status_of_the_standard(store, status):
    control = store.publish(store.create("p", 1), ControlOrder(LIMIT, T, 60), T)
    store.cancel(control, T + 5, status)
    assert (control.status, control.status_since_s, control.live) == (status, T + 5, False)
    store.advance(T + 75)
    assert store.find_control(control.mrid) is None


def test_a_withdrawn_control_is_gone_at_once_and_frees_the_others(store):
    program = store.create("p", 1)
    first = store.publish(program, ControlOrder(LIMIT, T + 10, 60), T)
    second = store.publish(program, ControlOrder(LIMIT, T + 10, 60), T)
    assert first.potentially_superseded
    store.withdraw(second, T)
    assert program.listed_controls() == [first]
    assert not first.potentially_superseded
    store.advance(T + 1000)
    assert program.listed_controls() == []


def test_one_order_to_many_programs_is_created_at_one_time(store):
    programs = [store.create(f"p{number}", number) for number in range(5)]
    controls = store.publish_to(programs, ControlOrder(LIMIT, T + 10, 60), T)
    assert [control.program for control in controls] == programs
    assert {control.creation_s for control in controls} == {T}
    assert len({control.mrid for control in controls}) == len({control.id for control in controls}) == 5


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"modes": {}}, "modes"),
        ({"modes": {"setGradW": 1.0}}, "setGradW are for default"),
        ({"duration_s": 0}, "duration_s"),
        ({"duration_s": True}, "duration_s"),
        ({"duration_s": 2**32}, "duration_s"),
        ({"randomize_start_s": 3601}, "randomize_start_s"),
        ({"randomize_duration_s": -3601}, "randomize_duration_s"),
        ({"response_required": 256}, "response_required"),
        ({"description": "x" * 33}, "description"),
        ({"description": "a\nb"}, "description"),
        ({"device_category": 2**32}, "device_category"),
        ({"reply_to": ""}, "reply_to"),
        ({"reply_to": "x" * 256}, "reply_to"),
    ],
)
def test_a_control_that_cannot_be_written_is_refused(store, changes, complaint):
    program = store.create("p", 1)
    with pytest.raises(ConfigError, match=complaint):
        store.publish(program, ControlOrder(LIMIT, T, 5)._replace(**changes), T)
    assert program.controls == {}


@pytest.mark.parametrize("primacy", [-1, 256, "4", True, None])
def test_a_bad_primacy_is_refused(store, primacy):
    with pytest.raises(ConfigError, match="primacy"):
        store.create("p", primacy)


def test_a_server_may_begin_without_programs(make_lab):
    lab = make_lab(own_programs=False)
    assert len(lab.head_end.programs) == 0
    listed = lab.client().get("/edev/1/fsa?l=9") if lab.client().get("/dcap") else None
    assert [item.DERProgramListLink for item in listed.FunctionSetAssignments] == [None]
