"""The companion server with planted faults and one DER with its client, over memory streams, in virtual time.

A run has some time before the fault, FAULT_S with it, and what comes after. Phase "discovery" plants it
before the client begins; "steady" once the client is connected; "event" in the middle of a control of 40 %
that ends while the fault lasts. In every phase a later control is published when the fault is over.
"""

from __future__ import annotations

import io
import random
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import trio
import trio.testing

from dersim.clock import SimClock
from dersim.csip import plugin
from dersim.csip.client import CsipClient
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.invariants import Watcher
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet
from dersim.modes import modes_from_json
from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services
from dersim.utility import certificates
from dersim.utility.config import PollRates, UtilityConfig
from dersim.utility.faults.plans import fault_from
from dersim.utility.programs import ControlOrder
from dersim.utility.server import UtilityServer

START_S = 1_800_000_000.0
FAULT_S = 30.0
Phase = Literal["discovery", "steady", "event"]
PHASES: tuple[Phase, ...] = ("discovery", "steady", "event")


class Glance(NamedTuple):
    """What was to be seen in one second. limit: opModMaxLimW in force, %."""

    at_s: float
    state: str
    error: str | None
    limit: Any


class FaultyWorld:
    """Server, DER and client; `folder` holds a test PKI, None: without TLS."""

    watcher: Watcher | None = None  #: None in a world that restarts its client

    def __init__(self, nursery: trio.Nursery, folder: Path | None = None) -> None:
        self.nursery = nursery
        self.clock = SimClock(start_s=START_S, tick_s=1.0)
        self.clock.start()
        self.log = LogBuffer(stream=io.StringIO())
        self.fences = Fences(self.log)
        self.net = MemoryNet()
        rates = PollRates(dcap=30, edev=10, fsa=10, derp=10, der=10, mup=60)
        config = UtilityConfig(encrypted=folder is not None, poll_rates=rates)
        if folder is not None:
            config.certificate, config.key, config.root = certificates.of_folder(folder)
        self.server = UtilityServer(config, self.clock.now_s, self.log, self.fences)
        self.head_end = self.server.head_end
        self.device = make_device(1, clock=self.clock)
        self.device.step(START_S)
        self.client = self._client(folder)
        self.seen: list[Glance] = []

    def _client(self, folder: Path | None) -> CsipClient:
        parser = OptionParser()
        plugin.add_options(parser)
        flags = ["--csip_enc", "no"] if folder is None else ["--use_test_pki_certs", str(folder)]
        context = FrontendContext(
            options=parser.parse_args(flags, Namespace(demo=False)),
            fleet=(fleet := Fleet([self.device])),
            clock=self.clock,
            log=self.log,
            services=(services := Services()),
            stop=lambda: None,
            device=self.device,
            rng=random.Random(1),
            fences=self.fences,
        )
        self.fleet = fleet
        self.watcher = Watcher(fleet, services, self.clock, self.log, buffers=context.buffers)
        return CsipClient(context, open_tcp=self.net.open_tcp)

    def now_s(self) -> float:
        """Seconds since the start."""
        return self.clock.now_s() - START_S

    def publish(self, limit: float, start_in_s: float, duration_s: int) -> str:
        """A control that limits to `limit` %; its mRID."""
        program = self.head_end.programs.get(2)
        assert program is not None
        order = ControlOrder(
            modes_from_json({"opModMaxLimW": limit}),
            int(self.clock.now_s() + start_in_s),
            duration_s,
            response_required=7,
        )
        return self.head_end.publish(program, order).mrid

    def plant(self, fault: dict[str, Any]) -> Any:
        """Plant the fault; it lasts FAULT_S unless it says otherwise."""
        return self.head_end.faults.plant(fault_from({"duration_s": FAULT_S} | fault))

    async def begin(self) -> None:
        """Start everything."""
        await self.client.bind()
        if self.watcher is not None:
            self.watcher.listen()
        self.nursery.start_soon(self.server.serve, [self.net])
        self.nursery.start_soon(self._tick)
        self.nursery.start_soon(self.client.run)

    async def _tick(self) -> None:
        while True:
            self.clock.tick_done()
            await trio.sleep(self.clock.tick_s)
            await self.fleet.step(self.clock.now_s())
            if self.watcher is not None:
                self.watcher.step()
            status = self.client.client_status
            limit = self.device.setpoints.value("opModMaxLimW")
            self.seen.append(Glance(self.now_s(), status.state, status.last_error, limit))

    def between(self, from_s: float, to_s: float) -> Iterator[Glance]:
        """What was seen in this time, s since the start."""
        return (each for each in self.seen if from_s <= each.at_s < to_s)

    def responses(self, mrid: str) -> list[int]:
        """The statuses of the Responses to a control, in the order of their coming."""
        found = [each.response for each in self.head_end.responses.all]
        return [int(each.status or 0) for each in found if each.subject == mrid]

    def logged(self, *words: str) -> list[str]:
        """Lines of the log with all these words."""
        return [e.message for e in self.log.entries() if all(word in e.message for word in words)]
