"""A DER that is restored from its checkpoint goes on as the one that made it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.device_scenarios import Scenario, play
from tests.device_strategies import scenarios

from dersim.checkpoint import CATCH_UP_S, VERSION
from dersim.device import Device, ManualClock
from dersim.errors import ConfigError, PluginError
from dersim.functions.base import Function
from dersim.functions.contract import NOTHING, Demand, FunctionType
from dersim.hardware.device_type import find_type
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import Curve
from dersim.plugin.builtin import DEVICE_TYPES, FUNCTION_TYPES, make_device
from dersim.setpoint_sources import BUILT_IN, SetpointSource, register
from dersim.setpoints import SetpointChange

STEPS = 300


def through_json(device: Device) -> Any:
    return json.loads(json.dumps(device.checkpoint(), allow_nan=False))


def successor(scenario: Scenario, device: Device) -> tuple[Device, ManualClock]:
    """A new DER with the nameplate and profile of a scenario, restored from a checkpoint of another."""
    clock = ManualClock(device._clock.now_s())
    fresh = make_device(
        device_type=find_type(scenario.kind, DEVICE_TYPES),
        nameplate=device.nameplate,
        clock=clock,
        inputs=type(device.inputs)(scenario.conditions, grid=scenario._profile()),
    )
    assert fresh.restore(through_json(device)) == []
    return fresh, clock


def shown(device: Device) -> tuple[Any, ...]:
    s = device.state
    registers = (*s.exported_wh, *s.imported_wh, *s.injected_varh, *s.absorbed_varh)
    energies = tuple((side.delivered_wh, side.taken_wh) for side in s.dc_sides)
    return s.p_w, s.q_var, s.soc_pct, registers, energies, s.signs, device.service_word


@given(scenarios(), st.sampled_from((0.1, 0.37, 1.0, 60.0)))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_restored_der_goes_on_exactly_as_the_first(scenario: Scenario, tick_s: float) -> None:
    *_, (device, _) = play(scenario, (0.7, 0.2))
    first_clock = device._clock
    fresh, clock = successor(scenario, device)
    assert shown(fresh) == shown(device)
    assert fresh.setpoints.in_force() == device.setpoints.in_force()
    assert fresh.settings.as_dict() == device.settings.as_dict()
    for _ in range(STEPS):
        clock.time_s += tick_s
        first_clock.time_s = clock.time_s  # type: ignore[attr-defined]  # a ManualClock
        device.step(clock.time_s)
        fresh.step(clock.time_s)
        assert shown(fresh) == shown(device)


def test_a_restored_der_goes_on_with_its_random_draws() -> None:
    first, fresh = make_device(), make_device()
    first.rng.random()
    fresh.restore(through_json(first))
    assert fresh.rng.random() == first.rng.random()


def test_a_setpoint_of_a_restored_der_ends_at_its_time_by_its_source() -> None:
    clock = ManualClock(100.0)
    first, fresh = make_device(clock=clock), make_device(clock=clock)
    first.step(100.0)
    curve = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 2, 5.0)
    first.setpoints.submit(
        SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 40.0, "AB" * 16, 160.0, until_s=150.0),
        SetpointChange(SetpointSource.REST, "opModVoltVar", curve),
    )
    first.settings.stored["opModVoltVar"] = curve
    fresh.restore(through_json(first))
    assert fresh.setpoints.in_force() == first.setpoints.in_force()
    assert fresh.settings.stored == {"opModVoltVar": curve}
    clock.time_s = 161.0
    fresh.step(161.0)
    assert fresh.setpoints.value("opModMaxLimW") is None
    assert fresh.setpoints.journal[-1].outcome.reason == "expired"


def test_a_source_of_a_plugin_is_restored_where_the_run_has_it() -> None:
    telex, gone = SetpointSource("telex-kept"), SetpointSource("telex-gone")
    register(telex)
    first, fresh = make_device(), make_device()
    first.setpoints.submit(
        SetpointChange(SetpointSource.REST, "opModMaxLimW", 70.0),
        SetpointChange(telex, "opModMaxLimW", 60.0, "AO 88"),
        SetpointChange(gone, "opModMaxLimW", 50.0),
    )
    left_out = fresh.restore(through_json(first))
    assert [str(each) for each in left_out] == [
        "setpoint of opModMaxLimW by telex-gone, a source that this run has not, is left out"
    ]
    held = [*fresh.setpoints.in_force(), *fresh.setpoints.overridden()]
    assert [(each.source, each.value) for each in held] == [(telex, 60.0), (SetpointSource.REST, 70.0)]
    fresh.setpoints.submit(SetpointChange(telex, "opModMaxLimW", None))
    assert fresh.setpoints.value("opModMaxLimW") == 70.0


def test_a_checkpoint_names_the_sources_as_the_first_release_did() -> None:
    device = make_device()
    for source in BUILT_IN[1:]:
        device.setpoints.submit(SetpointChange(source, "opModMaxLimW", 50.0))
    rows = device.checkpoint()["setpoints"]["held"]
    assert [row[0] for row in rows if row[1] == "opModMaxLimW"] == [10, 20, 21, 22, 30]


def test_a_checkpoint_of_another_format_or_nameplate_is_refused_in_one_line() -> None:
    document, other = make_device().checkpoint(), make_device(2)
    with pytest.raises(
        ConfigError, match=r"^checkpoint: format 99, and this dersim reads format 1; restore"
    ) as e:
        make_device().restore({**document, "version": VERSION + 98})
    assert "\n" not in str(e.value)
    with pytest.raises(ConfigError, match=r"^checkpoint of DER 1: .*start with the nameplate") as e:
        other.restore(document)
    assert "\n" not in str(e.value)


def test_the_first_step_makes_up_for_a_short_time_away_but_not_for_a_long_one() -> None:
    clock = ManualClock(0.0)
    first = make_device(clock=clock)
    first.step(0.0)
    document = through_json(first)
    for away_s, counted_s in ((60.0, 60.0), (CATCH_UP_S + 1, 0.0), (-5.0, 0.0)):
        later = ManualClock(away_s)
        fresh = make_device(clock=later)
        fresh.restore(document)
        fresh.step(away_s)
        state = fresh.state
        assert math.isclose(sum(state.exported_wh), state.p_w * counted_s / 3600, abs_tol=1e-9)
        later.time_s += 3600
        fresh.step(later.time_s)
        assert sum(fresh.state.exported_wh) > 100


def test_a_der_that_had_failed_is_restored_out_of_service() -> None:
    clock = ManualClock(0.0)
    first, fresh = make_device(clock=clock), make_device(clock=clock)
    first.step(0.0)
    first.fail("a plug-in raised")
    fresh.restore(through_json(first))
    fresh.step(1.0)
    assert (fresh.failed, fresh.service_word, fresh.state.p_w) == ("", "out of service", 0.0)


class Averager(Function):
    """A plug-in's function with inner state that it does not give."""

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        super().__init__(nameplate, settings)
        self.elapsed_s = 0.0

    def step(self, dt_s: float, seen: Measured) -> Demand:
        self.elapsed_s += dt_s
        return NOTHING


