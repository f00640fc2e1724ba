"""One simulator of a world: a fleet with its front-ends, as `dersim sim` has it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import trio

from dersim.cli.recording import recorder_for
from dersim.cli.sim import configure
from dersim.clock import SimClock
from dersim.device import Device
from dersim.engine.assembly import build_fleet
from dersim.engine.simulator import Simulator
from dersim.errors import ConfigError
from dersim.fleet import Fleet
from dersim.invariants import Violation, Watcher, all_invariants
from dersim.invariants.leaks import Leaks
from dersim.invariants.loop_lag import LoopLag
from dersim.invariants.memory import Memory
from dersim.logbuffer import LogBuffer
from dersim.plugin.services import CsipService, NotifyTransportService, Services, TransportService
from dersim.sim_state.state import SimState
from dersim.testing.network import Transport
from dersim.testing.plan import WorldPlan
from dersim.testing.running import Running

if TYPE_CHECKING:
    from dersim.recorded.recorder import Recorder

T = TypeVar("T")

#: Called after each step of a fleet.
OnStep = Callable[["WorldSimulator"], None]
_OF_FLEET = 0
#: What is measured of the process in real time: several simulators may be in it, and time may be virtual.
_OF_THE_PROCESS = (Leaks, LoopLag, Memory)


async def _run(simulator: Simulator, kept: SimState | None, ready: trio.Event) -> None:
    """Run until it is stopped. kept: saves beside it, and once more at the end, unless it is killed."""
    if kept is None:
        await simulator.run(lambda _line: ready.set())
        return
    with contextlib.closing(kept):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kept.run)
            await simulator.run(lambda _line: ready.set())
            nursery.cancel_scope.cancel()
        kept.finish()


class WorldSimulator:
    """The DERs `first` to `first + count - 1`.

    simulator: the present one, another after each start. on_step: called after each step. violations: of
    invariants, where the plan has them watched.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        plan: WorldPlan,
        numbers: range,
        flags: tuple[str, ...],
        transport: Transport,
        now_s: Callable[[], float],
        log: LogBuffer,
    ) -> None:
        self.numbers = numbers
        self.log = log
        self.on_step: list[OnStep] = []
        self._plan, self._transport, self._now_s = plan, transport, now_s
        numbered = ("--first", str(numbers.start), "-N", str(len(numbers)))
        self._words = flags if plan.files is not None else (*flags, *numbered)
        self._running = Running(nursery)
        self._made: Simulator | None = None
        self._recorder: Recorder | None = None
        self._watcher: Watcher | None = None
        self.violations: list[Violation] = []
        self.clock = SimClock()

    @property
    def simulator(self) -> Simulator:
        """The present simulator; after a stop the one that has run."""
        assert self._made is not None, "start the simulator first"  # noqa: S101 - of the test that uses it
        return self._made

    @property
    def fleet(self) -> Fleet:
        """Its DERs."""
        return self.simulator.fleet

    @property
    def services(self) -> Services:
        """What its front-ends offer."""
        return self.simulator.services

    def device(self, number: int | None = None) -> Device:
        """A DER, by default the first."""
        found = self.fleet.find(self.numbers.start if number is None else number)
        if found is None:
            raise ConfigError(f"DER {number}: this simulator has {self.numbers}")
        return found

    def service(self, kind: type[T], number: int | None = None) -> T:
        """What a DER's front-end offers, by default the first DER's; ConfigError where none does."""
        number = self.numbers.start if number is None else number
        found = self.services.find(kind, number)
        if found is None:
            raise ConfigError(f"{kind.__name__} of DER {number}: no front-end of this simulator offers it")
        return found

    def client(self, number: int | None = None) -> CsipService:
        """The CSIP client of a DER, by default the first."""
        return self.service(CsipService, number)

    # ---- start and stop

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._running.is_up

    async def start(self, state: Mapping[str, Any] | None = None) -> None:
        """Start, and return when its front-ends run.

        state: of `checkpoint`; None: what its state file has, without one nothing.
        """
        if self.is_up:
            return
        options, registry = configure(self._flags())
        kept = SimState.of(options)
        self.clock = SimClock(start_s=self._now_s(), rate=self._plan.rate, tick_s=self._plan.tick_s)
        if kept is not None:
            kept.begin(self.clock)
        fleet = build_fleet(options, registry, self.clock, self.log)
        if self._plan.over == "memory":
            fleet.slice_s = math.inf
        self._made = simulator = Simulator(
            options=options, registry=registry, fleet=fleet, clock=self.clock, log=self.log, seed=options.seed
        )
        simulator.services.offer(TransportService, self._transport)
        if self._transport.notify is not None:
            simulator.services.offer(NotifyTransportService, self._transport.notify)
        made = options, registry, simulator, self.clock, self.log
        time: Literal["real", "virtual"] = "virtual" if self._plan.over == "memory" else "real"
        self._recorder = recorder_for(self._words, *made, time=time)
        if kept is not None:
            kept.restore(simulator, self.log)
        if state is not None:
            simulator.restore(state)
        ready = trio.Event()
        self._running.start(partial(_run, simulator, kept, ready))
        await ready.wait()
        self._watcher = self._watching(simulator) if self._plan.watch else None
        fleet.add_check(_OF_FLEET, self._stepped)

    def _flags(self) -> tuple[str, ...]:
        return self._words if self.state_file is None else (*self._words, "--state", str(self.state_file))

    @property
    def state_file(self) -> Path | None:
        """Where its state is kept; None where the plan has no folder for it."""
        folder = self._plan.state
        return None if folder is None else folder / f"der-{self.numbers.start}.sqlite"

    def _watching(self, simulator: Simulator) -> Watcher:
        parts = simulator.fleet, simulator.services, self.clock, self.log
        kinds = [each for each in all_invariants() if not isinstance(each, _OF_THE_PROCESS)]
        return Watcher(*parts, invariants=kinds, buffers=simulator.buffers, fences=simulator.fences)

    def _stepped(self) -> None:
        if self._watcher is not None:
            self.violations += self._watcher.step()
        for each in self.on_step:
            each(self)

    def checkpoint(self) -> dict[str, Any]:
        """The states of its DERs and their front-ends, as a restart takes them."""
        return self.simulator.checkpoint()

    async def stop(self) -> None:
        """Stop as at a signal: connections are closed cleanly."""
        if self._made is not None:
            self._made.stop()
            await self._running.ended()
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    async def kill(self) -> None:
        """End it at once, as a crash does: only what was saved before is left of it."""
        await self._running.stop()

    async def restart(self, state: Mapping[str, Any] | None = None) -> None:
        """Stop, and start with that state; without one it knows nothing."""
        await self.stop()
        await self.start(state)
