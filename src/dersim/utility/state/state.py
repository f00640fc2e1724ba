"""The state of a companion server in a file: what was answered was committed before.

`collect` writes what has changed into the journal, after each request; `run` commits the journal in a thread,
all that has come in the meantime at once; `saved` waits until a change is committed. Answers to writing
requests wait for everything so far, answers to reading ones for what devices are told: nobody sees a control
that a crash could take back.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import trio

from dersim.errors import ConfigError, DersimError
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Program
from dersim.utility.programs import MRIDS_KEPT
from dersim.utility.state import kinds, posted
from dersim.utility.state.kinds import CONTROL, DEVICE, GROUP, PROGRAM, SERVER
from dersim.utility.state.posted import HIGHEST
from dersim.utility.state.store import Row, Store

#: Every mRID that was published.
PUBLISHED = "published"
#: How often old readings are looked for, and the pause after a commit that failed, s.
FORGET_S, PAUSE_S = 60.0, 1.0
DAY_S = 86_400.0

_JSON = json.JSONEncoder(separators=(",", ":")).encode
_COUNTED = frozenset({GROUP, PROGRAM, DEVICE})
_DIFFED = frozenset({GROUP, PROGRAM, CONTROL, DEVICE, SERVER})


class State:
    """The state file of one head-end. days: how long readings are kept; went_on: it held an earlier run."""

    def __init__(self, head_end: HeadEnd, path: Path, days: int) -> None:
        self.path = path
        self.went_on = False
        self._head_end = head_end
        self._journal = head_end.journal
        self._days = days
        self._store: Store | None = None
        self._texts: dict[tuple[str, str], str] = {}
        self._controls: dict[int, set[str]] = {}
        self._devices: dict[int, Any] = {}
        self._highest: dict[str, int] = {}
        self._published: dict[str, None] = {}
        self._pending: dict[str, list[Row]] = {}
        self._groups_version = -1
        self._committed = 0
        self._failing = False
        self._wanted = trio.Event()
        self._news = trio.Event()

    # ---- the start

    async def open(self) -> None:
        """Open the file and take over what is in it; ConfigError for one that cannot be used."""
        if self._store is None:
            self._store = store = await trio.to_thread.run_sync(Store, self.path)
            rows = await trio.to_thread.run_sync(store.rows)
            try:
                self._restore(rows)
            except (KeyError, ValueError, TypeError, DersimError) as error:
                store.close()
                raise ConfigError(
                    f"--state {self.path}: its content cannot be used: {error!r}; give another file"
                ) from error
            self._committed = self._journal.number = store.last_number
            self._journal.on = True

    def _restore(self, rows: list[Row]) -> None:
        self.went_on = bool(rows)
        if not rows:
            return
        kept: dict[str, dict[str, Any]] = {}
        for kind, key, document, _ in rows:
            if kind in _DIFFED:
                kept.setdefault(kind, {})[key] = json.loads(document)
                self._texts[kind, key] = document
            elif kind == HIGHEST:
                self._highest[key] = int(document)
            elif kind == PUBLISHED:
                self._published[key] = None
        for key in kept.get(CONTROL, ()):
            self._controls.setdefault(int(key.partition("/")[0]), set()).add(key)
        kinds.restore(self._head_end, kept, self._highest)
        self._head_end.programs.remember_published(self._published)
        self._head_end.mirrors.highest = self._highest.get(posted.MIRROR, 0)
        numbers = [int(row.key) for row in rows if row.kind == posted.RESPONSE]
        self._head_end.responses.version = max(numbers, default=0)
        self._pending = posted.by_owner(self._head_end, rows)

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
            for owner in list(self._pending) if everything else (lfdi,):
                posted.restore(self._head_end, self._pending.pop(owner or "", ()))

    async def _take_over_rest(self) -> None:
        while self._pending:
            self.ready(next(iter(self._pending)))
            await trio.lowlevel.checkpoint()

    # ---- what has changed

    def collect(self, *, everything: bool = True) -> None:
        """Write what has changed since the last call into the journal.

        everything: what only the operator or the time changes, too.
        """
        if not self._journal.on:
            return
        head_end = self._head_end
        programs, devices = head_end.programs, head_end.end_devices
        everything = everything or bool(programs.touched)
        if head_end.groups.version != self._groups_version:
            self._groups_version = head_end.groups.version
            self._compare_all(GROUP, kinds.groups(head_end))
        if programs.touched or devices.touched:
            for program in programs.touched:
                self._collect_program(program, here=programs.get(program.number) is program)
            programs.touched.clear()
            for device in devices.touched:
                self._collect_device(device, here=devices.get(device.number) is device)
            devices.touched.clear()
        if everything:
            for key, form in kinds.server(head_end):
                self._compare(SERVER, key, form)

    def _collect_program(self, program: Program, *, here: bool) -> None:
        number = program.number
        known = self._controls.get(number, set())
        now: set[str] = set()
        if here:
            self._compare(PROGRAM, str(number), kinds.program(program))
            for key, form in kinds.controls(program):
                now.add(key)
                self._compare(CONTROL, key, form)
                self._publish(form["mrid"])
        else:
            self._drop(PROGRAM, str(number))
        for key in known - now:
            self._drop(CONTROL, key)
        self._controls[number] = now

    def _collect_device(self, device: EndDeviceRecord, *, here: bool) -> None:
        number = device.number
        if not here:
            self._devices.pop(number, None)
            self._drop(DEVICE, str(number))
            posted.drop_device(self._journal, number)
        elif (values := kinds.device_values(device)) != self._devices.get(number):
            self._devices[number] = values
            self._compare(DEVICE, str(number), kinds.device(device))

    def _publish(self, mrid: str) -> None:
        if mrid not in self._published:
            self._published[mrid] = None
            self._journal.put(PUBLISHED, mrid, "")
            if len(self._published) > MRIDS_KEPT:
                oldest = next(iter(self._published))
                del self._published[oldest]
                self._journal.drop(PUBLISHED, oldest)

    def _compare_all(self, kind: str, forms: Iterable[tuple[str, Any]]) -> None:
        """All objects of a kind: those that are missing are gone."""
        here = set()
        for key, form in forms:
            here.add(key)
            self._compare(kind, key, form)
        for each, key in [known for known in self._texts if known[0] == kind]:
            if key not in here:
                self._drop(each, key)

    def _compare(self, kind: str, key: str, form: Any) -> None:
        text = _JSON(form)
        if self._texts.get((kind, key)) == text:
            return
        self._texts[kind, key] = text
        self._journal.put(kind, key, text, told=True)
        if kind in _COUNTED:
            number = kinds.number_of(form)
            if number > self._highest.get(kind, 0):
                self._highest[kind] = number
                self._journal.put(HIGHEST, kind, str(number))

    def _drop(self, kind: str, key: str) -> None:
        self._texts.pop((kind, key), None)
        self._journal.drop(kind, key, told=True)

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
                    f"--state {self.path}: {error}: nothing is committed, and requests that change anything "
                    f"are answered 503 until it can be written again"
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
