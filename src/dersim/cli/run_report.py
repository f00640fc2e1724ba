"""What `dersim sim` tells while it runs: how the DERs connect, then one line a minute.

The line is in the terminal only. The log keeps every call, PUT, POST and control whatever is shown here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import trio

from dersim.engine.collector import keep_what_is_there
from dersim.plugin.services import CsipService
from dersim.setpoint_sources import SetpointSource

if TYPE_CHECKING:
    from dersim.cli.short_form import ShortForm
    from dersim.cli.terminal import Terminal
    from dersim.engine.simulator import Simulator
    from dersim.fences import Fences
    from dersim.fleet import Fleet
    from dersim.logbuffer import LogBuffer
    from dersim.plugin.services import Services

MINUTE_S = 60.0
#: Between two looks at the DERs while they connect, real seconds.
LOOK_S = 0.25
#: The bar goes after this time, whether all are connected or not, real seconds.
LONGEST_BAR_S = 60.0

_HINT = "Ctrl-C stops it. From now on one line a minute, events at once; --log_level info shows every call."


class Count(NamedTuple):
    """How many exchanges there were since the start, and how many errors."""

    requests: int
    errors: int


class FleetView:
    """What the line is made of, read from the fleet and its CSIP clients."""

    def __init__(self, fleet: Fleet, services: Services, fences: Fences) -> None:
        self._fleet = fleet
        self._services = services
        self._fences = fences
        self.total = len(fleet.devices)

    def clients(self) -> list[CsipService]:
        """The CSIP clients of the run; none where CSIP is off."""
        found = (self._services.find(CsipService, device.number) for device in self._fleet.devices)
        return [client for client in found if client is not None]

    def connected(self) -> int:
        """How many DERs are connected to their server."""
        return sum(client.state == "connected" for client in self.clients())

    def away(self) -> int:
        """How many DERs a fleet file keeps away now."""
        return sum(client.state == "away" for client in self.clients())

    def all_here(self) -> bool:
        """Whether DERs are connected, and all others away."""
        connected = self.connected()
        return connected > 0 and connected + self.away() == self.total

    def count(self) -> Count:
        """Exchanges and errors so far; unexpected errors are counted among the errors."""
        counts = [client.counts() for client in self.clients()]
        unexpected = sum(self._fences.counts.values())
        return Count(
            sum(each["requests"] for each in counts), sum(each["errors"] for each in counts) + unexpected
        )

    def controls(self) -> int:
        """How many different DERControls are in force on any DER."""
        return len(
            {
                each.detail
                for device in self._fleet.devices
                for each in device.setpoints.in_force()
                if each.source is SetpointSource.CSIP
            }
        )

    def power_kw(self) -> float:
        """The sum of all DERs, > 0 generates; no states are built for it."""
        return sum(device.seen.p_w for device in self._fleet.devices) / 1000


class RunReport:
    """Tells of one run. terminal: None in a pipe: then only that many DERs connect, and when all have."""

    def __init__(
        self, view: FleetView, log: LogBuffer, terminal: Terminal | None, short: ShortForm | None
    ) -> None:
        self._view = view
        self._log = log
        self._terminal = terminal
        self._short = short
        self._addresses: Mapping[str, str] = {}
        self.announced = trio.Event()
        self._joining = False
        self._began_s = 0.0

    @classmethod
    def of(
        cls, simulator: Simulator, log: LogBuffer, terminal: Terminal, short: ShortForm | None
    ) -> RunReport:
        """The report of a simulator's run."""
        view = FleetView(simulator.fleet, simulator.services, simulator.fences)
        return cls(view, log, terminal if terminal.look.interactive else None, short)

    def announce(self, line: str) -> None:
        """Print the ready line on stdout at once, even into a pipe, and the addresses in the terminal."""
        print(line, flush=True)
        self._addresses = dict(pair.split("=", 1) for pair in line.split() if "=" in pair)
        if self._terminal is not None:
            self._terminal.table(self._addresses)
        self.announced.set()

    async def run(self) -> None:
        """Until cancelled; in a pipe until all are connected."""
        await self.announced.wait()
        self._began_s = trio.current_time()
        self._joining = bool(self._view.clients())
        if self._joining and (self._terminal is not None or self._view.total > 1):
            await self._join()
        if self._short is not None:
            self._short.everything = self._short.joining = False
        if self._terminal is not None:
            self._terminal.line(_HINT, "dim")
            await self._tell_each_minute(self._terminal)

    async def _join(self) -> None:
        """Until all are connected; in the terminal a minute at most."""
        total = self._view.total
        if total > 1:
            self._log.log("Info", "Engine", f"{total} DERs connect to their server")
        limit_s = LONGEST_BAR_S if self._terminal is not None else float("inf")
        with self._bar() as show, trio.move_on_after(limit_s):
            while not self._view.all_here():
                show(self._view.connected())
                await self._pause(LOOK_S)
        self._look()

    def _look(self) -> None:
        """Tell it where all are connected for the first time."""
        total = self._view.total
        if not self._joining or not self._view.all_here():
            return
        self._joining = False
        keep_what_is_there()
        if total > 1:
            after_s = trio.current_time() - self._began_s
            away = self._view.away()
            who = f"{total - away} connected, {away} away" if away else f"all {total} connected"
            self._log.log("Info", "Engine", f"{who} after {after_s:.1f} s")
        if self._terminal is not None:
            self._terminal.table(self._addresses)

    @contextlib.contextmanager
    def _bar(self) -> Iterator[Callable[[int], None]]:
        if self._terminal is None or not self._terminal.look.moves or self._view.total == 1:
            yield lambda _connected: None
            return
        with self._terminal.bar("connecting", self._view.total) as show:
            yield show

    async def _tell_each_minute(self, terminal: Terminal) -> None:
        before = self._view.count()
        while True:
            next_s = trio.current_time() + MINUTE_S
            while (left_s := next_s - trio.current_time()) > 0:
                await self._pause(min(1.0, left_s))
                self._look()
            now = self._view.count()
            terminal.line(self.line(before, now))
            before = now

    async def _pause(self, seconds: float) -> None:
        await trio.sleep(seconds)
        if self._short is not None:
            self._short.flush()

    def line(self, before: Count, now: Count) -> str:
        """The line of a minute; `before` is the count at the last line."""
        view, clients, away = self._view, self._view.clients(), self._view.away()
        parts = [
            f"connected {view.connected()} of {view.total}" + (f", {away} away" if away else "")
            if clients
            else f"{_counted(view.total, 'DER')}, CSIP off",
            f"{_counted(view.controls(), 'control')} in force",
            f"P {view.power_kw():.2f} kW",
        ]
        if clients:
            requests, errors = now.requests - before.requests, now.errors - before.errors
            parts.append(f"{requests} requests, {_counted(errors, 'error')} in the last minute")
        if dashboard := self._addresses.get("dashboard"):
            parts.append(dashboard)
        return f"{datetime.now(UTC):%H:%M:%SZ} " + " | ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
