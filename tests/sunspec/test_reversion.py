"""The timers of a device, by a clock that the test moves."""

from types import SimpleNamespace

from dersim.sunspec.reversion import Timers


def test_timers_that_ran_out_together_fire_in_the_order_of_time():
    clock = SimpleNamespace(now_s=0.0)
    timers = Timers(lambda: clock.now_s)
    fired = []
    for seconds in (30, 10, 20, 90):
        timers.add(lambda seconds=seconds: fired.append(seconds)).start(seconds)
    clock.now_s = 60.0
    timers.run_due()
    assert fired == [10, 20, 30]
    assert timers.next_s == 90
