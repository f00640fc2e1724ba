"""The stack against hand-computed numbers, and the DER that has it."""

import json
import math
from argparse import Namespace
from pathlib import Path

import pytest
from dersim_fuel_cell.stack import RESERVE, TANK_H, WARM_UP_S, Stack

from dersim.device import ManualClock
from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import nameplate_from_json, read_nameplate
from dersim.modes import FreqDroop
from dersim.plugin.builtin import make_device
from dersim.plugin.candidates import find
from dersim.plugin.loader import PluginSet
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

NOON = Conditions()


@pytest.fixture(scope="module")
def kind():
    [candidate] = [each for each in find() if each.name == "fuel-cell"]
    return find_type("FuelCell", PluginSet([candidate]).register(Namespace()).device_types.values())


@pytest.fixture
def stack(kind):
    return Stack(read_nameplate(Path(kind.profile)))


@pytest.fixture
def run(kind):
    """A DER of the type and a way to let time pass: its power after each second."""
    clock = ManualClock()
    device = make_device(clock=clock, device_type=kind)
    device.settings.update({"setGradW": 0.0})
    device.step(0.0)

    def go(seconds):
        seen = []
        for _ in range(seconds):
            clock.time_s += 1
            device.step(clock.time_s)
            seen.append(device.state.p_w)
        return seen

    go.device = device
    return go


def test_the_line_of_voltage(stack):
    """300 V at 50 kW / 0.96; 0.95 / 0.68 of that at no load; P = V I in between."""
    rated, idle, half = stack.dc(50_000), stack.dc(0), stack.dc(25_000)
    assert rated == pytest.approx((300, 50_000 / 0.96 / 300, 50_000 / 0.96))
    assert idle == pytest.approx((300 * 0.95 / 0.68, 0, 0))
    assert half.v * half.i == pytest.approx(25_000 / 0.96)
    assert rated.v < half.v < idle.v
    # On the straight line between the two.
    assert (idle.v - half.v) / half.i == pytest.approx((idle.v - rated.v) / rated.i)


def test_efficiency_is_the_cells_voltage_over_that_of_the_heating_value(stack):
    assert 50_000 / 0.96 / stack.fuel_w(50_000) == pytest.approx(0.68 / 1.253 * 0.97, rel=1e-3)
    assert 5_000 / stack.fuel_w(5_000) > 50_000 / stack.fuel_w(50_000)


def test_an_hour_at_rated_power_burns_one_part_of_the_tank(stack):
    full_wh = stack.tank_wh
    for _ in range(3600):
        stack.drew(50_000, 1.0)
    assert stack.tank_wh == pytest.approx(full_wh * (1 - 1 / TANK_H))


def test_it_warms_up_and_then_rises_as_fast_as_air_and_hydrogen_follow(run):
    powers = run(int(WARM_UP_S) + 25)
    assert set(powers[: int(WARM_UP_S) - 1]) == {0.0}
    rising = powers[int(WARM_UP_S) - 1 :]
    assert rising[:20] == pytest.approx([2_500 * (n + 1) for n in range(20)])
    assert set(rising[20:]) == {50_000.0}


def test_down_it_goes_at_once_and_up_again_slowly(run):
    run(120)
    run.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 20.0))
    assert run(3)[-1] == 10_000
    run.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", None))
    assert run(4) == pytest.approx([12_500, 15_000, 17_500, 20_000])


def test_an_empty_tank_ends_it_and_the_reserve_stays(run):
    run(100)
    source = run.device.source
    empty_wh = source.tank_wh = RESERVE * TANK_H * source.fuel_w(50_000) + 5 * source.fuel_w(50_000) / 3600
    powers = run(10)
    assert powers[3] == 50_000
    assert powers[-1] == 0
    assert 0 < source.tank_wh < empty_wh


def test_a_long_step_does_not_overdraw_the_tank(stack):
    stack.see(NOON, WARM_UP_S)
    stack.drew(50_000, 0.0)
    spare_wh = stack.tank_wh * (1 - RESERVE)
    for _ in range(3):
        stack.see(NOON, 100 * 3600.0)
        stack.drew(stack.available_w, 100 * 3600.0)
    assert 0 < stack.tank_wh <= TANK_H * stack.fuel_w(50_000) - spare_wh * 0.9


def test_it_has_the_functions_of_every_der_and_does_not_charge(run):
    run(120)
    setpoints = run.device.setpoints
    assert setpoints.check("opModFixedW", -10.0).verdict is Verdict.OUT_OF_RANGE
    setpoints.submit(
        SetpointChange(SetpointSource.REST, "opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 0.0)),
        SetpointChange(SetpointSource.REST, "opModTargetVar", 10_000.0),
    )
    run.device.inputs.set(frequency_hz=61.0)
    run(20)
    state = run.device.state
    assert state.p_w == pytest.approx(50_000 * (1 - 0.964 / 3))
    assert state.q_var == pytest.approx(10_000)
    assert math.isclose(state.dc_w, state.p_w / 0.96)
    assert state.soc_pct is None
    with pytest.raises(ConfigError, match="no PV array"):
        run.device.dc_iv()


def test_a_nameplate_of_ones_own(kind):
    document = json.loads(Path(kind.profile).read_text())
    document["702"] |= {"WMaxRtg": 5000, "VAMaxRtg": 5500, "VarMaxInjRtg": 2200, "VarMaxAbsRtg": 2200}
    document["714"]["Prt"][0]["DCV"] = 48
    stack = Stack(nameplate_from_json(document))
    assert stack.dc(5000) == pytest.approx((48, 5000 / 0.96 / 48, 5000 / 0.96))
