"""What binds P and Q: each kind on a real device, and agreement with the output over random runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tests.device_scenarios import Scenario, play
from tests.device_strategies import scenarios

from dersim.binding import bindings, document
from dersim.device import Device, ManualClock
from dersim.functions.base import Function
from dersim.functions.contract import Demand, FunctionType
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop
from dersim.plugin.builtin import DEVICE_TYPES, FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

CSIP, DEFAULT = SetpointSource.CSIP, SetpointSource.CSIP_DEFAULT
MODBUS, REST = SetpointSource.MODBUS, SetpointSource.REST
VOLT_WATT = Curve(((100.0, 100.0), (105.0, 30.0)), 1, 0.0)
VOLT_VAR = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 1, 0.0)


class Bench:
    """A device of one kind and its clock, some seconds after the start."""

    def __init__(self, kind: str = "PV-3Phase", functions: Any = FUNCTION_TYPES, **plate: Any) -> None:
        self.clock = ManualClock()
        found = find_type(kind, DEVICE_TYPES)
        self.device: Device = make_device(
            device_type=found,
            nameplate=read_nameplate(bundled(found.profile), **plate),
            clock=self.clock,
            functions=functions,
        )
        self.device.step(0.0)
        self.device.inputs.set(irradiance_w_m2=800.0, temperature_c=25.0)

    def ask(self, mode: str, value: Any, source: SetpointSource = CSIP, **more: Any) -> None:
        outcome = self.device.setpoints.submit(SetpointChange(source, mode, value, "mine", **more))[0]
        assert outcome.verdict is Verdict.ACCEPTED, outcome

    def run(self, seconds: int) -> Device:
        for _ in range(seconds):
            self.clock.time_s += 1.0
            self.device.step(self.clock.time_s)
        return self.device

    def binds(self, what: str, seconds: int = 5) -> tuple[Any, ...] | None:
        """Mode, value, source and limit in kilo after so many seconds."""
        found = document(self.run(seconds))[what]
        if found is None:
            return None
        limit = found["limit_kw" if what == "p" else "limit_kvar"]
        return found["mode"], found["value"], found["source"], limit

    def text(self, what: str) -> str:
        return str(document(self.device)[what]["text"])


def test_nothing_binds_what_the_sun_bounds() -> None:
    bench = Bench()
    bench.ask("opModMaxLimW", 90.0)
    assert (bench.binds("p"), bench.binds("q")) == (None, None)


def test_nothing_binds_before_the_first_step() -> None:
    device = make_device(clock=ManualClock())
    assert bindings(device) == (None, None)


def test_the_limit_by_command() -> None:
    bench = Bench()
    bench.ask("opModMaxLimW", 40.0)
    assert bench.binds("p") == ("opModMaxLimW", 40.0, "csip", 4.0)
    assert bench.text("p") == "40 % by opModMaxLimW (CSIP event), 4.0 kW"


def test_volt_watt_below_the_limit_by_command() -> None:
    bench = Bench()
    bench.ask("opModMaxLimW", 40.0)
    bench.ask("opModVoltWatt", VOLT_WATT, DEFAULT)
    bench.device.inputs.set(voltage_pu=1.05)
    assert bench.binds("p") == ("opModVoltWatt", 30.0, "csip-default", 3.0)
    assert bench.text("p") == "30 % by Volt-Watt (default), 3.0 kW"


def test_freq_watt() -> None:
    bench = Bench()
    bench.ask("opModFreqWatt", Curve(((60.0, 100.0), (61.0, 0.0)), 1, 0.0), MODBUS)
    bench.device.inputs.set(frequency_hz=60.5)
    assert bench.binds("p") == ("opModFreqWatt", 50.0, "modbus", 5.0)


def test_the_droop_goes_beyond_the_limit_by_command() -> None:
    bench = Bench()
    bench.ask("opModMaxLimW", 40.0)
    bench.ask("opModFreqDroop", FreqDroop(0.036, 0.036, 0.05, 0.05, 0.0), REST)
    bench.run(5)
    bench.device.inputs.set(frequency_hz=59.7)
    found = bench.binds("p")
    assert found is not None
    assert (found[0], found[2]) == ("opModFreqDroop", "rest")
    assert found[3] == pytest.approx(bench.device.state.p_w / 1000) == pytest.approx(4.88)


@pytest.mark.parametrize(
    ("kind", "mode", "value", "limit_kw"),
    [
        ("PV-3Phase", "opModFixedW", 30.0, 3.0),
        ("Batt-3Phase", "opModFixedW", -50.0, -5.0),
        ("Batt-3Phase", "opModTargetW", 2000.0, 2.0),
        ("HybridDC-3Phase", "opModTargetW", 2000.0, 2.0),
    ],
)
def test_a_target(kind: str, mode: str, value: float, limit_kw: float) -> None:
    bench = Bench(kind)
    bench.ask(mode, value, REST)
    assert bench.binds("p") == (mode, value, "rest", limit_kw)


def test_a_target_above_the_sun_binds_nothing() -> None:
    bench = Bench()
    bench.ask("opModFixedW", 90.0)
    assert bench.binds("p") is None


def test_a_limit_that_is_on_its_ramp_tells_the_limit_of_now() -> None:
    bench = Bench()
    bench.ask("opModMaxLimW", 0.0, ramp_s=100.0)
    mode, value, _, limit_kw = bench.binds("p", 50) or ()
    assert (mode, value) == ("opModMaxLimW", 0.0)
    assert limit_kw == pytest.approx(bench.device.state.p_w / 1000)
    assert limit_kw == pytest.approx(5.0)
    assert document(bench.device)["p"]["moving"]
    assert bench.text("p").endswith("still moving")


def test_the_ramp_after_a_limit() -> None:
    bench = Bench()
    bench.device.settings.update({"setGradW": 1.0})
    bench.ask("opModMaxLimW", 0.0, ramp_s=0.0)
    bench.run(5)
    bench.ask("opModMaxLimW", None)
    mode, _, source, limit_kw = bench.binds("p", 10) or ()
    assert (mode, source, limit_kw) == ("setGradW", "settings", 1.0)


def test_setMaxW() -> None:
    bench = Bench()
    bench.device.settings.update({"setMaxW": 5000.0})
    assert bench.binds("p") == ("setMaxW", 5000.0, "settings", 5.0)
    assert bench.text("p") == "5.0 kW by setMaxW (settings)"


def test_setMaxChargeRateW() -> None:
    bench = Bench("Batt-3Phase")
    bench.device.settings.update({"setMaxChargeRateW": 1000.0})
    bench.ask("opModTargetW", -4000.0)
    assert bench.binds("p") == ("setMaxChargeRateW", 1000.0, "settings", -1.0)


@pytest.mark.parametrize(
    ("mode", "target", "limit_kw"), [("OutWRte", 8000.0, 2.0), ("InWRte", -8000.0, -2.0)]
)
@pytest.mark.parametrize("kind", ["Batt-3Phase", "HybridDC-3Phase"])
def test_the_rates_of_a_battery(kind: str, mode: str, target: float, limit_kw: float) -> None:
    bench = Bench(kind)
    bench.device.inputs.set(irradiance_w_m2=0.0)
    bench.ask(mode, 20.0, MODBUS)
    bench.ask("opModTargetW", target)
    found = bench.binds("p")
    assert found is not None
    share = bench.device.settings.setMaxChargeRateW / 10_000
    assert found == (mode, 20.0, "modbus", pytest.approx(limit_kw * share))


def test_the_apparent_power_with_reactive_power_first() -> None:
    bench = Bench()
    bench.device.inputs.set(irradiance_w_m2=1200.0)
    bench.ask("opModTargetVar", 4000.0)
    mode, value, source, limit_kw = bench.binds("p", 20) or ()
    assert (mode, value, source) == ("setMaxVA", 10_000.0, "nameplate")
    assert limit_kw == pytest.approx(84**0.5)
    assert "reactive power goes first" in bench.text("p")
    assert bench.binds("q") == ("opModTargetVar", 4000.0, "csip", 4.0)


def test_the_apparent_power_with_active_power_first() -> None:
    bench = Bench(**{"dersim.Priority": "active", "702.VarMaxInjRtg": 8000.0})
    bench.device.inputs.set(irradiance_w_m2=1000.0)
    bench.ask("opModTargetVar", 8000.0)
    mode, _, source, limit_kvar = bench.binds("q", 20) or ()
    assert (mode, source) == ("setMaxVA", "nameplate")
    assert limit_kvar == pytest.approx(bench.device.state.q_var / 1000)
    assert "active power goes first" in bench.text("q")


def test_the_current() -> None:
    bench = Bench()
    bench.device.settings.update({"setMaxA": 6.0})
    mode, value, source, limit_kw = bench.binds("p") or ()
    assert (mode, value, source) == ("setMaxA", 6.0, "settings")
    assert limit_kw == pytest.approx(bench.device.state.p_w / 1000)


def test_a_fixed_power_factor_at_the_reactive_limit() -> None:
    bench = Bench()
    bench.ask("opModFixedPFInjectW", FixedPowerFactor(0.85, "inject"))
    assert (bench.binds("q", 20) or ())[0] == "opModFixedPFInjectW"
    bench.device.settings.update({"setMaxVar": 2000.0})
    assert bench.binds("q", 20) == ("setMaxVar", 2000.0, "settings", 2.0)


def test_volt_var_at_its_curve_and_at_the_reactive_limit() -> None:
    bench = Bench()
    bench.ask("opModVoltVar", VOLT_VAR)
    bench.device.inputs.set(voltage_pu=1.05)
    mode, _, source, limit_kvar = bench.binds("q") or ()
    assert (mode, source) == ("opModVoltVar", "csip")
    assert limit_kvar == pytest.approx(-2.2)
    bench.device.settings.update({"setMaxVarNeg": -1000.0})
    assert bench.binds("q") == ("setMaxVarNeg", -1000.0, "settings", -1.0)


def test_little_sun_leaves_little_reactive_power() -> None:
    bench = Bench()
    bench.device.inputs.set(irradiance_w_m2=150.0)
    bench.ask("opModFixedVar", FixedVar(100.0, "setMaxVar"))
    mode, _, _, limit_kvar = bench.binds("q", 30) or ()
    assert mode == "statVarAvail"
    assert limit_kvar == pytest.approx(bench.device.state.q_var / 1000)


def test_a_trip_until_service_is_entered_and_then_its_ramp() -> None:
    bench = Bench()
    bench.ask("setESRampTms", 300.0, DEFAULT)
    bench.device.inputs.set(voltage_pu=1.3)
    assert bench.binds("p") == bench.binds("q", 0) == ("trip", None, "1547 default", 0.0)
    bench.device.inputs.set(voltage_pu=1.0)
    assert (bench.binds("p", 290) or ())[0] == "trip"
    bench.run(20)
    mode, value, source, limit_kw = bench.binds("p", 0) or ()
    assert (mode, source) == ("enter-service", "csip-default")
    assert value > 0
    assert value == pytest.approx(limit_kw * 10, abs=0.001)
    assert limit_kw == pytest.approx(bench.device.state.p_w / 1000)
    assert bench.binds("p", 300) is None


def test_a_momentary_cessation() -> None:
    bench = Bench()
    bench.device.inputs.set(voltage_pu=0.4)
    assert bench.binds("p", 1) == ("opModLVRTMomentaryCessation", None, "1547 default", 0.0)


def test_what_the_operator_and_the_utility_switch_off() -> None:
    bench = Bench()
    bench.ask("opModConnect", False)
    assert bench.binds("p") == ("opModConnect", False, "csip", 0.0)
    assert bench.text("p") == "Disconnected, no current (CSIP event)"
    bench.device.command("stop")
    assert bench.binds("p") == ("stop", None, "operator", 0.0)


class Feeder(Function):
    """A plug-in's function: a limit that no mode carries."""

    def step(self, dt_s: float, seen: Any) -> Demand:
        return Demand(limit_w=2500.0)


