"""Devices as a whole and the fleet: inputs, energy, types, slices, waiting."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import trio

from dersim import grid
from dersim.device import Device, ManualClock
from dersim.errors import ConfigError
from dersim.fleet import Fleet
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import read_profile
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.state import Alarm, InverterStatus, StorageMode
from dersim.modes import FixedVar
from dersim.plugin.builtin import DEVICE_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

PROFILES = Path(grid.__file__).parent / "data"


def run(device: Device, clock: ManualClock, seconds: float, dt_s: float = 1.0) -> None:
    for _ in range(round(seconds / dt_s)):
        clock.time_s += dt_s
        device.step(clock.time_s)


def ask(device: Device, mode: str, value: object) -> None:
    (outcome,) = device.setpoints.submit(SetpointChange(SetpointSource.CSIP, mode, value))  # type: ignore[arg-type]
    assert outcome.verdict is Verdict.ACCEPTED, outcome


def test_the_default_machine() -> None:
    device = make_device()
    plate = device.nameplate
    assert (plate.phases, plate.rtgVNom, plate.frequency_hz) == (3, 480, 60)
    assert (plate.rtgMaxW, plate.rtgMaxVA, plate.rtgMaxVar, plate.rtgMaxVarNeg) == (10000, 10000, 4400, -4400)
    assert (plate.rtgNormalCategory, plate.rtgAbnormalCategory, plate.der_type) == (2, 3, 4)
    assert plate.pv_w == 10000
    assert device.settings.setGradW == 100.0
    assert device.name == "PV-3Phase 1"


def test_a_limit_is_met_within_two_ticks() -> None:
    clock = ManualClock()
    device = make_device(clock=clock)
    device.step(0.0)
    ask(device, "opModMaxLimW", 40.0)
    run(device, clock, 2)
    assert device.state.p_w == pytest.approx(4000)


@pytest.mark.parametrize("kind", DEVICE_TYPES, ids=lambda kind: kind.name)
def test_every_type_runs_and_obeys(kind: object) -> None:
    clock = ManualClock()
    device = make_device(device_type=kind, clock=clock)  # type: ignore[arg-type]
    device.step(0.0)
    ask(device, "opModTargetW", 2000.0)
    ask(device, "opModFixedVar", FixedVar(-50.0, "setMaxVar"))
    run(device, clock, 10)
    state = device.state
    assert state.p_w == pytest.approx(2000)
    assert state.q_var == pytest.approx(0.5 * device.nameplate.rtgMaxVarNeg)
    used = device.nameplate.phases
    for triple in (state.voltage_ln_v, state.current_a, state.phase_p_w):
        assert [bool(x) for x in triple] == [True] * used + [False] * (3 - used)
    assert sum(state.phase_p_w) == pytest.approx(2000)
    apparent = sum(v * i for v, i in zip(state.voltage_ln_v, state.current_a, strict=True))
    assert apparent == pytest.approx(state.s_va)
    assert math.hypot(state.p_w, state.q_var) == pytest.approx(state.s_va)


@pytest.mark.parametrize(
    ("name", "ll", "ln"),
    [("PV", 480, 277.128), ("PV-2Phase", 240, 120), ("PV-1Phase", 0, 240), ("Batt", 480, 277.128)],
)
def test_voltages_of_the_types(name: str, ll: float, ln: float) -> None:
    device = make_device(device_type=name)
    device.step(0.0)
    assert device.state.voltage_ll_v[0] == pytest.approx(ll)
    assert device.state.voltage_ln_v[0] == pytest.approx(ln, abs=0.01)


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(ConfigError, match="--device_type PV-4Phase: not known; known are PV-3Phase"):
        find_type("PV-4Phase", DEVICE_TYPES)


def test_unbalanced_voltages_share_the_power_and_raise_the_alarm() -> None:
    device = make_device(clock=ManualClock())
    device.step(0.0)
    device.inputs.set(voltage_pu=[0.95, 1.0, 1.05])
    state = device.state
    assert state.current_a[0] == pytest.approx(state.current_a[2])
    assert [p / state.p_w for p in state.phase_p_w] == pytest.approx([0.95 / 3, 1 / 3, 1.05 / 3])
    assert Alarm.VOLTAGE_IMBALANCE in state.alarms


def test_energy_is_what_was_produced_and_never_falls() -> None:
    clock = ManualClock()
    device = make_device(device_type="Batt", clock=clock)
    device.settings.update({"setGradW": 0.0})
    device.step(0.0)
    rng = random.Random(4)
    out_ws = in_ws = 0.0
    last = (0.0, 0.0)
    for _ in range(300):
        device.inputs.set(voltage_pu=[rng.uniform(0.95, 1.05) for _ in range(3)])
        ask(device, "opModTargetW", rng.uniform(-9000, 9000))
        dt_s = rng.uniform(0.1, 3.0)
        run(device, clock, dt_s, dt_s)
        p = device.state.p_w
        out_ws, in_ws = out_ws + max(p, 0) * dt_s, in_ws + max(-p, 0) * dt_s
        now = (sum(device.state.exported_wh), sum(device.state.imported_wh))
        assert now >= last
        last = now
    assert last[0] == pytest.approx(out_ws / 3600)
    assert last[1] == pytest.approx(in_ws / 3600)


def test_energy_goes_on_while_the_der_is_at_rest() -> None:
    clock = ManualClock()
    device = make_device(clock=clock)
    device.step(0.0)
    p = device.state.p_w
    run(device, clock, 3600, 60)
    assert sum(device.state.exported_wh) == pytest.approx(p)
    assert device.state.time_s == 3600


def test_the_meter_starts_where_the_nameplate_says() -> None:
    plate = read_nameplate(bundled("10kW-3Phase"), **{"701.TotWhInjL2": 1234.5})
    assert make_device(nameplate=plate).state.exported_wh == (0.0, 1234.5, 0.0)


def test_a_change_of_inputs_counts_from_its_instant() -> None:
    clock = ManualClock()
    device = make_device(clock=clock)
    device.step(0.0)
    p = device.state.p_w
    clock.time_s = 0.25
    device.inputs.set(irradiance_w_m2=0.0)
    assert device.state.p_w == 0
    assert device.state.inverter_status is InverterStatus.SLEEPING
    assert Alarm.LOW_POWER_INPUT in device.state.alarms
    clock.time_s = 1.0
    device.step(1.0)
    assert sum(device.state.exported_wh) == pytest.approx(p * 0.25 / 3600)


def test_derating_shows_in_the_status() -> None:
    clock = ManualClock()
    device = make_device(clock=clock)
    device.step(0.0)
    assert device.state.inverter_status is InverterStatus.RUNNING
    ask(device, "opModMaxLimW", 40.0)
    run(device, clock, 2)
    assert device.state.inverter_status is InverterStatus.FORCED_DERATING


def test_time_never_goes_back() -> None:
    device = make_device(clock=ManualClock())
    device.step(100.0)
    device.step(50.0)
    assert device.state.time_s == 100.0


def test_a_state_stays_as_it_was() -> None:
    clock = ManualClock()
    device = make_device(clock=clock)
    device.step(0.0)
    before = device.state
    assert device.state is before
    run(device, clock, 5)
    assert before.time_s == 0
    assert device.state is not before


def test_the_disturbed_grid_trips_on_time_at_any_tick() -> None:
    """A dip and a single-phase fault are ridden through; the over-voltage at 840 s trips after 0.16 s."""
    for tick_s in (0.5, 7.0, 60.0):
        clock = ManualClock(tick_s=tick_s)
        disturbed = read_profile(PROFILES / "disturbed-grid.csv", "grid")
        device = make_device(clock=clock, inputs=Inputs(Conditions(), grid=disturbed))
        device.settings.update({"setESDelay": 300.0, "setESRampTms": 0.0})
        device.step(0.0)
        while clock.time_s < 835:
            run(device, clock, tick_s, tick_s)
        assert device.chain.service.in_service
        while clock.time_s < 1100:
            run(device, clock, tick_s, tick_s)
            if 841 < clock.time_s < 1140:
                assert device.state.tripped
        # 0.25 s of over-voltage, then 300 s of delay.
        before, at_s, p = sum(device.state.exported_wh), clock.time_s, 7004.623
        while clock.time_s < 1300:
            run(device, clock, tick_s, tick_s)
        assert at_s < 1140.25
        ran_s = (sum(device.state.exported_wh) - before) * 3600 / p
        assert clock.time_s - ran_s == pytest.approx(1140.25, abs=0.02)


def test_a_day_of_sun() -> None:
    clock = ManualClock(1_750_000_000.0)
    weather = read_profile(PROFILES / "clear-day.csv", "weather")
    weather.begin(1_750_000_000.0)
    device = make_device(clock=clock, inputs=Inputs(Conditions(), weather=weather))
    device.step(clock.time_s)
    highest = 0.0
    for _ in range(1440):
        run(device, clock, 60, 60)
        highest = max(highest, device.state.p_w)
    assert 7500 < highest < 9600
    assert 50_000 < sum(device.state.exported_wh) < 75_000


def test_the_battery_shows_its_charge() -> None:
    clock = ManualClock()
    device = make_device(device_type="Batt", clock=clock)
    device.step(0.0)
    assert device.state.soc_pct == 50.0
    assert device.state.storage_mode is StorageMode.HOLDING
    ask(device, "opModTargetW", -6000.0)
    run(device, clock, 600)
    assert device.state.storage_mode is StorageMode.CHARGING
    assert device.state.soc_pct == pytest.approx(50 + 100 * (6000 * 0.96 - 5) / 6 / 15000, rel=1e-3)


def test_the_second_der_has_a_serial_number_of_its_own() -> None:
    assert make_device(1).nameplate.serial_number == "SN-PV-3Phase"
    assert make_device(2).nameplate.serial_number == "SN-PV-3Phase-2"


def test_the_i_v_curve() -> None:
    device = make_device(clock=ManualClock())
    device.step(0.0)
    ask(device, "opModMaxLimW", 40.0)
    device.step(5.0)
    shown = device.dc_iv()
    curve, point = shown["curve"], shown["operating_point"]
    best = max(curve, key=lambda sample: sample["p"])
    assert best["p"] == pytest.approx(10_000 * 0.8 * (1 - 0.0035 * (shown["cell_temperature_c"] - 25)))
    assert curve[0]["v"] == 0
    assert curve[-1]["i"] == pytest.approx(0, abs=1e-9)
    assert [s["v"] for s in curve] == sorted(s["v"] for s in curve)
    assert point["v"] * point["i"] == pytest.approx(point["p"])
    assert point["p"] == pytest.approx(4000 / 0.96)
    assert point["v"] > best["v"]
    with pytest.raises(ConfigError, match="no PV array"):
        make_device(device_type="Batt").dc_iv()


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(ConfigError, match="not one of start, stop, reset"):
        make_device().command("explode")  # type: ignore[arg-type]


async def test_the_fleet_steps_all_and_wakes_who_waits() -> None:
    clock = ManualClock()
    fleet = Fleet([make_device(number, clock=clock) for number in (1, 2, 3)])
    woken = []

    async def wait() -> None:
        await fleet.wait_step()
        woken.append([device.state.time_s for device in fleet.devices])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await fleet.step(7.0)
    assert woken == [[7.0, 7.0, 7.0]]


async def test_a_large_fleet_lets_others_in_between() -> None:
    fleet = Fleet([make_device(number) for number in range(1, 6)])
    fleet.slice_s = 0.0
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await fleet.step(1.0)
        nursery.cancel_scope.cancel()
    assert turns >= 3  # the order of the two in each turn is drawn by trio


def test_a_failed_change_of_settings_changes_nothing() -> None:
    device = make_device()
    with pytest.raises(ConfigError, match="setMaxW: 11000 is outside 0 to 10000"):
        device.settings.update({"setMaxVA": 9000.0, "setMaxW": 11000.0})
    assert device.settings.setMaxVA == 10000
    assert device.settings.changes == 0


def test_own_nameplate_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(bundled("500kW-3Phase").read_text().replace("500000", "250000"))
    device = make_device(nameplate=read_nameplate(path))
    assert device.nameplate.rtgMaxW == 250_000
