"""`dersim replay-conversation FILE.jsonl`: a recorded run again, without its server, and compared."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from dersim.cli import sim_options
from dersim.cli.commands import command_parser
from dersim.cli.outcomes import CHECK_FAILED
from dersim.cli.recording import recorder_of
from dersim.cli.sim import configure
from dersim.clock import SimClock
from dersim.csip.subscriptions.hub import NotifyHub
from dersim.engine.assembly import build_fleet
from dersim.engine.simulator import Simulator
from dersim.errors import ConfigError, bare_errors
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser, names, new_file, number
from dersim.plugin.services import PeersService
from dersim.recorded.changes import Changes
from dersim.recorded.comparing import Allowed
from dersim.recorded.heads import replay_words
from dersim.recorded.notifying import ReplayHub
from dersim.recorded.reader import Record, read_record
from dersim.recorded.script import Script
from dersim.virtual_time import run_virtual

if TYPE_CHECKING:
    from dersim.plugin.registry import Registry
    from dersim.recorded.differences import Differences
    from dersim.recorded.recorder import Recorder

#: By how much times and measured values may differ: in a record of real time clocks read a little
#: differently, and where a step of the DER and a reading fall on one instant, either may come first. What a
#: busy computer is late, in real time, is --rate times as much in simulated time.
REAL_WITHIN_S, VIRTUAL_WITHIN_S, PERCENT = 2.0, 0.01, 5.0
#: The front-ends that run: all others were heard by the recorder.
_FRONTENDS = {"csip"}


def main(args: Sequence[str]) -> int:
    """Replay; 3 where something else was sent."""
    options = make_parser().parse_args(args)
    record = read_record(options.file)
    if options.record is not None and options.record.exists() and options.record.samefile(options.file):
        raise ConfigError(f"--record {options.record}: this is the record itself; give another file")
    for notice in record.notices:
        print(f"dersim: {record.path}: {notice}", file=sys.stderr)
    allowed = allowed_of(options, record)
    with tempfile.TemporaryDirectory(prefix="dersim-replay-") as folder:
        found = replay(record, allowed, Path(folder), options)
    return tell(record, found)


def make_parser() -> OptionParser:
    """The arguments of `dersim replay-conversation`."""
    parser = command_parser("replay-conversation")
    add_arguments(parser)
    return parser


def add_arguments(parser: ArgumentParser) -> None:
    """The record, the time in which it is replayed, and what is no difference."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE.jsonl", help="a record of dersim sim --record")
    time = parser.add_mutually_exclusive_group()
    time.add_argument(
        "--virtual",
        action="store_true",
        default=True,
        help="nothing waits: an hour takes seconds; the default",
    )
    time.add_argument("--realtime", action="store_true", help="as long as the run took")
    add("--within", type=number(0, 86_400, unit="seconds"), default=None, metavar="SECONDS",
        help="by how much times may differ, of requests and in bodies, simulated seconds "
             f"({REAL_WITHIN_S:g} times --rate; for one of virtual time {VIRTUAL_WITHIN_S:g})")  # fmt: skip
    add("--tolerance", type=number(0, 100), default=None, metavar="PERCENT",
        help=f"by how much measured values may differ, above 0 always by one unit ({PERCENT:g})")  # fmt: skip
    add("--ignore", type=names, default=(), metavar="NAME,...",
        help="elements and headers that are not compared")  # fmt: skip
    add("--exact", action="store_true", help="compare bytes too, and allow no tolerance")
    add("--record", type=new_file, default=None, metavar="FILE.jsonl",
        help="record the replay: a record in exact times")  # fmt: skip
    add("--log_level", type=sim_options.level, default=None, metavar="LEVEL",
        help="show the log of the DERs on stderr, from this level")  # fmt: skip


