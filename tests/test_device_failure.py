"""A DER whose step fails stops for good; answers of plug-ins are checked; no timer holds a step for ever."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.engine.supervision import SupervisedPhysics
from dersim.errors import PluginError
from dersim.fences import Fences
from dersim.functions.contract import NOTHING, Demand, FunctionType, Stage
from dersim.hardware.checked_source import CheckedSource
from dersim.hardware.device_type import DeviceType
from dersim.hardware.source import DcPoint, GivenSource
from dersim.hardware.state import InverterStatus, OperationalMode
from dersim.logbuffer import LogBuffer
from dersim.modes import Curve
from dersim.numeric import shown
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict
from dersim.sunspec.measurements import INVERTER_STATE
from dersim.web.api import overview


class Odd:
    """A control function of a plug-in that answers what the test says."""

    settled = False

    def __init__(self) -> None:
        self.demand: Any = NOTHING
        self.left_s: Any = math.inf
        self.error: BaseException | None = None

    def configure(self, modes: Any, seen: Any) -> None:
        pass

    def step(self, dt_s: float, seen: Any) -> Any:
        if self.error is not None:
            raise self.error
        return self.demand

    def horizon_s(self, seen: Any) -> Any:
        return self.left_s


def odd_device(stage: Stage = "protect", device_type: str = "PV") -> tuple[Device, Odd, ManualClock]:
    odd, clock = Odd(), ManualClock()
    kind = FunctionType("odd", (), stage, lambda nameplate, settings: odd, standing=True)
    device = make_device(device_type=device_type, functions=[*FUNCTION_TYPES, kind], clock=clock)
    device.step(0.0)
    return device, odd, clock


def watched(device: Device, *, fail_fast: bool = False) -> tuple[SupervisedPhysics, Fences, LogBuffer]:
    log = LogBuffer()
    fences = Fences(log, fail_fast=fail_fast)
    physics = SupervisedPhysics(fences, {"odd": "extra"})
    device.on_failure = lambda error: physics.failed(device, error)
    return physics, fences, log


@pytest.mark.parametrize("left_s", [0, 0.0, math.nan, None, -1.0, "soon"])
def test_a_horizon_that_is_no_time_is_refused_with_the_function_s_name(left_s: Any) -> None:
    device, odd, _ = odd_device()
    odd.left_s = left_s
    with pytest.raises(PluginError, match=r"control function odd: horizon_s returned .*; return seconds"):
        device.step(10.0)


@pytest.mark.parametrize("stage", ["command", "grid", "protect"])
@pytest.mark.parametrize("field", ["limit_w", "floor_w", "target_w", "override_w", "q_var", "q_response_s"])
def test_a_nan_in_a_demand_is_refused_with_the_function_s_name(stage: Stage, field: str) -> None:
    device, odd, _ = odd_device(stage)
    odd.demand = Demand(**{field: math.nan})
    with pytest.raises(PluginError, match=f"control function odd: {field} of its Demand is nan"):
        device.step(1.0)


@pytest.mark.parametrize("value", [10**400, "5", True, None])
@pytest.mark.parametrize("field", ["limit_w", "q_response_s", "horizon_s"])
def test_an_odd_number_of_a_function_is_refused_with_its_name(field: str, value: Any) -> None:
    device, odd, _ = odd_device("protect")
    if field == "horizon_s":
        odd.left_s = value
    else:
        odd.demand = Demand(**{field: value})
    with pytest.raises(PluginError, match="control function odd: "):
        device.step(1.0)


@pytest.mark.parametrize("response_s", [-5.0, math.inf])
def test_a_response_time_that_is_no_time_is_refused(response_s: float) -> None:
    device, odd, _ = odd_device("reactive")
    odd.demand = Demand(q_var=100.0, q_response_s=response_s)
    with pytest.raises(PluginError, match="control function odd: q_response_s of its Demand is "):
        device.step(1.0)


def test_a_function_that_calls_exit_fails_its_der_alone() -> None:
    device, odd, clock = odd_device()
    watched(device)
    odd.error = SystemExit(0)  # what sys.exit() raises
    clock.time_s = 1.0
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 50.0))
    assert device.failed

    device, odd, _ = odd_device()
    physics, fences, _ = watched(device)
    odd.error = SystemExit(0)
    device.disturb()
    physics.step(device, 1.0)
    assert device.failed
    assert fences.counts == {"physics": 1}


def test_what_is_no_demand_is_refused() -> None:
    device, odd, _ = odd_device()
    odd.demand = None
    with pytest.raises(PluginError, match="control function odd: step returned None; return a Demand"):
        device.step(1.0)


def test_a_horizon_of_a_picosecond_does_not_hold_a_step() -> None:
    device, odd, _ = odd_device()
    odd.left_s = 1e-12
    device.step(60.0)
    assert device.state.time_s == 60.0


def test_a_trip_at_once_and_a_return_at_once_do_not_hold_a_step() -> None:
    """Must-trip after 0 s at a frequency at which service may be entered after 0 s."""
    clock = ManualClock()
    device = make_device(clock=clock)
    device.settings.update({"setESDelay": 0.0, "setESRampTms": 0.0, "setESLowFreq": 59.0})
    trips = Curve(((0.0, 59.9), (1.0, 59.9)), 0)
    (outcome,) = device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModLFRTMustTrip", trips))
    assert outcome.verdict is Verdict.ACCEPTED
    device.step(0.0)
    device.inputs.set(frequency_hz=59.5)
    device.step(60.0)
    assert device.state.time_s == 60.0


@pytest.mark.parametrize("device_type", ["PV", "Batt", "HybridDC-3Phase"])
def test_a_failed_der_gives_no_power_and_its_registers_stand(device_type: str) -> None:
    device, odd, clock = odd_device(device_type=device_type)
    physics, fences, log = watched(device)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModFixedW", 50.0))
    for clock.time_s in (1.0, 2.0, 3.0):
        physics.step(device, clock.time_s)
    before = device.state
    assert before.p_w > 1000
    odd.error = ZeroDivisionError("in the plug-in")
    device.inputs.set(voltage_pu=1.01)  # something changes, so the step is made in full
    for clock.time_s in (4.0, 5.0, 6.0):
        physics.step(device, clock.time_s)
    after = device.state
    assert (after.p_w, after.q_var, after.s_va, after.dc_w) == (0, 0, 0, 0)
    assert after.current_a == after.phase_p_w == (0, 0, 0)
    assert after.exported_wh == before.exported_wh
    assert after.soc_pct == before.soc_pct
    assert after.inverter_status is InverterStatus.FAULT
    assert int(after.inverter_status) == 7
    assert INVERTER_STATE[after.inverter_status][0] == 6  # 701.InvSt FAULT
    assert after.operational_mode is OperationalMode.OFF
    assert after.connection.fault
    assert not after.connection.connected
    assert not after.connection.operating
    assert not after.tripped
    assert overview.status(after)["inverter"] == overview.state_word(after) == "failed"
    assert device.service_word == "failed"
    assert fences.counts == {"physics": 1}
    assert device.failed.startswith("control function 'odd' of plug-in extra in tests.test_device_failure:")
    [error] = log.entries(level="Error")
    assert "DER 1 failed and is not stepped again: control function 'odd'" in error.message


def test_a_command_to_a_failing_der_is_taken_and_the_der_fails() -> None:
    device, odd, clock = odd_device()
    _, fences, _ = watched(device)
    odd.error = ValueError("no")
    clock.time_s = 1.0
    change = SetpointChange(SetpointSource.REST, "opModMaxLimW", 50.0)
    assert device.setpoints.submit(change)[0].verdict is Verdict.ACCEPTED
    assert device.failed
    device.settings.update({"setGradW": 5.0})
    device.inputs.set(frequency_hz=60.1)
    device.command("reset")
    device.command("start")
    assert device.state.p_w == 0
    assert fences.counts == {"physics": 1}


def test_without_a_supervisor_the_error_of_a_step_is_raised() -> None:
    device, odd, clock = odd_device()
    odd.error = ValueError("no")
    clock.time_s = 1.0
    with pytest.raises(ValueError, match="no"):
        device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 50.0))


class OddSource(GivenSource):
    """The DC side of a plug-in."""


def with_odd_source() -> tuple[Device, Any]:
    machine = DeviceType("mill", "10kW-3Phase", OddSource)
    device = make_device(device_type=machine)
    device.step(0.0)
    assert isinstance(device.source, CheckedSource)
    return device, device.source.source


@pytest.mark.parametrize("value", [math.nan, None, "5", 10**400, math.inf])
@pytest.mark.parametrize("name", ["available_w", "charge_w", "rest_w", "soc_pct", "cell_temperature_c"])
def test_a_dc_side_with_a_value_that_is_no_number_fails_its_der_by_name(name: str, value: Any) -> None:
    if (name, value) in {("soc_pct", None), ("rest_w", math.inf)}:
        return
    device, source = with_odd_source()
    physics, _, log = watched(device)
    setattr(source, name, value)
    device.disturb()
    physics.step(device, 1.0)
    assert device.state.failed
    assert device.state.p_w == 0
    [error] = log.entries(level="Error")
    assert "the DC side of 'mill'" in error.message
    assert f"{name} of its DC side is {shown(value)}" in error.message


@pytest.mark.parametrize("point", [None, (400.0, 1.0), DcPoint(math.nan, 1.0, 1.0), DcPoint(1.0, None, 1.0)])  # type: ignore[arg-type]  # what a plug-in may return
def test_an_operating_point_of_no_numbers_fails_the_der_and_its_state_is_told(point: Any) -> None:
    device, source = with_odd_source()
    _, fences, log = watched(device)
    source.dc = lambda p_w: point
    device.step(1.0)
    assert device.state.failed
    assert device.state.dc_w == 0
    assert fences.counts == {"physics": 1}
    [error] = log.entries(level="Error")
    assert "device type mill: dc() of its DC side is" in error.message


def test_a_dc_side_that_raises_while_the_state_is_made_fails_its_der_alone() -> None:
    device, source = with_odd_source()
    watched(device)

    def dc(p_w: float) -> DcPoint:
        raise KeyError("x")

    source.dc = dc
    device.step(1.0)
    assert device.state.failed
    assert device.failed.startswith("the DC side of 'mill'")
    assert "(dc): KeyError('x')" in device.failed


def checked_by(check: Any) -> tuple[Device, Fences, LogBuffer]:
    kind = FunctionType("odd", ("opModOdd",), "grid", lambda nameplate, settings: Odd(), check=check)
    device = make_device(functions=[*FUNCTION_TYPES, kind])
    log = LogBuffer()
    fences = Fences(log)
    device.setpoints.fence = partial(fences.around, "function_check", "Engine", device=1)
    return device, fences, log


def test_a_check_that_raises_refuses_that_submit_with_a_clear_line() -> None:
    device, fences, log = checked_by(lambda *_: 1 / 0)
    change = SetpointChange(SetpointSource.REST, "opModOdd", 5.0)
    [outcome] = device.setpoints.submit(change)
    assert outcome.verdict is Verdict.OUT_OF_RANGE
    assert "check of control function 'odd' failed: ZeroDivisionError" in outcome.reason
    assert fences.counts == {"function_check": 1}
    [error] = log.entries(level="Error")
    assert error.message.startswith("check of control function 'odd': unexpected ZeroDivisionError")
    limit = SetpointChange(SetpointSource.REST, "opModMaxLimW", 50.0)
    assert device.setpoints.submit(limit)[0].verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("answer", [None, 5, True])
def test_a_check_that_returns_no_text_refuses_that_submit(answer: Any) -> None:
    device, *_ = checked_by(lambda *_: answer)
    [outcome] = device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModOdd", 5.0))
    assert outcome.verdict is Verdict.OUT_OF_RANGE
    assert outcome.reason.endswith(f"returned {answer!r} instead of a text")


def test_what_a_bench_writes_reaches_the_source_of_a_plug_in() -> None:
    class Tank(GivenSource):
        tank_wh = 10.0

    own = Tank(make_device().nameplate)
    checked = CheckedSource("tank", own)
    checked.tank_wh = 5.0
    checked.available_w = 700.0
    assert (own.tank_wh, own.available_w, checked.available_w) == (5.0, 700.0, 700.0)
