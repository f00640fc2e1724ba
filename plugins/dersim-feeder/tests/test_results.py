"""What a feeder shows of itself: the last solution, the extremes of the day, the observers."""

import math

import numpy as np
import pytest
from dersim_feeder.engine import plausible
from dersim_feeder.results import Days, Snapshot


def snapshot(time_s, volts, head_w=0.0, losses_w=100.0, loading=(50.0,)):
    return Snapshot(time_s, np.array(volts), head_w, 0.0, losses_w, 0.0, np.array(loading))


def test_the_extremes_and_the_time_outside_the_band():
    days = Days()
    days.count(snapshot(0.0, [1.0, 1.0]))
    days.count(snapshot(60.0, [1.06, 1.0], head_w=-3600.0, loading=(80.0,)))
    days.count(snapshot(90.0, [1.02, 0.94], head_w=7200.0))
    day = days.today
    assert (list(day.v_min), list(day.v_max)) == ([1.0, 0.94], [1.06, 1.0])
    assert (list(day.high_s), list(day.low_s), day.any_high_s, day.any_low_s) == ([60, 0], [0, 30], 60, 30)
    assert list(day.loading_max_pct) == [80.0]
    assert (day.head_export_wh, day.head_import_wh, day.losses_wh) == pytest.approx((60.0, 60.0, 2.5))


def test_at_local_midnight_a_new_day_begins():
    days = Days(offset_s=-3600.0)
    days.count(snapshot(82_800.0 + 3500, [1.0]))
    days.count(snapshot(82_800.0 + 7100, [1.1]))
    assert days.yesterday is None
    days.count(snapshot(82_800.0 + 7300, [1.0]))
    assert (days.yesterday.v_max[0], days.today.v_max[0]) == (1.1, 1.0)


async def test_all_of_it_can_be_read_at_any_time(loop, category_b):
    run = loop("bundled-30", ["PV-3Phase"] * 4)
    seen = []
    assert run.grid.status() == ("starting", "bundled-30")
    run.feeder.observers.append(seen.append)
    await run.run(3)
    feeder, last = run.feeder, run.feeder.last
    assert [each.time_s for each in seen] == [run.clock.time_s - 2, run.clock.time_s - 1, run.clock.time_s]
    assert seen[-1] is last
    assert len(last.voltage_pu) == len(feeder.node_names) == 3 * len(feeder.buses)
    assert len(last.loading_pct) == len(feeder.topology.transformers) == 3
    assert math.isnan(last.gain)
    assert (last.step_s, last.open_loop_s, last.damping) == (math.inf, math.inf, 1.0)
    assert feeder.connections[1].bus in feeder.topology.km
    run.order("opModVoltVar", category_b)
    await run.run(1)
    assert 1.0 <= feeder.last.step_s <= 2.0
    assert feeder.last.open_loop_s == 5.0
    assert 0 < feeder.last.gain < feeder.last.bound


async def test_a_step_without_a_solution_keeps_the_voltages_and_is_counted(loop):
    run = loop("bundled-30", ["PV-3Phase"] * 4)
    await run.run(2)
    before = run.voltages()
    kept = run.feeder._engine.voltages
    run.feeder._engine.voltages = lambda: plausible(
        np.full(129, 0.34), run.feeder.node_names, np.zeros(129, bool)
    )
    await run.run(2)
    assert run.unsolved == ["feeder bundled-30: node head.1 would have 0.34 pu"] * 2
    assert list(run.voltages()) == list(before)
    assert run.feeder.not_converged == 2
    run.feeder._engine.voltages = kept
    await run.run(1)
    assert run.feeder.last.not_converged == 2
    assert run.voltages() == pytest.approx(before, abs=1e-3)
