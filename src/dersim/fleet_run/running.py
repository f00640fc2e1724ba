"""One attempt of a shard, from its files to its summary: trio in a thread of the worker.

The lease has two readers. The gate keeps back what would be sent without a fresh one (`gate.py`); the watch
ends the attempt when another holds it, when its task is not wanted any more, or when the command was not
heard of for `ABANDONED_S`. A new attempt sends nothing before the lease of the old one is over.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import trio

from dersim.cli import sim_options
from dersim.cli.sim import descriptors_needed, start_of
from dersim.clock import SimClock
from dersim.descriptors import require
from dersim.engine.assembly import build_fleet
from dersim.engine.collector import keep_what_is_there, tune_collector
from dersim.engine.simulator import Simulator
from dersim.errors import ConfigError, DersimError, PluginError, origin_of, root_cause
from dersim.fleet_run import luggage
from dersim.fleet_run.gate import LEASE_S, LeaseGate
from dersim.fleet_run.messages import NoContactError, Outcome, ShardLife, Summary
from dersim.fleet_run.numbers import ShardView
from dersim.fleet_run.plan import LEFT_OUT, Shard
from dersim.fleet_run.saving import Saving
from dersim.load.recorder import LoadRecorder
from dersim.logbuffer import LogBuffer
from dersim.plugin.services import TransportService

#: Between two looks at the lease, and two tellings of the numbers, s.
LOOK_S, TELL_S = 1.0, 1.0
#: A look that takes longer is none, s.
_SLOW_LOOK_S = 3.0
#: A shard ends when its command was not heard of for so long, s.
ABANDONED_S = 15.0


def run_until_stopped(shard: Shard, files: Mapping[str, bytes], life: ShardLife) -> Summary:
    """Run a shard in this thread; every error is in the summary."""
    end = partial(Summary, shard.name, life.attempt)
    try:
        luggage.unpack(files, life.folder)
        attempt = Attempt(shard, *build(shard, life.folder), life)
        outcome = trio.run(attempt.run)
        return end(outcome, numbers=attempt.numbers, load=attempt.take_load())
    except BaseException as error:  # noqa: BLE001 - a group does not pickle, and Dask would call it lost
        cause = root_cause(error)
        bad_flag = isinstance(cause, ConfigError | PluginError)
        message = str(cause) if isinstance(cause, DersimError) else f"{cause!r} in {origin_of(error)}"
        return end("failed", message, config_error=bad_flag)
    finally:
        shutil.rmtree(life.folder, ignore_errors=True)


def build(shard: Shard, folder: Path) -> tuple[Simulator, LogBuffer, LoadRecorder | None]:
    """The simulator of a shard with its log and its measuring, not running yet. ConfigError, PluginError."""
    words = shard.words(folder)
    parser, plugins = sim_options.make_parser(words, "fleet", LEFT_OUT)
    options = parser.parse_args(words)
    options.plan = shard.plan(folder)
    options.first, options.count = shard.first, shard.count
    registry = plugins.register(options)
    log = LogBuffer(stream_level=options.log_level or "Error")
    clock = SimClock(start_s=start_of(options), rate=options.rate, tick_s=options.tick)
    require(descriptors_needed(options, registry), f"a shard of {shard.count} DERs")
    tune_collector()
    fleet = build_fleet(options, registry, clock, log)
    simulator = Simulator(
        options=options, registry=registry, fleet=fleet, clock=clock, log=log, seed=options.seed
    )
    if not options.load:
        return simulator, log, None
    recorder = LoadRecorder(fleet, clock, source=shard.name)
    simulator.services.offer(LoadRecorder, recorder)
    return simulator, log, recorder


class Attempt:
    """Runs a simulator under a lease. numbers: as they were told last."""

    def __init__(
        self,
        shard: Shard,
        simulator: Simulator,
        log: LogBuffer,
        recorder: LoadRecorder | None,
        life: ShardLife,
    ) -> None:
        self.gate = LeaseGate()
        self.numbers: dict[str, Any] = {}
        self._simulator = simulator
        self._log = log
        self._recorder = recorder
        self._life = life
        self._view = ShardView(shard, simulator)
        self._outcome: Outcome = "stopped"
        self._joined = False
        self._saving = Saving(simulator, log, life, self.gate) if shard.keeps else None
        simulator.services.offer(TransportService, self.gate)

    async def run(self) -> Outcome:
        """Until it is stopped; how it ended."""
        if await trio.to_thread.run_sync(self._life.take_lease):
            await trio.sleep(LEASE_S)  # until the lease of the attempt before is over
        if self._saving is not None:
            await self._saving.restore()
        token = trio.lowlevel.current_trio_token()
        send, orders = trio.open_memory_channel[dict[str, Any]](100)
        take = partial(_hand_over, token, send)
        await trio.to_thread.run_sync(self._life.take_orders, take)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch)
                if self._saving is not None:
                    nursery.start_soon(self._saving.run)
                nursery.start_soon(self._tell)
                nursery.start_soon(self._obey, orders)
                if self._recorder is not None:
                    nursery.start_soon(self._recorder.run)
                await self._simulator.run(lambda _line: None)
                nursery.cancel_scope.cancel()
        finally:
            with trio.move_on_after(_SLOW_LOOK_S, shield=True):
                await trio.to_thread.run_sync(self._bow_out, abandon_on_cancel=True)
        return self._outcome

    def take_load(self) -> bytes:
        """What was measured since this was last called; empty where load is not measured."""
        return b"" if self._recorder is None else self._recorder.take().to_bytes()

    def _bow_out(self) -> None:
        self._life.take_no_orders()
        self._life.give_back()

    async def _watch(self) -> None:
        """Confirm the lease once a second, and end what is not wanted any more."""
        beat, heard_s = -1, self.gate.now_s()
        while True:
            asked_s = self.gate.now_s()
            with trio.move_on_after(_SLOW_LOOK_S):
                try:
                    look = await trio.to_thread.run_sync(self._life.look, abandon_on_cancel=True)
                except NoContactError:
                    look = None
                if look is not None:
                    if (outcome := _verdict(look.mine, look.wanted, look.stop)) is not None:
                        return self._end(outcome)
                    self.gate.renew(asked_s)
                    if look.beat != beat:
                        beat, heard_s = look.beat, asked_s
            if self.gate.now_s() - heard_s > ABANDONED_S:
                return self._end("abandoned")
            await trio.sleep(LOOK_S)

    def _end(self, outcome: Outcome) -> None:
        if outcome not in ("stopped", "moved"):
            self.gate.end()
        self._outcome = outcome
        self._simulator.stop()

    async def _tell(self) -> None:
        while True:
            self.numbers = self._view.numbers()
            self._say("numbers", numbers=self.numbers, load=self.take_load())
            if not self._joined and self.numbers["states"].get("connected") == self.numbers["ders"]:
                self._joined = True
                keep_what_is_there()
            due_s = trio.current_time() + TELL_S
            await trio.sleep_until(due_s)
            self._view.lag_s = trio.current_time() - due_s

    async def _obey(self, orders: trio.MemoryReceiveChannel[dict[str, Any]]) -> None:
        async for order in orders:
            match order:
                case {"do": "stop"}:
                    self._end("stopped")
                case {"do": "move"}:
                    self._end("moved")
                case {"do": "show", "id": int(asked), "device": int(number)}:
                    await self._show(asked, number)

    async def _show(self, asked: int, number: int) -> None:
        """Answer with one DER. What makes the documents is loaded in a thread: it takes a second."""
        answers = await trio.to_thread.run_sync(importlib.import_module, "dersim.fleet_run.answers")
        lines = [each.to_json() for each in self._log.entries(device=number)]
        self._say("answer", id=asked, body=answers.der_document(self._simulator, number, lines))

    def _say(self, kind: str, **more: Any) -> None:
        who = {"kind": kind, "shard": self._view.shard.name, "attempt": self._life.attempt}
        self._life.tell({**who, "worker": self._life.worker, **more})


def _verdict(mine: bool, wanted: bool, stop: bool) -> Outcome | None:
    """How an attempt ends that sees this; None: it goes on."""
    if not mine:
        return "fenced"
    if not wanted:
        return "abandoned"
    return "stopped" if stop else None


def _hand_over(
    token: trio.lowlevel.TrioToken, send: trio.MemorySendChannel[dict[str, Any]], order: dict[str, Any]
) -> None:
    """Called in another thread. An order too many, or one that comes after the end, is dropped."""

    def put() -> None:
        try:
            send.send_nowait(order)
        except (trio.WouldBlock, trio.BrokenResourceError):
            return

    try:
        token.run_sync_soon(put)
    except trio.RunFinishedError:
        return
