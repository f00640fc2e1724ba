"""One life of a simulator with `--state` in this process, stopped or killed at its end."""

from __future__ import annotations

import contextlib
import io

import trio

from dersim.cli import sim
from dersim.logbuffer import LogBuffer
from dersim.sim_state.state import SimState

NO_FRONTENDS = ("--without", "csip,csip_ui,modbus,rest")


class Run:
    """A life that is made now; `live` runs it. without: the plug-ins left out."""

    def __init__(self, path, *flags, without=NO_FRONTENDS):
        self.log = LogBuffer(stream=io.StringIO())
        args = ["--state", str(path), "--tick", "0.01", *without, *flags]
        self.options, registry = sim.configure(args)
        self.state = SimState.of(self.options)
        try:
            self.simulator, self.clock = sim.make_simulator(self.options, registry, self.log, self.state)
        except BaseException:
            self.state.close()
            raise
        self.devices = self.simulator.fleet.devices

    @contextlib.asynccontextmanager
    async def live(self, *, killed=False):
        """Run it within the block. killed: without the last save of a clean stop."""
        ready = trio.Event()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.simulator.run, lambda _line: ready.set())
                await ready.wait()
                nursery.start_soon(self.state.run)
                yield self
                nursery.cancel_scope.cancel()
            if not killed:
                self.state.finish()
        finally:
            self.state.close()

    async def saved(self):
        """Wait until the present states are saved."""
        with trio.fail_after(30):  # a busy computer
            await self.simulator.states.barrier()

    def lines(self, level):
        """The messages of the log at this level."""
        return [each.message for each in self.log.entries(level=level) if each.level == level]

    def energy_wh(self):
        """The energy that each DER has exported."""
        return [sum(device.state.exported_wh) for device in self.devices]
