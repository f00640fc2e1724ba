"""`dersim sim`: reads the flags and runs the simulator.

The command line is read twice: first the selection of plug-ins, then, with the flags of those plug-ins, all
of it. Mistakes are found before anything runs.
"""

from __future__ import annotations

import secrets
import signal
from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime

import trio

from dersim.cli import sim_options
from dersim.cli.sim_options import COMPANION
from dersim.cli.stopping import STOP_DEADLINE_S, Watchdog, stop_at_signals
from dersim.clock import SimClock
from dersim.engine.assembly import build_fleet
from dersim.engine.simulator import Simulator
from dersim.errors import bare_errors
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser
from dersim.plugin.registry import Registry

#: The longest stop with more than 100 DERs, real seconds.
STOP_DEADLINE_MANY_S = 9.5


def main(args: Sequence[str]) -> int:
    """Run until stopped; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the simulator takes signals itself
    options, registry = configure(args)
    log = LogBuffer(stream_level=options.log_level)
    clock = SimClock(start_s=start_of(options), rate=options.rate, tick_s=options.tick)
    fleet = build_fleet(options, registry, clock, log)
    simulator = Simulator(
        options=options, registry=registry, fleet=fleet, clock=clock, log=log, seed=options.seed
    )
    trio.run(run_until_stopped, simulator, STOP_DEADLINE_S if options.count <= 100 else STOP_DEADLINE_MANY_S)
    return 0


def make_parser() -> OptionParser:
    """Every flag, those of all installed plug-ins and of --demo's server included."""
    return sim_options.make_parser(["--demo"])[0]


def configure(args: Sequence[str]) -> tuple[Namespace, Registry]:
    """The parsed flags, and what the selected plug-ins registered. ConfigError or PluginError."""
    parser, plugins = sim_options.make_parser(args)
    options = parser.parse_args(args)
    if options.seed is None:
        options.seed = secrets.randbelow(2**32)
    return options, plugins.register(options, also=(COMPANION,))


def start_of(options: Namespace) -> float | None:
    """The first instant of simulated time, UTC seconds; None: the computer's clock."""
    if options.wall_clock or options.start_clock_time is None:
        return None
    today = datetime.now(options.wall_clock_timezone).date()
    return datetime.combine(today, options.start_clock_time, options.wall_clock_timezone).timestamp()


async def run_until_stopped(simulator: Simulator, deadline_s: float) -> None:
    """Run it; SIGINT and SIGTERM stop it, and so may a front-end. At the deadline the process ends."""
    watchdog = Watchdog(deadline_s)
    try:
        with bare_errors(), stop_at_signals(simulator.stop, watchdog):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_watch, simulator, watchdog)
                await simulator.run(announce)
                nursery.cancel_scope.cancel()
    finally:
        watchdog.cancel()


def announce(line: str) -> None:
    """Print the ready line at once, even into a pipe."""
    print(line, flush=True)


async def _watch(simulator: Simulator, watchdog: Watchdog) -> None:
    await simulator.stopping.wait()
    watchdog.begin()
