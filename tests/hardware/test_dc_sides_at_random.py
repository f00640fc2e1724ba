"""A hybrid under random sun, commands and settings: its DC sources stay within their limits and add up."""

from __future__ import annotations

import random

import pytest

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.state import DeviceState
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

MODES = {"opModTargetW": (-10_000.0, 15_000.0), "opModMaxLimW": (0.0, 100.0), "opModFixedW": (-100.0, 100.0)}
SETTINGS = {
    "setMaxChargeRateW": 10_000.0,
    "setMaxChargeRateVA": 10_000.0,
    "setMaxDischargeRateW": 10_000.0,
    "setMaxW": 15_000.0,
    "setGradW": 100.0,
}
SLACK = 1e-6


def disturb(device: Device, draw: random.Random) -> None:
    """One random change."""
    what = draw.randrange(5)
    if what == 0:
        device.inputs.set(irradiance_w_m2=draw.choice((0.0, draw.uniform(0, 1200))))
    elif what == 1:
        mode = draw.choice(list(MODES))
        value = draw.choice((None, draw.uniform(*MODES[mode])))
        device.setpoints.submit(SetpointChange(SetpointSource.REST, mode, value))
    elif what == 2:
        name = draw.choice(list(SETTINGS))
        device.settings.update({name: draw.uniform(0, SETTINGS[name])})
    elif what == 3:
        device.command(draw.choice(("stop", "start", "start", "reset")))
    else:
        device.inputs.set(frequency_hz=draw.choice((60.0, 60.0, draw.uniform(57, 63))))


def check(device: Device, before: DeviceState, state: DeviceState) -> None:
    """What holds after every step."""
    pv, battery, settings = state.pv, state.battery, device.settings
    assert pv is not None
    assert battery is not None
    assert pv.ac_w + battery.ac_w == pytest.approx(state.p_w, abs=SLACK)
    assert -SLACK <= pv.ac_w <= pv.available_w + SLACK
    charge_w = min(settings.setMaxChargeRateW, settings.setMaxChargeRateVA)
    assert -charge_w - SLACK <= battery.ac_w <= settings.setMaxDischargeRateW + SLACK
    assert 0 <= state.charge_available_w <= charge_w
    for old, new in zip(before.dc_sides, state.dc_sides, strict=True):
        assert new.delivered_wh >= old.delivered_wh
        assert new.taken_wh >= old.taken_wh
        assert new.p_w == pytest.approx(new.v * new.a, abs=SLACK)


def ac_wh(device: Device, state: DeviceState) -> float:
    """The AC energy by the DC counters of the state: delivered less taken."""
    pv, battery, plate = state.pv, state.battery, device.nameplate
    assert pv is not None
    assert battery is not None
    given_wh = pv.delivered_wh * plate.inverter_efficiency + battery.delivered_wh * plate.discharge_efficiency
    return given_wh - battery.taken_wh / plate.charge_efficiency


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(n, marks=pytest.mark.slow) for n in range(8, 20))]
)
def test_a_hybrid_s_sources_stay_within_their_limits_and_add_up(seed: int) -> None:
    draw, clock = random.Random(seed), ManualClock()
    inputs = Inputs(Conditions(irradiance_w_m2=800.0))
    device = make_device(device_type="HybridDC-3Phase", clock=clock, inputs=inputs)
    device.step(0.0)
    first = before = device.state
    pv_wh = 0.0
    for _ in range(150):
        disturb(device, draw)
        for _ in range(draw.randrange(1, 5)):
            tick_s = draw.choice((0.1, 1.0, 10.0, 60.0))
            clock.time_s += tick_s
            device.step(clock.time_s)
            state = device.state
            check(device, before, state)
            assert state.pv is not None
            pv_wh += state.pv.p_w * tick_s / 3600
            before = state
    exported_wh = sum(before.exported_wh) - sum(first.exported_wh)
    imported_wh = sum(before.imported_wh) - sum(first.imported_wh)
    assert ac_wh(device, before) - ac_wh(device, first) == pytest.approx(exported_wh - imported_wh, abs=1e-3)
    assert before.pv is not None
    assert before.pv.delivered_wh == pytest.approx(pv_wh, rel=0.2)  # power at the ends of ticks
    battery, soc = before.battery, (before.soc_pct or 0.0) - (first.soc_pct or 0.0)
    assert battery is not None
    plate = device.nameplate
    lost_wh = plate.self_discharge_w * clock.time_s / 3600
    assert battery.taken_wh - battery.delivered_wh - lost_wh == pytest.approx(
        soc / 100 * plate.rtgMaxWh, abs=1e-3
    )
