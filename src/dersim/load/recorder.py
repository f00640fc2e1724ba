"""Fills a tally from the clients of this process: who records load offers a `LoadRecorder` before the run.

The CSIP clients find it among the services and report to it (`csip/measuring.py`); without one they are not
measured, which costs nothing. Its own task looks at the states of all DERs once a second, at its own lag ten
times a second, and after each step of the fleet at the DERs that were told a new limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from dersim.load.applied import is_applied
from dersim.load.reactions import ControlFacts
from dersim.load.series import STATES
from dersim.load.tally import Example, LoadTally, RequestRecord

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.device import Device
    from dersim.fleet import Fleet

#: Between two looks at the lag of the event loop, real seconds.
LAG_LOOK_S = 0.1
#: A control that was not applied after so long is looked at no more, simulated s.
_GIVEN_UP_S = 3600.0


class Client(Protocol):
    """What is needed of a CSIP client."""

    @property
    def state(self) -> str:
        """One of `series.STATES`."""
        ...


class _Starting(NamedTuple):
    device: Device
    facts: ControlFacts
    started_s: float


class LoadRecorder:
    """The measuring of one process. source: its name in a fleet of several.

    tally: what was counted since the start, or since the last `take`. utc_s: the computer's clock.
    """

    def __init__(
        self, fleet: Fleet, clock: SimClock, *, source: str = "", utc_s: Callable[[], float] = time.time
    ) -> None:
        self.tally = LoadTally(source)
        self.clients: list[Client] = []
        self._fleet = fleet
        self._clock = clock
        self._utc_s = utc_s
        self._ahead_s: float | None = None
        self._starting: dict[tuple[int, str], _Starting] = {}

    def take(self) -> LoadTally:
        """What was counted since the last `take`; counting goes on in a new tally."""
        taken, self.tally = self.tally, LoadTally(self.tally.source)
        return taken

    def now_s(self) -> float:
        """The time of what ends now: UTC seconds, which no correction of the computer's clock moves."""
        if self._ahead_s is None:
            self._ahead_s = self._utc_s() - trio.current_time()
        return trio.current_time() + self._ahead_s

    # ---- what the clients report

    def request(self, record: RequestRecord) -> None:
        """A request has ended."""
        self.tally.request(record)

    def polled(self, late_s: float) -> None:
        """A poll begins, so late."""
        self.tally.polled(self.now_s(), late_s)

    def poll_rate(self, name: str, rate_s: float) -> None:
        """A client polls a document at the server's rate, s."""
        self.tally.poll_rates_s[name] = rate_s

    def handshake(self, seconds: float, *, resumed: bool) -> None:
        """A connection was made."""
        self.tally.handshake(self.now_s(), seconds, resumed=resumed)

    def violations(self, kind: str, count: int, device: int, text: str) -> None:
        """A document broke the schema so many times."""
        self.tally.violations(kind, count, Example(self.now_s(), device, text))

    def follow(self, program: str, device: int, server_s: float) -> None:
        """A DER follows a program from this server time on."""
        self.tally.server_now_s = max(self.tally.server_now_s, server_s)
        self.tally.reactions.follow(program, device, server_s)

    def seen(self, facts: ControlFacts, device: int, after_s: float | None) -> None:
        """A DER has read a control for the first time, so long after it was published; None: not measured."""
        reaction = self.tally.reactions.of(facts)
        if reaction.seen.put(device) and after_s is not None:
            reaction.record("seen", after_s)

    def step(self, facts: ControlFacts, step: str, after_s: float) -> None:
        """A DER has made a step of a control."""
        self.tally.reactions.of(facts).record(step, after_s)

    def started(self, facts: ControlFacts, device: Device) -> None:
        """A control has started: from now on its effect is awaited."""
        self._starting[device.number, facts.mrid] = _Starting(device, facts, self._clock.now_s())

    def over(self, mrid: str, device: int) -> None:
        """A control is over, applied or not."""
        self._starting.pop((device, mrid), None)

    # ---- what it looks at itself

    async def run(self) -> None:
        """Look, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look_at_effects)
            nursery.start_soon(self._look_at_states)
            while True:
                due_s = trio.current_time() + LAG_LOOK_S
                await trio.sleep_until(due_s)
                self.tally.loop_lag(self.now_s(), max(trio.current_time() - due_s, 0.0))

    async def _look_at_states(self) -> None:
        while True:
            now_s = self.now_s()
            self.look_at_states(now_s)
            await trio.sleep(1 - now_s % 1 + 0.001)

    def look_at_states(self, now_s: float) -> None:
        """Count the DERs by state. Those whose client runs in another process are not counted."""
        counts = dict.fromkeys(STATES, 0)
        for client in self.clients:
            if (state := client.state) in counts:
                counts[state] += 1
        self.tally.states(now_s, tuple(counts.values()))

    async def _look_at_effects(self) -> None:
        while True:
            await self._fleet.wait_step()
            self.look_at_effects()

    def look_at_effects(self) -> None:
        """Note which of the controls that have started are applied by now."""
        now_s = self._clock.now_s()
        for key, (device, facts, started_s) in list(self._starting.items()):
            applied = is_applied(device, facts.mrid)
            if applied:
                self.tally.reactions.of(facts).record("applied", now_s - started_s)
            if applied or applied is None or now_s - started_s > _GIVEN_UP_S:
                del self._starting[key]
