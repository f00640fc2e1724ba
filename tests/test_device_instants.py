"""What jumps at a known instant: 90 % at the open-loop response time, whatever the tick."""

from __future__ import annotations

from pathlib import Path

import pytest

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import read_profile
from dersim.modes import Curve, FixedVar, FreqDroop
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

OLRT_S = 5.0
VOLT_VAR = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 8, OLRT_S)
TICKS = pytest.mark.parametrize("tick_s", [0.1, 1.0, 2.5, 5.0, 35.0])


def ask(device: Device, mode: str, value: object, expires_s: float | None = None) -> None:
    change = SetpointChange(SetpointSource.CSIP, mode, value, expires_s=expires_s)  # type: ignore[arg-type]
    (outcome,) = device.setpoints.submit(change)
    assert outcome.verdict is Verdict.ACCEPTED, outcome


def run_to(device: Device, clock: ManualClock, end_s: float, tick_s: float) -> None:
    while clock.time_s < end_s:
        clock.time_s = min(clock.time_s + tick_s, end_s)
        device.step(clock.time_s)


def machine(tmp_path: Path, rows: str, *, start: str = "in_service") -> tuple[Device, ManualClock]:
    path = tmp_path / "grid.csv"
    path.write_text("t_s,voltage_pu\n" + rows)
    clock = ManualClock()
    grid = read_profile(path, "grid")
    device = make_device(clock=clock, inputs=Inputs(Conditions(), grid=grid), start=start)
    device.step(0.0)
    return device, clock


@TICKS
def test_a_row_of_a_grid_profile_is_a_jump(tmp_path: Path, tick_s: float) -> None:
    device, clock = machine(tmp_path, "0,1\n30,1.08\n200,1.08\n")
    ask(device, "opModVoltVar", VOLT_VAR)
    run_to(device, clock, 30 + OLRT_S, tick_s)
    assert device.state.q_var == pytest.approx(-0.9 * 4400)


@TICKS
def test_service_is_entered_at_an_instant(tmp_path: Path, tick_s: float) -> None:
    device, clock = machine(tmp_path, "0,0.925\n200,0.925\n", start="off")
    device.settings.update({"setESDelay": 30.0, "setESRampTms": 0.0})
    ask(device, "opModVoltVar", VOLT_VAR)
    run_to(device, clock, 30 + OLRT_S, tick_s)
    assert device.state.q_var == pytest.approx(0.9 * 4400 * 5.5 / 6)


@TICKS
def test_a_setpoint_expires_at_an_instant(tmp_path: Path, tick_s: float) -> None:
    device, clock = machine(tmp_path, "0,1.08\n200,1.08\n")
    ask(device, "opModFixedVar", FixedVar(50.0, "setMaxVar"), expires_s=30.0)
    ask(device, "opModVoltVar", VOLT_VAR)
    run_to(device, clock, 30 + OLRT_S, tick_s)
    assert device.state.q_var == pytest.approx(2200 - 0.9 * 6600)


@TICKS
def test_the_return_from_cessation_is_an_instant(tmp_path: Path, tick_s: float) -> None:
    device, clock = machine(tmp_path, "0,0.3\n1,1.08\n200,1.08\n")
    ask(device, "opModVoltVar", VOLT_VAR)
    run_to(device, clock, 1 + OLRT_S, tick_s)
    assert device.state.p_w > 6000
    assert device.state.q_var == pytest.approx(4400 - 0.9 * 8800)


@pytest.mark.parametrize("tick_s", [0.01, 0.3, 5.0])
@pytest.mark.parametrize("by_profile", [True, False])
def test_a_moving_frequency_trips_where_it_crosses(tmp_path: Path, tick_s: float, by_profile: bool) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("t_s,frequency_hz,rocof_hz_s\n0,60,2\n2,64,0\n")
    clock = ManualClock()
    grid = read_profile(path, "grid") if by_profile else None
    device = make_device(clock=clock, inputs=Inputs(Conditions(), grid=grid))
    device.step(0.0)
    if not by_profile:
        device.inputs.set(frequency_hz=64.0, rocof_hz_s=2.0)
    run_to(device, clock, 1.15, tick_s)
    assert not device.state.tripped
    assert device.state.frequency_hz == pytest.approx(62.3)
    run_to(device, clock, 1.165, tick_s)
    assert device.state.tripped


def test_energy_under_a_moving_frequency_does_not_depend_on_the_tick() -> None:
    ended: list[tuple[float, float]] = []
    for tick_s in (0.01, 10.0):
        clock = ManualClock()
        device = make_device(clock=clock)
        device.step(0.0)
        ask(device, "opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0))
        device.inputs.set(frequency_hz=61.0, rocof_hz_s=0.2)
        run_to(device, clock, 10.0, tick_s)
        ended.append((sum(device.state.exported_wh), device.state.p_w))
    assert ended[1] == pytest.approx(ended[0], rel=1e-3)
    assert ended[0][1] < 4000


def _exported_wh(device: Device, clock: ManualClock, end_s: float, tick_s: float) -> float:
    before = sum(device.state.exported_wh)
    run_to(device, clock, end_s, tick_s)
    return sum(device.state.exported_wh) - before


def test_a_row_that_begins_with_a_tick_is_a_jump_also_where_sums_of_seconds_differ(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("t_s,frequency_hz\n0,60\n40,59.6\n70,60.3\n200,60\n")

    def exported_wh(tick_s: float) -> float:
        clock = ManualClock()
        inputs = Inputs(Conditions(), grid=read_profile(path, "grid"))
        device = make_device(device_type="Batt-3Phase", clock=clock, inputs=inputs)
        device.step(0.0)
        ask(device, "opModTargetW", 2000.0)
        ask(device, "opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0))
        return _exported_wh(device, clock, 120.0, tick_s)

    assert exported_wh(10.0) == pytest.approx(exported_wh(0.1), rel=1e-3)


def test_a_row_of_a_weather_profile_is_met_at_any_tick(tmp_path: Path) -> None:
    path = tmp_path / "weather.csv"
    path.write_text("t_s,irradiance_w_m2\n0,0\n30,800\n60,0\n90,0\n")

    def exported_wh(tick_s: float) -> float:
        clock = ManualClock()
        device = make_device(clock=clock, inputs=Inputs(Conditions(), weather=read_profile(path, "weather")))
        device.step(0.0)
        return _exported_wh(device, clock, 60.0, tick_s)

    # The array warms up with the sun, so its power is not quite a straight line.
    assert exported_wh(60.0) == pytest.approx(exported_wh(1.0), rel=0.04)


@TICKS
def test_the_energy_of_daylight_rows_is_that_of_the_hours_between_them(tmp_path: Path, tick_s: float) -> None:
    path = tmp_path / "sun.csv"
    rows = (f"2024-06-01 {hour:02d}:00:00,500" for hour in range(1, 4))
    path.write_text("\n".join(["TimeUTC,irradiance_w_m2", *rows]))
    weather, clock = read_profile(path, "weather"), ManualClock()
    weather.begin(0.0)
    device = make_device(clock=clock, inputs=Inputs(Conditions(), weather=weather))
    clock.time_s = 3000.0
    device.step(clock.time_s)
    run_to(device, clock, 7200.0, tick_s)
    p_w = device.state.p_w
    run_to(device, clock, 11_400.0, tick_s)
    assert (device.state.p_w, p_w > 1000) == (0, True)
    assert sum(device.state.exported_wh) == pytest.approx(2 * p_w, rel=1e-5)
