"""The states of a shard, saved on the scheduler and taken over from there by the next attempt.

A reading or a Response waits in `SavedStates.barrier` until a state that has it is saved; so a save comes
early where somebody waits, but never so often that saving takes more than `SHARE` of a core.
"""

from __future__ import annotations

import json
import time
import zlib

import trio

from dersim.engine.simulator import Simulator
from dersim.fleet_run.gate import LeaseGate
from dersim.fleet_run.messages import NoContactError, ShardLife
from dersim.logbuffer import LogBuffer

#: Between two saves, s: at most, and at least.
SAVE_S, SOONEST_S = 3.0, 0.5
#: Of a core. With 250 DERs a save takes some 30 ms.
SHARE = 0.01


class Saving:
    """Keeps the checkpoints of one attempt."""

    def __init__(self, simulator: Simulator, log: LogBuffer, life: ShardLife, gate: LeaseGate) -> None:
        self._simulator = simulator
        self._log = log
        self._life = life
        self._gate = gate
        simulator.states.keeps = True

    async def restore(self) -> None:
        """Before the run. ConfigError for a state that these DERs cannot take over; NoContactError."""
        if data := await trio.to_thread.run_sync(self._life.saved):
            self._simulator.restore(json.loads(zlib.decompress(data)))

    async def run(self) -> None:
        """Until cancelled. What is not saved is tried again at the next turn."""
        states = self._simulator.states
        while True:
            # The state of a shard that has lost its lease must not replace that of the next attempt.
            await self._gate.passed()
            began_s, spent_s = trio.current_time(), 0.0
            try:
                spent_s = await self._save()
                states.saved()
            except NoContactError as error:
                self._log.log("Warning", "Fleet", f"the states are not saved: {error}")
            await trio.sleep_until(began_s + min(max(SOONEST_S, spent_s / SHARE), SAVE_S))
            with trio.move_on_at(began_s + SAVE_S):
                await states.wanted.wait()

    async def _save(self) -> float:
        """Save the present states; CPU time, s."""
        began_s = time.thread_time()
        document = self._simulator.checkpoint()
        spent_s = time.thread_time() - began_s

        def pack_and_save() -> float:
            began_s = time.thread_time()
            data = zlib.compress(json.dumps(document).encode(), 1)
            packed_s = time.thread_time() - began_s
            self._life.save(data)
            return packed_s

        return spent_s + await trio.to_thread.run_sync(pack_and_save, abandon_on_cancel=True)
