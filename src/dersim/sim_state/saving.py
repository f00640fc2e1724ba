"""Takes the states of the DERs and writes them in a thread: after every step, and where somebody waits.

One save at a time. After every step all DERs are taken, in slices, unless that would take more than `SHARE`
of a core; so a state is at most a tick old, where ticks are not too short for the fleet. Where somebody waits
for a state of one DER (`SavedStates`), that DER is saved at once.

A file that cannot be written stops nothing: one warning, the last good state stays, nobody waits, and it is
tried again every `PAUSE_S`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import trio

from dersim.engine.simulator import Simulator
from dersim.errors import DersimError
from dersim.logbuffer import LogBuffer
from dersim.sim_state.store import Store
from dersim.timestamps import rfc3339

#: Of a core.
SHARE = 0.03
#: Real seconds: of taking states before other tasks run; for which a save waits for others who want one; to
#: the next attempt after one that failed.
SLICE_S, GATHER_S, PAUSE_S = 150e-6, 0.002, 5.0


class Saving:
    """Writes the states of one run. head: the run as it is now. saved_s: true time of the state in the file.

    failing: why the last save failed, or "". saved_at: of the last save that did not, as trio counts.
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
        self.failing = ""
        self.failures = self.saves = 0
        self.saved_at: float | None = None
        self._saved_s = saved_s

    @property
    def path(self) -> Path:
        """The file."""
        return self._store.path

    async def run(self) -> None:
        """Save until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._after_every_step)
            nursery.start_soon(self._for_who_waits)

    async def _after_every_step(self) -> None:
        while True:
            await self._simulator.fleet.wait_step()
            if trio.current_time() < self._retry_at:
                continue
            async with self._turn:
                spent_s = await self._save()
            await trio.sleep(spent_s / SHARE - spent_s)

    async def _for_who_waits(self) -> None:
        states = self._simulator.states
        while True:
            await states.wanted.wait()
            await trio.sleep(GATHER_S)
            async with self._turn:
                numbers = states.wanted_numbers
                spent_s = await self._save(None if 0 in numbers else numbers) if numbers else 0.0
            await trio.sleep(spent_s)  # at most half a core

    async def _save(self, numbers: Iterable[int] | None = None) -> float:
        """Save these DERs or all; the CPU time that it took, s."""
        head = self._head()
        ders, spent_s = await self._taken(numbers)
        written_s, error = await trio.to_thread.run_sync(self._write, head, ders)
        self._tell(error)
        return spent_s + written_s

    async def _taken(self, numbers: Iterable[int] | None) -> tuple[dict[str, Any], float]:
        """The states of these DERs, or of all in slices; CPU time, s."""
        simulator, found, spent_s = self._simulator, dict[str, Any](), 0.0
        if numbers is None:
            simulator.states.taken()
            numbers = [device.number for device in simulator.fleet.devices]
        begun_s = time.perf_counter()
        for number in numbers:
            found |= simulator.checkpoint([number])
            slice_s = time.perf_counter() - begun_s
            if slice_s > SLICE_S:
                spent_s += slice_s
                await trio.lowlevel.checkpoint()
                begun_s = time.perf_counter()
        return found, spent_s + time.perf_counter() - begun_s

    def save_now(self, head: Mapping[str, Any]) -> None:
        """Save all in this thread: the last save of a run."""
        self._tell(self._write(head, self._simulator.checkpoint())[1])

    def _write(self, head: Mapping[str, Any], ders: Mapping[str, Any]) -> tuple[float, str]:
        """In a thread: the CPU time that it took, s, and what went wrong."""
        begun_s, error = time.thread_time(), ""
        try:
            self._store.write(head, ders)
        except (sqlite3.Error, OSError, DersimError) as failure:
            error = str(failure)
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
