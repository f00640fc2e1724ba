"""Any machine, any controls, any grid: what must hold in every state."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from dersim.device import ManualClock
from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop
from dersim.plugin.builtin import DEVICE_TYPES, make_device
from dersim.setpoint_sources import BUILT_IN
from dersim.setpoints import SetpointChange


def some_curve(rng: random.Random, x: tuple[float, float], y: tuple[float, float], ref: int) -> Curve:
    xs = sorted(rng.uniform(*x) for _ in range(rng.randint(1, 6)))
    return Curve(tuple((v, rng.uniform(*y)) for v in xs), ref, rng.choice([None, 0.0, 0.5, 5.0, 60.0]))


def some_control(rng: random.Random) -> tuple[str, Any]:
    draws: dict[str, Any] = {
        "opModMaxLimW": lambda: rng.uniform(0, 100),
        "opModFixedW": lambda: rng.uniform(-100, 100),
        "opModTargetW": lambda: rng.uniform(-9000, 9000),
        "opModTargetVar": lambda: rng.uniform(-4400, 4400),
        "opModFixedVar": lambda: FixedVar(
            rng.uniform(-100, 100), rng.choice(["setMaxW", "setMaxVar", "statVarAvail"])
        ),
        "opModFixedPFInjectW": lambda: FixedPowerFactor(
            rng.uniform(0.8, 1), rng.choice(["inject", "absorb"])
        ),
        "opModFixedPFAbsorbW": lambda: FixedPowerFactor(
            rng.uniform(0.8, 1), rng.choice(["inject", "absorb"])
        ),
        "opModVoltVar": lambda: some_curve(rng, (80, 120), (-100, 100), rng.choice([1, 2, 3])),
        "opModVoltWatt": lambda: some_curve(rng, (90, 115), (-100, 100), rng.choice([1, 7])),
        "opModWattVar": lambda: some_curve(rng, (-100, 100), (-100, 100), rng.choice([1, 2, 3])),
        "opModFreqWatt": lambda: some_curve(rng, (58, 62), (-100, 100), 1),
        "opModFreqDroop": lambda: FreqDroop(0.036, 0.1, rng.uniform(0.02, 0.5), 0.05, rng.uniform(0, 10)),
        "opModConnect": lambda: rng.random() > 0.3,
        "opModEnergize": lambda: rng.random() > 0.3,
        "rampTms": lambda: rng.uniform(0, 60),
        "setGradW": lambda: rng.choice([0.0, 0.5, 10.0, 100.0]),
        "setESDelay": lambda: rng.uniform(0, 20),
        "setESRampTms": lambda: rng.uniform(0, 20),
    }
    mode = rng.choice(list(draws))
    return mode, None if rng.random() < 0.3 else draws[mode]()


@pytest.mark.parametrize("kind", DEVICE_TYPES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("seed", range(6))
def test_what_must_always_hold(kind: Any, seed: int) -> None:
    rng = random.Random(f"{kind.name}/{seed}")
    clock = ManualClock()
    device = make_device(device_type=kind, clock=clock)
    plate = device.nameplate
    device.step(0.0)
    meters = (0.0,) * 12
    for _ in range(250):
        clock.time_s += rng.choice([0.0, 0.05, 0.3, 1.0, 7.0, 60.0])
        match rng.randrange(4):
            case 0:
                v = rng.choice([1.0, 1.0, rng.uniform(0, 1.3), [rng.uniform(0.8, 1.15) for _ in range(3)]])
                device.inputs.set(voltage_pu=v, frequency_hz=rng.choice([60.0, rng.uniform(56, 63)]))
            case 1:
                device.inputs.set(
                    irradiance_w_m2=rng.uniform(0, 1200), temperature_c=rng.uniform(-20, 45), wind_m_s=1.0
                )
            case 2:
                mode, value = some_control(rng)
                source = rng.choice(BUILT_IN[1:])
                until = (
                    clock.time_s + rng.uniform(0, 90) if value is not None and rng.random() < 0.3 else None
                )
                device.setpoints.submit(SetpointChange(source, mode, value, "", until))
            case _:
                device.step(clock.time_s)
        state = device.state
        assert all(math.isfinite(x) for x in (state.p_w, state.q_var, state.dc_v, state.dc_a))
        assert state.s_va <= max(plate.rtgMaxVA, plate.rtgMaxChargeRateVA) * (1 + 1e-9)
        assert plate.rtgMaxVarNeg - 1e-6 <= state.q_var <= plate.rtgMaxVar + 1e-6
        assert -plate.rtgMaxChargeRateW - 1e-6 <= state.p_w <= plate.rtgMaxW + 1e-6
        assert max(state.current_a) <= device.settings.setMaxA * (1 + 1e-6)
        if not device.chain.service.in_service:
            assert (state.p_w, state.q_var) == (0, 0)
        if state.soc_pct is not None:
            assert plate.soc_min_pct - 0.01 <= state.soc_pct <= plate.soc_max_pct + 0.01
        now = (*state.exported_wh, *state.imported_wh, *state.injected_varh, *state.absorbed_varh)
        assert all(a >= b for a, b in zip(now, meters, strict=True))
        meters = now
