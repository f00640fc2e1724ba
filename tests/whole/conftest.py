"""All of it in one process: operator's REST, companion server, CSIP client, a DER, the dashboard's API.

Over memory streams and in virtual time. Nothing is scripted; only the sockets are left out. A test takes
`autojump_clock` and `open_house`, and begins with `house = await open_house("PV", {"opModMaxLimW": 60})`.
"""

from __future__ import annotations

import io
import json
import random
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
import trio.testing

from dersim import pki
from dersim.clock import SimClock
from dersim.csip import plugin
from dersim.csip.client import CsipClient
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.http11 import Request
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet
from dersim.options import OptionParser
from dersim.pages.guard import Guard
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services
from dersim.utility.certificates import of_folder
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer
from dersim.web.api import ROUTES, overview
from dersim.web.app import make_app
from dersim.web.context import WebContext
from dersim.web.history import History
from dersim.web.telemetry import Telemetry

START_S = 1_800_000_000.0
#: The two programs that the companion server begins with: the system's, and the operator's above it.
SYSTEM, OPERATOR = 1, 2


class Reading(NamedTuple):
    """P (W) and Q (var) of the overview after a tick, and how much had been asked of the DER by then."""

    time_s: float
    asked: int
    p_w: float
    q_var: float


class Done(NamedTuple):
    """A POST of a test to the API of the DER; `what` is the path below /api/dersim."""

    time_s: float
    asked: int
    what: str
    body: Mapping[str, Any]


class House:
    """One utility, one DER with its client, and whoever looks at the dashboard."""

    def __init__(self, nursery: trio.Nursery, folder: Path, device_type: str, *flags: str) -> None:
        self._nursery = nursery
        self.clock = SimClock(start_s=START_S, tick_s=1.0)
        self.clock.start()
        self.log = LogBuffer(stream=io.StringIO())
        self.device = make_device(1, device_type=device_type, clock=self.clock)
        self.fleet = Fleet([self.device])
        self.net = MemoryNet()
        config = UtilityConfig()
        config.certificate, config.key, config.root = of_folder(folder)
        self.fences = Fences(self.log, fail_fast=True)
        self.utility = UtilityServer(config, self.clock.now_s, self.log, self.fences)
        parser = OptionParser()
        plugin.add_options(parser)
        options = parser.parse_args(["--use_test_pki_certs", str(folder), *flags], Namespace(demo=False))
        self.context = context = FrontendContext(
            options=options,
            fleet=self.fleet,
            clock=self.clock,
            log=self.log,
            services=Services(),
            stop=lambda: None,
            device=self.device,
            rng=random.Random(1),
            fences=self.fences,
        )
        self.client = CsipClient(context, open_tcp=self.net.open_tcp)
        self._web = WebContext(context, History(self.fleet))
        telemetry = Telemetry(self.fleet, lambda _: "", context.fences)
        self.app = make_app("dashboard", ROUTES, self._web, Guard(), telemetry)
        #: What the overview said after each tick and what was done beside the client, in this order.
        self.story: list[Reading | Done] = []

    async def start(self) -> None:
        """Run everything, until the client is connected."""
        await self.fleet.step(START_S)
        await self.client.bind()
        self._nursery.start_soon(self.utility.serve, [self.net])
        self._nursery.start_soon(self._tick)
        self._nursery.start_soon(self.client.run)
        await self.until(lambda: self.client.snapshot()["state"] == "connected", 10)

    async def _tick(self) -> None:
        while True:
            self.clock.tick_done()
            await trio.sleep(self.clock.tick_s)
            await self.fleet.step(self.clock.now_s())
            # The document without HTTP: a request of this task would be cut off at the end of the test.
            seen = overview.document(self._web, self.device)
            self.story.append(
                Reading(
                    self.device.state.time_s,
                    len(self.device.setpoints.journal),
                    seen["metrics"]["power_kw"] * 1000,
                    seen["metrics"]["reactive_power_kvar"] * 1000,
                )
            )

    async def until(self, happened: Callable[[], object], within_s: float) -> None:
        """Let time pass until something has happened; an error when it has not within so many seconds."""
        deadline = trio.current_time() + within_s
        while not happened():
            assert trio.current_time() < deadline, "\n".join(e.message for e in self.log.entries())
            await self.fleet.wait_step()

    # ---- the dashboard

    async def see(self, what: str) -> Any:
        """GET /api/dersim/{what}."""
        answer = await self.app.test_client().get(f"/api/dersim/{what}")
        assert answer.status_code == 200, await answer.get_data()
        return await answer.get_json()

    async def do(self, what: str, body: Mapping[str, Any]) -> None:
        """POST /api/dersim/{what}: change the inputs, give a command."""
        self.story.append(Done(self.clock.now_s(), len(self.device.setpoints.journal), what, body))
        answer = await self.app.test_client().post(f"/api/dersim/{what}", json=body)
        assert answer.status_code == 200, await answer.get_data()

    async def in_force(self, mode: str) -> Any:
        """The line of /api/dersim/setpoints about a mode, None where it is not in force."""
        lines = (await self.see("setpoints"))["in_force"]
        return next((line for line in lines if line["mode"] == mode), None)

    async def await_mode(self, mode: str, source: str, value: Any = None) -> Any:
        """Let time pass until that mode is in force from that source (with that value); its line."""
        for _ in range(60):
            line = await self.in_force(mode)
            if line and line["source"] == source and value in (None, line["value"]):
                return line
            await self.fleet.wait_step()
        raise AssertionError("\n".join(e.message for e in self.log.entries()))

    # ---- the operator of the utility

    def operate(self, method: str, path: str, data: Any = None) -> Any:
        """One request to /api/utility, which must succeed."""
        headers = (("host", "127.0.0.1:8444"), ("content-type", "application/json"))
        body = b"" if data is None else json.dumps(data).encode()
        answer = self.utility.answer_admin(
            Request(method, f"/api/utility/{path}", headers, body, None, "127.0.0.1:50000")
        )
        assert answer.status < 300, answer.body
        return json.loads(answer.body)

    def set_default(self, modes: Mapping[str, Any]) -> None:
        """Replace the DefaultDERControl."""
        self.operate("PUT", f"programs/{SYSTEM}/default-control", {"modes": modes})

    def publish(self, modes: Mapping[str, Any], *, start_in_s: int = 12, duration_s: int = 600) -> str:
        """Publish a DERControl; its mRID."""
        order = {"modes": modes, "start_in_s": start_in_s, "duration_s": duration_s}
        return str(self.operate("POST", f"programs/{OPERATOR}/controls", order)["mRID"])

    def responses(self, mrid: str) -> list[int]:
        """What the DER has answered to a control, oldest first."""
        mine = [r for r in self.operate("GET", "responses") if r["subject"] == mrid]
        return [r["status"] for r in sorted(mine, key=lambda r: r["time"])]


OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test PKI with one device."""
    return pki.create(tmp_path_factory.mktemp("whole") / "certs", 1)


@pytest.fixture
def open_house(nursery: trio.Nursery, certificates: Path) -> OpenHouse:
    """Makes a House with this type of DER, this DefaultDERControl and these flags of the client; it runs."""

    async def open_it(device_type: str, default: Mapping[str, Any], *flags: str) -> House:
        house = House(nursery, certificates, device_type, *flags)
        house.utility.head_end.start()
        house.set_default(default)
        await house.start()
        return house

    return open_it
