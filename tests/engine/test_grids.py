"""A grid behind the fleet: one impedance behind all DERs, in closed loop. Time is trio's mock clock."""

import io
from argparse import Namespace
from array import array

import pytest
import trio

from dersim.clock import SimClock
from dersim.engine.simulator import Simulator
from dersim.engine.supervision import FrontendFailed
from dersim.errors import ConfigError, GridNotSolved, PluginError, bare_errors
from dersim.fleet import Fleet
from dersim.fleet_plan import plan_of_flags
from dersim.grid.conditions import Conditions
from dersim.grid.contract import Settled
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.logbuffer import LogBuffer
from dersim.modes import Curve
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendStatus, GridType
from dersim.plugin.registry import Registry
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

START_S = 1_700_000_000.0
VOLT_VAR = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 2, 5.0)


class Impedance:
    """A source of 1.03 pu behind R and X, per unit of 20 kVA, the same for all DERs and phases."""

    def __init__(self, context=None, *, takes_s=0.0, longest_step_s=float("inf"), script=()):
        self.takes_s = takes_s
        self.longest_step_s = longest_step_s
        self.script = list(script)
        self.seen = []
        self.voltages = []
        self.clock, self.ahead_s = None, []

    async def settle(self, outputs):
        self.seen.append(
            (outputs.time_s - START_S, list(outputs.p_w), list(outputs.q_var), outputs.last_step)
        )
        await trio.sleep(self.takes_s)
        if self.clock is not None:
            self.ahead_s.append(self.clock.now_s() - outputs.time_s)
        if self.script and (act := self.script.pop(0)) is not None:
            return act()
        v = 1.03 + 0.05 * sum(outputs.p_w) / 20e3 + 0.1 * sum(outputs.q_var) / 20e3
        self.voltages.append(v)
        return Settled(array("d", [v] * len(outputs.p_w)))

    def status(self):
        return FrontendStatus("running", f"{self.voltages[-1]:.3f} pu")


def raises(error):
    def act():
        raise error

    return act


class Run:
    """A simulator of two PV systems behind a grid."""

    def __init__(
        self,
        grid,
        *,
        tick=1.0,
        rate=1.0,
        fail_fast=False,
        types=("PV-3Phase", "PV-1Phase"),
        inputs=None,
        **kind,
    ):
        self.grid = grid
        self.clock = SimClock(start_s=START_S, tick_s=tick, rate=rate)
        self.log = LogBuffer(stream=io.StringIO())
        registry = Registry()
        registry.grids.add("toy", GridType("toy", self.make), "toy-plugin")
        self.devices = [
            make_device(number, device_type=kind, clock=self.clock, inputs=inputs)
            for number, kind in enumerate(types, 1)
        ]
        for device in self.devices:
            device.inputs.offer_grid(["voltage_pu"])
        options = Namespace(fail_fast=fail_fast, rate_override=False, ramp=50.0, count=len(types), first=1)
        options.plan = plan_of_flags(options)
        self.registry = registry
        self.simulator = Simulator(
            options=options, registry=registry, fleet=Fleet(self.devices), clock=self.clock, log=self.log
        )

    def make(self, context):
        self.context = context
        return self.grid

    async def run(self, seconds, *acts):
        """So many real seconds; acts: (after s, what)."""
        with bare_errors():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.simulator.run, lambda line: None)
                done = 0.0
                for at, act in acts:
                    await trio.sleep(at - done)
                    done = at
                    act()
                await trio.sleep(seconds - done)
                self.simulator.stop()

    def volt_var(self):
        for device in self.devices:
            device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltVar", VOLT_VAR))

    def lines(self):
        return [
            entry.message for entry in self.log.entries() if entry.module == "Grid" and entry.level != "Debug"
        ]


async def test_every_step_is_solved_with_the_outputs_of_its_instant(autojump_clock):
    run = Run(Impedance())
    await run.run(5.5)
    assert [seen[0] for seen in run.grid.seen] == [0, 1, 2, 3, 4, 5]
    p_w = run.grid.seen[-1][1]
    state = run.devices[0].state
    assert p_w == pytest.approx([*state.phase_p_w, *run.devices[1].state.phase_p_w])
    assert p_w[4:] == [0.0, 0.0]  # the phases that a single-phase DER does not have


