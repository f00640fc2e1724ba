"""Watches a running fleet: calls the invariants after each tick and tells what they find."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import trio

from dersim.buffers import BufferSize
from dersim.fences import Fences
from dersim.invariants.base import FleetLook, Invariant, Look, Violation
from dersim.invariants.hearing import Hearing
from dersim.invariants.kept_views import MOST_KEPT, VIEW_BYTES, KeptViews
from dersim.invariants.loop_lag import LoopLag, Starved, Waits
from dersim.invariants.published import Published
from dersim.invariants.rules import all_invariants
from dersim.plugin.services import CsipService, OverviewService, SunspecService

if TYPE_CHECKING:
    from dersim.buffers import Buffers
    from dersim.clock import SimClock
    from dersim.device import Device
    from dersim.fleet import Fleet
    from dersim.logbuffer import LogBuffer
    from dersim.plugin.services import Services

#: The part of the time that `dersim sim --watch_invariants` may take, and the most that it saves up, s.
SHARE, MOST_CREDIT_S = 0.02, 0.02
#: Violations that are held for the REST API, and lines for the log of each invariant in a minute.
MOST_HELD, MOST_LINES, LINES_S = 1_000, 5, 60.0
#: The most that is remembered of one DER, bytes: of the 11,000 events that its client holds at the most, of
#: 600 ticks, and what it exchanged and was not looked at yet.
MOST_BYTES = 4_200_000
_LAG_LOOK_S = 0.1


class Watcher:
    """The invariants of one process.

    invariants: default, all. share: the CPU time that it may take, of the real time, looking at the DERs in
    turn; None: it looks at every DER after every tick. secrets: texts that must not be in the log. real_s: a
    monotonic clock. buffers: the bounded buffers of the run by name.
    violations: the newest, oldest first; counts: of all, by id.
    """

    def __init__(
        self,
        fleet: Fleet,
        services: Services,
        clock: SimClock,
        log: LogBuffer,
        *,
        invariants: Sequence[Invariant] | None = None,
        share: float | None = None,
        secrets: Iterable[str] = (),
        buffers: Buffers | None = None,
        fences: Fences | None = None,
        real_s: Callable[[], float] = trio.current_time,
    ) -> None:
        self.invariants = list(all_invariants() if invariants is None else invariants)
        self.violations: deque[Violation] = deque(maxlen=MOST_HELD)
        self.counts: Counter[str] = Counter()
        self.looks = 0
        self.secrets = list(secrets)
        self._fleet = fleet
        self._services = services
        self._clock = clock
        self._log = log
        self._share = share
        self._buffers: Buffers = {} if buffers is None else buffers
        self._buffers["invariants"] = self.size
        self._fences = fences or Fences(log, fail_fast=True)
        self._real_s = real_s
        self._hearing = Hearing()
        self._views = KeptViews()
        self._starved = Starved()
        self._ticking = _overriding(self.invariants, "tick")
        self._looking = _overriding(self.invariants, "check")
        self._of_fleet = _overriding(self.invariants, "check_fleet")
        self._published: dict[int, Published] = {}
        self._next = 0
        self._credit_s = 0.0
        self._stepped_s: float | None = None
        self._lines: dict[str, tuple[float, int]] = {}

    @property
    def ids(self) -> list[str]:
        """The ids of the invariants that are watched, I1 first; some have two halves."""
        return sorted({each.id for each in self.invariants}, key=_number)

    @property
    def total(self) -> int:
        """How many violations were found."""
        return sum(self.counts.values())

    def size(self) -> BufferSize:
        """What is remembered of the DERs from look to look."""
        held = (
            self._hearing.held_bytes()
            + self._views.held_bytes()
            + sum(each.held_bytes() for each in self.invariants)
        )
        return BufferSize(held, len(self._fleet.devices) * MOST_BYTES + MOST_KEPT * VIEW_BYTES)

    def listen(self) -> None:
        """Hear the conversation from now on; `step` does it too, once there is one."""
        self._hearing.attach(self._services)

    def step(self) -> list[Violation]:
        """Look, after a tick of the fleet; what was found, which is told and counted, too."""
        begun_s = time.thread_time()
        self._starved.note(self._real_s())
        self.listen()
        now_s = self._clock.now_s()
        found = [
            violation
            for device in self._fleet.devices
            for invariant in self._ticking
            for violation in invariant.tick(device, now_s)
        ]
        for device in self._turn(begun_s):
            found += self._look(device, now_s)
        view = self._view(now_s)
        for invariant in self._of_fleet:
            found += invariant.check_fleet(view)
        for violation in found:
            self._tell(violation)
        return found

    async def run(self) -> None:
        """Look after every tick of the fleet until cancelled."""
        async with trio.open_nursery() as nursery:
            for each in self.invariants:
                if isinstance(each, LoopLag):
                    nursery.start_soon(_feel_lag, each)
            while True:
                await self._fleet.wait_step()
                with self._fences.around("invariants", "Engine", "the watch of the invariants"):
                    self.step()

    def summary(self) -> str:
        """One line about all that was found."""
        if not self.total:
            return f"invariants: no violation in {self.looks} looks at a DER"
        by_id = ", ".join(f"{name}: {self.counts[name]}" for name in sorted(self.counts, key=_number))
        last = self.violations[-1]
        whose = f" DER {last.device}" if last.device else ""
        plural = "" if self.total == 1 else "s"
        return f"invariants: {self.total} violation{plural} ({by_id}); the last:{whose} {last}"

    def _turn(self, begun_s: float) -> Iterator[Device]:
        """The DERs that are looked at now, in turn, while there is time left."""
        devices = self._fleet.devices
        if self._share is None:
            yield from devices
            return
        now_s = time.monotonic()
        since_s = 0.0 if self._stepped_s is None else now_s - self._stepped_s
        self._stepped_s = now_s
        self._credit_s = min(self._credit_s + since_s * self._share, MOST_CREDIT_S)
        for _ in devices:
            if time.thread_time() - begun_s >= self._credit_s:
                break
            yield devices[self._next % len(devices)]
            self._next += 1
        self._credit_s -= time.thread_time() - begun_s

    def _look(self, device: Device, now_s: float) -> list[Violation]:
        self.looks += 1
        number, find = device.number, self._services.find
        client, overview = find(CsipService, number), find(OverviewService)
        exchanges = self._hearing.take(number)
        published = self._published.setdefault(number, Published())
        published.hear(exchanges)
        look = Look(
            device,
            now_s,
            self._clock.tick_s,
            client,
            find(SunspecService, number),
            self._hearing.conversation,
            exchanges,
            published,
            self._views.of(number, client),
            None if overview is None else partial(overview.measured, device),
            self._real_s(),
            getattr(self._clock, "rate", 1.0),
            self._starved.seconds,
        )
        return [violation for invariant in self._looking for violation in invariant.check(look)]

    def _view(self, now_s: float) -> FleetLook:
        parts = self._fleet, self._services, self._clock, self._log
        return FleetLook(*parts, now_s, self._real_s(), self._buffers, self.secrets)

    def _tell(self, violation: Violation) -> None:
        """Count it, and log it unless its invariant has filled the minute."""
        self.violations.append(violation)
        self.counts[violation.id] += 1
        now_s = self._real_s()
        since_s, lines = self._lines.get(violation.id, (now_s, 0))
        if now_s - since_s >= LINES_S:
            since_s, lines = now_s, 0
        self._lines[violation.id] = since_s, lines + 1
        if lines < MOST_LINES:
            more = f" (more of {violation.id} are only counted for a minute)" * (lines == MOST_LINES - 1)
            self._log.log("Error", "Engine", f"{violation}{more}", violation.device)


def _overriding(invariants: Iterable[Invariant], method: str) -> list[Invariant]:
    return [each for each in invariants if getattr(type(each), method) is not getattr(Invariant, method)]


def _number(name: str) -> tuple[int, str]:
    """I2 before I10, and those of a plug-in's own names first."""
    return (int(name[1:]) if name[1:].isdecimal() else 0, name)


async def _feel_lag(lag: LoopLag) -> None:
    """Tell how much too late a task wakes, less what the computer did meanwhile."""
    waits = Waits()
    while True:
        due_s, waited_before_s = trio.current_time() + _LAG_LOOK_S, waits.until_now_s()
        await trio.sleep_until(due_s)
        others_s = waits.until_now_s() - waited_before_s
        lag.woke(max(trio.current_time() - due_s - others_s, 0.0))
