"""The invariants of `dersim.invariants` that make sense in virtual time, as often as they may find one."""

from __future__ import annotations

from dersim.invariants import Invariant, Look, Violation, Watcher, all_invariants
from dersim.invariants.agreement import Agreement
from dersim.invariants.energy import Energy
from dersim.invariants.leaks import Leaks
from dersim.invariants.loop_lag import LoopLag
from dersim.invariants.memory import Memory
from dersim.invariants.power import Power
from dersim.plugin.services import ConversationService, HttpExchange
from dersim.testing.simulators import WorldSimulator
from dersim.utility.config import DEFAULT_PIN

#: They measure the process by real time; several simulators are in one here, so tasks are counted elsewhere.
OF_THE_PROCESS = (Leaks, LoopLag, Memory)
#: Where no setpoint has changed and nothing was sent, documents and events are looked at after so long, s.
PATIENCE_S = 60.0
#: Between the least and the most power around a reading, W or var.
STEADY = 1.0


class SteadyAgreement(Agreement):
    """Readings are compared where the power is steady: within such long ticks it may be anything else."""

    def _around(self, look: Look, exchange: HttpExchange, column: int) -> list[float]:
        values = super()._around(look, exchange, column)
        return values if values and max(values) - min(values) < STEADY else []


class Watch:
    """The invariants of one simulator while it runs."""

    def __init__(self, simulator: WorldSimulator) -> None:
        made = simulator.simulator
        kinds = [each for each in all_invariants() if not isinstance(each, (*OF_THE_PROCESS, Agreement))]
        kinds.append(SteadyAgreement())
        # Looked at after every tick, without a view of all events, which costs more than the tick.
        self._ticking = [each for each in kinds if type(each).tick is not Invariant.tick]
        self._power = Power()
        rest = [each for each in kinds if not isinstance(each, (Power, Energy))]
        parts = made.fleet, made.services, simulator.clock, simulator.log
        self._watcher = Watcher(*parts, invariants=rest, secrets=[str(DEFAULT_PIN)])
        self._watcher.listen()
        self._device = simulator.device()
        self._clock = simulator.clock
        self._news, self._changes, self._next_s = True, -1, 0.0
        conversation = made.services.find(ConversationService)
        if conversation is not None:
            conversation.listeners.append(self._heard)

    def _heard(self, _exchange: object) -> None:
        self._news = True

    def step(self) -> list[Violation]:
        """Look, after a tick; what was found."""
        now_s, device = self._clock.now_s(), self._device
        changes = device.setpoints.changes
        found = list(self._power.check(Look(device, now_s, self._clock.tick_s)))
        for each in self._ticking:
            found += each.tick(device, now_s)
        if self._news or changes != self._changes or now_s >= self._next_s:
            self._news, self._changes, self._next_s = False, changes, now_s + PATIENCE_S
            found += self._watcher.step()
        return found
