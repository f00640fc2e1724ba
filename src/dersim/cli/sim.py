"""`dersim sim`: reads the flags and runs the simulator.

The command line is read twice: first the selection of plug-ins, then, with the flags of those plug-ins, all
of it. Mistakes are found before anything runs.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import trio

from dersim.cli import sim_options
from dersim.cli.background import in_a_thread
from dersim.cli.load_run import LoadRun, stop_after
from dersim.cli.recording import recorder_for
from dersim.cli.run_report import RunReport
from dersim.cli.short_form import ShortForm
from dersim.cli.stopping import STOP_DEADLINE_S, Watchdog, stop_at_signals
from dersim.cli.terminal import Terminal, stderr
from dersim.cli.watching import InvariantWatch
from dersim.clock import SimClock
from dersim.descriptors import require
from dersim.engine.assembly import build_fleet
from dersim.engine.collector import tune_collector
from dersim.engine.simulator import Simulator
from dersim.errors import bare_errors
from dersim.ieee2030_5.schema import making_ready_by
from dersim.logbuffer import Level, LogBuffer
from dersim.options import OptionParser
from dersim.plugin.loader import COMPANION
from dersim.plugin.registry import Registry
from dersim.sim_state.state import SimState

#: The longest stop with more than 100 DERs, real seconds.
STOP_DEADLINE_MANY_S = 9.5


def main(args: Sequence[str]) -> int:
    """Run until stopped; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the simulator takes signals itself
    options, registry = configure(args)
    terminal = stderr()
    log, short = make_log(options, terminal)
    state = SimState.of(options)
    with contextlib.ExitStack() as open_files, making_ready_by(in_a_thread):
        if state is not None:
            open_files.enter_context(contextlib.closing(state))
        simulator, clock = make_simulator(options, registry, log, state)
        recorder = recorder_for(args, options, registry, simulator, clock, log)
        if recorder is not None:
            open_files.enter_context(contextlib.closing(recorder))
        report = RunReport.of(simulator, log, terminal, short)
        tune_collector()
        deadline_s = STOP_DEADLINE_S if options.count <= 100 else STOP_DEADLINE_MANY_S
        load = LoadRun.of(options, simulator, clock, ("dersim", "sim", *args))
        watch = InvariantWatch.of(options, simulator, clock, log)
        running = [each.run for each in (load, watch, state) if each is not None]
        beside = (*running, *stop_after(options.duration, simulator.stop))
        finish = _nothing if state is None else state.finish
        trio.run(run_until_stopped, simulator, deadline_s, report, beside, finish)
    code = 0 if load is None else load.finish(terminal)
    return code if watch is None else watch.finish() or code


def _nothing() -> None:
    return None


def make_simulator(
    options: Namespace, registry: Registry, log: LogBuffer, state: SimState | None = None
) -> tuple[Simulator, SimClock]:
    """The simulator and its clock, not running yet. state: from which it goes on.

    ConfigError or PluginError for what cannot be made, or for a state that it cannot take over.
    """
    first_s = start_of(options)
    start_s = first_s if state is None else state.start_s(first_s)
    clock = SimClock(start_s=start_s, rate=options.rate, tick_s=options.tick)
    require(
        descriptors_needed(options, registry), f"-N {options.count}" if options.fleet is None else "--fleet"
    )
    if state is not None:
        state.begin(clock)
    fleet = build_fleet(options, registry, clock, log)
    simulator = Simulator(
        options=options, registry=registry, fleet=fleet, clock=clock, log=log, seed=options.seed
    )
    if state is not None:
        state.restore(simulator, log)
    return simulator, clock


def descriptors_needed(options: Namespace, registry: Registry) -> int:
    """How many sockets the DERs of this run have: connections and listeners."""
    running = {kind.name for kind in registry.frontends.values()}
    csip = "csip" in running
    ends = csip + (csip and COMPANION in running)
    return int(options.count * (ends + ("modbus" in running and options.mb_enable)))


def make_log(options: Namespace, terminal: Terminal) -> tuple[LogBuffer, ShortForm | None]:
    """The log, and in a terminal the short form, which --log_level turns off."""
    level: Level = options.log_level or "Info"
    if terminal.look.interactive and options.log_level is None:
        short = ShortForm(terminal.write, time.monotonic, everything=options.count == 1)
        return LogBuffer(writer=short.write), short
    return LogBuffer(stream_level=level, writer=terminal.writer), None


def make_parser() -> OptionParser:
    """Every flag, those of all installed plug-ins and of --demo's server included."""
    return sim_options.make_parser(["--demo"])[0]


def configure(args: Sequence[str]) -> tuple[Namespace, Registry]:
    """The parsed flags with `plan`, and what the selected plug-ins registered. ConfigError or PluginError."""
    parser, plugins = sim_options.make_parser(args)
    options = parser.parse_args(args)
    plugins.adapt_options(options, parser.given(args))
    options.given_seed = options.seed
    if options.seed is None:
        options.seed = secrets.randbelow(2**32)
    options.plan = sim_options.read_plan(options)
    options.count = options.plan.count
    return options, plugins.register(options, also=(COMPANION,))


def start_of(options: Namespace) -> float | None:
    """The first instant of simulated time, UTC seconds; None: the computer's clock."""
    if options.wall_clock or options.start_clock_time is None:
        return None
    today = datetime.now(options.wall_clock_timezone).date()
    return datetime.combine(today, options.start_clock_time, options.wall_clock_timezone).timestamp()


async def run_until_stopped(
    simulator: Simulator,
    deadline_s: float,
    report: RunReport | None = None,
    beside: Sequence[Callable[[], Awaitable[None]]] = (),
    finish: Callable[[], None] = _nothing,
) -> None:
    """Run it; SIGINT and SIGTERM stop it, and so may a front-end. At the deadline the process ends.

    report: tells how it goes; None prints the ready line alone. beside: started once it is ready. finish:
    called at the end, before the deadline.
    """
    watchdog = Watchdog(deadline_s)
    try:
        with bare_errors(), stop_at_signals(simulator.stop, watchdog):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_watch, simulator, watchdog)
                if report is not None:
                    nursery.start_soon(report.run)
                    for task in beside:
                        nursery.start_soon(_once_ready, report, task)
                await simulator.run(announce if report is None else report.announce)
                nursery.cancel_scope.cancel()
    finally:
        finish()
        watchdog.cancel()


async def _once_ready(report: RunReport, task: Callable[[], Awaitable[None]]) -> None:
    await report.announced.wait()
    await task()


def announce(line: str) -> None:
    """Print the ready line at once, even into a pipe."""
    print(line, flush=True)


async def _watch(simulator: Simulator, watchdog: Watchdog) -> None:
    await simulator.stopping.wait()
    watchdog.begin()