class Guard(Function):
    """A plug-in's protection."""

    def step(self, dt_s: float, seen: Any) -> Demand:
        return Demand(trip=seen.v_pu > 1.04)


class Shunt(Function):
    """A plug-in's reactive function."""

    def step(self, dt_s: float, seen: Any) -> Demand:
        return Demand(q_var=-700.0)


@pytest.mark.parametrize("stage", ["command", "grid"])
def test_the_limit_of_a_plugin_is_told_by_its_name(stage: Any) -> None:
    kind = FunctionType("feeder", (), stage, Feeder, standing=True)
    bench = Bench(functions=(*FUNCTION_TYPES, kind))
    assert bench.binds("p") == ("feeder", 25.0, "plug-in", 2.5)
    assert bench.text("p") == "25 % by feeder (plug-in), 2.5 kW"


def test_a_trip_by_a_plugin() -> None:
    kind = FunctionType("guard", (), "protect", Guard, standing=True)
    bench = Bench(functions=(*FUNCTION_TYPES, kind))
    bench.device.inputs.set(voltage_pu=1.05)
    assert bench.binds("p") == ("trip", None, "plug-in", 0.0)
    bench.device.inputs.set(voltage_pu=1.0)
    assert bench.binds("p") == ("trip", None, "plug-in", 0.0)
    assert bench.text("p") == "Tripped, no current (guard, plug-in)"


