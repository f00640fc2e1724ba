"""What a DER delivers to a grid and meets from it: per phase, cheaply, and with a dead band."""

import pytest

from dersim.device import ManualClock
from dersim.fleet import Fleet
from dersim.grid.conditions import Conditions
from dersim.grid.contract import Settled
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.grid.site_load import SiteLoad
from dersim.modes import Curve
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

VOLT_VAR = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 2, 5.0)
VOLT_WATT = Curve(((106.0, 100.0), (110.0, 0.0)), 1, 2.0)


def behind_grid(device_type="PV-3Phase", *names):
    device = make_device(device_type=device_type, clock=ManualClock())
    device.inputs.offer_grid(names or ["voltage_pu"])
    device.step(0.0)
    return device


@pytest.mark.parametrize(
    ("device_type", "shares"),
    [
        ("PV-1Phase", (1.0, 0.0, 0.0)),
        ("PV-2Phase", (1.02 / 2.0, 0.98 / 2.0, 0.0)),
        ("PV-3Phase", (1.02 / 3.0, 0.98 / 3.0, 1.0 / 3.0)),
    ],
)
def test_the_output_is_that_of_the_state_per_phase(device_type, shares):
    device = behind_grid(device_type)
    device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltVar", VOLT_VAR))
    device.meet((1.02, 0.98, 1.0))
    device.step(1.0)
    output, state = device.output, device.state
    assert output.p_w == pytest.approx(state.phase_p_w)
    assert output.q_var == pytest.approx(state.phase_q_var)
    assert output.p_w == pytest.approx([state.p_w * share for share in shares])


def test_a_failed_der_delivers_nothing():
    device = behind_grid()
    device.fail("a test")
    assert device.output == ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def test_what_a_der_meets_acts_in_the_next_step_and_is_shown_at_once():
    device = behind_grid()
    device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltWatt", VOLT_WATT))
    device.step(10.0)
    p_w = device.output.p_w
    device.meet((1.09, 1.09, 1.09))
    assert device.output.p_w == p_w
    assert device.state.voltage_ln_v[0] == pytest.approx(1.09 * 480 / 3**0.5)
    for second in range(11, 21):
        device.step(float(second))
    assert sum(device.output.p_w) == pytest.approx(0.25 * device.settings.setMaxW, rel=0.01)


def test_a_der_does_not_see_the_voltages_of_phases_that_it_does_not_have():
    single, split = behind_grid("PV-1Phase"), behind_grid("PV-2Phase")
    single.meet((1.01, 0.0, 0.0))
    split.meet((1.01, 1.02, 0.0))
    assert single.inputs.constants.voltage_pu == (1.01, 1.01, 1.01)
    assert split.inputs.constants.voltage_pu == (1.01, 1.02, 1.01)
    assert split.seen.v_pu == pytest.approx(1.015)


def test_within_the_dead_band_a_der_stays_at_rest():
    device = behind_grid()
    for second in range(60):
        device.step(float(second))
    before = device.moved_s
    device.meet((1.0 + 0.9e-6, 1.0, 1.0 - 0.9e-6))
    device.step(60.0)
    assert device.moved_s == before
    device.meet((1.0 + 1.1e-6, 1.0, 1.0))
    device.step(61.0)
    assert device.moved_s == 61.0


def test_small_steps_add_up_beyond_the_dead_band():
    device = behind_grid()
    for _ in range(10):
        device.meet(tuple(v + 0.9e-6 for v in device.inputs.constants.voltage_pu))
    assert device.inputs.constants.voltage_pu == (1.0, 1.0, 1.0)
    device.meet((1.0 + 1.8e-6,) * 3)
    assert device.inputs.constants.voltage_pu[0] == 1.0 + 1.8e-6


def test_the_frequency_moves_and_stops():
    device = behind_grid("PV-3Phase", "frequency_hz")
    device.meet(None, 60.1, 0.5)
    device.step(1.0)
    assert (device.state.frequency_hz, device.seen.rocof_hz_s, device.seen.disturbed) == (60.1, 0.5, True)
    device.meet(None, 60.1, 0.00005)
    device.step(2.0)
    assert (device.seen.rocof_hz_s, device.seen.disturbed) == (0.0, False)


def test_a_fleet_hands_over_by_position():
    fleet = Fleet([behind_grid("PV-3Phase"), behind_grid("PV-1Phase")])
    outputs = fleet.outputs(5.0)
    p_w, single_w = fleet.devices[0].output.p_w, fleet.devices[1].output.p_w
    assert outputs.p_w.tolist() == [*p_w, *single_w]
    assert (outputs.time_s, outputs.first, len(outputs.q_var)) == (5.0, 1, 6)


async def test_a_fleet_takes_lists_arrays_and_numpy(autojump_clock):
    class Numpy(tuple):
        __slots__ = ()

        def tolist(self):
            return list(self)

    fleet = Fleet([behind_grid("PV-3Phase"), behind_grid("PV-1Phase")])
    for make in (list, Numpy):
        values = [1.01, 1.02, 1.03, 0.97, 0.0, 0.0]
        await fleet.meet(Settled(make(values)))
        assert fleet.devices[0].inputs.constants.voltage_pu == (1.01, 1.02, 1.03)
        assert fleet.devices[1].inputs.constants.voltage_pu == (0.97, 0.97, 0.97)


def test_the_fastest_response_is_that_of_the_functions_in_force():
    fleet = Fleet([behind_grid(), behind_grid()])
    assert fleet.response_s() == float("inf")
    first, second = fleet.devices
    first.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltVar", VOLT_VAR))
    assert fleet.response_s() == 5.0
    second.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltWatt", VOLT_WATT))
    assert fleet.response_s() == 2.0
    second.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltWatt", None))
    first.setpoints.submit(
        SetpointChange(SetpointSource.OPERATOR, "opModVoltVar", VOLT_VAR._replace(open_loop_s=None))
    )
    assert fleet.response_s() == 0.0


def test_behind_a_grid_a_weather_profile_goes_on():
    sun = Profile([0.0, 100.0], {"irradiance_w_m2": [100.0, 200.0]}, stepwise=False)
    device = make_device(clock=ManualClock(), inputs=Inputs(Conditions(), weather=sun))
    device.inputs.offer_grid(["voltage_pu"])
    device.step(0.0)
    for second in range(1, 51):
        device.meet((1.0 + second / 1000,) * 3)
        device.step(float(second))
    state = device.state
    assert state.irradiance_w_m2 == pytest.approx(150.0)
    assert state.voltage_ln_v[0] == pytest.approx(1.05 * 480 / 3**0.5)


def test_a_load_behind_the_meter_is_less_for_the_grid():
    site = SiteLoad(3, 1.0)
    conditions = Conditions()._replace(**site.completed({"load_w": (500.0, 600.0, 700.0)}))
    device = make_device(clock=ManualClock(), inputs=Inputs(conditions, site=site))
    device.step(0.0)
    p_w = device.state.p_w
    assert device.output.p_w == pytest.approx([p_w / 3 - 500, p_w / 3 - 600, p_w / 3 - 700])
