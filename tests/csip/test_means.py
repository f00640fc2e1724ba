"""Means over whole minutes: exact integrals, whatever the ticks, the server's clock and the load do."""

import itertools

import pytest

from dersim.csip.means import MOST_MINUTES, MeanCounter
from dersim.device import ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

START_S = 6_000_000.0


class Bench:
    def __init__(self, *, load_w=None, ahead_s=0.0):
        self.clock = ManualClock(START_S)
        site, conditions = None, Conditions()
        if load_w is not None:
            site = SiteLoad(3)
            conditions = conditions._replace(**site.completed({"load_w": load_w}))
        inputs = Inputs(conditions, site=site, start_s=START_S)
        self.device = make_device(clock=self.clock, inputs=inputs)
        self.ahead_s, self.minutes = ahead_s, 0
        self.counter = MeanCounter(self.device, lambda: self.ahead_s, self._minute)
        self.device.step(START_S)
        self.counter.check()

    def _minute(self):
        self.minutes += 1

    def run(self, until_s, tick_s=1.0):
        """To `until_s` after the start."""
        while self.clock.time_s < START_S + until_s:
            self.clock.time_s = min(self.clock.time_s + tick_s, START_S + until_s)
            self.device.step(self.clock.time_s)
            self.counter.check()

    def limit(self, percent):
        change = SetpointChange(SetpointSource.OPERATOR, "opModMaxLimW", percent)
        assert self.device.setpoints.submit(change)

    def net_wh(self):
        state = self.device.state
        return sum(state.exported_wh) - sum(state.imported_wh)

    def newest(self, minutes=1):
        return self.counter.means(self.counter.newest, minutes)


def test_a_mean_is_the_energy_of_its_interval():
    bench = Bench()
    bench.run(60)
    before_wh = bench.net_wh()
    bench.run(83)
    bench.limit(20.0)
    bench.run(120)
    means = bench.newest()
    assert (means.start_s, means.duration_s) == (START_S + 60, 60)
    assert means.p_w == pytest.approx((bench.net_wh() - before_wh) * 60)
    assert 2100 < means.p_w < bench.device.state.available_w


@pytest.mark.parametrize(("tick_s", "within"), [(0.7, 0.002), (7.0, 0.002), (45.0, 0.03)])
def test_ticks_hardly_matter(tick_s, within):
    wanted, found = Bench(), Bench()
    for bench, tick in ((wanted, 1.0), (found, tick_s)):
        bench.run(83, tick)
        bench.limit(20.0)
        bench.run(200, tick)
    for end in (2, 3):
        minute = int(START_S) // 60 + end
        one, other = wanted.counter.means(minute, 1), found.counter.means(minute, 1)
        assert other.p_w == pytest.approx(one.p_w, rel=within)
        assert other[:2] == one[:2]


def test_a_site_counts_the_load():
    bench = Bench(load_w=3000.0)
    bench.run(90)
    bench.device.inputs.set(load_w=5000.0)
    bench.run(120)
    means = bench.newest()
    assert means.site_p_w == pytest.approx(means.p_w - 4000, abs=1)
    assert means.site_q_var == pytest.approx(means.q_var)


def test_without_a_load_the_site_is_the_der():
    bench = Bench()
    bench.run(120)
    assert bench.newest().site_p_w == bench.newest().p_w > 0


def test_voltage_and_frequency_are_means_of_their_time():
    bench = Bench()
    bench.run(75)
    bench.device.inputs.set(voltage_pu=0.96, frequency_hz=59.9)
    bench.run(120)
    volts = bench.device.nameplate.v_ln_v
    assert bench.newest().v == pytest.approx(volts * (0.25 + 0.75 * 0.96), rel=1e-6)
    assert bench.newest().frequency_hz == pytest.approx(0.25 * 60 + 0.75 * 59.9)


def test_minutes_are_those_of_the_servers_clock():
    bench = Bench(ahead_s=20.0)
    bench.run(41)
    assert bench.counter.newest * 60 == START_S + 60
    bench.run(100)
    assert bench.newest().start_s == START_S + 60


def test_a_longer_interval_has_what_was_counted_before_it_was_asked_for():
    bench = Bench()
    bench.run(310)
    first = int(START_S) // 60
    assert [bench.counter.complete(None, n) for n in (1, 2, 5)] == [
        [first + 2, first + 3, first + 4, first + 5],
        [first + 4],
        [],
    ]
    bench.run(610)
    assert bench.counter.complete(None, 5) == [first + 10]
    assert bench.counter.means(first + 10, 5).duration_s == 300


@pytest.mark.parametrize("by_s", [0.4, -0.4])
def test_an_adjusted_clock_costs_no_interval(by_s):
    bench = Bench()
    for at_s in range(30, 300, 15):
        bench.run(at_s)
        bench.ahead_s = by_s * (at_s // 15 % 2)
    bench.run(300)
    ends = bench.counter.complete(None, 1)
    assert [b - a for a, b in itertools.pairwise(ends)] == [1] * (len(ends) - 1)
    assert len(ends) >= 3


@pytest.mark.parametrize("by_s", [500.0, -500.0])
def test_a_clock_that_jumps_begins_anew(by_s):
    bench = Bench()
    bench.run(200)
    bench.ahead_s = by_s
    bench.run(210)
    assert bench.counter.complete(None, 1) == []
    bench.run(400)
    assert len(bench.counter.complete(None, 1)) >= 2
    assert bench.newest().p_w > 0


def test_what_nobody_takes_is_bounded():
    bench = Bench()
    bench.counter.needed_from("away", 0)
    bench.run(60 * (MOST_MINUTES + 20), 60.0)
    assert len(bench.counter.complete(None, 1)) <= MOST_MINUTES
    assert bench.minutes == MOST_MINUTES + 20
