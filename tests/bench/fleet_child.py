"""The client process of the `fleet` benchmark: `dersim sim` with a task that measures from within.

Prints one JSON object a line on stdout: {"phase": "joined", ...}, then {"phase": "measured", ...}. It stops
at SIGINT. Arguments: SETTLE_S WINDOW_S PROFILE, then the flags of `dersim sim`; PROFILE "-": none.
"""

from __future__ import annotations

import cProfile
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import trio

from dersim.cli import sim
from dersim.cli.run_report import FleetView, RunReport
from dersim.cli.terminal import stderr
from dersim.clock import SimClock
from dersim.engine.collector import tune_collector
from dersim.engine.simulator import Simulator
from dersim.plugin.services import CsipService
from dersim.sim_state.state import SimState

#: Between two looks at the loop's lag, s: so seldom that 100 DERs cost a hundred times as much.
LOOK_S = 0.05
#: A fleet that has not joined after so long is measured as it is, s.
LONGEST_JOIN_S = 300.0
STOP_DEADLINE_S = 30.0


def unique_set_bytes(pid: int | str = "self") -> int:
    """The memory that only this process has (USS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


class Probe:
    """Measures one run: the join, the settling, the window."""

    def __init__(
        self, simulator: Simulator, clock: SimClock, settle_s: float, window_s: float, profile: str
    ) -> None:
        self._clock = clock
        self._simulator = simulator
        self._settle_s = settle_s
        self._window_s = window_s
        self._profile = profile
        self.ready = trio.Event()

    async def run(self) -> None:
        """Tell each phase when it is over."""
        await self.ready.wait()
        begun_s, cpu_s = trio.current_time(), time.process_time()
        late: list[float] = []
        while self._connected() < len(self._simulator.fleet.devices):
            late += [await self._lateness() for _ in range(10)]
            if trio.current_time() - begun_s > LONGEST_JOIN_S:
                break
        joined = {"join_s": trio.current_time() - begun_s, "join_cpu_s": time.process_time() - cpu_s}
        self._tell("joined", connected=self._connected(), lag=quantiles_ms(late), **joined)
        await trio.sleep(self._settle_s)
        await self._measure()

    async def _measure(self) -> None:
        size_bytes, before = unique_set_bytes(), self._counts()
        begun_s, cpu_s = trio.current_time(), time.process_time()
        late: list[float] = []
        ticks: list[float] = []
        profile = cProfile.Profile(time.process_time)
        if self._profile != "-":
            profile.enable()
        while trio.current_time() - begun_s < self._window_s:
            late.append(await self._lateness())
            ticks.append(self._clock.lag_s)
        if self._profile != "-":
            profile.disable()
            profile.dump_stats(self._profile)
        spent = {"window_s": trio.current_time() - begun_s, "cpu_s": time.process_time() - cpu_s}
        now = self._counts()
        self._tell(
            "measured",
            uss_bytes=[size_bytes, unique_set_bytes()],
            requests=now["requests"] - before["requests"],
            errors=now["errors"],
            connected=self._connected(),
            lag=quantiles_ms(late),
            tick_lag=quantiles_ms(ticks),
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
            **spent,
        )

    async def _lateness(self) -> float:
        due_s = trio.current_time() + LOOK_S
        await trio.sleep_until(due_s)
        return trio.current_time() - due_s

    def _clients(self) -> list[CsipService]:
        simulator = self._simulator
        found = (simulator.services.find(CsipService, each.number) for each in simulator.fleet.devices)
        return [client for client in found if client is not None]

    def _connected(self) -> int:
        return sum(client.state == "connected" for client in self._clients())

    def _counts(self) -> dict[str, int]:
        counts = [client.counts() for client in self._clients()]
        return {name: sum(each[name] for each in counts) for name in ("requests", "errors")}

    def _tell(self, phase: str, **found: Any) -> None:
        print(json.dumps({"phase": phase, **found}), flush=True)


def quantiles_ms(late_s: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum, ms."""
    ordered = sorted(late_s) or [0.0]
    last = len(ordered) - 1
    return {
        name: 1000 * ordered[round(last * share)] for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))
    }


async def _live(
    simulator: Simulator, report: RunReport, probe: Probe, save: Callable[[], Awaitable[None]] | None
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(probe.run)
        await sim.run_until_stopped(simulator, STOP_DEADLINE_S, report, () if save is None else (save,))
        nursery.cancel_scope.cancel()


class _Report(RunReport):
    """The report of `dersim sim`; the probe waits for its ready line."""

    ready: trio.Event

    def announce(self, line: str) -> None:
        super().announce(line)
        self.ready.set()


def main(arguments: Sequence[str]) -> None:
    """As `dersim sim`, see `cli.sim.main`."""
    settle_s, window_s, profile, *flags = arguments
    options, registry = sim.configure(flags)
    terminal = stderr()
    log, _ = sim.make_log(options, terminal)
    state = SimState.of(options)
    simulator, clock = sim.make_simulator(options, registry, log, state)
    probe = Probe(simulator, clock, float(settle_s), float(window_s), profile)
    report = _Report(FleetView(simulator.fleet, simulator.services, simulator.fences), log, None, None)
    report.ready = probe.ready
    tune_collector()
    trio.run(_live, simulator, report, probe, None if state is None else state.run)


if __name__ == "__main__":
    main(sys.argv[1:])
