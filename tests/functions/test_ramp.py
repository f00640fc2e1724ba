"""rampTms belongs to its control: each mode moves by the rampTms of its own setpoint, else at setGradW.

The DER is 10 kW and has 8 kW; a limit that comes down starts at 10 kW where nothing holds the power down.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from dersim.functions.contract import Demand, FunctionType
from dersim.modes import Curve, FixedPowerFactor, FixedVar
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

GRAD = "setGradW"
LIMIT, FIXED_W, PF, VAR = "opModMaxLimW", "opModFixedW", "opModFixedPFInjectW", "opModTargetVar"
FACTOR = FixedPowerFactor(0.9, "inject")
CSIP, DEFAULT, REST, MODBUS = (
    SetpointSource.CSIP,
    SetpointSource.CSIP_DEFAULT,
    SetpointSource.REST,
    SetpointSource.MODBUS,
)


@pytest.fixture
def rig(make_rig: Any) -> Any:
    """setGradW 100 %/s: 1 kW in 0.1 s."""
    rig = make_rig()
    rig.device.settings.update({GRAD: 100.0})
    return rig


def test_a_ramp_of_q_does_not_slow_a_target_of_another_control(rig: Any) -> None:
    rig.ask(PF, FACTOR, detail="a", ramp_s=60.0)
    rig.ask(FIXED_W, 50.0, detail="b")
    assert rig.go(1)[-1][0] == pytest.approx(5000)
    half_q = rig.go(29)[-1][1]
    assert half_q == pytest.approx(0.5 * 5000 * 0.4843, rel=0.02)
    assert rig.go(31)[-1][1] == pytest.approx(5000 * 0.4843, rel=0.001)


def test_a_limit_and_its_release_beside_a_ramp_of_q_move_at_set_grad_w(rig: Any) -> None:
    rig.ask(PF, FACTOR, detail="a", ramp_s=60.0)
    rig.ask(LIMIT, 20.0, detail="b")
    assert rig.go(1)[-1][0] == pytest.approx(2000)
    rig.ask(LIMIT, None)
    assert rig.go(0.5)[-1][0] == pytest.approx(7000)
    assert rig.go(0.5)[-1][0] == pytest.approx(8000)


@pytest.mark.parametrize("source", [REST, MODBUS])
@pytest.mark.parametrize(("mode", "value"), [(FIXED_W, 90.0), (PF, FACTOR), (VAR, 1000.0)])
def test_a_local_limit_beside_a_control_with_a_ramp_moves_at_set_grad_w(
    rig: Any, source: SetpointSource, mode: str, value: Any
) -> None:
    rig.ask(mode, value, detail="a", ramp_s=600.0)
    rig.ask("rampTms", 600.0, detail="a")
    rig.go(1)
    rig.ask(LIMIT, 30.0, source, "704.WMaxLimPct")
    assert rig.go(1)[-1][0] == pytest.approx(3000)


def test_two_ramps_of_p_run_side_by_side(rig: Any) -> None:
    rig.ask(LIMIT, 20.0, detail="a", ramp_s=10.0)
    rig.ask(FIXED_W, 60.0, detail="b", ramp_s=2.0)
    path = [p for p, _ in rig.go(10)]
    assert path[9] == pytest.approx(8000)
    assert path[19] == pytest.approx(6000)
    assert path[49] == pytest.approx(6000)
    assert path[74] == pytest.approx(4000)
    assert path[99] == pytest.approx(2000)


def test_ramp_tms_0_is_at_once(rig: Any) -> None:
    rig.device.settings.update({GRAD: 1.0})
    rig.ask(LIMIT, 20.0, ramp_s=0.0)
    assert rig.p == pytest.approx(2000)
    rig.ask(LIMIT, 50.0, ramp_s=0.0)
    assert rig.p == pytest.approx(5000)
    rig.ask(VAR, 1500.0, ramp_s=0.0)
    assert rig.q == pytest.approx(1500)


def test_without_ramp_tms_the_control_moves_at_set_grad_w_whatever_another_has(rig: Any) -> None:
    rig.device.settings.update({GRAD: 10.0})
    rig.ask(VAR, 1000.0, detail="a", ramp_s=0.0)
    rig.ask("rampTms", 0.0, detail="a")
    rig.ask(LIMIT, 20.0, detail="b")
    assert rig.go(4)[-1][0] == pytest.approx(6000)


def test_at_its_end_the_ramp_of_the_successor_applies(rig: Any) -> None:
    rig.ask(LIMIT, 60.0, DEFAULT, "default", ramp_s=10.0)
    rig.go(11)
    rig.ask(LIMIT, 20.0, detail="a", ramp_s=4.0)
    assert rig.go(2)[-1][0] == pytest.approx(4000)
    assert rig.go(2)[-1][0] == pytest.approx(2000)
    rig.ask(LIMIT, None, detail="a")
    assert rig.go(5)[-1][0] == pytest.approx(4000)
    assert rig.go(5)[-1][0] == pytest.approx(6000)


def test_at_its_end_without_a_successor_set_grad_w_applies(rig: Any) -> None:
    rig.device.settings.update({GRAD: 20.0})
    rig.ask(LIMIT, 20.0, ramp_s=0.0)
    rig.ask(LIMIT, None)
    assert rig.go(2)[-1][0] == pytest.approx(6000)


@pytest.mark.parametrize(("ramp_s", "after_1_s"), [(None, 2000.0), (10.0, 7400.0)])
def test_a_successor_of_the_same_value_ramps_by_its_own_attributes(
    rig: Any, ramp_s: float | None, after_1_s: float
) -> None:
    rig.ask(LIMIT, 20.0, detail="a", ramp_s=10.0)
    assert rig.go(2.5)[-1][0] == pytest.approx(8000)
    rig.ask(LIMIT, 20.0, detail="b", ramp_s=ramp_s)
    # 6 kW are left: at once at setGradW, or 0.6 kW/s in 10 s of its own.
    assert rig.go(1)[-1][0] == pytest.approx(after_1_s)


def test_the_ramp_of_rest_is_for_rest_s_own_setpoints(rig: Any) -> None:
    rig.ask("rampTms", 10.0, REST, "PUT /grid-support")
    rig.ask(LIMIT, 60.0, REST, "PUT /grid-support")
    assert rig.go(5)[-1][0] == pytest.approx(8000)
    assert rig.go(5)[-1][0] == pytest.approx(6000)
    rig.ask(LIMIT, 20.0, MODBUS, "704.WMaxLimPct")
    assert rig.go(0.5)[-1][0] == pytest.approx(2000)


def test_a_change_of_settings_does_not_prolong_a_ramp(rig: Any) -> None:
    rig.ask(LIMIT, 50.0, ramp_s=10.0)
    rig.go(5)
    rig.device.settings.update({"setESDelay": 5.0})
    rig.device.settings.update({"setMaxW": 9000.0})
    assert rig.go(4.9)[-1][0] > 4500
    assert rig.go(0.1)[-1][0] == pytest.approx(4500)


def test_a_charging_limit_of_a_plug_in_ramps_too(rig: Any) -> None:
    class Floor:
        settled = True
        _demand = Demand()

        def __init__(self, nameplate: object, settings: object) -> None:
            pass

        def configure(self, modes: Any, seen: object) -> None:
            self._demand = Demand(floor_w=modes["floor"]) if "floor" in modes else Demand()

        def step(self, dt_s: float, seen: object) -> Demand:
            return self._demand

        def horizon_s(self, seen: object) -> float:
            return float("inf")

    kind = FunctionType("floor", ("floor",), "command", Floor)
    device = make_device(device_type="Batt", functions=[*FUNCTION_TYPES, kind])
    device.settings.update({GRAD: 10.0})
    device.step(0.0)
    device.setpoints.submit(SetpointChange(CSIP, FIXED_W, -80.0, ramp_s=0.0))
    device.setpoints.submit(SetpointChange(CSIP, "floor", -3000.0))
    for second, p in ((1, -7000), (4, -4000), (5, -3000), (8, -3000)):
        device.step(float(second))
        assert device.state.p_w == pytest.approx(p)
    device.setpoints.submit(SetpointChange(CSIP, "floor", None))
    device.step(9.0)
    assert device.state.p_w == pytest.approx(-4000)


def test_the_end_of_a_volt_watt_does_not_restart_a_ramp_by_command(rig: Any) -> None:
    rig.ask(FIXED_W, 40.0, ramp_s=10.0)
    rig.ask("opModVoltWatt", Curve(((106.0, 100.0), (110.0, 20.0)), 1, 1.0))
    rig.go(5)
    rig.ask("opModVoltWatt", None)
    assert rig.go(2.5)[-1][0] == pytest.approx(5500)
    assert rig.go(2.5)[-1][0] == pytest.approx(4000)


def test_p_and_q_keep_the_power_factor_while_q_ramps_at_the_va_limit(make_rig: Any) -> None:
    """Both shrink: at 10 kW wanted and 0.9, |S| is held at 10 kVA with P below 10 kW in proportion to Q."""
    rig = make_rig(10_000.0)
    rig.ask(PF, FACTOR, ramp_s=10.0)
    p, q = rig.go(5)[-1]
    assert q / p == pytest.approx(0.5 * 0.4843, rel=0.02)
    assert p * p + q * q == pytest.approx(1e8, rel=1e-6)


def test_fixed_var_holds_q_while_it_ramps_at_the_va_limit(make_rig: Any) -> None:
    rig = make_rig(10_000.0)
    rig.ask("opModFixedVar", FixedVar(100.0, "setMaxVar"), ramp_s=10.0)
    _, q = rig.go(5)[-1]
    assert q == pytest.approx(2200)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_and_goes_p_moves_at_set_grad_w_and_arrives(make_rig: Any, seed: int) -> None:
    rng = random.Random(seed)
    rig = make_rig()
    grad = rng.choice([5.0, 20.0, 100.0])
    rig.device.settings.update({GRAD: grad})
    rig.go(0.5)
    for _ in range(15):
        mode = rng.choice([LIMIT, FIXED_W, "opModTargetW"])
        value = None if rng.random() < 0.35 else rng.uniform(0, 10_000 if mode == "opModTargetW" else 100)
        before = rig.p
        rig.ask(mode, value, rng.choice([CSIP, DEFAULT, REST]))
        for p in (rig.p, *(p for p, _ in rig.go(rng.choice([0.3, 1, 3])))):
            assert abs(p - before) <= grad * 10 * 1.0001 + 1e-6
            before = p
    rig.go(60, dt_s=1.0)
    value = rig.device.setpoints.value
    target = value("opModTargetW")
    if target is None:
        target = value(FIXED_W) * 100 if value(FIXED_W) is not None else 8000
    limit = value(LIMIT) * 100 if value(LIMIT) is not None else 10_000
    assert rig.p == pytest.approx(min(target, limit, 8000), abs=0.01)
    assert rig.device.chain.settled
