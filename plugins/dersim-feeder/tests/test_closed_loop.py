"""DERs that follow the voltage on a feeder that follows the DERs."""

import math

import numpy as np
import pytest
from dersim_feeder import feeder as feeder_module
from dersim_feeder import grid as grid_module
from dersim_feeder.coupling import bound, damping_for

from dersim.plugin import Curve

WEAK = """
name: weak
head: {kv: 12.47, short_circuit_mva: 20, x_r: 3}
conductors: {lv: {r: 0.5, x: 0.3}}
transformers:
  - {at: head, to: low, kva: 100, volts: 480, x_pct: 6, r_pct: 1}
secondaries:
  - {at: low, to: far, m: 600, conductor: lv}
customers:
  - {at: far, count: 10, service: {m: 30, conductor: lv}, load: {kw: 1, profile: constant, spread: 0}}
"""
STEEP = Curve(((97.0, 100.0), (99.5, 0.0), (100.5, 0.0), (103.0, -100.0)), 2, 0.0)


@pytest.fixture
def weak(tmp_path):
    path = tmp_path / "weak.yaml"
    path.write_text(WEAK)
    return str(path)


async def test_volt_var_lowers_what_the_sun_has_raised(loop, category_b):
    run = loop("bundled-30", ["PV-3Phase"] * 30)
    run.weather(irradiance_w_m2=1000.0)
    await run.run(30)
    before = run.voltages().max()
    assert before > 1.05
    run.order("opModVoltVar", category_b)
    await run.run(60)
    assert run.voltages().max() < before - 0.01
    assert all(device.state.q_var < 0 for device in run.fleet.devices)
    assert run.feeder.last.head_w < 0 < run.feeder.last.head_var


async def test_the_result_does_not_depend_on_the_tick(loop, category_b):
    found = {}
    for tick_s in (0.1, 1.0, 10.0):
        run = loop("bundled-30", ["PV-3Phase"] * 6, tick_s=tick_s)
        run.weather(irradiance_w_m2=1000.0)
        await run.run(20)
        run.order("opModVoltVar", category_b)
        course = []
        await run.run(10)
        course.append(run.voltages())
        await run.run(50)
        course.append(run.voltages())
        found[tick_s] = np.array(course)
    for tick_s in (0.1, 10.0):
        differ = np.abs(found[tick_s] - found[1.0]).max(axis=1)
        assert differ[0] < 1e-3  # 10 s after the curve, while Q still moves: the response times
        assert differ[1] < 5e-5


async def test_a_steep_curve_on_a_weak_feeder_is_damped_and_told(loop, weak):
    run = loop(weak, ["PV-3Phase"] * 10)
    await run.run(5)
    run.order("opModVoltVar", STEEP)
    await run.run(60)
    last = run.feeder.last
    assert last.gain > 1.2
    assert last.damping < 1
    assert last.gain < last.bound
    [line] = run.logged("Warning")
    assert f"loop gain {last.gain:.2f} at an open-loop time of 0 s is not safely stable" in line
    settled = run.voltages()
    await run.run(1)
    assert np.abs(run.voltages() - settled).max() < 1e-5
    assert f"loop gain {last.gain:.2f}, damped by {last.damping:g}" in run.grid.status()[1]


async def test_without_damping_it_swings_and_that_is_found_and_cured(loop, weak, monkeypatch):
    monkeypatch.setattr(feeder_module, "damping_for", lambda *_: 1.0)
    run = loop(weak, ["PV-3Phase"] * 10)
    await run.run(5)
    run.order("opModVoltVar", STEEP)
    swings = []

    def look():
        swings.append(run.voltages()[0])

    await run.run(5, look)
    assert np.abs(np.diff(swings)).max() > 0.01
    await run.run(60, look)
    assert np.abs(np.diff(swings[-5:])).max() < 1e-4
    assert any("swings by" in line and "at bus far-c-" in line for line in run.logged("Warning"))


