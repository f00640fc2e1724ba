"""`--island_mva`: the frequency follows the balance and DERs respond, in closed loop in virtual time."""

import io
import json

import pytest
import trio
import trio.lowlevel

from dersim.cli.sim import configure, make_simulator
from dersim.errors import ConfigError, bare_errors
from dersim.hardware.nameplate import bundled
from dersim.logbuffer import LogBuffer
from dersim.modes import FreqDroop
from dersim.plugin.routes import Call
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

FLAGS = ("--plugins", "builtin", "--start_clock_time", "12:00:00", "--seed", "1")
FLAGS = (*FLAGS, "--without", "csip,modbus,rest,csip_ui", "--rate", "20", "--rate_override", "yes")
DROOP = FreqDroop(0.036, 0.036, 0.05, 0.05, 0.5)


class Run:
    """Three PV systems of 10 kW at 8 kW beside a machine of 100 kVA."""

    def __init__(self, *flags, mva="0.1"):
        options, registry = configure([*FLAGS, "-N", "3", "--island_mva", mva, *flags])
        self.log = LogBuffer(stream=io.StringIO())
        self.simulator, self.clock = make_simulator(options, registry, self.log)
        self.devices = self.simulator.fleet.devices
        self.hertz = []

    async def run(self, seconds, *acts):
        """So many simulated seconds; acts: (at, what)."""
        start_s = self.clock.now_s()
        with bare_errors():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.simulator.run, lambda line: None)
                nursery.start_soon(self._watch)
                await trio.lowlevel.checkpoint()
                for at, act in acts:
                    await self.clock.sleep_until(start_s + at)
                    act()
                await self.clock.sleep_until(start_s + seconds)
                self.simulator.stop()
                nursery.cancel_scope.cancel()

    async def _watch(self):
        while True:
            await self.simulator.fleet.wait_step()
            self.hertz.append(self.devices[0].state.frequency_hz)

    @property
    def island(self):
        """The context of the grid, which has its routes."""
        return self.simulator._context("island", "island")

    def state(self):
        [get] = [each.route for each in self.island.routes if each.route.method == "GET"]
        return get.handler(Call(self.devices[0], {}))

    def cloud(self):
        for device in self.devices:
            device.inputs.set(irradiance_w_m2=200.0)


async def test_in_balance_the_frequency_stays_nominal(autojump_clock):
    run = Run()
    await run.run(10.0)
    assert set(run.hertz) == {60.0}


async def test_a_cloud_lets_the_frequency_fall_as_the_droop_says(autojump_clock):
    run = Run()
    before_w = []
    await run.run(
        60.0, (5.0, lambda: before_w.append(sum(d.state.p_w for d in run.devices))), (5.0, run.cloud)
    )
    lost_w = before_w[0] - sum(device.state.p_w for device in run.devices)
    assert lost_w > 15e3
    assert run.hertz[4] == 60.0
    assert run.hertz[-1] == pytest.approx(60 * (1 - lost_w / 100e3 / (1 / 0.05 + 1)), abs=2e-3)
    assert min(run.hertz) < run.hertz[-1] - 0.05  # it falls below before the governor has responded


async def test_frequency_droop_of_the_ders_holds_up_the_frequency(autojump_clock):
    ends = []
    for droop in (False, True):
        run = Run()
        for device in run.devices:
            device.inputs.set(irradiance_w_m2=1000.0)
            device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModMaxLimW", 50.0))
            if droop:
                device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModFreqDroop", DROOP))

        def more(run=run):
            [post] = [each.route for each in run.island.routes if each.route.method == "POST"]
            load_w = run.state()["load_w"]
            post.handler(Call(run.devices[0], {}, {"load_w": load_w + 20e3}))

        await run.run(60.0, (5.0, more))
        state = run.state()
        missing_w = state["load_w"] - state["der_w"] - 50e3
        assert run.hertz[-1] == pytest.approx(60 * (1 - missing_w / 100e3 / 21), abs=2e-3)
        assert state["machine_w"] == pytest.approx(50e3 + missing_w * 20 / 21, rel=1e-3)
        ends.append(run.hertz[-1])
    assert ends[0] + 0.1 < ends[1] < 60


async def test_a_seed_repeats_and_ticks_do_not_matter(autojump_clock):
    found = []
    for tick in ("1", "1", "5"):
        run = Run("--tick", tick)
        await run.run(40.0, (5.0, run.cloud))
        found.append(run.hertz)
    assert found[0] == found[1]
    assert found[2][-1] == pytest.approx(found[0][-1], abs=1e-3)


def test_the_flags_of_an_island_need_one():
    with pytest.raises(ConfigError, match="--island_h: there is no island; add --island_mva"):
        configure(["--island_h", "4"])


async def test_ders_of_two_nominal_frequencies_have_no_island(autojump_clock, tmp_path):
    plate = tmp_path / "plate.json"
    of_60_hz = json.loads(bundled("10kW-3Phase").read_text())
    plate.write_text(json.dumps(of_60_hz | {"dersim": of_60_hz.get("dersim", {}) | {"HzNom": 50}}))
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(f"groups:\n  - {{name: a, count: 1}}\n  - {{name: b, count: 1, nameplate: {plate}}}\n")
    options, registry = configure([*FLAGS, "--fleet", str(fleet), "--island_mva", "1"])
    simulator, _ = make_simulator(options, registry, LogBuffer(stream=io.StringIO()))
    with pytest.raises(ConfigError, match="the DERs are for 50 and 60 Hz; an island has one frequency"):
        await simulator.run(lambda line: None)