class KeptAverager(Averager):
    KEPT = ("settled", "elapsed_s")


class BrokenAverager(Averager):
    def checkpoint(self) -> Any:
        return {"not": {1, 2, 3}}

    def restore(self, document: Any) -> None:
        raise AssertionError


def with_function(make: Any) -> Device:
    kind = FunctionType("averager", (), "grid", make, standing=True)
    return make_device(functions=(*FUNCTION_TYPES, kind), clock=ManualClock())


def test_a_function_of_a_plug_in_keeps_the_attributes_that_it_names() -> None:
    first, fresh = with_function(KeptAverager), with_function(KeptAverager)
    first.step(0.0)
    first.functions["averager"].elapsed_s = 7.0  # type: ignore[attr-defined]  # of the test
    assert fresh.restore(through_json(first)) == []
    assert fresh.functions["averager"].elapsed_s == 7.0  # type: ignore[attr-defined]  # of the test


def test_a_function_of_a_plug_in_that_keeps_nothing_begins_anew_and_is_told() -> None:
    first, fresh = with_function(Averager), with_function(Averager)
    first.step(0.0)
    told = fresh.restore(through_json(first))
    assert told == ["control function averager keeps no state and begins anew"]


def test_a_function_of_a_plug_in_whose_state_is_no_json_is_named() -> None:
    with pytest.raises(PluginError, match="averager: the checkpoint of control function averager failed"):
        with_function(BrokenAverager).checkpoint()


@pytest.mark.parametrize(
    ("voltage_pu", "after_s", "word"), [(0.6, 8.0, "tripped"), (1.0, 298.0, "entering service")]
)
def test_timers_of_trip_and_return_go_on_where_they_were(
    voltage_pu: float, after_s: float, word: str
) -> None:
    """Category II trips after 10 s below 70 %; service is entered after 300 s."""
    clock = ManualClock(0.0)
    start = "off" if voltage_pu == 1.0 else "in_service"
    first, fresh = (make_device(clock=clock, start=start) for _ in range(2))
    curve = Curve(((10.0, 50.0), (10.0, 70.0)), 0)
    first.setpoints.submit(SetpointChange(SetpointSource.REST, "opModLVRTMustTrip", curve))
    first.inputs.set(voltage_pu=voltage_pu)
    first.step(0.0)
    clock.time_s = after_s
    first.step(after_s)
    fresh.restore(through_json(first))
    clock.time_s += 3.0
    fresh.step(clock.time_s)
    assert fresh.service_word == word
