"""Takes the states of the DERs and writes them in a thread: after every step, and where somebody waits.

After every step all DERs are taken, in slices, unless that would take more than `SHARE` of a core; so a state
is at most a tick old, where ticks are not too short for the fleet. Of a DER at rest only time and registers
are written. Where somebody waits for a state of one DER (`SavedStates`), that DER is saved at once. One save
at a time, and none of so many DERs that those who wait for another would have to wait for long.

A file that cannot be written stops nothing: one warning, the last good state stays, nobody waits, and it is
tried again every `PAUSE_S`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import trio

from dersim.engine.simulator import Simulator
from dersim.errors import DersimError
from dersim.logbuffer import LogBuffer
from dersim.metric_families import MetricFamily
from dersim.plugin.extension import FrontendStatus
from dersim.sim_state.store import Store
from dersim.timestamps import rfc3339

#: Of a core.
SHARE = 0.03
#: DERs in one save, but for the first, which is of all, and that of who waits for all.
BATCH = 16
#: Real seconds: of taking states before other tasks run; for which a save waits for others who want one; to
#: the next attempt after one that failed.
SLICE_S, GATHER_S, PAUSE_S = 150e-6, 0.002, 5.0


class States(NamedTuple):
    """What is written together: whole checkpoints with their marks, and what DERs at rest have counted."""

    ders: dict[str, Any]
    counted: dict[int, Any]
    marks: dict[int, Any]


class Saving:
    """Writes the states of one run. head: the run as it is now. saved_s: true time of the state in the file.

    failing: why the last save failed, or "". saved_at: of the last save that did not, as trio counts.
    pause_s: real seconds after a save of all in which no other is begun.
    """

    def __init__(
        self,
        store: Store,
        simulator: Simulator,
        log: LogBuffer,
        head: Callable[[], Mapping[str, Any]],
        saved_s: float | None = None,
    ) -> None:
        self._store = store
        self._simulator = simulator
        self._log = log
        self._head = head
        self._turn = trio.Lock()
        self._retry_at = 0.0
        self._marks: dict[int, Any] = {}
        self.failing = ""
        self.failures = self.saves = 0
        self.pause_s = 0.0
        self.saved_at: float | None = None
        self._saved_s = saved_s

    @property
    def path(self) -> Path:
        """The file."""
        return self._store.path

    async def run(self) -> None:
        """Save until cancelled; first all, so that there is no file with some of the DERs."""
        async with self._turn:
            await self._save()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._after_every_step)
            nursery.start_soon(self._for_who_waits)

    async def _after_every_step(self) -> None:
        while True:
            await self._simulator.fleet.wait_step()
            if trio.current_time() < self._retry_at:
                continue
            spent_s = await self._save_all()
            self.pause_s = spent_s / SHARE - spent_s
            await trio.sleep(self.pause_s)

    async def _save_all(self) -> float:
        """Save all, in batches; CPU time, s. After a failure all at once: there may be a new file."""
        numbers, spent_s = [device.number for device in self._simulator.fleet.devices], 0.0
        size = len(numbers) if self.failing else BATCH
        for first in range(0, len(numbers), size):
            async with self._turn:
                if self.failing and size < len(numbers):
                    break
                spent_s += await self._save(numbers[first : first + size])
        return spent_s

    async def _for_who_waits(self) -> None:
        states = self._simulator.states
        while True:
            await states.wanted.wait()
            await trio.sleep(GATHER_S)
            async with self._turn:
                numbers = states.wanted_numbers
                batch = None if 0 in numbers else numbers[:BATCH]
                spent_s = await self._save(batch) if numbers else 0.0
            await trio.sleep(spent_s)  # at most half a core

    async def _save(self, numbers: Iterable[int] | None = None) -> float:
        """Save these DERs or all; the CPU time that it took, s."""
        head = self._head()
        states, spent_s = await self._taken(numbers)
        written_s, error = await trio.to_thread.run_sync(self._write, head, states)
        self._tell(error)
        return spent_s + written_s

    async def _taken(self, numbers: Iterable[int] | None) -> tuple[States, float]:
        """The states of these DERs, or of all in slices; CPU time, s."""
        simulator, found, spent_s = self._simulator, States({}, {}, {}), 0.0
        if numbers is None:
            simulator.states.taken()
            numbers = [device.number for device in simulator.fleet.devices]
        begun_s = time.thread_time()  # CPU: a busy computer is no reason to save less often
        for number in numbers:
            self._take(number, found)
            slice_s = time.thread_time() - begun_s
            if slice_s > SLICE_S:
                spent_s += slice_s
                await trio.lowlevel.checkpoint()
                begun_s = time.thread_time()
        return found, spent_s + time.thread_time() - begun_s

    def _take(self, number: int, found: States) -> None:
        """The state of one DER: whole, or where it is at rest what it has counted."""
        mark = self._simulator.checkpoint_mark(number)
        device = self._simulator.fleet.find(number)
        if device is not None and mark is not None and self._marks.get(number) == mark:
            self._simulator.states.taken([number])
            found.counted[number] = device.counted()
        else:
            found.ders.update(self._simulator.checkpoint([number]))
            found.marks[number] = mark

    def status(self) -> FrontendStatus:
        """Its row in the overview."""
        if self.failing:
            return FrontendStatus(
                "not saved", f"{self.path}: {self.failing}; {self.failures} attempts failed"
            )
        if self.saved_at is None:
            return FrontendStatus("starting", str(self.path))
        age_s = trio.current_time() - self.saved_at
        return FrontendStatus("saved", f"{self.path}: {age_s:.1f} s ago, {_size(self._store.bytes_held)}")

    def metrics(self) -> Iterator[MetricFamily]:
        """For /metrics."""
        if self.saved_at is not None:
            age_s = trio.current_time() - self.saved_at
            doc = "Real time since the last save."
            yield MetricFamily("dersim_state_age_seconds", "gauge", doc, [({}, age_s)])
        doc = "Size of the state file with its WAL."
        yield MetricFamily("dersim_state_bytes", "gauge", doc, [({}, self._store.bytes_held)])
        doc = "Saves of the state, by outcome."
        saves = [({"outcome": "saved"}, self.saves), ({"outcome": "failed"}, self.failures)]
        yield MetricFamily("dersim_state_saves_total", "counter", doc, saves)

    def save_now(self, head: Mapping[str, Any]) -> None:
        """Save all in this thread: the last save of a run."""
        self._tell(self._write(head, States(self._simulator.checkpoint(), {}, {}))[1])

    def _write(self, head: Mapping[str, Any], states: States) -> tuple[float, str]:
        """In a thread: the CPU time that it took, s, and what went wrong."""
        begun_s, error = time.thread_time(), ""
        try:
            self._store.write(head, states.ders, states.counted)
            self._marks |= states.marks
        except (sqlite3.Error, OSError, DersimError) as failure:
            error = str(failure)
            self._marks.clear()
        return time.thread_time() - begun_s, error

    def _tell(self, error: str) -> None:
        states, path = self._simulator.states, self.path
        if not error:
            if self.failing:
                self._log.log("Info", "Engine", f"--state {path}: written again")
            self.failing, self.saved_at, self._saved_s = "", trio.current_time(), time.time()
            self.saves += 1
            states.keeps = True
            states.saved()
            return
        self.failures += 1
        if not self.failing:
            self._log.log("Warning", "Engine", f"--state {path}: {error}: {self._consequence()}")
        self.failing = error
        self._retry_at = trio.current_time() + PAUSE_S
        states.given_up()
        states.keeps = False

    def _consequence(self) -> str:
        at = "" if self._saved_s is None else f" of {rfc3339(self._saved_s)}"
        return (
            f"nothing is saved until it can be written again, the simulation goes on; "
            f"the state{at} stays in the file"
        )


def _size(held_bytes: int) -> str:
    return f"{held_bytes / 1e6:.1f} MB" if held_bytes >= 1e6 else f"{held_bytes / 1e3:.0f} kB"