@pytest.mark.parametrize("open_loop_s", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("damping", [1.0, 0.5])
@pytest.mark.parametrize("part", [0.95, 1.05])
def test_the_bound_is_where_a_linear_loop_begins_to_swing(open_loop_s, damping, part):
    gain = part * bound(1.0, open_loop_s, damping)
    e = math.exp(-math.log(10) / open_loop_s) if open_loop_s else 0.0
    q, v = 0.0, 1.0
    for _ in range(2000):
        q = e * q - (1 - e) * gain * v
        v += damping * (q - v)
    assert (abs(v) < 1e-3) is (part < 1)


def test_damping_is_only_what_the_gain_asks_for():
    assert [damping_for(gain, 1.0, 5.0) for gain in (0.5, 3.0, 6.0)] == [1.0, 1.0, 0.5]
    assert [damping_for(gain, 1.0, 0.0) for gain in (0.5, 0.9, 3.0)] == [1.0, 0.5, 0.25]
    assert damping_for(0.9, 30.0, 5.0) == 0.5


async def test_steps_are_short_while_voltages_move_and_grow_to_the_tick(loop, category_b):
    run = loop("bundled-30", ["PV-3Phase"] * 6, tick_s=60.0)
    run.weather(irradiance_w_m2=1000.0)
    await run.run(60)
    assert run.steps == 1  # no function follows the voltage
    run.order("opModVoltVar", category_b)
    await run.run(60)
    await run.run(60)
    many = run.steps
    assert 5 < many < 60
    await run.run(600)
    assert run.steps - many < 40


async def test_the_gain_is_that_of_a_small_change_of_all_voltages(loop):
    """dV/dQ x dQ/dV, worked out by hand from two solutions of the same feeder."""
    run = loop("bundled-30", ["PV-3Phase"] * 30)
    await run.run(2)
    curve = Curve(((92.0, 60.0), (98.0, 0.0), (102.0, 0.0), (108.0, -60.0)), 2, 5.0)
    run.order("opModVoltVar", curve)
    await run.run(1)
    kvar_pu = run.fleet.devices[0].settings.setMaxVar / 1000 * 60 / 6
    engine, feeder = run.feeder._engine, run.feeder
    volts = []
    for kvar in (0.0, -0.1):
        engine.set_powers([8.0] * 30, [kvar] * 30)
        engine.solve_again()
        volts.append(feeder._met(engine.voltages()).mean(axis=1))
    least, most = np.sort((volts[0] - volts[1]) / 0.1 * kvar_pu)[[0, -1]]
    assert least < feeder.last.gain <= most * 1.02


async def test_a_curve_that_begins_anew_is_measured_anew_and_long_steps_say_nothing(loop, category_b):
    run = loop("bundled-30", ["PV-3Phase"] * 30, tick_s=60.0)
    run.weather(irradiance_w_m2=1000.0)
    await run.run(60)
    run.order("opModVoltVar", category_b)
    run.order("opModVoltWatt", Curve(((103.0, 100.0), (106.0, 0.0)), 1, 10.0))
    await run.run(300)
    first = run.feeder.gain
    assert 1.2 < first < bound(1.0, 5.0)  # long steps are damped, short ones are not
    assert run.logged("Warning") == []
    run.order("opModVoltVar", None)
    run.order("opModVoltWatt", None)
    await run.run(60)
    assert math.isnan(run.feeder.last.gain)
    run.order("opModVoltVar", category_b)
    await run.run(60)
    assert 0.1 < run.feeder.last.gain < first / 2


async def test_steps_are_short_where_voltages_are_beyond_ride_through(loop, tmp_path):
    path = tmp_path / "high.yaml"
    path.write_text(WEAK.replace("x_r: 3", "x_r: 3, source_pu: 1.03"))
    run = loop(str(path), ["PV-3Phase"] * 10, tick_s=60.0)
    run.weather(irradiance_w_m2=100.0)
    await run.run(120)
    assert run.steps == 2
    run.weather(irradiance_w_m2=1000.0)
    await run.run(60)
    assert run.voltages().max() > 1.1
    await run.run(60)
    assert run.steps > 20


async def test_a_run_repeats_in_the_loop_and_in_the_thread(loop, category_b, monkeypatch):
    found = []
    for in_thread_s in (math.inf, 0.0):
        monkeypatch.setattr(grid_module, "_IN_THREAD_S", in_thread_s)
        run = loop("bundled-30", ["PV-3Phase"] * 30)
        await run.run(5)
        run.order("opModVoltVar", category_b)
        await run.run(10)
        found.append(run.voltages())
    assert list(found[0]) == list(found[1])
