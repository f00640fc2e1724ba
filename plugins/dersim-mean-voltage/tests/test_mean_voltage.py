"""The control function alone, in a DER, and the plug-in as dersim finds it."""

import math
from argparse import Namespace
from importlib.metadata import version

import pytest
from dersim_mean_voltage.protection import MODE, MeanVoltage

from dersim.device import ManualClock
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.plugin.candidates import find
from dersim.plugin.loader import PluginSet
from dersim.plugin.registry import Selection
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict


@pytest.fixture(scope="module")
def registry():
    [candidate] = [each for each in find() if each.name == "mean-voltage"]
    return PluginSet([candidate]).register(Namespace())


def machine(registry, **points):
    functions = (*FUNCTION_TYPES, *registry.functions.values())
    plate = read_nameplate(bundled("10kW-3Phase"), **points)
    device = make_device(clock=ManualClock(), functions=functions, nameplate=plate)
    device.step(0.0)
    return device


def run_to(device, end_s, tick_s=1.0):
    while device._clock.time_s < end_s:
        device._clock.time_s = min(end_s, device._clock.time_s + tick_s)
        device.step(device._clock.time_s)


def ask(device, value):
    [outcome] = device.setpoints.submit(SetpointChange(SetpointSource.REST, MODE, value))
    return outcome.verdict


# From 1.0 to v the mean square crosses limit**2 after 600 s * (limit**2 - 1) / (v**2 - 1).
@pytest.mark.parametrize(("limit", "v"), [(1.06, 1.09), (1.08, 1.095), (1.01, 1.1)])
@pytest.mark.parametrize("tick_s", [0.7, 1.0, 60.0, 900.0])
def test_it_trips_within_3_s_of_the_crossing_whatever_the_tick(registry, limit, v, tick_s):
    device = machine(registry)
    assert ask(device, 100 * limit) is Verdict.ACCEPTED
    device.inputs.set(voltage_pu=v)
    crossing_s = 600 * (limit**2 - 1) / (v**2 - 1)
    run_to(device, crossing_s - 0.01, tick_s)
    assert not device.state.tripped
    run_to(device, crossing_s + 3.0, tick_s)
    assert device.state.tripped
    assert device.state.p_w == 0


def test_a_mean_at_the_setting_does_not_trip(registry):
    device = machine(registry)
    ask(device, 108)
    device.inputs.set(voltage_pu=1.08)
    run_to(device, 3000, 10)
    assert not device.state.tripped


def test_short_peaks_are_averaged_out(registry):
    device = machine(registry)
    ask(device, 106)
    for minute in range(40):
        device.inputs.set(voltage_pu=1.09 if minute % 2 else 1.01)
        run_to(device, 60 * (minute + 1), 5)
    assert not device.state.tripped


def test_one_phase_is_enough(registry):
    device = machine(registry)
    ask(device, 104)
    device.inputs.set(voltage_pu=[1.0, 1.08, 1.0])
    run_to(device, 600, 5)
    assert device.state.tripped


def test_service_is_entered_when_the_mean_has_fallen(registry):
    device = machine(registry)
    device.settings.update({"setESDelay": 60.0})
    ask(device, 106)
    device.inputs.set(voltage_pu=1.09)
    run_to(device, 600, 5)
    assert device.state.tripped
    device.inputs.set(voltage_pu=1.0)
    # The mean square of 1.0 and 1.09 is 1.06**2 again after 600 s * (1.09**2 - 1.06**2) / (1.09**2 - 1).
    falls_s = 600 + 600 * (1.09**2 - 1.06**2) / (1.09**2 - 1)
    run_to(device, falls_s + 50, 5)
    assert device.service_word == "tripped"
    run_to(device, falls_s + 70, 5)
    assert device.service_word == "entering service"


def test_the_setting_is_110_percent_at_first_and_may_come_from_the_nameplate(registry):
    function = MeanVoltage(None, None)
    function.step(0.0, Measured(v_high_pu=1.101))
    assert function.step(3.0, Measured(v_high_pu=1.101)).trip
    function = MeanVoltage(None, None)
    assert not function.step(3.0, Measured(v_high_pu=1.1)).trip
    device = machine(registry, **{"dersim.modes": {MODE: 105}})
    device.inputs.set(voltage_pu=1.08)
    run_to(device, 600, 5)
    assert device.state.tripped


def test_a_setting_out_of_range_is_refused(registry):
    device = machine(registry)
    assert ask(device, 121) is Verdict.OUT_OF_RANGE
    assert ask(device, 99) is Verdict.OUT_OF_RANGE


def test_it_costs_nothing_once_the_window_is_even(registry):
    device = machine(registry)
    run_to(device, 700, 10)
    assert device.functions["mean-voltage"].settled
    assert device.functions["mean-voltage"].horizon_s(device.seen) == math.inf
    device.inputs.set(voltage_pu=1.05)
    assert not device.functions["mean-voltage"].settled


def test_random_ticks_give_the_mean_of_a_square(registry):
    function, seen = MeanVoltage(None, None), Measured()
    function.step(0.0, seen)
    for k in range(600):
        seen.v_high_pu = 1.0 + 0.1 * (k % 7) / 7
        function.step(1.0, seen)
    expected = sum((1.0 + 0.1 * (k % 7) / 7) ** 2 for k in range(600)) / 600
    assert function.mean_pu == pytest.approx(math.sqrt(expected))


def test_dersim_finds_it_by_its_entry_point():
    [plugin] = [each for each in PluginSet(find()).plugins if each.name == "mean-voltage"]
    assert plugin.version == version("dersim-mean-voltage")
    assert plugin.hooks == ("register_control_functions", "register_schema_extensions")


def test_it_can_be_left_out():
    names = {each.name for each in PluginSet(find(), Selection(without=("mean-voltage",))).plugins}
    assert "mean-voltage" not in names
