"""One run of `dersim fleet` on a connected cluster, from the plan to the last line and the reports."""

from __future__ import annotations

import signal
import socket
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import trio

from dersim.cli import load_run
from dersim.cli.load_flags import is_measured
from dersim.cli.redaction import command_line
from dersim.cli.sim import start_of
from dersim.cli.terminal import stderr
from dersim.errors import ConfigError, bare_errors
from dersim.fleet_plan import FleetPlan
from dersim.fleet_run.board import Board
from dersim.fleet_run.luggage import Luggage
from dersim.fleet_run.plan import check_memory, cut, heaviest_bytes, shard_size
from dersim.fleet_run.steering import Steering
from dersim.fleet_run.telling import Telling, last_line
from dersim.fleet_run.view import FleetDocuments
from dersim.load import head
from dersim.load.head import RunHead
from dersim.load.tally import LoadTally
from dersim.logbuffer import LogBuffer
from dersim.pages.sockets import url_of

if TYPE_CHECKING:
    from dersim.fleet_run.cluster import Cluster


class Request(NamedTuple):
    """What a command line asks for. flags: words for every shard. words: as it was written."""

    options: Namespace
    ders: FleetPlan
    flags: tuple[str, ...]
    luggage: Luggage
    words: Sequence[str]


def dated(ders: FleetPlan, options: Namespace) -> FleetPlan:
    """The plan with its beginning, so that a shard that is restarted goes on with its churn and comms loss.

    Simulated time that is not the computer's begins anew with each shard, and so do these.
    """
    real = options.rate == 1 and start_of(options) is None
    return replace(ders, began_s=time.time()) if real else ders


class FleetRun:
    """One run. workers: with what each may take, bytes. listening: for the page.

    ConfigError: the fleet does not fit.
    """

    def __init__(
        self, request: Request, cluster: Cluster, workers: Mapping[str, float], listening: socket.socket
    ) -> None:
        if not workers:
            raise ConfigError(f"--scheduler {cluster.address}: it has no workers; start `dask worker` for it")
        options = request.options
        size = shard_size(request.ders.count, len(workers), options.shard_size)
        plan = cut(
            dated(request.ders, options),
            size,
            request.flags,
            options.seed,
            keeps=options.keep_states,
            places=request.luggage.places,
        )
        check_memory(heaviest_bytes(plan.shards, len(workers)), min(workers.values()), "each worker")
        self._request = request
        self._options = options
        self._cluster = cluster
        self._terminal = stderr()
        self._log = LogBuffer(stream_level=options.log_level or "Info", writer=self._terminal.writer)
        self._board = Board(plan)
        self._steering = Steering(cluster, self._board, request.luggage.pack, self._log)
        self._telling = Telling(self._board, self._log, self._terminal)
        self._listening = listening
        told = f"{plan.total} DERs in {len(plan.shards)} shards on {len(workers)} workers"
        self._log.log("Info", "Fleet", f"{told}; --seed {options.seed} repeats this run")

    async def run(self) -> int:
        """Until a signal, or the end of --duration; the exit code. DersimError: it cannot go on."""
        began_s = trio.current_time()
        try:
            with bare_errors():
                await self._run()
        finally:
            seconds = trio.current_time() - began_s
            self._log.log("Info", "Fleet", last_line(self._board, seconds, self._steering.unfinished))
            code = self._report()
        return 1 if self._steering.unfinished else code

    async def _run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stop_at_signals)
            nursery.start_soon(self._telling.run)
            nursery.start_soon(self._announce)
            nursery.start_soon(self._serve)
            await self._steering.run()
            nursery.cancel_scope.cancel()

    def _report(self) -> int:
        """The table, the files and the verdict of a run under load; the exit code."""
        if not is_measured(self._options):
            return 0
        tally = self._board.tally or LoadTally()
        return load_run.finish(self._options, self._head(), tally, self._terminal)

    def _head(self) -> RunHead:
        options, board = self._options, self._board
        cpu_s, peak_mib = board.spent()
        target, edition = board.target
        return RunHead(
            target=target,
            edition=edition,
            devices=board.plan.total,
            first=self._request.ders.first,
            ramp_per_s=options.ramp,
            wanted_s=options.duration,
            seed=options.seed,
            command=command_line(("dersim", "fleet", *self._request.words)),
            machine=head.machine(),
            versions=head.versions(),
            cpu_s=cpu_s,
            peak_mib=peak_mib,
            workers_lost=board.lost_workers,
            workers_restarted=board.restarts,
        )

    async def _serve(self) -> None:
        from dersim.fleet_run.page import serve  # noqa: PLC0415 - while the workers come up

        documents = FleetDocuments(self._board, self._log, self._options.seed)
        await serve(self._listening, documents, self._steering, self._log)

    async def _announce(self) -> None:
        """Print the ready line; --duration counts from then on."""
        await self._steering.begun.wait()
        addresses = {"fleet": url_of(self._listening), "scheduler": self._cluster.address}
        pairs = (f"{key}={value}" for key, value in addresses.items())
        print(" ".join(["dersim ready", *pairs]), flush=True)
        self._terminal.table(addresses)
        for wait in load_run.stop_after(self._options.duration, self._steering.stop):
            await wait()

    async def _stop_at_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                self._steering.stop()
