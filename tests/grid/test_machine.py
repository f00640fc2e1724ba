"""A machine with inertia and droop against its closed-form solution."""

from __future__ import annotations

import math

import pytest

from dersim.grid.machine import MOST, Machine, MachineData
from dersim.kept import give, taken

DATA = MachineData(1e6, 60.0, inertia_s=4.0, droop=0.05, damping=1.0, governor_s=0.5)


def after(machine: Machine, seconds: float, asked: float, step_s: float = 0.05) -> Machine:
    for _ in range(round(seconds / step_s)):
        machine.run(step_s, asked)
    return machine


def closed_form(data: MachineData, loss: float, t: float) -> float:
    """w at t after a step of `loss` (pu): 2 H T w'' + (2 H + D T) w' + (D + 1 / R) w = -loss (1 + T d/dt)."""
    mass, friction = 2 * data.inertia_s * data.governor_s, 2 * data.inertia_s + data.damping * data.governor_s
    stiffness = data.damping + 1 / data.droop
    final = -loss / stiffness
    decay = friction / (2 * mass)
    omega = math.sqrt(stiffness / mass - decay**2)
    first_slope = -loss / (2 * data.inertia_s)  # of w at t = 0, where w = 0
    sine = (first_slope - decay * final) / omega
    return final + math.exp(-decay * t) * (-final * math.cos(omega * t) + sine * math.sin(omega * t))


def test_in_balance_the_frequency_stays() -> None:
    machine = after(Machine(DATA), 10.0, 0.5)
    assert (machine.frequency_hz, machine.rocof_hz_s, machine.mechanical) == (60.0, 0.0, 0.5)


def test_the_first_rocof_follows_from_the_inertia() -> None:
    machine = Machine(DATA)
    machine.run(0.0, 0.6)  # 100 kW are lost at once
    assert machine.frequency_hz == 60.0
    assert machine.rocof_hz_s == pytest.approx(-0.1e6 * 60 / (2 * 4.0 * 1e6))


def test_the_frequency_ends_where_the_droop_says() -> None:
    machine = Machine(DATA)
    machine.run(0.0, 0.6)
    after(machine, 60.0, 0.6)
    assert machine.frequency_hz == pytest.approx(60 * (1 - 0.1 / (1 / 0.05 + 1.0)), abs=1e-6)
    assert machine.rocof_hz_s == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("step_s", [0.01, 0.05, 0.25])
def test_the_course_is_that_of_the_closed_form_at_any_step(step_s: float) -> None:
    machine = Machine(DATA)
    machine.run(0.0, 0.6)
    for second in range(1, 13):
        after(machine, 0.25, 0.6, step_s)
        assert machine.w == pytest.approx(closed_form(DATA, 0.1, second / 4), abs=2e-7)


def test_more_inertia_falls_slower() -> None:
    falls = []
    for inertia_s in (2.0, 8.0):
        machine = Machine(DATA._replace(inertia_s=inertia_s))
        machine.run(0.0, 0.6)
        falls.append(after(machine, 0.2, 0.6).w)
    assert falls[0] < 3.5 * falls[1] < 0


def test_more_than_the_machine_can_give_stalls_it() -> None:
    machine = after(Machine(DATA), 30.0, 1.6)
    assert (machine.stalled, machine.w, machine.mechanical) == (True, -MOST, 1.0)


def test_a_machine_goes_on_from_its_state() -> None:
    machine = after(Machine(DATA), 0.7, 0.6)
    other = Machine(DATA)
    give(other, taken(machine))
    assert after(other, 1.0, 0.4).w == after(machine, 1.0, 0.4).w