def allowed_of(options: Namespace, record: Record) -> Allowed:
    """What the flags and the kind of record allow."""
    real = record.head["clock"] == "real" or options.realtime
    within_s = REAL_WITHIN_S if real and not options.exact else VIRTUAL_WITHIN_S
    percent = 0.0 if options.exact else PERCENT
    return Allowed(
        within_s if options.within is None else options.within,
        percent if options.tolerance is None else options.tolerance,
        options.exact,
        frozenset(options.ignore),
    )


def replay(record: Record, allowed: Allowed, folder: Path, options: Namespace) -> Differences:
    """Run the clients of a record against what was recorded. folder: for the files that its flags name."""
    words = replay_words(record.head, folder)
    try:
        of_run, registry = configure(words)
    except ConfigError as error:
        raise ConfigError(f"{record.path}: its flags cannot be used here: {error}") from error
    registry.frontends.keep(_FRONTENDS)
    if (began_s := record.head.get("began_s")) is not None:
        of_run.plan = replace(of_run.plan, began_s=began_s)
    log = _log(options)
    clock = SimClock(start_s=record.head["start_s"], rate=of_run.rate, tick_s=of_run.tick)
    fleet = build_fleet(of_run, registry, clock, log, record.head.get("profiles_from_s"))
    simulator = Simulator(
        options=of_run, registry=registry, fleet=fleet, clock=clock, log=log, seed=of_run.seed
    )
    simulator.restore(record.head.get("state", {}))
    if options.within is None and allowed.within_s == REAL_WITHIN_S:
        allowed = replace(allowed, within_s=REAL_WITHIN_S * max(of_run.rate, 1.0))
    script = Script(record, clock, allowed)
    recorder = _recorder(record, options, of_run, registry, simulator, clock, log, script)
    try:
        if options.realtime:
            trio.run(_run, simulator, record, script)
        else:
            run_virtual(_run, simulator, record, script)
    finally:
        if recorder is not None:
            recorder.close()
    script.finish()
    return script.differences


def _log(options: Namespace) -> LogBuffer:
    if options.log_level is None:
        return LogBuffer(writer=lambda _entry: None)
    return LogBuffer(stream_level=options.log_level)


def _recorder(
    record: Record,
    options: Namespace,
    of_run: Namespace,
    registry: Registry,
    simulator: Simulator,
    clock: SimClock,
    log: LogBuffer,
    script: Script,
) -> Recorder | None:
    if options.record is None:
        simulator.services.offer(PeersService, script)
        return None
    return recorder_of(
        options.record,
        of_run,
        registry,
        simulator,
        clock,
        log,
        words=record.head["flags"],
        time="real" if options.realtime else "virtual",
        inner=script,
        keeps="state" in record.head,
    )


async def _run(simulator: Simulator, record: Record, script: Script) -> None:
    devices = {each.number: each for each in simulator.fleet.devices}
    hub = ReplayHub(record.head.get("notify_url", ""))
    if "notify_url" in record.head:
        simulator.services.offer(NotifyHub, hub)
    rate = script.rate

    async def stop_at_end() -> None:
        await trio.sleep(max(record.end_s - script.now_s(), 0.0) / rate)
        simulator.stop()

    with bare_errors():
        async with trio.open_nursery() as nursery:
            changes = Changes(record.changes, devices, simulator.services, script, hub)
            simulator.on_start.append(lambda: nursery.start_soon(changes.run, rate))
            simulator.on_start.append(lambda: nursery.start_soon(stop_at_end))
            await simulator.run(lambda _line: None)
            nursery.cancel_scope.cancel()


def tell(record: Record, found: Differences) -> int:
    """Print what was found; the exit code."""
    for line in found.told():
        print(line)
    ders = len(record.head["ders"])
    what = f"{record.count} requests of {ders} DER{'s' if ders > 1 else ''} in {record.end_s:.0f} s"
    by = f"recorded by dersim {record.head['dersim']}"
    if found.count:
        print(f"{found.count} difference{'s' if found.count > 1 else ''} in {what}, {by}")
        return CHECK_FAILED
    print(f"same: {what}, {by}")
    return os.EX_OK
