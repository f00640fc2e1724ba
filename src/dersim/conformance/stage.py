"""The server's side of one run: a companion server whose tree the procedure builds and changes.

Times are those of the procedure: seconds after t0, the moment at which the tree is set up. With `scale` 0.1 a
printed minute takes six seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dersim.conformance.evidence import Evidence, Exchange
from dersim.http11 import Request, Response
from dersim.http11.raw import Raw
from dersim.ieee2030_5 import identity
from dersim.logbuffer import Log
from dersim.modes import modes_from_json
from dersim.plugin.services import CertificateFiles
from dersim.utility import grouping
from dersim.utility.config import DEFAULT_PIN, PollRates, UtilityConfig
from dersim.utility.faults.plans import fault_from
from dersim.utility.groups import Group
from dersim.utility.program import Control, Program
from dersim.utility.programs import ControlOrder
from dersim.utility.server import UtilityServer

#: Poll rates of a procedure, printed seconds: a client must notice a change within the gaps that are printed.
POLL_RATES = {"dcap": 60, "edev": 30, "fsa": 20, "derp": 15, "der": 30, "mup": 30}
RESPONSE_REQUIRED = 7


class Clock(Protocol):
    """The time of a run."""

    def now_s(self) -> float:
        """UTC seconds since 1970."""

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until that time."""


class ShiftedClock:
    """A clock that is ahead of another one."""

    def __init__(self, clock: Clock, offset_s: float) -> None:
        self._clock, self._offset_s = clock, offset_s

    def now_s(self) -> float:
        """UTC seconds since 1970."""
        return self._clock.now_s() + self._offset_s

    async def sleep_until(self, when_s: float) -> None:
        """Sleep until that time."""
        await self._clock.sleep_until(when_s - self._offset_s)


class Bench(Protocol):
    """What surrounds the device under test, where it can be moved: its grid, its sun, its software."""

    def set_inputs(self, **values: float) -> bool:
        """Change inputs (voltage_pu, frequency_hz, irradiance_w_m2); False where nobody can."""

    def raise_alarm(self, number: int) -> bool:
        """Let the device log its event number `number`; False where nobody can."""