def test_the_reactive_power_of_a_plugin() -> None:
    kind = FunctionType("shunt", (), "reactive", Shunt, standing=True)
    bench = Bench(functions=(*FUNCTION_TYPES, kind))
    assert (bench.binds("q") or ())[::3] == ("shunt", -0.7)


def test_without_ramp_and_enter_service() -> None:
    left_out = ("ramp", "enter-service")
    bench = Bench(functions=[kind for kind in FUNCTION_TYPES if kind.name not in left_out])
    bench.ask("opModMaxLimW", 40.0)
    assert bench.binds("p") == ("opModMaxLimW", 40.0, "csip", 4.0)
    bench.device.inputs.set(voltage_pu=1.3)
    assert bench.binds("p") == ("trip", None, "1547 default", 0.0)
    bench.device.inputs.set(voltage_pu=1.0)
    assert bench.binds("p") == ("opModMaxLimW", 40.0, "csip", 4.0)


def test_reading_changes_nothing() -> None:
    looked, alone = Bench(), Bench()
    for bench in (looked, alone):
        bench.ask("opModVoltWatt", Curve(((100.0, 100.0), (105.0, 30.0)), 1, 5.0))
        bench.ask("opModVoltVar", Curve(VOLT_VAR.points, 1, 5.0))
    for second in range(40):
        for bench in (looked, alone):
            bench.device.inputs.set(voltage_pu=1.0 + 0.01 * (second % 8))
            bench.run(1)
        document(looked.device)
        assert looked.device.state == alone.device.state


@given(scenarios())
@settings(max_examples=40, deadline=None)
def test_what_binds_agrees_with_the_output(scenario: Scenario) -> None:
    for device, _ in play(scenario, (1.0, 0.3)):
        p, q = bindings(device)
        chain, seen = device.chain, device.seen
        slack = 1e-6 * max(1.0, device.nameplate.rtgMaxVA)
        if p is not None:
            assert abs(chain.p_w - p.limit) < slack, p
        else:
            rest_w = device.source.rest_w
            free = (seen.available_w, -seen.charge_w, rest_w, -device.nameplate.night_draw_w)
            assert min(abs(chain.p_w - watts) for watts in free) < slack, (chain.p_w, free)
        assert abs(chain.q_var - (0.0 if q is None else q.limit)) < slack, q
        document(device)
