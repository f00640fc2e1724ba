"""`dersim fleet`: a fleet of CSIP clients on the workers of Dask, here or on a cluster that exists."""

from __future__ import annotations

import argparse
import math
import secrets
import signal
import uuid
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import trio

from dersim.cli import sim_options
from dersim.cli.load_flags import duration_s
from dersim.cli.terminal import stderr
from dersim.errors import ConfigError, bare_errors
from dersim.fleet_file import MOST_DERS, read_fleet
from dersim.fleet_plan import FleetPlan, plan_of_flags
from dersim.fleet_run import luggage
from dersim.fleet_run.board import Board
from dersim.fleet_run.messages import Run
from dersim.fleet_run.plan import (
    DEFAULT_SHARD_SIZE,
    DER_BYTES,
    FILES,
    LEFT_OUT,
    WORKER_BYTES,
    check_memory,
    cut,
    heaviest_bytes,
    shard_size,
)
from dersim.fleet_run.steering import Steering
from dersim.fleet_run.telling import Telling, last_line
from dersim.fleet_run.words import for_shards, given
from dersim.logbuffer import LogBuffer
from dersim.numeric import shown
from dersim.options import OptionParser, count, readable_file

if TYPE_CHECKING:
    from dersim.fleet_run.cluster import Cluster

#: Flags that are not handed on to the shards as they were written.
_OWN = frozenset(
    {"workers", "shard_size", "scheduler", "tls_ca", "tls_cert", "tls_key", "duration"}
    | {"file", "fleet", "count", "first", "seed", "demo", "plugins", "without"}
    | {"use_test_pki_certs", "csip_root_cert"}
)


class Request(NamedTuple):
    """What a command line asks for. flags: words for every shard."""

    options: Namespace
    ders: FleetPlan
    flags: tuple[str, ...]
    luggage: luggage.Luggage


