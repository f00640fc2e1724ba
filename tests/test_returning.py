"""The return to service: when it is, what it waits for, and the ramp after it."""

from __future__ import annotations

import pytest
from tests.test_binding import CSIP, Bench, Guard

from dersim.functions.contract import FunctionType
from dersim.plugin.builtin import FUNCTION_TYPES
from dersim.returning import document, returning


def text(bench: Bench, rate: float = 1.0) -> str:
    found = document(bench.device, rate)
    assert found is not None
    return str(found["text"])


def tripped(**points: float) -> Bench:
    """A PV inverter one second after a trip; the voltage is good again."""
    bench = Bench()
    bench.device.settings.update(points)
    bench.device.inputs.set(voltage_pu=1.3)
    bench.run(5)
    bench.device.inputs.set(voltage_pu=1.0)
    bench.run(1)
    return bench


def test_in_service_nothing_returns() -> None:
    assert document(Bench().run(2)) is None


def test_it_waits_for_the_voltage_that_is_missing() -> None:
    bench = tripped()
    bench.device.inputs.set(voltage_pu=1.08)
    assert text(bench) == "waits for voltage to come within 91.7 to 105 % (now 108)"
    bench.device.inputs.set(voltage_pu=1.0, frequency_hz=59.0)
    assert text(bench) == "waits for frequency to come within 59.5 to 60.1 Hz (now 59)"


def test_the_delay_runs_down_to_the_return() -> None:
    bench = tripped()
    assert text(bench) == "returns in 299 s if the grid stays good"
    bench.run(112)
    assert text(bench) == "returns in 187 s if the grid stays good"
    assert text(bench, 60.0) == "returns in 187 simulated seconds if the grid stays good"
    bench.run(187)
    assert bench.device.chain.service.in_service


def test_the_random_delay_counts_too() -> None:
    bench = tripped(setESRandomDelay=1000.0)
    left_s = (returning(bench.device) or pytest.fail("in service")).left_s or 0.0
    assert 299 < left_s < 1300
    bench.run(int(left_s))
    assert not bench.device.chain.service.in_service
    bench.run(1)
    assert bench.device.chain.service.in_service


def test_the_ramp_after_the_return_with_its_progress() -> None:
    bench = tripped(setESDelay=1.0, setESRampTms=100.0)
    bench.run(26)
    found = document(bench.device)
    assert found is not None
    assert (found["state"], found["left_s"], found["progress_pct"]) == ("entering", 74.0, 26.0)
    assert found["text"] == "entering service: 26 % of setMaxW allowed, 74 s left"
    assert document(bench.run(75)) is None


def test_what_was_stopped_or_is_not_permitted_says_so() -> None:
    bench = Bench()
    bench.ask("opModEnergize", False, CSIP)
    bench.run(2)
    assert text(bench) == "not permitted: permit service is off"
    bench.device.command("stop")
    assert text(bench) == "stopped by command"


def test_a_cessation_tells_the_voltage_at_which_it_ends() -> None:
    bench = Bench()
    bench.device.inputs.set(voltage_pu=0.4)
    bench.run(1)
    assert text(bench).startswith("returns at once with voltage within 50 to 110 %")


def test_a_plugin_that_keeps_the_der_out_is_named() -> None:
    kind = FunctionType("guard", (), "protect", Guard, standing=True)
    bench = Bench(functions=(*FUNCTION_TYPES, kind))
    bench.device.inputs.set(voltage_pu=1.045)
    bench.run(5)
    assert text(bench) == "kept out of service by guard"


def test_a_failed_der_does_not_return() -> None:
    bench = Bench()
    bench.device.fail("broken")
    assert text(bench) == "does not return: the DER failed"


def test_reading_draws_no_random_delay_while_the_grid_is_bad() -> None:
    bench = tripped(setESRandomDelay=1000.0)
    bench.device.inputs.set(voltage_pu=1.2)
    before = bench.device.rng.getstate()
    document(bench.device)
    assert bench.device.rng.getstate() == before
