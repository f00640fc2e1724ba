"""What is looked for beside `dersim.invariants`: what the server sees, and what must hold over restarts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import trio
from tests.chaos.in_force import InForceCheck
from tests.chaos.responses import ResponseCheck

from dersim.invariants.leaks import counted

if TYPE_CHECKING:
    from tests.chaos.drawing import Drawn
    from tests.chaos.machine import Machine

    from dersim.testing.simulators import WorldSimulator
    from dersim.utility.request_log import LoggedRequest

#: Between two thorough looks in calm, s.
THOROUGH_S = 240.0
#: Requests of one DER in a minute, at most: a whole walk every 10 s, and their retries.
MOST_A_MINUTE = 260
#: So many times as many where lists have no end: then a round reads 25 pages of each, and every item by its
#: own href; with two or three programs that makes 300 requests and more, but not again before the next poll.
ENDLESS = 3
#: File descriptors that libraries open late.
FD_SLACK = 8


class Finding(NamedTuple):
    """Something that must not be. at_s: after the start; device: 0 for the whole."""

    promise: str
    device: int
    at_s: float
    expected: str
    seen: str

    def __str__(self) -> str:
        days, rest = divmod(int(self.at_s), 86_400)
        who = f"DER {self.device}, " if self.device else ""
        at = f"{days}d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        return f"{self.promise} at {at}: {who}expected {self.expected}; seen: {self.seen}"


class Promises:
    """All of it for one run."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.responses = ResponseCheck(machine)
        self._in_force = InForceCheck(machine)
        self._registers: dict[int, tuple[float, ...]] = {}
        self._crashed: dict[int, tuple[float, ...]] = {}
        self._minute: defaultdict[int, Counter[str | None]] = defaultdict(Counter)
        self._level = counted()
        self._looked_s = 0.0

    # ---- every tick

    def stepped(self, simulator: WorldSimulator) -> None:
        """After a step of one simulator."""
        device = simulator.device()
        now = registers(simulator)
        before = self._registers.get(device.number, now)
        if any(new < old - 1e-6 for new, old in zip(now, before, strict=True)):
            self._machine.find("registers", device.number, f"registers not below {before}", f"{now}")
        self._registers[device.number] = now

    def hear(self, fresh: Sequence[LoggedRequest]) -> None:
        """What came to the server since the last look."""
        self.responses.hear()
        for each in fresh:
            minute = int(trio.current_time() // 60)
            self._minute[minute][each.lfdi] += 1
            if self._minute[minute][each.lfdi] < MOST_A_MINUTE:
                continue
            most = most_a_minute(self._machine.drawn, self._machine.now_s)
            if self._minute[minute][each.lfdi] == most * self._sharing(each.lfdi):
                self._machine.find("requests", 0, f"at most {most} a minute", f"more, of {each.lfdi}")
        for minute in [each for each in self._minute if each < int(trio.current_time() // 60) - 1]:
            del self._minute[minute]

    def _sharing(self, lfdi: str | None) -> int:
        return self._machine.drawn.ders if lfdi is None else 1

    def look(self) -> None:
        """After a tick of the machine."""
        machine = self._machine
        counts = machine.world.utility.fences.counts
        if counts:
            machine.find("errors", 0, "no unexpected error of the server", f"{dict(counts)}")
        violations = list(machine.world.utility.head_end.violations)
        self.responses.violations(violations)
        if machine.is_calm():
            self._calm()

    def _calm(self) -> None:
        machine = self._machine
        for number in range(1, machine.drawn.ders + 1):
            if (state := machine.client(number).state) != "connected":
                error = machine.client(number).client_status.last_error
                machine.find("connected", number, "connected again in calm", f"{state}: {error}")
        if machine.now_s - self._looked_s >= THOROUGH_S:
            self._looked_s = machine.now_s
            self._thorough()

    def _thorough(self) -> None:
        machine = self._machine
        self._in_force.look()
        self.responses.look()
        if machine.streams.open > machine.drawn.ders:
            machine.find(
                "connections", 0, f"one a DER in calm, {machine.drawn.ders}", f"{machine.streams.open}"
            )
        for name, count in counted().items():
            most = _most(name, machine.drawn.ders, self._level)
            if count > most:
                machine.find("tasks", 0, f"at most {most} of {name} in calm", str(count))

    def end(self) -> None:
        """The days are over."""
        if self._machine.is_calm() and not self._machine.findings:
            self._thorough()

    # ---- stops and starts

    def ends(self, simulator: WorldSimulator, *, crash: bool) -> None:
        """A simulator is about to stop."""
        number = simulator.numbers.start
        self.responses.ends(number, crash=crash)
        if crash:
            # What was counted since the last saved state is lost with it; what was told is not.
            self._registers.pop(number, None)

    def jumped(self) -> None:
        """The server's clock has jumped."""

    def server_is_new(self) -> None:
        """The server has forgotten everything."""
        self.responses.server_is_new()


def most_a_minute(drawn: Drawn, now_s: float) -> int:
    """How many requests of one DER there may be in the minute until now, s after the start."""
    lies = [each for each in drawn.acts if each.data.get("lie") == "endless"]
    slack_s = 60 + drawn.tick_s
    if any(each.at_s <= now_s <= each.at_s + each.data["duration_s"] + slack_s for each in lies):
        return ENDLESS * MOST_A_MINUTE
    return MOST_A_MINUTE


def registers(simulator: WorldSimulator) -> tuple[float, ...]:
    """Wh out and in, varh out and in."""
    state = simulator.device().state
    return tuple(
        sum(each) for each in (state.exported_wh, state.imported_wh, state.injected_varh, state.absorbed_varh)
    )


def _most(name: str, ders: int, level: Counter[str]) -> int:
    """How many tasks of this name there may be in calm."""
    if name == "file descriptors":
        return level[name] + FD_SLACK
    # A connection and its request; work of a DER that exists while there is some.
    return max(level[name], 8 * ders if "OnDemand" in name else 2 * ders)
