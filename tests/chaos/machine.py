"""Runs one seed: the world, what was drawn at its times, and a look after every tick."""

from __future__ import annotations

import hashlib
import json
import re
import time
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple

import trio
from tests.chaos.acts import Acts
from tests.chaos.drawing import RECOVERY_S, Drawn, draw
from tests.chaos.promises import Finding, Promises
from tests.chaos.retries import RetryCheck
from tests.chaos.watched import Watch

from dersim.csip.client import CsipClient
from dersim.ieee2030_5.event_types import EventView
from dersim.invariants.kept_views import KeptViews
from dersim.plugin.services import CsipService
from dersim.testing import WorldPlan, open_world, run_virtual
from dersim.testing.simulators import WorldSimulator
from dersim.testing.stream_faults import StreamFaults

#: Violations after which a run ends: more of them say nothing new.
ENOUGH = 5
#: Between two states of a simulator that are saved, s, unless somebody waits for one.
SAVE_S = 300.0
#: How long it takes to save one, s.
SAVING_S = 1.0
#: Lines of the log that are told with a violation.
LINES_TOLD = 25

_MRID = re.compile(r"\b[0-9A-F]{32}\b")


class Outcome(NamedTuple):
    """What came of one seed. requests: that reached the server; digest: of all of them and their answers."""

    drawn: Drawn
    findings: tuple[Finding, ...]
    requests: int
    responses: int
    digest: str
    cpu_s: float
    told: str

    @property
    def repeat(self) -> str:
        """The command that repeats it."""
        return f"python -m tests.chaos --first {self.drawn.seed} --seeds 1 --days {self.drawn.days:g}"


def run(seed: int, days: float, enough: int = ENOUGH) -> Outcome:
    """Run one seed; called outside trio. enough: findings after which it ends."""
    drawn = draw(seed, days)
    begun_s = time.process_time()
    return run_virtual(Machine(drawn, enough).run, begun_s, seed=seed)