class Stage:
    """One run of one procedure.

    lfdi: of the device under test. answers: instead of the server's answer, for what a procedure answers
    itself: called with each request, None leaves it to the server. reads, rewrites: what the server makes of
    requests, and what becomes of its answers. moved: paths of the server, and where they are found now.
    server_ahead_s: how far the server's clock is ahead of the procedure's; not 0 where a stimulus has set it.
    notifies_with: the server's pair, where it offers subscriptions.
    """

    def __init__(
        self,
        clock: Clock,
        log: Log,
        lfdi: str,
        bench: Bench,
        *,
        scale: float = 1.0,
        encrypted: bool = True,
        notifies_with: CertificateFiles | None = None,
    ) -> None:
        self.clock, self.lfdi, self.bench, self.scale = clock, identity.normal_lfdi(lfdi), bench, scale
        rates = PollRates(**{name: self.whole(rate) for name, rate in POLL_RATES.items()})
        files = notifies_with
        config = UtilityConfig(
            registration="known",
            own_programs=False,
            poll_rates=rates,
            encrypted=encrypted,
            pin=DEFAULT_PIN,
            subscriptions=files is not None,
            notify_gap_s=self.whole(1),
            notify_hosts="anywhere",
            certificate=None if files is None else files.cert,
            key=None if files is None else files.key,
            root=None if files is None else files.root,
        )
        self.server_ahead_s = 0.0
        self.server = UtilityServer(config, lambda: clock.now_s() + self.server_ahead_s, log)
        self.head_end = self.server.head_end
        self.t0_s = math.ceil(clock.now_s())
        self.programs: dict[str, Program] = {}
        self.controls: dict[str, Control] = {}
        self.answers: Callable[[Request], Response | None] | None = None
        self.reads: Callable[[Request], Request] | None = None
        self.rewrites: Callable[[Request, Response], Response] | None = None
        self.moved: dict[str, str] = {}
        self.evidence = Evidence(
            self.t0_s, scale, programs=self.programs, controls=self.controls, lfdi=self.lfdi
        )

    def whole(self, seconds: float) -> int:
        """Printed seconds as whole real ones, at least 1."""
        return max(1, round(seconds * self.scale))

    def at(self, seconds: float) -> int:
        """The moment so many printed seconds after t0, UTC."""
        return self.t0_s + round(seconds * self.scale)

    async def until(self, seconds: float) -> None:
        """Wait until so many printed seconds after t0."""
        await self.clock.sleep_until(self.at(seconds))

    # ---- the tree

    def register(self, lfdi: str | None = None) -> str:
        """An EndDevice with the PIN 111115, the device under test by default; its href."""
        device, _ = self.head_end.provision(lfdi or self.lfdi, DEFAULT_PIN)
        if lfdi is None:
            self.evidence.device_href = device.href
        return device.href

    def hide_lfdi(self) -> None:
        """Leave the lFDI out of the EndDevice of the device under test: its sFDI must do."""
        device = self.head_end.end_devices.find(self.lfdi)
        if device is not None:
            device.shows_lfdi = False
            device.version += 1

    def group(self, name: str, level: str, parent: Group | None = None) -> Group:
        """A group of the topology, or with level `non_topology` outside it."""
        return grouping.create(self.head_end, name, level, parent)

    def assign(self, group: Group) -> None:
        """Put the device under test into a group."""
        grouping.set_members(self.head_end, group, {*group.lfdis, self.lfdi}, group.patterns)

    def program(
        self,
        name: str,
        primacy: int,
        group: Group | None = None,
        default: Mapping[str, Any] | None = None,
    ) -> Program:
        """A program for the group (the system without one), with a DefaultDERControl or without."""
        program = self.head_end.create_program(name, primacy, (group,) if group else ())
        self.programs[name] = program
        if default is not None:
            self.head_end.set_default(program, modes_from_json(self._scaled(default)))
        return program

    def control(
        self,
        name: str,
        program: str,
        start: float,
        duration: float,
        modes: Mapping[str, Any],
        *,
        randomize_start: float = 0,
        randomize_duration: float = 0,
    ) -> Control:
        """A control in a program, with replyTo and responseRequired 7; times in printed seconds.

        Controls that meet in printed seconds meet in whole real ones, too.
        """
        start_s = self.at(start)
        order = ControlOrder(
            modes_from_json(self._scaled(modes)),
            start_s,
            max(1, self.at(start + duration) - start_s),
            randomize_start_s=round(randomize_start * self.scale),
            randomize_duration_s=round(randomize_duration * self.scale),
            response_required=RESPONSE_REQUIRED,
            description=name,
        )
        control = self.head_end.publish(self.programs[program], order)
        self.controls[name] = control
        return control

    def _scaled(self, modes: Mapping[str, Any]) -> dict[str, Any]:
        """The modes with their times scaled: open-loop response times and rampTms."""
        scaled = dict(modes)
        for name, value in modes.items():
            if name == "rampTms":
                scaled[name] = value * self.scale
            elif isinstance(value, Mapping) and "open_loop_s" in value:
                scaled[name] = {**value, "open_loop_s": value["open_loop_s"] * self.scale}
        return scaled

    def cancel(self, name: str) -> None:
        """Set a control to Cancelled."""
        self.head_end.cancel(self.controls[name])

    def plant(self, kind: str, **data: Any) -> None:
        """Plant a fault of the server (`utility.faults.forms`)."""
        self.head_end.faults.plant(fault_from({"kind": kind, **data}))

    def move_inputs(self, **values: float) -> None:
        """Change grid or weather at the device, where the bench can."""
        self.evidence.facts["inputs_moved"] = self.bench.set_inputs(**values)

    def close(self) -> None:
        """The run is over: note what the server has counted."""
        self.evidence.ended_s = self.clock.now_s()
        self.evidence.facts["violations"] = list(self.head_end.violations)

    # ---- the wire

    def _as_known(self, request: Request) -> Request:
        path, mark, query = request.target.partition("?")
        known = {new: old for old, new in self.moved.items()}
        request = request._replace(target=known.get(path, path) + mark + query)
        return request if self.reads is None else self.reads(request)

    async def handle(self, request: Request) -> Response | Raw:
        """Answer one request, and keep both as evidence."""
        own = self.answers(request) if self.answers is not None else None
        response = await self.server.handle(self._as_known(request)) if own is None else own
        if self.rewrites is not None and isinstance(response, Response):
            response = self.rewrites(request, response)
        lfdi = None if request.peer_certificate_der is None else identity.lfdi(request.peer_certificate_der)
        answer = Response(0) if isinstance(response, Raw) else response
        kept = self.evidence.exchanges
        kept.append(
            Exchange(
                len(kept),
                self.clock.now_s(),
                request.method,
                request.target,
                lfdi,
                request.headers,
                request.body,
                answer.status,
                answer.headers,
                answer.body,
            )
        )
        return response
