"""`dersim fleet`: a fleet of CSIP clients on the workers of Dask, here or on a cluster that exists."""

from __future__ import annotations

import argparse
import secrets
import signal
import socket
import uuid
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

from dersim.cli import sim_options
from dersim.cli.load_flags import is_measured
from dersim.errors import ConfigError, bare_errors
from dersim.fleet_file import MOST_DERS, read_fleet
from dersim.fleet_plan import FleetPlan, plan_of_flags
from dersim.fleet_run import luggage
from dersim.fleet_run.fleet import FleetRun, Request
from dersim.fleet_run.messages import Run
from dersim.fleet_run.plan import (
    DEFAULT_SHARD_SIZE,
    DER_BYTES,
    FILES,
    LEFT_OUT,
    WORKER_BYTES,
    check_memory,
)
from dersim.fleet_run.words import for_shards, given
from dersim.load.latencies import library
from dersim.numeric import shown
from dersim.options import OptionParser, count, port, readable_file, yes_no
from dersim.pages.sockets import bind_socket

if TYPE_CHECKING:
    from dersim.fleet_run.cluster import Cluster

#: The page is for this machine; from elsewhere: ssh -L 8120:127.0.0.1:8120.
HOST, DEFAULT_PORT = "127.0.0.1", 8120
#: Flags that are not handed on to the shards as they were written.
_OWN = frozenset(
    {"workers", "shard_size", "scheduler", "tls_ca", "tls_cert", "tls_key", "port", "keep_states"}
    | {"duration", "load", "load_report", "load_json", "load_junit", "thresholds"}
    | {"file", "fleet", "count", "first", "seed", "demo", "plugins", "without"}
    | {"use_test_pki_certs", "csip_root_cert"}
)


def main(args: Sequence[str]) -> int:
    """Run until stopped, or for --duration; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the fleet takes signals itself
    request = read(args)
    open_cluster = _opener(request.options, request.ders, Run(uuid.uuid4().hex[:12]))
    with bind_socket("--port", HOST, request.options.port) as listening, bare_errors():
        return trio.run(_run, request, open_cluster, listening)


def make_parser() -> OptionParser:
    """Every flag, those of all installed plug-ins included."""
    return _parser([])


def _parser(args: Sequence[str]) -> OptionParser:
    parser, _ = sim_options.make_parser(args, "fleet", LEFT_OUT, "[FILE] [flags]")
    parser.flags["-N"].type = count(1, MOST_DERS)
    parser.flags["--demo"].help = argparse.SUPPRESS  # refused below, with what to do instead
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
    add("--keep-states", type=yes_no, default=True, metavar="yes|no",
        help="save the states of all DERs every 3 s, and tell a reading or a Response only once it is saved; "
             "no: a lost shard begins anew")  # fmt: skip
    add("--port", type=port, default=DEFAULT_PORT, help="port of the page and of /metrics, on 127.0.0.1")
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
    _, plugins = sim_options.make_parser(args, "fleet", LEFT_OUT)
    if grids := plugins.grids(options):
        raise ConfigError(
            f"grid {grids[0]}: it needs all DERs in one process, and a fleet has several; "
            f"leave out its flags, or use dersim sim"
        )
    ders = _ders(options)
    flags, files = for_shards(parser, args, _OWN)
    packed = luggage.Luggage(options, ders, files)
    if options.scheduler is not None:
        luggage.check_way(options.scheduler, packed)
    flags += ["--use_test_pki_certs", f"{FILES}/{packed.own}", *_selection(args)]
    if is_measured(options):
        library()
        flags.append("--load")
    return Request(options, ders, tuple(flags), packed, tuple(args))


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


async def _run(request: Request, open_cluster: Callable[[], Cluster], listening: socket.socket) -> int:
    cluster = await trio.to_thread.run_sync(open_cluster)
    try:
        await trio.to_thread.run_sync(cluster.check_versions)
        workers = await trio.to_thread.run_sync(cluster.workers)
        return await FleetRun(request, cluster, workers, listening).run()
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(cluster.close)


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
