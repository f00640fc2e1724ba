"""Every file in examples/fleets runs as its head says, against companion servers on loopback."""

from __future__ import annotations

import io
import re
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from tests.interop.processes import ROOT

from dersim import pki
from dersim.cli import sim
from dersim.clock import SimClock
from dersim.engine.assembly import build_fleet
from dersim.engine.simulator import Simulator
from dersim.ieee2030_5 import Edition
from dersim.logbuffer import LogBuffer
from dersim.plugin.services import CsipService
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

FLEETS = ROOT / "examples" / "fleets"
DEMO = ("--demo", "--csip_server_port", "0", "--admin_port", "0")


class Run:
    """A simulator with the clients of its DERs."""

    def __init__(self, simulator: Simulator, options: Namespace, log: LogBuffer) -> None:
        self.simulator, self.options, self.log = simulator, options, log
        self.devices = simulator.fleet.devices

    @property
    def clients(self) -> list[CsipService]:
        found = [self.simulator.services.find(CsipService, device.number) for device in self.devices]
        return [each for each in found if each is not None]

    @property
    def states(self) -> list[str]:
        return [client.state for client in self.clients]

    async def until(self, is_true: Callable[[], bool]) -> None:
        with trio.fail_after(20):
            while not is_true():
                await self.simulator.fleet.wait_step()


@asynccontextmanager
async def running(file: Path, *flags: str):
    options, registry = sim.configure(
        [
            "--fleet",
            str(file),
            "--plugins",
            "csip,utility",
            "--tick",
            "0.05",
            "--ramp",
            "1000",
            "--seed",
            "1",
            *flags,
        ]
    )
    log = LogBuffer(stream=io.StringIO())
    clock = SimClock(rate=options.rate, tick_s=options.tick * options.rate)
    fleet = build_fleet(options, registry, clock, log)
    simulator = Simulator(
        options=options, registry=registry, fleet=fleet, clock=clock, log=log, seed=options.seed
    )
    ready = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(simulator.run, lambda line: ready.set())
        await ready.wait()
        yield Run(simulator, options, log)
        simulator.stop()


@asynccontextmanager
async def server():
    """A companion server on a free port, with the bundled test PKI; yields it."""
    pair = pki.ensure_server(pki.bundled_dir())
    config = UtilityConfig(
        port=0, admin_port=0, certificate=pair.cert, key=pair.key, root=pki.bundled_dir() / "cert_root.pem"
    )
    companion = UtilityServer(config, time.time, LogBuffer(stream=io.StringIO()))
    await companion.bind()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(companion.run)
        yield companion
        nursery.cancel_scope.cancel()


def test_every_example_is_tested() -> None:
    tested = set(re.findall(r'FLEETS / "([\w-]+\.yaml)"', Path(__file__).read_text()))
    assert {path.name for path in FLEETS.glob("*.yaml")} == tested


async def test_a_mixed_fleet() -> None:
    async with running(FLEETS / "mixed.yaml", *DEMO) as run:
        types = [device.device_type.name for device in run.devices]
        assert types == ["PV-1Phase"] * 10 + ["Batt-3Phase"] * 5 + ["HybridDC-3Phase"] * 2
        assert (run.devices[0].name, run.devices[16].name) == ("roofs 1", "hybrids 17")
        await run.until(lambda: set(run.states) == {"connected"})
        suns = [
            device.inputs.at(device.inputs.now_s() + 1_800).irradiance_w_m2 for device in run.devices[:10]
        ]
        assert len(set(suns)) > 5
        assert run.devices[16].nameplate.rtgMaxW == 8_000


async def test_two_servers(tmp_path: Path) -> None:
    async with server() as north, server() as south:
        text = (FLEETS / "two-servers.yaml").read_text()
        (tmp_path / "fleet.yaml").write_text(
            text.replace("port: 8443 }", f"port: {north.port} }}").replace(
                "port: 9443,", f"port: {south.port},"
            )
        )
        async with running(tmp_path / "fleet.yaml") as run:
            await run.until(lambda: set(run.states) == {"connected"})
        assert [len(each.head_end.end_devices) for each in (north, south)] == [3, 2]


async def test_two_editions() -> None:
    async with running(FLEETS / "editions.yaml", *DEMO) as run:
        await run.until(lambda: set(run.states) == {"connected"})
        assert [client.edition for client in run.clients] == [Edition.E2018] * 4 + [Edition.E2023] * 4


async def test_a_staggered_start() -> None:
    async with running(FLEETS / "staggered-start.yaml", *DEMO, "--rate", "100") as run:
        await run.until(lambda: run.states[14] == "away")
        shown = run.clients[14].snapshot()["last_error"]
        assert shown == "joins later, for 80 s, by the fleet file, group west"
        await run.until(lambda: set(run.states) == {"connected"})
        joined = [entry for entry in run.log.entries() if entry.message == "joins"]
        assert [entry.device for entry in joined] == list(range(2, 16))


async def test_churn() -> None:
    async with running(FLEETS / "churn.yaml", *DEMO, "--rate", "200") as run:
        await run.until(lambda: "away" in run.states)
        gone = run.states.index("away")
        assert gone < 8
        await run.until(lambda: run.states[gone] == "connected")
        words = [entry.message for entry in run.log.entries() if entry.device == gone + 1]
        assert any(re.fullmatch(r"leaves, for \d+ s, by the fleet file, group roofs", line) for line in words)
        assert any(re.fullmatch(r"joins again after \d+ s", line) for line in words)


async def test_comms_loss() -> None:
    async with running(FLEETS / "comms-loss.yaml", *DEMO, "--rate", "200") as run:
        await run.until(lambda: run.states[6:] == ["retrying"] * 4)
        words = "comms loss of 120 s by the fleet file, group cell"
        cut = [entry for entry in run.log.entries() if entry.message == words]
        assert [entry.device for entry in cut[:4]] == [7, 8, 9, 10]
        assert all(device.state.p_w > 0 for device in run.devices)