async def test_the_outputs_are_those_after_the_step(autojump_clock):
    sun = Profile([0.0, 100.0], {"irradiance_w_m2": [0.0, 500.0]}, stepwise=False)
    sun.begin(START_S, 0.0)
    inputs = Inputs(Conditions(), weather=sun, start_s=START_S)
    run = Run(Impedance(), types=("PV-3Phase",), inputs=inputs)
    await run.run(10.5)
    powers_w = [sum(p_w) for _, p_w, _, _ in run.grid.seen]
    assert len(powers_w) == 11
    assert powers_w[-1] == pytest.approx(run.devices[0].state.p_w)
    assert powers_w[-1] > 1.05 * powers_w[-2] > 0


async def test_a_der_shows_the_voltage_that_its_output_made(autojump_clock):
    run = Run(Impedance())
    await run.run(5.5)
    v = run.grid.voltages[-1]
    assert [device.inputs.at(0).voltage_pu for device in run.devices] == [(v, v, v)] * 2
    state = run.devices[0].state
    assert state.voltage_ln_v[0] == pytest.approx(v * 480 / 3**0.5)


async def test_volt_var_lowers_the_voltage(autojump_clock):
    run = Run(Impedance())
    await run.run(60.0, (30.0, run.volt_var))
    before, after = run.grid.voltages[29], run.grid.voltages[-1]
    assert before > 1.06
    assert after < before - 0.01
    assert run.grid.seen[-1][2][0] < 0  # it absorbs


async def test_a_seed_repeats_bit_for_bit_whatever_a_solve_takes(autojump_clock):
    seen = []
    for takes_s in (0.0, 0.3, 1.7):
        run = Run(Impedance(takes_s=takes_s), rate=2.0)
        run.devices[0].setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltVar", VOLT_VAR))
        await run.run(100.0)
        seen.append(run.grid.seen[:40])
    assert seen[0] == seen[1] == seen[2]


async def test_a_slow_solve_holds_the_clock(autojump_clock):
    run = Run(Impedance(takes_s=2.0))
    run.grid.clock = run.clock
    await run.run(41.0)
    assert [seen[0] for seen in run.grid.seen] == list(map(float, range(len(run.grid.seen))))
    assert run.clock.effective_rate == pytest.approx(0.5, rel=0.06)
    assert set(run.grid.ahead_s) == {0.0}


async def test_a_short_delay_is_made_up_for(autojump_clock):
    run = Run(Impedance(takes_s=0.9))
    await run.run(100.0)
    assert run.clock.effective_rate == pytest.approx(1.0, rel=0.01)


async def test_a_grid_may_change_its_step_within_a_tick(autojump_clock):
    grid = Impedance()
    grid.longest_step_s = 0.25
    run = Run(grid, tick=4.0)
    settle = grid.settle

    async def settled(outputs):
        grid.longest_step_s *= 2
        return await settle(outputs)

    grid.settle = settled
    await run.run(4.1)
    assert [seen[0] for seen in grid.seen] == pytest.approx([0, 0.5, 1.375, 2.6875, 4.0], abs=1e-6)


async def test_who_waits_for_a_time_is_not_late_by_what_a_solve_took(autojump_clock):
    run = Run(Impedance(takes_s=0.3))
    woke_s = []

    async def wait(at_s):
        await trio.sleep(at_s - 0.8)  # while the clock waits for a solve, or while it runs
        await run.clock.sleep_until(START_S + at_s)
        woke_s.append(run.clock.now_s() - START_S - at_s)

    async with trio.open_nursery() as nursery:
        for at_s in (2.0, 3.5, 4.75, 5.9):
            nursery.start_soon(wait, at_s)
        await run.run(8.0)
    assert woke_s == pytest.approx([0.0] * 4, abs=2e-3)


