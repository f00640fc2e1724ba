"""The states of a shard, saved on the scheduler and taken over from there by the next attempt.

A reading or a Response waits in `SavedStates.barrier` until a state that has it is saved; so a save comes
early where somebody waits.
"""

from __future__ import annotations

import json
import zlib

import trio

from dersim.engine.simulator import Simulator
from dersim.fleet_run.gate import LeaseGate
from dersim.fleet_run.messages import NoContactError, ShardLife
from dersim.logbuffer import LogBuffer

#: Between two saves, s: at most, and at least.
SAVE_S, SOONEST_S = 3.0, 1.0


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
            began_s = trio.current_time()
            # The state of a shard that has lost its lease must not replace that of the next attempt.
            await self._gate.passed()
            if await self._save():
                states.saved()
            await trio.sleep_until(began_s + SOONEST_S)
            with trio.move_on_at(began_s + SAVE_S):
                await states.wanted.wait()

    async def _save(self) -> bool:
        document = await self._simulator.checkpoint_in_slices()

        def save() -> None:
            self._life.save(zlib.compress(json.dumps(document).encode(), 1))

        try:
            await trio.to_thread.run_sync(save, abandon_on_cancel=True)
        except NoContactError as error:
            self._log.log("Warning", "Fleet", f"the states are not saved: {error}")
            return False
        return True
