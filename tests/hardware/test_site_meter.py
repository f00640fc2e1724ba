"""The meter of a site: net power, import and export apart, vars by quadrant, the same at any tick."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from tests.test_device_instants import ask, run_to

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.grid.site_load import SiteLoad
from dersim.hardware.course import Course
from dersim.hardware.site_meter import SiteMeter
from dersim.hardware.state import MeterEnergy, SiteState
from dersim.plugin.builtin import make_device

TICKS = pytest.mark.parametrize("tick_s", [0.2, 1.0, 7.0, 60.0])


def machine(
    kind: str = "PV-3Phase", load_w: Any = 3000.0, factor: float = 1.0, load: Profile | None = None
) -> tuple[Device, ManualClock]:
    clock = ManualClock()
    site = SiteLoad(int(kind[-6]) if kind[-1] == "e" else 3, factor)
    conditions = Conditions(irradiance_w_m2=2000.0)._replace(**site.completed({"load_w": load_w}))
    inputs = Inputs(conditions, load=None if load is None else site.of_profile(load), site=site)
    device = make_device(device_type=kind, clock=clock, inputs=inputs)
    device.settings.update({"setGradW": 0.0})
    device.step(0.0)
    return device, clock


def site_of(device: Device) -> SiteState:
    assert device.state.site is not None
    return device.state.site


def flat(meter: SiteMeter, p: float, q: float, dt_s: float) -> None:
    meter.count_to(p, q, p, q, 0.0)
    meter.count_to(p, q, p, q, dt_s)


def test_the_site_delivers_what_the_load_leaves() -> None:
    device, _ = machine(factor=0.8)
    site = site_of(device)
    assert (site.p_w, site.load_w) == pytest.approx((7000.0, 3000.0))
    assert (site.q_var, site.load_var) == pytest.approx((-2250.0, 2250.0))
    assert sum(site.phase_p_w) == pytest.approx(site.p_w)
    volts = device.state.voltage_ln_v
    assert sum(a * v for a, v in zip(site.current_a, volts, strict=True)) == pytest.approx(site.s_va)


def test_without_a_load_there_is_no_site() -> None:
    device = make_device(clock=ManualClock())
    device.step(0.0)
    assert device.state.site is None


@TICKS
def test_import_and_export_are_counted_apart_while_the_power_goes_through_the_load(tick_s: float) -> None:
    device, clock = machine(load_w=5000.0)
    device.settings.update({"setGradW": 1.0})
    before = site_of(device).energy
    ask(device, "opModMaxLimW", 0.0)
    run_to(device, clock, 120.0, tick_s)
    after = site_of(device).energy
    # from 10 kW to 0 in 100 s: 5 kW of export to 5 kW of import, then 20 s of the load
    assert (after.exported_wh - before.exported_wh) * 3600 == pytest.approx(5000 * 50 / 2, rel=1e-5)
    assert (after.imported_wh - before.imported_wh) * 3600 == pytest.approx(
        5000 * 50 / 2 + 5000 * 20, rel=1e-5
    )


@TICKS
def test_a_row_of_the_load_begins_at_its_instant(tick_s: float) -> None:
    load = Profile([0.0, 37.3, 90.0], {"load_w": [12_000.0, 6000.0, 10_000.0]}, stepwise=True)
    device, clock = machine(load=load)
    run_to(device, clock, 100.0, tick_s)
    energy = site_of(device).energy
    assert energy.imported_wh * 3600 == pytest.approx(2000 * 37.3, rel=1e-6)
    assert energy.exported_wh * 3600 == pytest.approx(4000 * (90 - 37.3), rel=1e-6)


def test_a_live_change_counts_from_its_instant() -> None:
    device, clock = machine(load_w=12_000.0)
    run_to(device, clock, 10.0, 10.0)
    clock.time_s = 14.0
    device.inputs.set(load_w=8000)
    assert site_of(device).p_w == pytest.approx(2000.0)
    run_to(device, clock, 20.0, 10.0)
    energy = site_of(device).energy
    assert energy.imported_wh * 3600 == pytest.approx(2000 * 14)
    assert energy.exported_wh * 3600 == pytest.approx(2000 * 6)


def test_vars_are_counted_by_quadrant() -> None:
    meter = SiteMeter(1)
    meter.see((1000.0, 0.0, 0.0), (100.0, 0.0, 0.0))
    for hours, (p, q) in enumerate(((0, 0), (2000, 0), (2000, 200), (0, 200)), 1):
        flat(meter, p, q, hours * 3600.0)
    energy = meter.read(0.0, 0.0, (1.0, 0.0, 0.0), (240.0, 0.0, 0.0)).energy
    assert energy[2:] == pytest.approx((100.0, 200.0, 300.0, 400.0))
    assert energy[:2] == pytest.approx((5000.0, 5000.0))


def test_vars_go_to_the_quadrant_of_the_power_of_each_part_of_a_piece() -> None:
    meter = SiteMeter(1)
    meter.see((0.0, 0.0, 0.0), (100.0, 0.0, 0.0))
    meter.count(Course(-1000.0, 3000.0, 1000.0), Course(0.0, 0.0, 0.0), 3600.0)
    energy = meter.read(3000.0, 0.0, (1.0, 0.0, 0.0), (240.0, 0.0, 0.0)).energy
    assert (energy.q1_varh, energy.q2_varh) == pytest.approx((25.0, 75.0))


def test_a_phase_counts_its_own_power_and_the_whole_the_net() -> None:
    device, clock = machine(load_w=(10_000.0, 0.0, 0.0))
    run_to(device, clock, 3600.0, 60.0)
    site = site_of(device)
    assert site.energy[:2] == pytest.approx((0.0, 0.0), abs=1e-6)
    a, b, c = site.phase_energy
    assert a.imported_wh == pytest.approx(10_000 - 10_000 / 3)
    assert b.exported_wh == c.exported_wh == pytest.approx(10_000 / 3)


@pytest.mark.parametrize(("kind", "phases"), [("PV-1Phase", 1), ("PV-2Phase", 2), ("PV-3Phase", 3)])
def test_each_phase_of_the_der_has_registers(kind: str, phases: int) -> None:
    device, clock = machine(kind)
    run_to(device, clock, 60.0, 60.0)
    site = site_of(device)
    assert len(site.phase_energy) == phases
    assert sum(each.exported_wh for each in site.phase_energy) == pytest.approx(site.energy.exported_wh)


def test_the_registers_only_rise() -> None:
    device, clock = machine("Batt-3Phase", factor=0.9)
    seen = []
    for k in range(40):
        ask(device, "opModTargetW", 8000.0 if k % 2 else -8000.0)
        device.inputs.set(load_w=1500.0 * (k % 5))
        run_to(device, clock, clock.time_s + 7.0, 1.0)
        site = site_of(device)
        seen.append([*site.energy, *(value for each in site.phase_energy for value in each)])
    assert all(a <= b for before, after in pairwise(seen) for a, b in zip(before, after, strict=True))
    assert seen[-1][0] > 0 < seen[-1][1]


def test_a_restored_site_goes_on_as_the_first() -> None:
    load = Profile([0.0, 7.0], {"load_w": [12_000.0, 6000.0]}, stepwise=True)
    first, clock = machine(load=load, factor=0.7)
    run_to(first, clock, 33.0, 3.0)
    fresh, other = machine(load=load, factor=0.7)
    other.time_s = clock.time_s
    fresh.restore(json.loads(json.dumps(first.checkpoint())))
    assert fresh.state.site == first.state.site
    for device, each in ((first, clock), (fresh, other)):
        run_to(device, each, 60.0, 3.0)
    assert fresh.state.site == first.state.site


def test_a_checkpoint_of_a_run_without_a_site_is_taken_over() -> None:
    alone = make_device(clock=ManualClock())
    alone.step(0.0)
    device, _ = machine()
    device.restore(json.loads(json.dumps(alone.checkpoint())))
    assert device.state.site is not None
    alone.restore(json.loads(json.dumps(device.checkpoint())))
    assert alone.state.site is None


def test_a_control_function_sees_the_load() -> None:
    device, _ = machine(factor=0.8)
    assert (device.seen.load_w, device.seen.load_var) == pytest.approx((3000.0, 2250.0))
    device.inputs.set(load_w=0)
    assert device.seen.load_w == 0


@pytest.mark.parametrize("kind", ["PV-3Phase", "Batt-2Phase", "HybridDC-3Phase", "PV-1Phase"])
@pytest.mark.parametrize("seed", range(3))
def test_the_energy_of_the_site_is_that_of_the_der_less_that_of_the_load(kind: str, seed: int) -> None:
    rng = random.Random(f"{kind}/{seed}")
    device, clock = machine(kind, load_w=0.0)
    first, load_wh, load_varh = device.state, 0.0, 0.0
    for _ in range(25):
        watts, var, seconds = rng.uniform(-4000, 14_000), rng.uniform(-5000, 5000), rng.uniform(0.3, 400.0)
        device.inputs.set(load_w=watts, load_var=var, irradiance_w_m2=rng.uniform(0, 1100))
        device.inputs.set(voltage_pu=[rng.uniform(0.93, 1.07) for _ in range(3)])
        ask(device, "opModFixedW", rng.choice([0.0 if kind[0] == "P" else -80.0, 30.0, 90.0]))
        ask(device, "opModTargetVar", rng.choice([-3000.0, 0.0, 3000.0]))
        device.settings.update({"setGradW": rng.choice([0.0, 1.0])})
        run_to(device, clock, clock.time_s + seconds, rng.choice([0.7, 9.0, 60.0]))
        load_wh, load_varh = load_wh + watts * seconds / 3600, load_varh + var * seconds / 3600
    last = device.state

    def risen(name: str) -> float:
        return sum(getattr(last, name)) - sum(getattr(first, name))

    assert last.site is not None
    whole, phases = last.site.energy, last.site.phase_energy
    der_wh = risen("exported_wh") - risen("imported_wh")
    der_varh = risen("injected_varh") - risen("absorbed_varh")
    for each in (whole, MeterEnergy(*map(sum, zip(*phases, strict=True)))):
        assert each.exported_wh - each.imported_wh == pytest.approx(der_wh - load_wh, abs=1e-6)
        varh = each.q3_varh + each.q4_varh - each.q1_varh - each.q2_varh
        assert varh == pytest.approx(der_varh - load_varh, abs=1e-6)
        assert min(each) >= 0
