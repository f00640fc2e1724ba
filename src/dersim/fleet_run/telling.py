"""What `dersim fleet` tells in the terminal: how the DERs connect, one line a minute, and the last line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import trio

from dersim.cli.terminal import Terminal
from dersim.fleet_run.board import Board, Totals
from dersim.logbuffer import LogBuffer

MINUTE_S = 60.0
#: Between two looks at the board while the DERs connect, s.
LOOK_S = 0.25


class Telling:
    """Tells of one run. joined: all DERs are connected for the first time."""

    def __init__(self, board: Board, log: LogBuffer, terminal: Terminal) -> None:
        self.joined = trio.Event()
        self._board = board
        self._log = log
        self._terminal = terminal

    async def run(self) -> None:
        """Until cancelled."""
        began_s = trio.current_time()
        total = self._board.plan.total
        with self._bar(total) as show:
            while not (totals := self._board.totals(trio.current_time())).are_complete:
                show(totals.connected)
                await trio.sleep(LOOK_S)
        after_s = trio.current_time() - began_s
        self._log.log("Info", "Fleet", f"all {total} connected after {after_s:.1f} s")
        self.joined.set()
        await self._tell_each_minute()

    @contextlib.contextmanager
    def _bar(self, total: int) -> Iterator[Callable[[int], None]]:
        if not self._terminal.look.moves:
            yield lambda _connected: None
            return
        with self._terminal.bar("connecting", total) as show:
            yield show

    async def _tell_each_minute(self) -> None:
        before = self._board.totals(trio.current_time())
        while True:
            next_s = trio.current_time() + MINUTE_S
            await trio.sleep_until(next_s)
            now = self._board.totals(trio.current_time())
            self._log.log("Info", "Fleet", line(before, now))
            before = now


def line(before: Totals, now: Totals) -> str:
    """The line of a minute; `before` is what the last one counted."""
    requests, errors = (
        now.counters.get(name, 0) - before.counters.get(name, 0) for name in ("requests", "errors")
    )
    return " | ".join(
        (
            f"connected {now.connected} of {now.ders}",
            _counted(now.controls, "control") + " in force",
            f"P {now.sums['power_w'] / 1000:.2f} kW",
            f"{requests} requests, {_counted(errors, 'error')} in the last minute",
            _counted(now.restarts, "restart"),
        )
    )


def last_line(board: Board, seconds: float, unfinished: list[str]) -> str:
    """The summary of a whole run. unfinished: shards that did not confirm their stop."""
    counters = board.totals(float("-inf")).counters
    parts = [
        f"{board.plan.total} DERs for {seconds:.0f} s",
        f"{counters.get('requests', 0)} requests",
        _counted(counters.get("errors", 0), "error"),
        _counted(counters.get("responses", 0), "Response"),
        _counted(board.restarts, "restart"),
    ]
    parts += [
        f"{row.shard.name} never had all its DERs connected ({row.connected} at the end)"
        for row in board.rows.values()
        if not row.has_joined
    ]
    if unfinished:
        parts.append(f"no word at the stop from {', '.join(unfinished)}")
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
