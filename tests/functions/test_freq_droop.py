"""p_pre of the frequency droop: the output at which f left the dead-band, and what stands for it otherwise.

10 kW, dead-band 0.036 Hz, k 0.05: 60.05 Hz takes 46.7 W, 60.1 Hz 213.3 W; 59.60 Hz adds 1,213.3 W.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from dersim.device import ManualClock
from dersim.functions.filters import Lag
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import Curve, FreqDroop
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

MODE, LIMIT = "opModFreqDroop", "opModMaxLimW"
DROOP = FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)
AT_ONCE = DROOP._replace(open_loop_s=0.0)
ENTER = {"setESDelay": 10.0, "setESRampTms": 100.0}
TAKEN = {60.05: 140 / 3, 60.1: 640 / 3, 59.6: -3640 / 3}


def _trip_and_return(rig: Any, f: float) -> None:
    """At f: trip by voltage; back in service 10 s after the voltage is good."""
    rig.grid(v=1.25, f=f)
    rig.go(1)
    assert rig.device.state.tripped
    rig.grid(v=1.0, f=f)
    rig.go(10)


@pytest.mark.parametrize(("sun_w", "f", "p"), [(10_000, 60.05, 9953.3), (8000, 60.05, 7953.3)])
def test_after_a_trip_the_droop_delivers_what_it_did_before(
    make_rig: Any, sun_w: float, f: float, p: float
) -> None:
    rig = make_rig(sun_w)
    rig.device.settings.update(ENTER)
    rig.ask(MODE, DROOP)
    rig.go(1)
    rig.grid(f=f)
    rig.go(60)
    assert rig.p == pytest.approx(p, abs=0.1)
    _trip_and_return(rig, f)
    rig.go(50)
    assert rig.p == pytest.approx(5000 - TAKEN[f], abs=0.1)
    rig.go(3600, dt_s=10.0)
    assert rig.p == pytest.approx(p, abs=0.1)


@pytest.mark.parametrize("limit", [None, 40.0])
def test_a_der_that_enters_service_at_under_frequency_delivers_all_and_the_response(
    make_rig: Any, limit: float | None
) -> None:
    rig = make_rig(8000)
    rig.device.settings.update(ENTER)
    rig.ask(MODE, DROOP)
    if limit is not None:
        rig.ask(LIMIT, limit)
    _trip_and_return(rig, 59.6)
    rig.go(3600, dt_s=10.0)
    assert rig.p == pytest.approx(8000 if limit is None else 4000 - TAKEN[59.6], abs=0.1)


def test_p_pre_stays_once_the_ramp_of_entering_service_is_done(make_rig: Any) -> None:
    rig = make_rig(6000)
    rig.device.settings.update(ENTER)
    rig.ask(MODE, AT_ONCE)
    _trip_and_return(rig, 60.05)
    rig.go(120)
    rig.sun(9000)
    rig.go(1)
    assert rig.p == pytest.approx(6000 - TAKEN[60.05])


def test_f_that_leaves_the_dead_band_on_the_ramp_of_entering_service(make_rig: Any) -> None:
    rig = make_rig(10_000)
    rig.device.settings.update(ENTER)
    rig.ask(MODE, AT_ONCE)
    _trip_and_return(rig, 60.0)
    rig.go(50)
    assert rig.p == pytest.approx(5000)
    rig.grid(f=60.05)
    rig.go(60)
    assert rig.p == pytest.approx(10_000 - TAKEN[60.05])


@pytest.mark.parametrize("f", [60.05, 60.1, 59.6])
def test_in_service_from_the_start_while_f_is_outside(f: float) -> None:
    plate = replace(read_nameplate(bundled("10kW-3Phase")), default_modes={MODE: DROOP})
    device = make_device(nameplate=plate, inputs=Inputs(Conditions(frequency_hz=f)))
    device.step(0.0)
    sun_w = device.source.available_w
    expected = min(sun_w, sun_w - TAKEN[f])
    assert device.state.p_w == pytest.approx(expected)
    device.step(3600.0)
    assert device.state.p_w == pytest.approx(expected)


def test_a_battery_ramps_to_its_target_after_the_return_while_f_is_outside() -> None:
    """Its own ramp of 100 s is longer than that of entering service, 10 s."""
    device = make_device(device_type="Batt", clock=ManualClock())
    device.settings.update({"setESDelay": 10.0, "setESRampTms": 10.0, "setGradW": 1.0})
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, MODE, AT_ONCE))
    device.inputs.set(frequency_hz=60.05)
    device.step(0.0)
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModConnect", False))
    device.step(1.0)
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModConnect", None))
    device.step(12.0)
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModFixedW", 80.0))
    device.step(400.0)
    assert device.state.p_w == pytest.approx(8000 - TAKEN[60.05], abs=0.1)


@pytest.mark.parametrize("device_type", ["PV", "HybridDC-3Phase"])
def test_the_dawn_while_f_is_outside(device_type: str) -> None:
    clock = ManualClock()
    device = make_device(device_type=device_type, clock=clock, inputs=Inputs(Conditions(irradiance_w_m2=0.0)))
    device.setpoints.submit(SetpointChange(SetpointSource.CSIP, MODE, DROOP))
    device.step(0.0)
    device.inputs.set(frequency_hz=60.05)
    for irradiance in range(0, 801, 5):
        clock.time_s += 60.0
        device.inputs.set(irradiance_w_m2=float(irradiance))
        device.step(clock.time_s)
    sun_w = device.source.available_w - (10_000 if device_type != "PV" else 0)
    device.step(clock.time_s + 60.0)
    taken_w = TAKEN[60.05] * device.settings.setMaxW / 10_000
    assert device.state.p_w == pytest.approx(sun_w - taken_w, abs=0.1)


@pytest.mark.parametrize("f", [60.1, 59.6])
def test_a_limit_given_and_withdrawn_during_the_event_leaves_p_pre(make_rig: Any, f: float) -> None:
    rig = make_rig(10_000)
    rig.ask(MODE, DROOP)
    rig.go(1)
    rig.grid(f=f)
    rig.go(60)
    before = rig.p
    rig.ask(LIMIT, 20.0)
    rig.go(60)
    assert rig.p == pytest.approx(2000 - TAKEN[f], abs=0.1)
    rig.ask(LIMIT, None)
    rig.go(60)
    assert rig.p == pytest.approx(before, abs=0.1)


def test_a_limit_in_force_while_service_is_entered_is_not_p_pre(make_rig: Any) -> None:
    rig = make_rig(10_000)
    rig.device.settings.update(ENTER)
    rig.ask(MODE, DROOP)
    rig.ask(LIMIT, 20.0)
    _trip_and_return(rig, 60.1)
    rig.go(200, dt_s=1.0)
    assert rig.p == pytest.approx(2000 - TAKEN[60.1], abs=0.1)
    rig.ask(LIMIT, None)
    rig.go(60)
    assert rig.p == pytest.approx(10_000 - TAKEN[60.1], abs=0.1)


def test_service_is_entered_up_to_the_limit_and_not_beyond_it(make_rig: Any) -> None:
    """p_pre rises beyond the limit; the output does not."""
    rig = make_rig(10_000, start="off")
    rig.device.settings.update(ENTER)
    rig.ask(MODE, DROOP)
    rig.ask(LIMIT, 20.0)
    rig.grid(f=60.1)
    assert max(p for p, _ in rig.go(120)) == pytest.approx(2000 - TAKEN[60.1], abs=0.1)
    rig.ask(LIMIT, None)
    rig.go(60)
    assert rig.p == pytest.approx(10_000 - TAKEN[60.1], abs=0.1)


def test_a_target_during_the_event_is_no_limit(make_rig: Any) -> None:
    """The droop replaces targets; a limit that is in force does not make them limits."""
    rig = make_rig(10_000)
    rig.ask(MODE, AT_ONCE)
    rig.ask(LIMIT, 90.0)
    rig.go(1)
    rig.grid(f=60.1)
    rig.ask("opModFixedW", 20.0)
    rig.go(1)
    assert rig.p == pytest.approx(9000 - TAKEN[60.1])


@pytest.mark.parametrize(("f", "p"), [(59.7, 8000), (60.1, 8000 - TAKEN[60.1])])
def test_an_event_that_begins_in_a_voltage_dip_starts_from_the_output_before_it(
    make_rig: Any, f: float, p: float
) -> None:
    """1547-2018 6.4.2.7. In OpenDER p_pre is 0 during the cessation: 880 W for the whole event at 59.7 Hz."""
    rig = make_rig(8000, **{"702.AbnOpCatRtg": 2})
    rig.ask(MODE, DROOP)
    rig.go(1)
    rig.grid(v=0.3)
    rig.go(0.2)
    assert rig.p == 0.0
    rig.grid(v=0.3, f=f)
    rig.go(0.3)
    rig.grid(f=f)
    rig.go(60)
    assert rig.p == pytest.approx(p, abs=0.1)


def test_after_the_event_the_response_fades_while_the_power_itself_moves(make_rig: Any) -> None:
    """The lag of the return is on the difference only: it does not delay the sun."""
    rig = make_rig(10_000)
    rig.ask(MODE, DROOP)
    rig.go(1)
    rig.grid(f=60.6)
    rig.go(60)
    difference = 10_000 - rig.p
    rig.grid(f=60.0)
    for watts in (9000, 7000, 8000, 9500, 9000):
        rig.sun(watts)
        rig.go(1)
    assert rig.p == pytest.approx(9000 - 0.1 * difference, rel=1e-6)


def test_a_target_taken_in_a_dip_ramps_from_the_output_before_it(make_rig: Any) -> None:
    rig = make_rig(8000, **{"702.AbnOpCatRtg": 2})
    rig.ask("opModFixedW", 80.0, ramp_s=0.0)
    rig.go(1)
    rig.grid(v=0.3)
    rig.go(0.2)
    rig.ask("opModFixedW", 50.0, ramp_s=10.0)
    rig.go(0.3)
    rig.grid()
    rig.go(0.2)
    assert rig.p == pytest.approx(8000 - 3000 * 0.05)


def test_a_ramp_of_q_begun_in_a_dip_starts_from_the_q_before_it(make_rig: Any) -> None:
    rig = make_rig(8000, **{"702.AbnOpCatRtg": 2})
    rig.ask("opModTargetVar", 4000.0, ramp_s=0.0)
    rig.go(1)
    rig.grid(v=0.3)
    rig.go(0.2)
    rig.ask("opModTargetVar", 2000.0, ramp_s=10.0)
    rig.go(0.3)
    rig.grid()
    rig.go(0.2)
    assert rig.q == pytest.approx(4000 - 2000 * 0.05)


def test_volt_watt_ends_in_a_dip_without_a_ramp_from_zero(make_rig: Any) -> None:
    rig = make_rig(8000, **{"702.AbnOpCatRtg": 2})
    rig.device.settings.update({"setGradW": 1.0})
    rig.ask("opModVoltWatt", Curve(((106.0, 100.0), (110.0, 20.0)), 1, 1.0))
    rig.go(1)
    rig.grid(v=0.3)
    rig.go(0.2)
    rig.ask("opModVoltWatt", None)
    rig.grid()
    rig.go(0.2)
    assert rig.p == pytest.approx(8000)


def test_freq_watt_begun_in_a_dip_lags_from_the_output_before_it(make_rig: Any) -> None:
    rig = make_rig(8000, **{"702.AbnOpCatRtg": 2})
    rig.grid(f=61.0)
    rig.go(1)
    rig.grid(v=0.3, f=61.0)
    rig.go(0.2)
    rig.ask("opModFreqWatt", Curve(((60.5, 100.0), (61.5, 0.0)), 1, 10.0))
    rig.grid(f=61.0)
    assert rig.p == pytest.approx(8000)
    rig.go(10)
    assert rig.p == pytest.approx(5000 + 0.1 * 3000)


def test_a_ramp_of_q_is_over_for_a_der_that_enters_service_after_it(make_rig: Any) -> None:
    rig = make_rig(8000)
    rig.device.settings.update({"setESDelay": 1000.0, "setESRampTms": 0.0})
    rig.ask("opModConnect", False)
    rig.go(1)
    rig.ask("opModTargetVar", 4000.0, ramp_s=600.0)
    rig.ask("opModConnect", None)
    rig.go(1010, dt_s=5.0)
    assert rig.q == pytest.approx(4000, rel=1e-3)


def test_setMaxW_lowered_during_the_event_is_a_minimum_beside_p_pre(make_rig: Any) -> None:
    rig = make_rig(10_000)
    rig.ask(MODE, AT_ONCE)
    rig.go(1)
    rig.grid(f=60.1)
    rig.device.settings.update({"setMaxW": 5000.0})
    rig.go(1)
    assert rig.p == pytest.approx(5000 - TAKEN[60.1] / 2)
    rig.device.settings.update({"setMaxW": 10_000.0})
    rig.go(1)
    assert rig.p == pytest.approx(10_000 - TAKEN[60.1])


EDGE_HZ, BEYOND_HZ = 60.036, 60.0361


def _something_happens(rig: Any, rng: random.Random, f: float) -> None:
    """A trip, a dip, a stop, a limit for a while, a night, or the end of the event and another one."""
    kind = rng.randrange(6)
    if kind == 0:
        rig.grid(v=1.25, f=f)
        rig.go(1)
        rig.grid(f=f)
    elif kind == 1:
        rig.grid(v=0.3, f=f)
        rig.go(0.4)
        rig.grid(f=f)
    elif kind == 2:
        rig.device.command("stop")
        rig.go(5, dt_s=1.0)
        rig.device.command("start")
    elif kind == 3:
        rig.ask(LIMIT, rng.uniform(0, 100), ramp_s=rng.choice([None, 20.0]))
        rig.go(rng.uniform(1, 60), dt_s=0.5)
        rig.ask(LIMIT, None)
    elif kind == 4:
        rig.sun(0.0)
        rig.go(5, dt_s=1.0)
        rig.sun(8000.0)
    else:
        rig.grid(f=60.0)
        rig.go(rng.uniform(1, 10))
        rig.grid(f=f)
    rig.go(rng.uniform(1, 150), dt_s=0.5)


@pytest.mark.parametrize("seed", range(40))
def test_an_event_of_next_to_nothing_changes_nothing(make_rig: Any, seed: int) -> None:
    """0.1 mHz beyond the dead-band is 0.3 W, whatever happens: the same as at its edge."""
    outputs = []
    for f in (EDGE_HZ, BEYOND_HZ):
        rng = random.Random(seed)
        rig = make_rig(8000, start=rng.choice(["in_service", "off"]), **{"702.AbnOpCatRtg": 2})
        rig.device.settings.update({"setESDelay": 20.0, "setESRampTms": rng.choice([0.0, 50.0])})
        rig.ask(MODE, DROOP)
        rig.grid(f=f)
        for _ in range(rng.randint(1, 5)):
            _something_happens(rig, rng, f)
        rig.go(150, dt_s=1.0)
        outputs.append(rig.p)
    assert outputs[0] == 8000
    assert outputs[1] == pytest.approx(8000 - 1 / 3, abs=0.1)


def test_a_shifted_lag_keeps_its_distance_and_its_time() -> None:
    lag = Lag()
    lag.start(0.0, 100.0)
    lag.shift(50.0)
    assert lag.step(5.0, 150.0, 5.0) == pytest.approx(150 - 0.1 * 100)
    free = Lag()
    free.shift(50.0)
    assert free.step(1.0, 7.0, 5.0) == 7.0
