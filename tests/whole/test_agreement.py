"""After any commands, all places that tell the same thing agree: the tables of docs/agreement.md."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.whole.agreement import disagreements
from tests.whole.agreement_tables import ROWS, page
from tests.whole.places import scene

from dersim.hardware.state import InverterStatus, OperationalMode
from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeValue
from dersim.setpoint_sources import BUILT_IN, SetpointSource
from dersim.setpoints import SetpointChange

PAGE = Path(__file__).parents[2] / "docs" / "agreement.md"
KINDS = ("PV-3Phase", "PV-1Phase", "Batt-3Phase", "Batt-2Phase", "HybridDC-3Phase")
WORKING = {
    InverterStatus.STARTING,
    InverterStatus.RUNNING,
    InverterStatus.FORCED_DERATING,
    InverterStatus.STANDBY,  # a battery at rest
}
SEEDS, ACTS = 2, 40


def _some_mode(rng: random.Random) -> tuple[str, Any]:
    draws: dict[str, Any] = {
        "opModMaxLimW": lambda: rng.choice([0.0, 100.0, rng.uniform(0, 100)]),
        "opModFixedW": lambda: rng.uniform(-100, 100),
        "opModTargetW": lambda: rng.choice([0.0, rng.uniform(-9000, 9000)]),
        "opModTargetVar": lambda: rng.uniform(-4400, 4400),
        "opModFixedVar": lambda: FixedVar(rng.uniform(-100, 100), "setMaxVar"),
        "opModFixedPFInjectW": lambda: FixedPowerFactor(
            rng.uniform(0.8, 1), rng.choice(["inject", "absorb"])
        ),
        "opModFixedPFAbsorbW": lambda: FixedPowerFactor(0.9, "inject"),
        "opModVoltVar": lambda: Curve(((92, 44), (98, 0), (102, 0), (108, -44)), 2, 5.0),
        "opModVoltWatt": lambda: Curve(((106, 100), (110, rng.uniform(-100, 50))), 1, 10.0),
        "opModWattVar": lambda: Curve(((-50, 20), (50, 0), (100, -44)), 2),
        "opModFreqDroop": lambda: FreqDroop(0.036, 0.036, rng.uniform(0.02, 0.1), 0.05, 5.0),
        "opModConnect": lambda: rng.random() > 0.4,
        "opModEnergize": lambda: rng.random() > 0.4,
        "setGradW": lambda: rng.choice([0.0, 0.5, 100.0]),
        "setESDelay": lambda: rng.uniform(0, 20),
        "setESRampTms": lambda: rng.uniform(0, 20),
        "InWRte": lambda: rng.uniform(-100, 100),
        "OutWRte": lambda: rng.uniform(-100, 100),
        "MinRsvPct": lambda: rng.uniform(5, 90),
    }
    mode = rng.choice(list(draws))
    return mode, None if rng.random() < 0.4 else draws[mode]()


def _submit(rng: random.Random, bench: Any) -> None:
    mode, value = _some_mode(rng)
    source = rng.choice(BUILT_IN[1:])
    until = bench.clock.time_s + rng.uniform(1, 90) if value is not None and rng.random() < 0.4 else None
    bench.device.setpoints.submit(SetpointChange(source, mode, value, "", until))


def _write(rng: random.Random, bench: Any) -> None:
    """Write a register, as any master may; what is refused changes nothing."""
    plate = bench.device.nameplate
    model, point, value = rng.choice(
        [
            (704, "WMaxLimPct", rng.uniform(0, 100)),
            (704, "WMaxLimPctEna", rng.randrange(2)),
            (704, "WSetEna", rng.randrange(2)),
            (704, "VarSetPct", rng.uniform(-100, 100)),
            (704, "VarSetEna", rng.randrange(2)),
            (704, "PFWInjEna", rng.randrange(2)),
            (123, "WMaxLimPct", rng.uniform(0, 100)),
            (123, "WMaxLim_Ena", rng.randrange(2)),
            (123, "OutPFSet", rng.choice([-0.9, 0.95, 1.0])),
            (123, "Conn", rng.randrange(2)),
            (702, "WMax", rng.uniform(0.2, 1) * plate.rtgMaxW),
            (702, "AMax", rng.uniform(0.2, 1) * plate.rtgMaxA),
            (702, "VarMaxAbs", rng.uniform(0, 1) * -plate.rtgMaxVarNeg),
            (702, "VADisChaRteMax", rng.uniform(0, 1) * plate.rtgMaxVA),
            (121, "WMax", rng.uniform(0.2, 1) * plate.rtgMaxW),
            (121, "VRefOfs", rng.uniform(-5, 5)),
            (121, "PFMinQ1", -rng.uniform(0.85, 1)),
            (705, "Ena", rng.randrange(2)),
            (711, "Ena", rng.randrange(2)),
            (703, "ES", rng.randrange(2)),
            (703, "ESDlyTms", rng.randrange(30)),
            (715, "OpCtl", rng.randrange(4)),
            (802, "SetOp", rng.choice([1, 2])),
            (802, "SetInvState", rng.choice([1, 2, 3])),
            (802, "SoCRsvMin", rng.uniform(5, 60)),
            (124, "StorCtl_Mod", rng.randrange(4)),
            (124, "InWRte", rng.uniform(-100, 100)),
            (124, "WChaMax", rng.uniform(0, 1) * plate.rtgMaxW),
            (124, "ChaGriSet", rng.randrange(2)),
        ]
    )
    if any(block.model_id == model for block in bench.unit.blocks):
        bench.write_points(model, {point: value})


def _change_inputs(rng: random.Random, bench: Any) -> None:
    change: dict[str, Any] = rng.choice(
        [
            {
                "voltage_pu": rng.choice(
                    [1.0, 1.0, rng.uniform(0, 1.3), [rng.uniform(0.8, 1.15) for _ in range(3)]]
                )
            },
            {"voltage_pu": 1.0, "frequency_hz": 60.0},
            {"voltage_pu": [0.0, 1.0, 1.0]},
            {"angle_deg": rng.choice([0.0, [0.0, 20.0, -10.0]])},
            {"frequency_hz": 60.5, "rocof_hz_s": 0.2},
            {"grid_lost": rng.random() > 0.6},
            {"frequency_hz": rng.choice([60.0, rng.uniform(56, 63)])},
            {"irradiance_w_m2": rng.choice([0.0, 20.0, rng.uniform(0, 1200)])},
            {"temperature_c": rng.uniform(-20, 45)},
            {rng.choice(["phase_rotation", "emergency_local"]): rng.random() > 0.5},
        ]
    )
    if bench.device.inputs.site is not None and rng.random() < 0.3:
        change = {"load_w": rng.uniform(-2000, 12_000), "load_var": rng.uniform(-3000, 3000)}
    bench.device.inputs.set(**change)


def _act(rng: random.Random, bench: Any) -> None:
    act = rng.choice([_submit, _submit, _write, _write, _change_inputs, None])
    if act is not None:
        act(rng, bench)
    elif rng.random() < 0.5:
        bench.device.command(rng.choice(["start", "start", "stop", "reset"]))
    if rng.random() < 0.7:
        seconds = rng.choice([0.05, 1.0, 7.0, 60.0, 400.0])
        bench.wait(seconds, tick_s=max(1.0, seconds / 8))


def _one_story(device: Any) -> None:
    """What the parts of DERStatus say about one another."""
    s, status = device.state, device.state.inverter_status
    c = s.connection
    assert c.connected or not c.available
    assert c.connected or not c.energized
    assert c.energized or not c.operating
    assert c.connected or (s.available_w, s.charge_available_w, s.var_inject_available) == (0, 0, 0)
    assert c.energized or (s.p_w, s.q_var) == (0, 0)
    assert c.fault is (status is InverterStatus.FAULT)
    sleeps = c.energized and not c.operating
    assert sleeps is (status is InverterStatus.SLEEPING)
    assert s.operational_mode is OperationalMode.OPERATIONAL or not c.operating
    if status in (InverterStatus.OFF, InverterStatus.FAULT, InverterStatus.SLEEPING):
        assert s.operational_mode is OperationalMode.OFF
    if c.operating:
        assert status in WORKING


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, SEEDS))])
def test_all_places_agree_after_random_commands(kind: str, seed: int) -> None:
    rng = random.Random(f"{kind}/{seed}")
    look = scene(kind)
    assert disagreements(look(), ROWS) == []
    for _ in range(ACTS):
        _act(rng, look.bench)
        assert disagreements(look(), ROWS) == []
        _one_story(look.bench.device)


def _order(bench: Any, values: Mapping[str, ModeValue]) -> None:
    changes = [SetpointChange(SetpointSource.CSIP, mode, value) for mode, value in values.items()]
    bench.device.setpoints.submit(*changes)


def test_every_place_of_the_tables_is_one_that_some_device_has() -> None:
    met: set[str] = set()
    for kind in KINDS:
        look = scene(kind)
        values: dict[str, ModeValue] = {
            "opModMaxLimW": 50.0,
            "opModFixedPFInjectW": FixedPowerFactor(0.9, "inject"),
            "opModFixedW": 30.0,
            "InWRte": 60.0,
            "OutWRte": 60.0,
        }
        _order(look.bench, values)
        assert disagreements(look(), ROWS, met) == []
        _order(look.bench, {"opModFixedVar": FixedVar(5.0, "setMaxVar"), "opModTargetW": 3000.0})
        assert disagreements(look(), ROWS, met) == []
        _order(look.bench, {"opModTargetVar": 500.0})
        assert disagreements(look(), ROWS, met) == []
    assert {place.shown for line in ROWS for place in line.places} == met


def test_the_page_has_the_tables_of_the_test() -> None:
    assert page() in PAGE.read_text(encoding="utf-8"), "put what page() returns on docs/agreement.md"