async def test_a_grid_shortens_the_step(autojump_clock):
    run = Run(Impedance(longest_step_s=0.3), tick=1.0)
    woken = []

    async def watch():
        while True:
            await run.simulator.fleet.wait_step()
            woken.append(run.clock.now_s() - START_S)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await run.run(2.1)
        nursery.cancel_scope.cancel()
    assert [seen[0] for seen in run.grid.seen][:6] == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.25], abs=1e-6)
    assert [seen[3] for seen in run.grid.seen][:5] == [True, False, False, False, True]
    assert woken == [0.0, 1.0, 2.0]


async def test_without_a_solution_the_last_voltages_stay(autojump_clock):
    def no():
        raise GridNotSolved("10 iterations do not converge")

    run = Run(Impedance(script=[None, None, no, no, None]))
    shown = []
    await run.run(
        10.0,
        (2.5, lambda: shown.append((run.devices[0].inputs.at(0).voltage_pu[0], run.simulator.statuses(0)))),
    )
    v, statuses = shown[0]
    assert v == run.grid.voltages[1]
    assert statuses["grid toy"] == ("not solved", "10 iterations do not converge; 1 of 3 steps")
    assert run.lines()[1:] == [
        "grid toy: 10 iterations do not converge; the last values stay",
        "grid toy: solved again, after 2 step(s) without",
    ]
    assert run.simulator.statuses(0)["grid toy"].state == "running"
    told = {each.name: each.samples for each in run.context.metrics["grids"]()}
    assert told["dersim_grid_steps_total"] == [({"grid": "toy"}, len(run.grid.seen))]
    assert told["dersim_grid_unsolved_total"] == [({"grid": "toy"}, 2)]
    assert run.simulator.fences.counts == {}


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (raises(RuntimeError("boom")), "unexpected RuntimeError('boom')"),
        (lambda: None, "its settle returned None; return a Settled"),
        (lambda: Settled([1.0]), "voltage_pu has 1 values; 6 are needed"),
        (lambda: Settled([1.0, 1.0, 1.0, float("nan"), 1.0, 1.0]), "not within 0 and 2"),
        (lambda: Settled([1.0, 1.0, 1.0, 3.0, 1.0, 1.0]), "not within 0 and 2"),
        (lambda: Settled(None, 10.0), "frequency_hz is 10.0"),
        (lambda: Settled(None, 60.0, float("nan")), "rocof_hz_s is nan"),
    ],
)
async def test_a_failed_settle_ends_that_settle_alone(autojump_clock, act, told):
    run = Run(Impedance(script=[None, act, act]))
    await run.run(5.5)
    assert len(run.grid.seen) == 6
    assert run.simulator.fences.counts == {"grid": 2}
    [line, again] = run.lines()[1:]
    assert told in line
    assert line.startswith("settle of grid toy, plug-in toy-plugin: the last values stay")
    assert again == "grid toy: solved again, after 2 step(s) without"


async def test_fail_fast_ends_the_run(autojump_clock):
    run = Run(Impedance(script=[None, raises(RuntimeError("boom"))]), fail_fast=True)
    with pytest.raises(FrontendFailed, match="boom"):
        await run.run(5.5)


async def test_a_step_of_no_length_is_refused(autojump_clock):
    run = Run(Impedance(longest_step_s=float("nan")))
    await run.run(1.5)
    assert [seen[0] for seen in run.grid.seen] == [0, 1]
    assert "its longest_step_s is nan; give seconds above 0" in run.lines()[1]


async def test_a_grid_at_rest_leaves_the_ders_at_rest(autojump_clock):
    run = Run(Impedance())
    moved = []
    await run.run(200.0, (190.0, lambda: moved.append(run.devices[0].moved_s)))
    assert run.devices[0].moved_s == moved[0] < START_S + 150


async def test_two_grids_that_hold_the_same_are_refused(autojump_clock):
    run = Run(Impedance())
    run.registry.grids.add("other", GridType("other", Impedance), "toy-plugin")
    with pytest.raises(ConfigError, match="grids other and toy both hold voltage_pu"):
        await run.run(1.0)


async def test_what_is_no_grid_is_refused_at_the_start(autojump_clock):
    run = Run(object())
    with pytest.raises(PluginError, match=r"grid toy: its make returned .*, which has no longest_"):
        await run.run(1.0)
