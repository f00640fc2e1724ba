"""The discovery walk, and the polls, PUTs and posts that follow it.

`walk` reads everything once: our EndDevice and its Registration first, then the PUTs that a server may wait
for before it assigns programs, then the programs. `poll` does one item of the schedule. One task makes all
requests of a DER one after the other, so a link that hangs delays the others but never reorders them.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from dersim.csip import causes
from dersim.csip.clocks import Clocks
from dersim.csip.controls import ProgramReading
from dersim.csip.discovery import Discovery
from dersim.csip.profile_rounds import ProfileRounds
from dersim.csip.put_check import check_puts
from dersim.csip.reader import Reader
from dersim.csip.reporting import IDENTITY, LIVE
from dersim.csip.schedule import Schedule
from dersim.csip.time_sampling import TIME, TimeSampling
from dersim.csip.tree import Tree
from dersim.ieee2030_5.resources import MirrorUsagePointList

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.csip.controls import Controls
    from dersim.csip.log_events import LogEvents
    from dersim.csip.measuring import ClientProbe
    from dersim.csip.programs import Programs
    from dersim.csip.reporting import Reporter
    from dersim.csip.session import Session
    from dersim.csip.several_meters import Meters
    from dersim.ieee2030_5.event_types import Reread
    from dersim.plugin.services import DerResource

#: Items that are never done early: Time must be sampled at its exact due time.
PUNCTUAL: frozenset[Hashable] = frozenset({TIME})
#: By item of the schedule: the item whose document has the link to it.
PARENTS: dict[Hashable, Hashable] = {
    "edev": "dcap",
    TIME: "dcap",
    "registration": "edev",
    "der": "edev",
    "fsa": "edev",
}
#: Controls that wait to be read by their own href; beyond that the oldest is left to the next poll.
MAX_REREADS = 100
#: How often changes of the status are PUT at the most, s.
STATUS_SPACING_S = 1.0


class Polling:
    """The discovery walk and the polls of one DER. load: measures them, or None."""

    def __init__(
        self,
        *,
        clock: SimClock,
        clocks: Clocks,
        schedule: Schedule,
        time: TimeSampling,
        session: Session,
        reader: Reader,
        discovery: Discovery,
        programs: Programs,
        controls: Controls,
        reporter: Reporter,
        metering: Meters,
        log_events: LogEvents,
        rereads: list[Reread],
        rounds: ProfileRounds | None = None,
    ) -> None:
        self.tree: Tree = discovery.tree
        self.schedule = schedule
        self.clocks = clocks
        self.rereads = rereads
        self.reporter = reporter
        self.metering = metering
        self.log_events = log_events
        self.load: ClientProbe | None = None
        self._clock = clock
        self._session = session
        self._reader = reader
        self._discovery = discovery
        self._rounds = rounds or ProfileRounds()
        self._configured_dcap = discovery.dcap
        self._programs = programs
        self._controls = controls
        self._time = time
        self._status_put_s = 0.0
        self._mirror_rate_s = reader.retry_s
        self._situations: dict[Hashable, causes.Situation] = {}

    async def walk(self) -> None:
        """Read the whole tree; raises what stops a walk (see `discovery.py`)."""
        self._begin_walk()
        tree, due = self.tree, self._due
        self._discovery.dcap = await self._rounds.entry() or self._configured_dcap
        due("dcap", await self._discovery.device_capability())
        await self._time.use(self._programs.time_hrefs(), resample=True)
        due("edev", await self._discovery.end_device(self.clocks.server_now_s()))
        due("registration", await self._discovery.registration())
        due("der", await self._discovery.der())
        await self._put(*IDENTITY)
        due("fsa", await self._programs.assignments())
        await self._time.use(self._programs.time_hrefs())
        for node in list(tree.program_lists.values()):
            due(("derp", node.href), await self._programs.program_list(node))
        await self._dispatch()
        await self._put(*LIVE)
        await self._discovery.log_events()
        self._mirror_rate_s = await self._discovery.mirrors()
        due("mirror", self._mirror_rate_s)
        if self.reporter.troubles:
            self.schedule.set_earlier("der", self._clock.now_s() + self._reader.retry_s)
        due("check", 0.0)
        due("meter", 0.0)
        due("log", self._reader.retry_s if self._discovery.log_events_unread else 0.0)
        for key in self._rounds:
            due(key, 0.0)
        self._reader.walked()
        self._discovery.polling = True

    def _begin_walk(self) -> None:
        self.schedule.clear()
        if self.load is not None:
            self.load.abandon()
        self._situations.clear()
        self.rereads.clear()
        self._discovery.polling = False
        self._session.forget()
        self._reader.new_walk()
        self._programs.new_walk()
        self.reporter.forget(causes.DISCOVERY.words)
        self.metering.forget()

    async def registration(self) -> float:
        """Read the Registration alone: the only request to a server whose PIN was wrong."""
        self._reader.begin(causes.PIN_WRONG)
        return await self._discovery.registration()

    def _due(self, key: Hashable, in_s: float) -> None:
        self._situations[key] = causes.poll(in_s)
        self.schedule.set(key, self._clock.now_s() + in_s)

    def parent(self, key: Hashable, href: str) -> Hashable | None:
        """The item that reads the link to `href`, which item `key` has found gone; None: the whole tree."""
        parent = PARENTS.get(key)
        if isinstance(key, tuple):
            parent = "fsa" if href == key[1] else key
        elif "edev" in (key, parent):
            self._discovery.reread_end_device()
        self._situations[parent] = causes.LOST_LINK
        return parent

    async def poll(self, key: Hashable) -> float | None:
        """Do one item; returns in how many seconds it is due again, None: not by itself."""
        if self.load is not None:
            self.load.begin(key)
        self._programs.new_round()
        self._reader.begin(self._situations.get(key, causes.RETRY))
        self._situations[key] = causes.RETRY
        if isinstance(key, tuple):
            again_s = await self._poll_programs(key[1])
        elif PARENTS.get(key) == "edev" and self.tree.end_device is None:  # registered anew, not yet read
            again_s = self._reader.retry_s
        elif self._rounds.has(key):
            again_s = await self._rounds.visit(key)
        else:
            again_s = await _POLLS[key](self)
        if again_s is not None:
            self._situations[key] = causes.poll(again_s)
        return again_s

    async def _poll_meter(self) -> float | None:
        return await self.metering.post(self.tree.mirrors) if self.tree.mirrors else None

    async def _poll_mirror(self) -> float:
        """Read the MirrorUsagePointList; readings are posted at once where it no longer has our mirror."""
        href, metering = self.tree.mirrors, self.metering
        if href is None:
            return self._mirror_rate_s
        cause = self._reader.situation.cause(MirrorUsagePointList)
        rate_s = await self._reader.optional(
            "MirrorUsagePointList",
            href,
            lambda: metering.check_list(href, cause),
            kept=self._reader.retry_s,
            gone=self._reader.retry_s,
        )
        self.schedule.set_earlier("meter", self._clock.now_s() + (0.0 if metering.lost else metering.wait_s))
        return rate_s

    async def _poll_assignments(self) -> float:
        before, fsas = set(self.tree.program_lists), self.tree.fsas
        rate_s = await self._programs.assignments()
        lists = self.tree.program_lists
        for href in before - set(lists):
            self.schedule.drop(("derp", href))
            self._situations.pop(("derp", href), None)
        self._reader.begin(causes.NEW_PROGRAMS)
        for href in set(lists) - before:
            self._due(("derp", href), await self._programs.program_list(lists[href]))
        if set(lists) != before or self.tree.fsas != fsas:
            await self._time.use(self._programs.time_hrefs())
            await self._dispatch()
        return rate_s

    async def _poll_programs(self, href: str) -> float | None:
        node = self.tree.program_lists.get(href)
        if node is None:
            return None
        rate_s = await self._programs.program_list(node)
        await self._dispatch()
        await self._read_again(self._controls.curves_in_force())
        return rate_s

    async def _poll_der(self) -> float:
        rate_s = await self._discovery.der()
        await self._put(*IDENTITY, *LIVE)
        return rate_s

    async def _poll_status(self) -> None:
        self._status_put_s = self._clock.now_s()
        await self._put("DERStatus")

    async def _put(self, *names: DerResource) -> None:
        """PUT what has changed; a 5xx to what was taken before is a failure, but for that of a walk."""
        if self.tree.der is not None:
            failed = await self.reporter.put(self.tree.der, *names)
            if failed is not None and self._discovery.polling:
                raise failed

    def settings_changed(self) -> None:
        """PUT changed DERSettings before the next poll."""
        self.schedule.set_earlier("settings", self._clock.now_s())

    def status_changed(self) -> None:
        """PUT a changed DERStatus before the next poll, at most once a second."""
        now_s = self._clock.now_s()
        self.schedule.set_earlier("status", max(now_s, self._status_put_s + STATUS_SPACING_S))

    async def _poll_log(self) -> float | None:
        self.log_events.advance()
        if self._discovery.log_events_unread:
            await self._discovery.log_events()
        if self.tree.log_events is not None:
            await self.log_events.post(self.tree.log_events)
        if self.log_events.waiting or self._discovery.log_events_unread:
            return self._reader.retry_s
        due_s = self.log_events.next_due_s
        return None if due_s is None else max(due_s - self._clock.now_s(), 0.0)

    async def _poll_rereads(self) -> None:
        programs, controls = self._programs, self._controls
        self._reader.begin(causes.REREAD)
        while self.rereads:
            reread = self.rereads.pop(0)
            control = await programs.control(reread.href)
            if control is not None:
                controls.update_control(control)
            await self._read_again(controls.curves_of(reread.mrid))

    async def _read_again(self, curves: Iterable[str]) -> None:
        """Read those of these curves that no list holds: they may have been edited in place."""
        if found := await self._programs.read_again(curves):
            self._controls.set_curves(found)

    async def _dispatch(self) -> None:
        """Hand all programs to `Controls`, and read the curves that they need."""
        controls = self._controls
        if new := self._programs.new_curves():
            controls.set_curves(new)
        readings = self._program_readings()
        if self.load is not None:
            programs = (each.program for each in readings)
            self.load.follow(
                (each.mRID.upper() or each.href or "" for each in programs), controls.server_now_s()
            )
        controls.update(readings, listed=self.tree.programs_listed, whole=self.tree.programs_read)
        if found := await self._programs.curves(controls):
            controls.set_curves(found)

    def _program_readings(self) -> list[ProgramReading]:
        """The programs for `Controls`, which knows them by mRID: a second one of an mRID gets another."""
        readings: list[ProgramReading] = []
        seen: set[str] = set()
        for node in self.tree.program_nodes():
            program = node.program
            mrid = program.mRID.upper()
            if mrid and mrid in seen:
                self._reader.say_once(
                    f"two programs have the mRID {mrid} but different DERControlLists: both are followed"
                )
                program = copy.copy(program)
                program.mRID = f"{mrid} {node.controls_href}"
            seen.add(mrid)
            time_href = self._programs.time_href_of(node.list_href)
            readings.append(ProgramReading(program, node.controls, node.default, time_href))
        return readings


async def _check_puts(polling: Polling) -> None:
    if polling.tree.der is not None:
        await check_puts(polling._session, polling.reporter, polling.tree.der, polling._reader.say)


#: What is done for an item of the schedule; of a program list see `Polling.poll`. Here, not in each DER.
_POLLS: dict[Hashable, Callable[[Polling], Awaitable[float | None]]] = {
    "dcap": lambda polling: polling._discovery.device_capability(),
    TIME: lambda polling: polling._time.poll(),
    "edev": lambda polling: polling._discovery.end_device(polling.clocks.server_now_s()),
    "registration": lambda polling: polling._discovery.registration(),
    "fsa": Polling._poll_assignments,
    "der": Polling._poll_der,
    "status": Polling._poll_status,
    "settings": lambda polling: polling._put(*IDENTITY),
    "check": _check_puts,
    "meter": Polling._poll_meter,
    "mirror": Polling._poll_mirror,
    "log": Polling._poll_log,
    "reread": Polling._poll_rereads,
}
