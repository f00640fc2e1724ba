"""A utility and its DERs in one process, over memory streams or the loopback, in virtual or real time.

::

    async def main():
        async with open_world(WorldPlan(seed=7, ders=2)) as world:
            world.utility.publish({"opModMaxLimW": 40}, duration_s=600)
            await world.until(lambda: world.device(1).state.p_w < 4100, within_s=60)

    run_virtual(main, seed=7)
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import AsyncIterator, Callable

import trio

from dersim.device import Device
from dersim.draws import draws_of
from dersim.errors import ConfigError, lone_errors
from dersim.invariants import Violation
from dersim.logbuffer import LogBuffer
from dersim.plugin.services import CsipService
from dersim.testing.network import (
    ElsewhereNetwork,
    LoopbackNetwork,
    MemoryNetwork,
    Network,
    Transport,
)
from dersim.testing.plan import WorldPlan
from dersim.testing.simulators import OnStep, WorldSimulator
from dersim.testing.utility import Utility
from dersim.utility.mrids import drawn_by

#: The lines of the log that tell why something did not happen.
_LINES_TOLD = 12
#: How often it is looked whether something has happened in real time, seconds.
_LOOK_S = 0.02


class World:
    """A utility and its DERs; `start` starts all, `open_world` stops them too.

    network: between them. log: of both sides, with simulated times. simulators: one for all DERs, or with
    `plan.separate` one for each.
    """

    def __init__(self, nursery: trio.Nursery, plan: WorldPlan) -> None:
        if plan.files is not None and plan.ders != 1:
            raise ConfigError(f"files=...: are of one DER, and this world has {plan.ders}; give pki=FOLDER")
        self.plan = plan
        self._start_s = time.time() if plan.start_s is None else plan.start_s
        self._zero_s = trio.current_time()
        self.log = LogBuffer(stream=io.StringIO(), stream_level="Error", now_s=self.now_s)
        self.network = _network(plan)
        self._utility = (
            None if plan.server is not None else Utility(nursery, plan, self.network, self.now_s, self.log)
        )
        self._nursery = nursery
        self.simulators: list[WorldSimulator] = []

    @property
    def utility(self) -> Utility:
        """The utility; ConfigError where the server is not ours."""
        if self._utility is None:
            raise ConfigError(f"the DERs of this test speak to {self.plan.server}: it has no utility of ours")
        return self._utility

    def now_s(self) -> float:
        """Simulated time, UTC seconds."""
        return self._start_s + (trio.current_time() - self._zero_s) * self.plan.rate

    # ---- start and stop

    async def start(self) -> None:
        """Start the utility, then the DERs."""
        if self._utility is not None:
            await self._utility.start()
        plan = self.plan
        each = 1 if plan.separate else max(plan.ders, 1)
        for first in range(1, plan.ders + 1, each):
            simulator = WorldSimulator(
                self._nursery,
                plan,
                range(first, first + each),
                self._flags(),
                self._transport(first),
                self.now_s,
                self.log,
            )
            self.simulators.append(simulator)
            await simulator.start()

    def _flags(self) -> tuple[str, ...]:
        plan = self.plan
        flags = ["--plugins", ",".join(plan.frontends), "--seed", str(plan.seed), "--rate_override", "yes"]
        flags += ["--fail_fast", "yes" if plan.fail_fast else "no"]
        if "modbus" in plan.frontends:
            flags += ["--mb_enable", "no"] if isinstance(self.network, MemoryNetwork) else ["--mb_port", "0"]
        if "csip" in plan.frontends:
            flags += self._csip_flags()
        return (*flags, *plan.flags)

    def _csip_flags(self) -> list[str]:
        plan = self.plan
        flags = [*([] if plan.encrypted else ["--csip_enc", "no"]), *self.network.flags]
        if plan.files is not None:
            named = zip(("cert", "key", "root_cert"), plan.files, strict=True)
            flags += [word for name, path in named for word in (f"--csip_{name}", str(path))]
        elif plan.pki is not None:
            flags += ["--use_test_pki_certs", str(plan.pki)]
        return flags

    def _transport(self, first: int) -> Transport:
        network, wire = self.network, self.plan.wire
        dial = network.open_tcp if wire is None else wire(network.open_tcp, first)
        return Transport(dial, network.notify_net(first) if isinstance(network, MemoryNetwork) else None)

    async def stop(self) -> None:
        """Stop the DERs, then the utility."""
        for each in self.simulators:
            await each.stop()
        if self._utility is not None:
            await self._utility.stop()

    # ---- its DERs

    def simulator_of(self, number: int = 1) -> WorldSimulator:
        """The simulator of a DER."""
        return next(each for each in self.simulators if number in each.numbers)

    def device(self, number: int = 1) -> Device:
        """A DER."""
        return self.simulator_of(number).device(number)

    def client(self, number: int = 1) -> CsipService:
        """The CSIP client of a DER."""
        return self.simulator_of(number).client(number)

    def on_step(self, call: OnStep) -> None:
        """Call this after each step of each simulator, with the simulator; an error of it ends the world."""
        for each in self.simulators:
            each.on_step.append(call)

    @property
    def violations(self) -> list[Violation]:
        """Of invariants, where the plan has them watched."""
        return [violation for each in self.simulators for violation in each.violations]

    # ---- time

    async def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""
        await trio.sleep(seconds / self.plan.rate)

    async def until(self, happened: Callable[[], object], within_s: float, what: str = "it") -> None:
        """Let time pass, tick by tick (over the loopback 20 ms by 20 ms), until something has happened.

        AssertionError with the newest lines of the log where it has not within so many simulated seconds.
        """
        end_s = self.now_s() + within_s
        look_s = self.plan.tick_s if isinstance(self.network, MemoryNetwork) else _LOOK_S * self.plan.rate
        while not happened():
            if self.now_s() >= end_s:
                raise AssertionError(
                    f"{what} has not happened in {within_s:g} s; the log ends with\n{self.told()}"
                )
            await self.sleep(look_s)

    async def connected(self, within_s: float = 120) -> None:
        """Wait until each client is connected."""
        numbers = range(1, self.plan.ders + 1)
        await self.until(
            lambda: all(self.client(n).state == "connected" for n in numbers),
            within_s,
            "connection of all DERs",
        )

    def told(self) -> str:
        """The newest lines of the log, without those at level Debug."""
        return "\n".join(each.to_line() for each in self.log.entries(level="Info")[-_LINES_TOLD:])


def _network(plan: WorldPlan) -> Network:
    if plan.server is not None:
        return ElsewhereNetwork(plan.server)
    return MemoryNetwork() if plan.over == "memory" else LoopbackNetwork()


@contextlib.asynccontextmanager
async def open_world(plan: WorldPlan | None = None) -> AsyncIterator[World]:
    """A world that has started, and is stopped in the end."""
    plan = WorldPlan() if plan is None else plan
    with lone_errors(), drawn_by(draws_of(f"{plan.seed}/mrids").randbytes):
        async with trio.open_nursery() as nursery:
            world = World(nursery, plan)
            try:
                await world.start()
                yield world
                await world.stop()
            finally:
                with trio.CancelScope(shield=True):
                    await world.network.close()
            nursery.cancel_scope.cancel()
