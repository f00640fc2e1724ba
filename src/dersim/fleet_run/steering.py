"""Keeps every shard of a fleet running until the stop: submits, submits again, beats, stops."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import trio

from dersim.errors import ConfigError, DersimError
from dersim.fleet_run.board import Board
from dersim.fleet_run.messages import Done, NoContactError
from dersim.fleet_run.plan import Shard
from dersim.fleet_run.workforce import Workforce
from dersim.logbuffer import LogBuffer

#: Between two beats of the command, s.
BEAT_S = 1.0
#: Attempts in a row that a shard may fail before the fleet ends, and the pause before the next, s.
MOST_FAILURES, PAUSE_S = 5, 1.0
#: Between two looks at how the shards are placed, s.
LEVEL_S = 5.0
#: A scheduler that has not answered for so long is gone, s.
GONE_S = 15.0
#: The longest stop, s.
STOP_S = 10.0
#: The longest wait for a shard's answer about one DER, s.
ANSWER_S = 3.0
#: Looks at the workers of the cluster, one in so many beats.
_LOOK_BEATS = 5

Pack = Callable[[Shard], Mapping[str, bytes]]


class Steering:
    """Runs the shards of `board.plan` on `workforce`. pack: the files of a shard.

    Once `run` has returned, `unfinished` has the shards that did not confirm their stop.
    """

    def __init__(self, workforce: Workforce, board: Board, pack: Pack, log: LogBuffer) -> None:
        self.unfinished: list[str] = []
        self.begun = trio.Event()
        self._workforce = workforce
        self.board = board
        self._pack = pack
        self._log = log
        self._stopping = trio.Event()
        self._running: dict[str, Shard] = {}
        self._failures: Counter[str] = Counter()
        self._all_ended = trio.Event()
        self._numbers = itertools.count(1)
        self._asked: dict[int, trio.MemorySendChannel[str]] = {}

    def stop(self) -> None:
        """Stop all shards; may be called more than once."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop` and the last shard's end. ConfigError, DersimError: a shard cannot run."""
        token = trio.lowlevel.current_trio_token()
        send, events = trio.open_memory_channel[dict[str, Any]](1000)
        ended, ends = trio.open_memory_channel[Done](1000)
        take, done = partial(_put, token, send), partial(_put, token, ended)
        shards = self.board.plan.shards
        await trio.to_thread.run_sync(self._workforce.begin, shards, take)
        workers = sorted(await trio.to_thread.run_sync(self._workforce.workers))
        self.board.see_workers(workers)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, events)
            nursery.start_soon(self._beat)
            nursery.start_soon(self._level)
            nursery.start_soon(self._follow, ends, done)
            for position, shard in enumerate(shards):
                await self._submit(shard, workers[position % len(workers)] if workers else None, done)
            self.begun.set()
            await self._stopping.wait()
            await self._stop_all()
            nursery.cancel_scope.cancel()

    async def show(self, number: int) -> str | None:
        """One DER as JSON, from its shard. None where it does not answer or there is no such DER."""
        shard = self.board.plan.shard_of(number)
        row = self.board.rows[shard.name] if shard is not None else None
        if row is None or not row.attempt:
            return None
        asked = next(self._numbers)
        send, answers = trio.open_memory_channel[str](1)
        self._asked[asked] = send
        order = {"do": "show", "id": asked, "device": number}
        try:
            with trio.move_on_after(ANSWER_S), contextlib.suppress(NoContactError):
                await trio.to_thread.run_sync(self._workforce.order, row.attempt, order)
                return await answers.receive()
        finally:
            del self._asked[asked]
        return None

    async def _listen(self, events: trio.MemoryReceiveChannel[dict[str, Any]]) -> None:
        async for event in events:
            match event:
                case {"kind": "numbers", "shard": str(name)} if name in self.board.rows:
                    self._take_numbers(name, event)
                case {"kind": "answer", "id": int(asked), "body": str(body)} if asked in self._asked:
                    self._asked[asked].send_nowait(body)

    def _take_numbers(self, name: str, event: dict[str, Any]) -> None:
        row = self.board.rows[name]
        before = row.restarts
        self.board.add_load(event.get("load", b""))
        self.board.take(event, trio.current_time())
        if row.restarts > before:
            self._log.log("Warning", "Fleet", f"shard {name} goes on at {row.worker}")
        if row.is_complete:
            self._failures[name] = 0

    async def _level(self) -> None:
        """Move a shard from a worker that has too many, where that lasts: Dask moves none by itself."""
        asked = ""
        while True:
            await trio.sleep(LEVEL_S)
            row = self.board.overloaded()
            if row is not None and row.attempt == asked:
                self._log.log("Info", "Fleet", f"shard {row.shard.name} is moved: {row.worker} has too many")
                with contextlib.suppress(NoContactError):
                    await trio.to_thread.run_sync(self._workforce.order, row.attempt, {"do": "move"})
            asked = row.attempt if row is not None else ""

    async def _beat(self) -> None:
        answered_s = trio.current_time()
        for n in itertools.count(1):
            with trio.move_on_after(3 * BEAT_S), contextlib.suppress(NoContactError):
                await trio.to_thread.run_sync(self._beat_once, n, abandon_on_cancel=True)
                answered_s = trio.current_time()
            if trio.current_time() - answered_s > GONE_S:
                raise DersimError(
                    f"the scheduler has not answered for {GONE_S:.0f} s; the shards end by themselves; "
                    f"see whether it runs, and begin again"
                )
            await trio.sleep(BEAT_S)

    def _beat_once(self, n: int) -> None:
        self._workforce.beat(n, stop=self._stopping.is_set())
        if n % _LOOK_BEATS == 0:
            self.board.see_workers(self._workforce.workers())

    async def _submit(self, shard: Shard, worker: str | None, done: Callable[[Done], None]) -> None:
        files = await trio.to_thread.run_sync(self._pack, shard)
        key = f"{shard.name}-{next(self._numbers)}-{id(self):x}"
        self._running[key] = shard
        while True:
            try:
                return await trio.to_thread.run_sync(self._workforce.submit, key, shard, files, worker, done)
            except NoContactError:
                await trio.sleep(PAUSE_S)

    async def _follow(self, ends: trio.MemoryReceiveChannel[Done], done: Callable[[Done], None]) -> None:
        """Submit again what ended without being asked to."""
        async for end in ends:
            self._workforce.forget(end.key)
            shard = self._running.pop(end.key, None)
            if shard is None:
                continue
            if end.summary is not None:
                self._note(end)
            if self._stopping.is_set():
                if not self._running:
                    self._all_ended.set()
                continue
            if end.summary is None or end.summary.outcome != "moved":
                self._judge(shard, end)
                await trio.sleep(PAUSE_S)
            await self._submit(shard, self._idle(), done)

    def _note(self, end: Done) -> None:
        """The last numbers of an attempt."""
        assert end.summary is not None  # noqa: S101 - the caller has looked
        self.board.add_load(end.summary.load)
        row = self.board.rows[end.summary.shard]
        if end.summary.numbers and row.attempt == end.summary.attempt:
            row.numbers = end.summary.numbers

    def _judge(self, shard: Shard, end: Done) -> None:
        """Log why a shard begins again. ConfigError, DersimError where it makes no sense."""
        summary = end.summary
        reason = end.reason if summary is None else summary.message or summary.outcome
        if summary is not None and summary.config_error:
            raise ConfigError(reason)
        self._failures[shard.name] += not end.is_lost
        if self._failures[shard.name] >= MOST_FAILURES:
            raise DersimError(f"shard {shard.name} failed {MOST_FAILURES} times in a row, at last: {reason}")
        self._log.log("Warning", "Fleet", f"shard {shard.name} begins again: {reason}")

    def _idle(self) -> str | None:
        """The worker with the fewest shards."""
        placed = self.board.placed()
        here = [worker for worker in self.board.workers if worker in placed]
        return min(here, key=lambda worker: len(placed[worker]), default=None)

    async def _stop_all(self) -> None:
        if not self._running:
            return
        with trio.move_on_after(STOP_S), contextlib.suppress(NoContactError):
            await trio.to_thread.run_sync(self._order_stop)
            await self._all_ended.wait()
        self.unfinished = sorted(shard.name for shard in self._running.values())

    def _order_stop(self) -> None:
        """By order, which is quick; the beat reaches those that come up only now."""
        for row in self.board.rows.values():
            if row.attempt:
                self._workforce.order(row.attempt, {"do": "stop"})


def _put(token: trio.lowlevel.TrioToken, send: trio.MemorySendChannel[Any], value: Any) -> None:
    """Hand a value from another thread to trio; after the end it is dropped."""

    def put() -> None:
        try:
            send.send_nowait(value)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            return

    try:
        token.run_sync_soon(put)
    except trio.RunFinishedError:
        return
