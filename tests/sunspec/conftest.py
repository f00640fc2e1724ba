"""A device with its registers: on a clock that is moved by hand, and behind a real socket."""

import io
import random
import struct
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import trio
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from dersim.clock import SimClock
from dersim.device import ManualClock
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.checks import in_full
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services
from dersim.plugin.sunspec_model import OwnedModel
from dersim.sunspec import config
from dersim.sunspec.server import ModbusServer

START_S = 1_780_000_000.0


def options(*words):
    parser = OptionParser()
    config.add_options(parser)
    return parser.parse_args(["--mb_port", "0", *words])


def make_server(device, clock, *words, services=None, models=()):
    log = LogBuffer(stream=io.StringIO())
    context = FrontendContext(
        options(*words),
        Fleet([device]),
        clock,
        log,
        services or Services(),
        stop=lambda: None,
        device=device,
        rng=random.Random(1),
        fences=Fences(log),
        sunspec_models=[OwnedModel("extra", in_full(model)) for model in models],
    )
    return ModbusServer(context), log


class Bench:
    """A device and its register map without a socket; time is moved by hand."""

    def __init__(self, *words, services=None, models=(), **about):
        self.clock = ManualClock(START_S)
        self.device = make_device(clock=self.clock, **about)
        self.device.step(START_S)
        self.services = services or Services()
        self.server, self.log = make_server(
            self.device, self.clock, *words, services=self.services, models=models
        )
        self.unit, self.service = self.server.unit, self.server.service
        # The first request of the real thing comes after some ticks.
        self.wait(2)

    @property
    def state(self):
        return self.device.state

    def wait(self, seconds, tick_s=1.0):
        """Let time pass as the engine does: a step per tick, timers when they are due."""
        end_s = self.clock.time_s + seconds
        while self.clock.time_s < end_s:
            self.clock.time_s = min(end_s, self.clock.time_s + tick_s, max(self.server.timers.next_s, 0))
            self.server.timers.run_due()
            self.device.step(self.clock.time_s)

    def at(self, model, path):
        block = self.unit.block(model)
        point = block.point(path)
        return block, point, block.address + point.offset

    def pdu(self, text):
        return self.service.answer(bytes.fromhex(text))

    def read(self, model, path):
        """A point's value by way of a request."""
        _, point, address = self.at(model, path)
        answer = self.service.answer(struct.pack(">BHH", 3, address, point.size))
        assert answer[0] == 3, f"{model}.{path}: exception {answer[1]}"
        raw = struct.unpack(f">{point.code}", answer[2:])[0]
        return point.shown(raw)

    def write(self, model, **values):
        """Write points that lie side by side in one request; the exception code, 0 if there was none."""
        return self.write_points(model, values)

    def write_points(self, model, values):
        block = self.unit.block(model)
        points = sorted((block.point(path) for path in values), key=lambda p: p.offset)
        data = b"".join(struct.pack(f">{p.code}", p.raw(values[p.path])) for p in points)
        assert len(data) == 2 * (points[-1].offset + points[-1].size - points[0].offset), "not side by side"
        address = block.address + points[0].offset
        request = struct.pack(">BHHB", 16, address, len(data) // 2, len(data)) + data
        answer = self.service.answer(request)
        return answer[1] if answer[0] & 0x80 else 0

    def logged(self, level="Warning"):
        return [entry.message for entry in self.log.entries(level=level, limit=1000)]


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def make_bench():
    return Bench


@asynccontextmanager
async def serving(*words, tick_s=0.02, rate=1.0, **about):
    """A device behind a real port; rate: simulated seconds per real second."""
    clock = SimClock(tick_s=tick_s, rate=rate)
    clock.start()
    device = make_device(clock=clock, **about)
    server, log = make_server(device, clock, *words)
    shown = await server.bind()

    async def tick():
        while True:
            device.step(clock.now_s())
            clock.tick_done()
            await clock.sleep(tick_s)

    port = int(shown["modbus"].rpartition(":")[2])
    opened = []

    async def connect():
        opened.append(await trio.open_tcp_stream("127.0.0.1", port))
        return opened[-1]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        nursery.start_soon(server.run)
        try:
            yield SimpleNamespace(
                device=device, server=server, log=log, port=port, clock=clock, connect=connect
            )
        finally:
            for stream in opened:
                stream.socket.close()
            nursery.cancel_scope.cancel()


def tool(port, **more):
    """pysunspec2's client."""
    return SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=5, **more)
