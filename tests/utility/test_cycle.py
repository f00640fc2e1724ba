"""The cycle: the first limit after five seconds, later controls at least twenty seconds ahead."""

import itertools

from dersim.utility.cycle import Cycle
from dersim.utility.programs import Programs

T = 1_700_000_000.25


def make():
    store = Programs()
    program = store.create("cycle", 20)
    return store, program, Cycle(store, program)


def test_nothing_before_the_start():
    _, program, cycle = make()
    cycle.advance(T)
    assert program.controls == {}


def test_the_first_is_a_limit_of_forty_percent_after_five_seconds_for_twenty():
    _, program, cycle = make()
    cycle.start(T)
    first = program.listed_controls()[0]
    assert first.modes == {"opModMaxLimW": 40.0}
    assert 5 <= first.start_s - T < 6
    assert (first.duration_s, first.response_required) == (20, 7)


def test_later_ones_come_in_the_promised_order_at_least_twenty_seconds_ahead():
    store, program, cycle = make()
    cycle.start(T)
    seen = {}
    for second in range(800):
        now = T + second
        store.advance(now)
        cycle.advance(now)
        for control in program.controls.values():
            seen.setdefault(control.number, (control, now))
    modes = [next(iter(control.modes)) for control, _ in seen.values()]
    assert modes[:10] == [
        "opModMaxLimW",
        "opModVoltVar",
        "opModFixedPFInjectW",
        "opModVoltWatt",
        "opModWattVar",
        "opModFixedVar",
        "opModFreqDroop",
        "opModFixedW",
        "opModTargetW",
        "opModTargetVar",
    ]
    assert modes[12:14] == modes[:2], "and again"
    later = [(control, now) for control, now in seen.values() if control.number > 1]
    assert all(control.start_s - now >= 20 for control, now in later)
    assert all(control.response_required == 7 for control, _ in later)


def test_no_two_overlap_and_few_are_listed_at_once():
    store, program, cycle = make()
    cycle.start(T)
    for second in range(0, 600, 7):
        store.advance(T + second)
        cycle.advance(T + second)
        controls = program.listed_controls()
        assert len(controls) <= 5
        assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(controls))


def test_after_a_long_pause_it_goes_on_with_the_present():
    store, program, cycle = make()
    cycle.start(T)
    late = T + 86_400 * 365
    store.advance(late)
    cycle.advance(late)
    assert program.controls
    assert all(c.end_s > late and c.start_s < late + 60 for c in program.controls.values())