def main(args: Sequence[str]) -> int:
    """Run until stopped, or for --duration; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the fleet takes signals itself
    request = read(args)
    open_cluster = _opener(request.options, request.ders, Run(uuid.uuid4().hex[:12]))
    with bare_errors():
        return trio.run(_run, request, open_cluster)


def make_parser() -> OptionParser:
    """Every flag, those of all installed plug-ins included."""
    return _parser([])


def _parser(args: Sequence[str]) -> OptionParser:
    parser, _ = sim_options.make_parser(args, "fleet", LEFT_OUT, "[FILE] [flags]")
    parser.flags["-N"].type = count(1, MOST_DERS)
    parser.add_argument("file", nargs="?", metavar="FILE", help="fleet file, as with --fleet")
    group = parser.add_argument_group("the fleet")
    add = group.add_argument
    add("--workers", type=count(1, 256), default=2, metavar="COUNT", help="processes on this machine")
    add("--scheduler", type=_scheduler, metavar="tls://HOST:8786",
        help="run on the workers of this Dask cluster instead")  # fmt: skip
    add("--tls-ca", type=readable_file, metavar="FILE", help="CA of a tls:// scheduler, PEM")
    add("--tls-cert", type=readable_file, metavar="FILE", help="our certificate for it, PEM")
    add("--tls-key", type=readable_file, metavar="FILE", help="the private key, PEM")
    add("--shard-size", type=count(1, 10_000), default=DEFAULT_SHARD_SIZE, metavar="COUNT",
        help="DERs that run and are started again together; fewer where workers would idle")  # fmt: skip
    add("--duration", type=duration_s, default=math.inf, metavar="TIME",
        help="stop after so long, such as 30s, 10m or 2h, counted from when all are connected")  # fmt: skip
    return parser


def read(args: Sequence[str]) -> Request:
    """The command line as a request. ConfigError."""
    args = _with_flag_for_file(args)
    parser = _parser(args)
    options = parser.parse_args(args)
    if options.demo:
        raise ConfigError(
            "--demo: a fleet has no server of its own; start `dersim server` and give --csip_server_ip"
        )
    if options.seed is None:
        options.seed = secrets.randbelow(2**32)
    ders = _ders(options)
    flags, files = for_shards(parser, args, _OWN)
    packed = luggage.Luggage(options, ders, files)
    if options.scheduler is not None:
        luggage.check_way(options.scheduler, packed)
    flags += ["--use_test_pki_certs", f"{FILES}/{packed.own}", *_selection(args)]
    return Request(options, ders, tuple(flags), packed)


def _with_flag_for_file(args: Sequence[str]) -> Sequence[str]:
    """``FILE`` as ``--fleet FILE``, which the selection of plug-ins knows."""
    parser = _parser([word for word in args if word != "--fleet"])
    options = parser.parse_args(args)
    if options.file is None:
        return args
    if options.fleet is not None:
        raise ConfigError(f"{options.file} and --fleet {options.fleet}: give one fleet file")
    words = [word for each in given(parser, args) for word in each.words]
    return [*words, "--fleet", options.file]


def _ders(options: Namespace) -> FleetPlan:
    if options.fleet is None:
        return plan_of_flags(options)
    if options.count is not None:
        raise ConfigError(f"-N {options.count} and {options.fleet}: the file says how many DERs there are")
    return read_fleet(options.fleet, options.first or 1)


def _selection(args: Sequence[str]) -> list[str]:
    """The plug-ins that the flags and the fleet file select, as flags."""
    only, without = sim_options.read_selection(list(args))
    chosen = ["--plugins", ",".join(only)] if only else []
    return [*chosen, "--without", ",".join(without)]


def _opener(options: Namespace, ders: FleetPlan, run: Run) -> Callable[[], Cluster]:
    """What connects to the cluster, or starts one. ConfigError: Dask is missing, or memory."""
    from dersim.fleet_run import cluster  # noqa: PLC0415 - an extra

    if options.scheduler is None:
        needed = ders.count * DER_BYTES + options.workers * WORKER_BYTES
        check_memory(needed, cluster.machine_bytes(), "this machine")
        return lambda: cluster.Cluster.own(options.workers, run)
    paths = (options.tls_ca, options.tls_cert, options.tls_key)
    files = cluster.TlsFiles(*(path and str(path) for path in paths))
    return lambda: cluster.Cluster.existing(options.scheduler, files, run)


async def _run(request: Request, open_cluster: Callable[[], Cluster]) -> int:
    cluster = await trio.to_thread.run_sync(open_cluster)
    try:
        await trio.to_thread.run_sync(cluster.check_versions)
        workers = await trio.to_thread.run_sync(cluster.workers)
        return await FleetRun(request, cluster, workers).run()
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(cluster.close)


class FleetRun:
    """One run. workers: with what each may take, bytes. ConfigError: the fleet does not fit."""

    def __init__(self, request: Request, cluster: Cluster, workers: Mapping[str, float]) -> None:
        if not workers:
            raise ConfigError(f"--scheduler {cluster.address}: it has no workers; start `dask worker` for it")
        options = request.options
        size = shard_size(request.ders.count, len(workers), options.shard_size)
        plan = cut(request.ders, size, request.flags, options.seed, request.luggage.places)
        check_memory(heaviest_bytes(plan.shards, len(workers)), min(workers.values()), "each worker")
        self._options = options
        self._cluster = cluster
        self._terminal = stderr()
        self._log = LogBuffer(stream_level=options.log_level or "Info", writer=self._terminal.writer)
        self._board = Board(plan)
        self._steering = Steering(cluster, self._board, request.luggage.pack, self._log)
        self._telling = Telling(self._board, self._log, self._terminal)
        told = f"{plan.total} DERs in {len(plan.shards)} shards on {len(workers)} workers"
        self._log.log("Info", "Fleet", f"{told}; --seed {options.seed} repeats this run")

    async def run(self) -> int:
        """Until a signal, or the end of --duration; the exit code."""
        began_s = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stop_at_signals)
            nursery.start_soon(self._stop_after_duration)
            nursery.start_soon(self._telling.run)
            nursery.start_soon(self._announce)
            await self._steering.run()
            nursery.cancel_scope.cancel()
        seconds = trio.current_time() - began_s
        self._log.log("Info", "Fleet", last_line(self._board, seconds, self._steering.unfinished))
        return 1 if self._steering.unfinished else 0

    async def _announce(self) -> None:
        await self._steering.begun.wait()
        print(f"dersim ready scheduler={self._cluster.address}", flush=True)

    async def _stop_at_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                self._steering.stop()

    async def _stop_after_duration(self) -> None:
        await self._telling.joined.wait()
        await trio.sleep(self._options.duration)
        self._steering.stop()


def _scheduler(text: str) -> str:
    """``tls://HOST:PORT`` or ``tcp://HOST:PORT``."""
    try:
        where = urlsplit(text)
        good = where.scheme in ("tls", "tcp") and where.hostname and where.port
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(
            f"an address such as tls://192.0.2.5:8786 is needed, not {shown(text)}"
        )
    return text
