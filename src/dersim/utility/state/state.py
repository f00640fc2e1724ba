"""The state of a companion server in a file: what was answered was committed before.

`collect` writes what has changed into the journal, after each request; `run` commits the journal in a thread,
all that has come in the meantime at once; `saved` waits until a change is committed. Answers to writing
requests wait for everything so far, answers to reading ones for what devices are told: nobody sees a control
that a crash could take back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import trio

from dersim.errors import ConfigError, DersimError
from dersim.utility.head_end import HeadEnd
from dersim.utility.state import posted
from dersim.utility.state.collector import Collector
from dersim.utility.state.export import Form, export, meters_of
from dersim.utility.state.store import Row, Store
from dersim.utility.subscriptions import keeping

#: How often old readings are looked for, and the pause after a commit that failed, s.
FORGET_S, PAUSE_S = 60.0, 1.0
DAY_S = 86_400.0


class State:
    """The state file of one head-end. days: how long readings are kept; went_on: it held an earlier run."""

    def __init__(self, head_end: HeadEnd, path: Path, days: int) -> None:
        self.path = path
        self.went_on = False
        self._head_end = head_end
        self._journal = head_end.journal
        self._days = days
        self._store: Store | None = None
        self._collector = Collector(head_end)
        self._pending: dict[str, list[Row]] = {}
        self._committed = 0
        self._failing = False
        self._wanted = trio.Event()
        self._news = trio.Event()

    # ---- the start

    async def open(self) -> None:
        """Open the file and take over what is in it; ConfigError for one that cannot be used."""
        if self._store is None:
            self._store = store = await trio.to_thread.run_sync(Store, self.path)
            try:
                rows = await trio.to_thread.run_sync(store.rows)
            except ConfigError:
                store.close()
                raise
            try:
                self._restore(rows)
            except (KeyError, ValueError, TypeError, DersimError) as error:
                store.close()
                raise ConfigError(
                    f"--state {self.path}: its content cannot be used: {error!r}; give another file"
                ) from error
            self._committed = self._journal.number = store.last_number
            self._journal.on = True
            self._head_end.held = self

    def _restore(self, rows: list[Row]) -> None:
        self.went_on = bool(rows)
        if rows:
            self._collector.restore(rows)
            keeping.restore(self._head_end.subscriptions, rows)
            numbers = [int(row.key) for row in rows if row.kind == posted.RESPONSE]
            self._head_end.responses.version = max(numbers, default=0)
            self._pending = posted.by_owner(self._head_end, rows)
            self._head_end.info(f"--state {self.path} goes on: {self._counted()}")

    def _counted(self) -> str:
        head_end = self._head_end
        controls = sum(len(program.controls) for program in head_end.programs)
        documents = sum(map(len, self._pending.values()))
        return (
            f"{len(head_end.end_devices)} EndDevices with {documents} documents, "
            f"{len(head_end.groups)} groups, {len(head_end.programs)} programs with {controls} controls, "
            f"{len(head_end.subscriptions)} Subscriptions"
        )

    @property
    def pending(self) -> bool:
        """Whether what some devices have posted is not taken over yet."""
        return bool(self._pending)

    def ready(self, lfdi: str | None) -> None:
        """Take over what this device has posted, before it is answered; None: what all have.

        The rest follows by itself: a thousand devices take a second or two.
        """
        if self._pending:
            acts_for = () if lfdi is None else self._head_end.end_devices.of_aggregator(lfdi)
            everything = lfdi is None or acts_for or "" in self._pending
            for owner in list(self._pending) if everything else (lfdi or "",):
                self._take_over(owner)

    def _take_over(self, owner: str) -> None:
        try:
            posted.restore(self._head_end, self._pending.pop(owner, ()))
        except DersimError as error:
            self._head_end.error(f"--state {self.path}: what {owner} has posted cannot be used: {error}")

    async def _take_over_rest(self) -> None:
        while self._pending:
            self.ready(next(iter(self._pending)))
            await trio.lowlevel.checkpoint()

    def collect(self, *, everything: bool = True) -> None:
        """Write what has changed since the last call into the journal.

        everything: what only the operator or the time changes, too.
        """
        if self._journal.on:
            self._collector.collect(everything=everything)
            keeping.keep(self._journal, self._head_end.subscriptions)

    # ---- the commits

    async def run(self) -> None:
        """Commit what the journal has, and forget old readings, until cancelled; then commit the rest."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._take_over_rest)
                await self._keep_committing()
        finally:
            self.collect()
            with trio.CancelScope(shield=True):
                await self._commit(last=True)
            if self._store is not None:
                self._store.close()
                self._store = None
            self._journal.on = False

    async def _keep_committing(self) -> None:
        forget_at = trio.current_time()
        while True:
            with trio.move_on_after(FORGET_S):
                await self._wanted.wait()
            self._wanted = trio.Event()
            await self._commit()
            if trio.current_time() >= forget_at:
                forget_at = trio.current_time() + FORGET_S
                await self._forget()

    async def _commit(self, *, last: bool = False) -> None:
        batch = self._journal.take()
        if self._store is None or not (batch.changes or batch.readings):
            return
        try:
            await trio.to_thread.run_sync(self._store.write, batch)
        except sqlite3.Error as error:
            self._journal.give_back(batch)
            if not self._failing:
                self._head_end.error(
                    f"--state {self.path}: {error}: nothing is committed, and requests that change anything, "
                    f"or show what is not committed, are answered 503 until it can be written again"
                )
            self._failing = True
            self._tell()
            if not last:
                await trio.sleep(PAUSE_S)
                self._wanted.set()
        else:
            if self._failing:
                self._head_end.info(f"--state {self.path}: written again")
            self._failing = False
            self._committed = batch.number
            self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

    async def _forget(self) -> None:
        if self._store is not None:
            before_s = self._head_end.now_s() - self._days * DAY_S
            while await trio.to_thread.run_sync(self._store.forget, before_s):
                await trio.lowlevel.checkpoint()

    def export(self, form: Form, since_s: float, until_s: float, lfdi: str | None) -> Callable[[], bytes]:
        """What makes a file of the readings of a span, of one device or all; it may run in any thread."""
        if self._store is None:
            raise ConfigError(f"--state {self.path} is closed")
        meters = meters_of(self._head_end, lfdi)
        return export(self._store, form, since_s, until_s, meters, only=lfdi is not None)

    def want(self) -> None:
        """Commit soon; nobody waits."""
        if self._journal.number > self._committed:
            self._wanted.set()

    async def saved(self, *, writing: bool) -> bool:
        """Wait until the changes so far, or those that devices are told, are committed; False: impossible."""
        number = self._journal.number if writing else self._journal.told
        while self._committed < number:
            self._wanted.set()
            await self._news.wait()
            if self._failing:
                return False
        return True