class Machine:
    """One run. inputs: of all DERs; changed_s: when the utility last changed something, by trio's clock."""

    def __init__(self, drawn: Drawn, enough: int = ENOUGH) -> None:
        self.drawn = drawn
        self._enough = enough
        self.streams = StreamFaults(drawn.seed)
        self.retries = RetryCheck(self)
        self.inputs: dict[str, float] = {}
        self.acts = Acts(self)
        self.changed_s = self.server_back_s = 0.0
        self.findings: list[Finding] = []
        self._found: set[tuple[str, int, str]] = set()
        self.requests = self.responses = 0
        self._digest = hashlib.sha256()
        self._logged = 0
        self._log_of: Any = None
        self._views = KeptViews()
        self._watches: dict[int, Watch] = {}
        self._saved: dict[int, dict[str, Any]] = {}
        self._lfdis: dict[int, str] = {}

    async def run(self, begun_s: float) -> Outcome:
        """The whole of it."""
        drawn = self.drawn
        plan = WorldPlan(
            seed=drawn.seed,
            ders=drawn.ders,
            separate=True,
            flags=("--device_type", drawn.device_type, "--conversation", "4"),
            encrypted=drawn.encrypted,
            tick_s=drawn.tick_s,
            poll_s=drawn.poll_s,
            wire=lambda open_tcp, number: self.retries.wire(self.streams.opener(number, open_tcp), number),
        )
        try:
            async with open_world(plan) as self.world, trio.open_nursery() as self.nursery:
                self._begin()
                await self._days()
                self.nursery.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - whatever ends a world early is what this run has found
            self.find("crash", 0, "no unexpected error", "".join(traceback.format_exception(error)))
        cpu_s = time.process_time() - begun_s
        entries = self.world.log.entries() if hasattr(self, "world") else []
        told = "\n".join([each.to_line() for each in entries if each.level != "Debug"][-LINES_TOLD:])
        parts = drawn, tuple(self.findings), self.requests, self.responses
        return Outcome(*parts, self._digest.hexdigest(), cpu_s, told)

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return trio.current_time() - self._zero_s

    def _begin(self) -> None:
        self._zero_s = self.changed_s = trio.current_time()
        self.promises = Promises(self)
        self.world.utility.head_end.create_program("chaos", 30)
        for simulator in self.world.simulators:
            self.began(simulator)

    def began(self, simulator: WorldSimulator) -> None:
        """A simulator runs: it is watched, and its states are saved."""
        number = simulator.numbers.start
        made = simulator.simulator
        made.states.keeps = True
        simulator.device().inputs.set(**self.inputs)
        self._watches[number] = Watch(simulator)
        simulator.on_step[:] = [self._stepped]
        self.nursery.start_soon(self._save, simulator)

    def _stepped(self, simulator: WorldSimulator) -> None:
        """After a step: the invariants of the simulator, and what is looked for beside them."""
        number = simulator.numbers.start
        for violation in self._watches[number].step():
            told = f"{violation.expected} {violation.seen}"
            if self.acts.doubtful.isdisjoint(_MRID.findall(told)):
                self.find(violation.id, number, violation.expected, violation.seen)
        self.promises.stepped(simulator)

    async def _save(self, simulator: WorldSimulator) -> None:
        """Save the states of a simulator while it runs: where something waits for it, and now and then."""
        number, made = simulator.numbers.start, simulator.simulator
        while simulator.is_up and simulator.simulator is made:
            self._saved[number] = made.checkpoint()
            made.states.saved()
            with trio.move_on_after(SAVE_S):
                await made.states.wanted.wait()
            await trio.sleep(SAVING_S)

    async def _days(self) -> None:
        end_s, tick_s = self.drawn.days * 86_400, self.drawn.tick_s
        waiting = list(reversed(self.drawn.acts))
        while self.now_s < end_s and len(self.findings) < self._enough:
            while waiting and waiting[-1].at_s <= self.now_s:
                self.acts.do(waiting.pop())
            await self.world.sleep(tick_s)
            self._hear()
            self.promises.look()
        self.promises.end()

    def _hear(self) -> None:
        """Take all requests that came to the server into the digest."""
        log = self.world.utility.head_end.request_log
        if log is not self._log_of:
            self._log_of, self._logged = log, 0
        fresh = log.newest(log.count - self._logged) if log.count > self._logged else []
        self._logged = log.count
        self.requests += len(fresh)
        for each in fresh:
            self._digest.update(f"{each.time_s:.6f} {each.method} {each.path} {each.status}".encode())
            self._digest.update(each.request_body)
            self._digest.update(each.response_body)
        self.promises.hear(fresh)

    # ---- what acts need

    def find(self, promise: str, number: int, expected: str, seen: str) -> None:
        """Something was found."""
        at_s = self.now_s if hasattr(self, "_zero_s") else 0.0
        if (promise, number, expected) not in self._found:
            self._found.add((promise, number, expected))
            self.findings.append(Finding(promise, number, at_s, expected, seen))

    def client(self, number: int) -> CsipClient:
        """The client of a DER."""
        found = self.world.client(number)
        assert isinstance(found, CsipClient)
        return found

    def views(self, number: int) -> Sequence[EventView]:
        """Every event that the client of a DER holds."""
        return self._views.of(number, self.client(number))

    def lfdi(self, number: int) -> str | None:
        """The LFDI of a DER, once it has one."""
        if number not in self._lfdis:
            simulator = self.world.simulator_of(number)
            found = simulator.services.find(CsipService, number) if simulator.is_up else None
            credentials = None if found is None else found.identity()
            if credentials is None:
                return None
            self._lfdis[number] = credentials.lfdi
        return self._lfdis[number]

    def changed(self) -> None:
        """The utility has changed something that clients see at their next polls."""
        self.changed_s = trio.current_time()

    def jumped(self) -> None:
        """The server's clock has jumped."""
        self.changed()
        self.promises.jumped()

    def server_down(self) -> None:
        """The server is about to stop: take what it has heard."""
        self._hear()

    def server_is_new(self) -> None:
        """The server has forgotten everything; its operator makes the third program again."""
        self.promises.server_is_new()
        self.acts.mrids.clear()
        self.world.utility.head_end.create_program("chaos", 30)

    async def restart(self, number: int, *, crash: bool, away_s: float) -> None:
        """Stop a simulator, or end it at once as a crash does; start it with its last state."""
        simulator = self.world.simulator_of(number)
        self.promises.ends(simulator, crash=crash)
        if crash:
            await simulator.kill()
            state = self._saved[number]
        else:
            await simulator.stop()
            state = simulator.checkpoint()
        state = json.loads(json.dumps(state, allow_nan=False))
        await self.world.sleep(away_s)
        await simulator.start(state)
        self.began(simulator)

    @property
    def reading_s(self) -> float:
        """The time in which every client reads what has changed, if nothing is wrong."""
        return 2 * self.drawn.poll_s + 2 * self.drawn.tick_s + 60

    def is_settled(self) -> bool:
        """Whether every client has read what the utility has changed last."""
        return trio.current_time() - self.changed_s > self.reading_s

    def is_calm(self) -> bool:
        """Whether every client must have recovered from the last storm by now, and none acts."""
        if self.acts.away:
            return False
        wait_s = RECOVERY_S + 2 * self.drawn.poll_s
        return all(not begin_s - 1 <= self.now_s <= over_s + wait_s for begin_s, over_s in self.drawn.storms)
