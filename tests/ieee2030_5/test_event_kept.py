"""Events that go on from a checkpoint."""

import json

from tests.ieee2030_5.event_trace import FIXED_W, MAX_W, PF, T0, Trace, mrid

from dersim.ieee2030_5 import event_kept


def begun(*modes, **more):
    """A program with one event of 100 s that runs since 10 s."""
    trace = Trace()
    trace.program("P", 5, PF)
    trace.control("P", "e", 10, 100, *modes, **more)
    trace.poll()
    trace.until(20)
    return trace


def test_a_status_that_was_told_is_not_told_again_after_a_jump_of_the_clock():
    trace = begun()
    trace.restart()
    trace.set_clock(-100)
    trace.until(300)
    assert trace.told("e") == [1, 2, 3]


def test_the_draws_are_kept_and_not_drawn_again():
    trace = begun(randomizeStart=5, randomizeDuration=60)
    before = trace.events.view(mrid("e"))
    trace.restart()
    after = trace.events.view(mrid("e"))
    assert (after.effective_start_s, after.effective_end_s) == (
        before.effective_start_s,
        before.effective_end_s,
    )


def test_a_mode_that_was_lost_stays_lost_and_its_winner_goes_on():
    trace = begun(FIXED_W, MAX_W)
    trace.program("Q", 1, PF)
    trace.control("Q", "better", 5, 20, MAX_W)
    trace.poll()
    trace.until(27)
    trace.restart()
    trace.until(60)
    assert trace.ruled[-1][1] == {FIXED_W: "e"}
    assert trace.told("better") == [1, 2, 3]


def test_an_event_that_is_gone_is_dropped_an_hour_after_its_end():
    trace = begun()
    trace.until(120)
    trace.controls["P"].clear()
    trace.poll()
    kept = trace.events.checkpoint(list, T0 + 120.0)
    assert list(kept["over"]) == [mrid("e")]
    assert trace.events.checkpoint(list, T0 + 120.0)["over"][mrid("e")] is kept["over"][mrid("e")]
    later = trace.events.checkpoint(list, T0 + 110.0 + event_kept.GONE_S)
    assert (later["over"], later["live"]) == ({}, [])
    assert json.loads(json.dumps(kept))["live"] == kept["live"]
