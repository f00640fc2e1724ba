"""Every file in examples/scenarios, with our client as the DER: over memory streams, in virtual time."""

from __future__ import annotations

import io
import random
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.interop.processes import ROOT
from tests.whole.conftest import START_S

from dersim import pki
from dersim.clock import SimClock
from dersim.csip import plugin
from dersim.csip.client import CsipClient
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.ieee2030_5 import Edition
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet
from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services
from dersim.utility.certificates import of_folder
from dersim.utility.config import UtilityConfig
from dersim.utility.head_end import HeadEnd
from dersim.utility.scenario.player import Player, play
from dersim.utility.scenario.reader import read_scenario
from dersim.utility.server import UtilityServer

SCENARIOS = ROOT / "examples" / "scenarios"


class Lab:
    """One DER, the one of certs/cert.pem, and a companion server that plays a scenario."""

    def __init__(self, nursery: trio.Nursery, path: Path) -> None:
        self._nursery = nursery
        self.clock = SimClock(start_s=START_S, tick_s=1.0)
        self.clock.start()
        self.log = LogBuffer(stream=io.StringIO())
        self.device = make_device(1, device_type="PV", clock=self.clock)
        self.fleet = Fleet([self.device])
        fences = Fences(self.log, fail_fast=True)
        config = UtilityConfig()
        config.certificate, config.key, config.root = of_folder(pki.bundled_dir())
        self.utility = UtilityServer(config, self.clock.now_s, self.log, fences, scenario=read_scenario(path))
        self._net = MemoryNet()
        parser = OptionParser()
        plugin.add_options(parser)
        flags = [
            "--use_test_pki_certs",
            str(pki.bundled_dir()),
            "--csip_pin",
            "111115",
            "--conversation",
            "0",
        ]
        context = FrontendContext(
            options=parser.parse_args(flags, Namespace(demo=False)),
            fleet=self.fleet,
            clock=self.clock,
            log=self.log,
            services=Services(),
            stop=lambda: None,
            device=self.device,
            rng=random.Random(1),
            fences=fences,
        )
        self.client = CsipClient(context, open_tcp=self._net.open_tcp)

    async def start(self) -> None:
        await self.fleet.step(START_S)
        await self.client.bind()
        self._nursery.start_soon(self.utility.serve, [self._net])
        self._nursery.start_soon(self._tick)
        self._nursery.start_soon(self.client.run)

    async def _tick(self) -> None:
        while True:
            self.clock.tick_done()
            await trio.sleep(1)
            await self.fleet.step(self.clock.now_s())

    async def at(self, second: float) -> None:
        """Let time pass until `second` after the start of the scenario."""
        await trio.sleep(START_S + second - self.clock.now_s())

    def value(self, mode: str) -> Any:
        return self.device.setpoints.value(mode)

    @property
    def share(self) -> float:
        """The DER's power, % of setMaxW."""
        return 100 * self.device.state.p_w / self.device.settings.setMaxW


@pytest.fixture
def lab(nursery: trio.Nursery):
    async def make(name: Path) -> Lab:
        lab = Lab(nursery, name)
        await lab.start()
        return lab

    return make


def test_every_example_is_tested() -> None:
    tested = set(re.findall(r'SCENARIOS / "([\w-]+\.yaml)"', Path(__file__).read_text()))
    assert {path.name for path in SCENARIOS.glob("*.yaml")} == tested


async def test_a_summer_peak(autojump_clock, lab) -> None:
    run = await lab(SCENARIOS / "summer-peak.yaml")
    await run.at(60)
    assert (run.client.state, run.value("opModMaxLimW")) == ("connected", 100)
    assert len(run.client.found().function_set_assignments) == 4
    for second, limit in ((200, 80), (1100, 60), (1600, 30), (2150, 50)):
        await run.at(second)
        assert run.value("opModMaxLimW") == limit
        assert run.share <= limit + 0.1


async def test_a_season_change(autojump_clock, lab) -> None:
    run = await lab(SCENARIOS / "volt-var-seasons.yaml")
    run.device.inputs.set(voltage_pu=1.01)
    await run.at(280)
    assert abs(run.device.state.q_var) < 1
    await run.at(360)
    assert run.value("opModMaxLimW") == 100
    assert run.device.state.q_var < -900


async def test_a_superseding_storm(autojump_clock, lab) -> None:
    run = await lab(SCENARIOS / "superseding-storm.yaml")
    limits = []
    for second in (40, 100, 160, 220, 280, 330, 430, 500, 560):
        await run.at(second)
        limits.append(run.value("opModMaxLimW"))
    assert limits == [90, 80, 70, 60, 20, 90, 40, 50, 90]


async def test_a_commissioning(autojump_clock, lab) -> None:
    run = await lab(SCENARIOS / "commissioning.yaml")
    run.device.inputs.set(irradiance_w_m2=1_200)
    await run.at(20)
    assert run.client.state != "connected"
    await run.at(70)
    assert (run.client.state, run.device.state.p_w) == ("connected", 0)
    assert run.utility.head_end.config.personality is Edition.E2018
    for second, limit in ((200, 25), (320, 50), (500, 100)):
        await run.at(second)
        assert run.value("opModMaxLimW") == limit
        assert run.share == pytest.approx(limit, abs=0.5)


async def test_a_bad_day(autojump_clock, lab) -> None:
    run = await lab(SCENARIOS / "bad-day.yaml")
    for second, limit in ((50, 90), (170, 40), (190, 90), (420, 40), (1100, 90)):
        await run.at(second)
        assert (second, run.value("opModMaxLimW")) == (second, limit)
    await run.at(1100)
    assert run.client.state == "connected"
    faults = list(run.utility.head_end.faults)
    assert len(faults) == 8
    assert all(fault.over and fault.acted for fault in faults)
    await run.at(1320)
    assert run.value("opModMaxLimW") == 40


async def test_a_month_of_envelopes(autojump_clock, lab) -> None:
    run = await lab(SCENARIOS / "month-of-envelopes.yaml")
    rows = [float(line) for line in (SCENARIOS / "envelopes-of-a-day.csv").read_text().split()[1:]]
    for second in (100, 400, 1000):
        await run.at(second)
        assert run.value("opModMaxLimW") == rows[second // 300]


@pytest.mark.slow
def test_a_month_is_published_one_by_one_and_few_are_kept() -> None:
    now_s = START_S
    head_end = HeadEnd(UtilityConfig(own_programs=False), lambda: now_s, LogBuffer(stream=io.StringIO()))
    player = play(head_end, read_scenario(SCENARIOS / "month-of-envelopes.yaml"))
    listed, active = 0, []
    while now_s < START_S + 2_592_000:
        now_s += 150
        head_end.advance()
        (program,) = head_end.programs
        listed = max(listed, len(program.controls))
        active += [control.start_s for control in program.controls.values() if control.status == 1]
    assert isinstance(player, Player)
    assert player.published == 8_640
    assert listed <= 5
    assert len(set(active)) == 8_640
