"""What the Grid support page shows and sends: set again unedited, a value changes nothing."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.device_strategies import MACHINES, VALUES

from dersim.device import ManualClock
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import MODES, Curve, modes_from_json, value_from_json, value_to_json
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict
from dersim.web.api import grid_support
from dersim.web.context import Call

OUTPUTS = ("p_w", "q_var", "connection", "inverter_status", "tripped")
#: Of all kinds of DC side and of one and three phases.
SOME = ("PV-3Phase", "Batt-1Phase", "HybridDC-3Phase")
PARTS = Curve(((92, 44), (100, 0), (108, -44)), 1, 5.0, 98.0, (), True, 400.0, 10.0, 20.0, 0.5)


class Machine:
    """A DER at 1.05 pu, and what the page does with it."""

    def __init__(self, name):
        self.clock = ManualClock(1000.0)
        self.device = make_device(1, device_type=name, clock=self.clock)
        self.device.inputs.set(voltage_pu=1.05, irradiance_w_m2=800.0)
        self.device.step(1000.0)

    def submit(self, source, mode, value, ramp_s=None, expires_s=None):
        change = SetpointChange(source, mode, value, "before", expires_s, ramp_s)
        return self.device.setpoints.submit(change)[0].verdict is Verdict.ACCEPTED

    def entry(self, mode):
        functions = grid_support._functions(None, Call(self.device, {}))["functions"]
        return next(each for function in functions for each in function["modes"] if each["mode"] == mode)

    def set_unedited(self, mode):
        """As grid.js does: what was set over REST, else what is in force, else the default."""
        entry = self.entry(mode)
        acting = entry["in_force"] or entry["by_default"]
        shown = entry["rest"] if entry["rest"] is not None else acting["value"]
        body = {"modes": {mode: json.loads(json.dumps(shown))}, "keep_end": True}
        log = SimpleNamespace(log=lambda *_: None)
        engine = SimpleNamespace(clock=self.clock, log=log)
        grid_support._set(SimpleNamespace(engine=engine), Call(self.device, {}, body))

    def go(self, seconds):
        course = []
        for _ in range(seconds):
            self.clock.time_s += 1
            self.device.step(self.clock.time_s)
            course.append([getattr(self.device.state, name) for name in OUTPUTS])
        return course


def assert_same(one, other):
    for (p, q, *words), (other_p, other_q, *other_words) in zip(one, other, strict=True):
        assert (p, q) == pytest.approx((other_p, other_q), abs=1e-6)
        assert words == other_words


def in_turn():
    """Every mode with every machine that has it; what is not `slow` with one of them, in turn."""
    supported = {machine: make_device(device_type=machine).setpoints.supported_modes for machine in SOME}
    for number, mode in enumerate(MODES):
        having = [machine for machine in SOME if mode in supported[machine]]
        for machine in having:
            is_today = machine == having[number % len(having)]
            yield pytest.param(mode, machine, marks=[] if is_today else [pytest.mark.slow])


@pytest.mark.parametrize(("mode", "machine"), list(in_turn()))
@settings(max_examples=3, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_value_set_again_unedited_changes_nothing(machine, mode, data):
    edited, alone = Machine(machine), Machine(machine)
    value = data.draw(VALUES[mode])
    if mode in ("opModTargetW", "opModTargetVar"):
        value *= edited.device.settings.setMaxVar
    source = data.draw(st.sampled_from((SetpointSource.CSIP_DEFAULT, SetpointSource.REST)))
    ramp_s = data.draw(st.sampled_from((None, 0.0, 8.0)))
    for each in (edited, alone):
        assume(each.submit(source, mode, value, ramp_s))
        each.go(2)
    edited.set_unedited(mode)
    assert edited.device.setpoints.value(mode) == value
    assert_same(edited.go(10), alone.go(10))


@pytest.mark.parametrize("machine", MACHINES)
def test_defaults_set_unedited_change_nothing(machine):
    edited, alone = Machine(machine), Machine(machine)
    modes = sorted(edited.device.setpoints.supported_modes)
    for each in (mode for mode in modes if edited.entry(mode)["by_default"]):
        edited.set_unedited(each)
    assert_same(edited.go(3), alone.go(3))
    for each in (edited, alone):
        each.device.inputs.set(voltage_pu=0.55)
    assert_same(edited.go(15), alone.go(15))
    assert edited.device.settings.as_dict() == alone.device.settings.as_dict()


def test_setting_unedited_keeps_the_end():
    machine = Machine("PV-3Phase")
    machine.submit(SetpointSource.REST, "opModMaxLimW", 40.0, expires_s=1060.0)
    assert machine.entry("opModMaxLimW")["rest_until"] == "1970-01-01T00:17:40.000Z"
    machine.set_unedited("opModMaxLimW")
    assert machine.entry("opModMaxLimW")["rest_until"] == "1970-01-01T00:17:40.000Z"
    machine.go(61)
    assert machine.device.setpoints.value("opModMaxLimW") is None


@pytest.mark.parametrize("autonomous", [True, False])
def test_all_parts_of_a_curve_survive_json(autonomous):
    curve = PARTS._replace(autonomous_v_ref=autonomous)
    assert value_from_json("opModVoltVar", json.loads(json.dumps(value_to_json(curve)))) == curve


@pytest.mark.parametrize("machine", MACHINES)
def test_what_an_editor_begins_with_is_accepted_by_the_machine(machine):
    device = Machine(machine).device
    for mode in device.setpoints.supported_modes:
        value = Machine(machine).entry(mode)["proposal"]
        if value is not None:
            assert device.setpoints.check(mode, modes_from_json({mode: value})[mode]).verdict is (
                Verdict.ACCEPTED
            )


def test_the_references_offered_are_those_that_the_machine_accepts():
    machine = Machine("HybridDC-3Phase")
    for mode in ("opModVoltVar", "opModVoltWatt", "opModWattVar", "opModFreqWatt"):
        entry = machine.entry(mode)
        curve = value_from_json(mode, entry["proposal"])
        accepted = {
            number
            for number in range(9)
            if machine.device.setpoints.check(mode, curve._replace(y_ref_type=number)).verdict
            is Verdict.ACCEPTED
        }
        assert {each["y_ref_type"] for each in entry["references"]} == accepted


def test_must_trip_cessation_and_enter_service_act_by_default():
    machine = Machine("PV-3Phase")
    trip = machine.entry("opModHVRTMustTrip")
    assert trip["in_force"] is None
    assert trip["by_default"]["source"] == "1547 default"
    assert trip["by_default"]["value"]["curve"][0] == [0.16, 120.0]
    assert machine.entry("opModLVRTMomentaryCessation")["by_default"]["source"] == "1547 default"
    assert machine.entry("setESDelay")["by_default"] == {"value": 300.0, "source": "1547 default"}
    machine.device.settings.update({"setESDelay": 20.0})
    assert machine.entry("setESDelay")["by_default"] == {"value": 20.0, "source": "settings"}
    assert machine.entry("opModVoltVar")["by_default"] is None


def test_a_machine_for_50_hz_is_offered_no_value_for_60_hz():
    machine = Machine("PV-3Phase")
    plate = read_nameplate(bundled("10kW-3Phase"), **{"dersim.HzNom": 50})
    machine.device = make_device(1, device_type="PV-3Phase", nameplate=plate, clock=machine.clock)
    machine.device.step(1000.0)
    for mode in machine.device.setpoints.supported_modes:
        entry = machine.entry(mode)
        values = [entry["proposal"], (entry["by_default"] or {}).get("value")]
        for curve in [value["curve"] for value in values if isinstance(value, dict) and "curve" in value]:
            axis = {"Hz, %": 0, "s, Hz": 1}.get(entry["unit"])
            assert axis is None or all(45 <= point[axis] <= 53 for point in curve), (mode, curve)
    assert machine.entry("setESHighFreq")["by_default"] == {"value": 50.1, "source": "default for 50 Hz"}
    assert "50 Hz" in machine.entry("opModHFRTMustTrip")["by_default"]["source"]
