"""What is measured of one client where load is recorded: its requests, handshakes, polls and controls.

The classes take the place of those that they extend only then. An unmeasured client runs none of this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from dersim.csip.causes import PUT_CHECK
from dersim.csip.control_views import plain
from dersim.csip.documents import Document
from dersim.csip.put_check import NOT_READ
from dersim.csip.schedule import Schedule
from dersim.csip.session import Answer, Fetched, Session
from dersim.errors import RemoteProtocolError, UtilityUnreachable
from dersim.http11 import Endpoint, Headers, Requests, Response
from dersim.ieee2030_5 import resources
from dersim.ieee2030_5.event_types import EventView, Phase
from dersim.load.reactions import MOST_PROGRAMS, ControlFacts
from dersim.load.tally import RequestRecord
from dersim.logbuffer import Level
from dersim.modes import modes_to_json

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.device import Device
    from dersim.load.recorder import LoadRecorder

T = TypeVar("T")

#: The name of a document: its first start tag.
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_SUBJECT = re.compile(rb"<subject>([0-9A-Fa-f]+)</subject>")
_STATUS = re.compile(rb"<status>(\d+)</status>")
#: The names of documents that answer a control end so.
_RESPONSE = "Response"
#: The documents that have a poll rate, by the keys of the schedule.
_POLLED: Mapping[Hashable, str] = {
    "dcap": "DeviceCapability",
    "edev": "EndDeviceList",
    "registration": "Registration",
    "fsa": "FunctionSetAssignmentsList",
    "der": "DERList",
    "mirror": "MirrorUsagePointList",
}
#: Controls of one DER whose Responses are awaited.
_MOST_AWAITED = 100
_MOST_MODES_CHARS = 200
#: A document that nobody expects by a name, and that did not come.
_UNNAMED = "document"


class _Moments:
    """When a DER has seen, begun and ended a control, server time; 0: not yet."""

    __slots__ = ("ended_s", "facts", "seen_s", "started_s")

    def __init__(self, facts: ControlFacts, seen_s: float) -> None:
        self.facts = facts
        self.seen_s = seen_s
        self.started_s = self.ended_s = 0.0


class ClientProbe:
    """The measuring of one client, whatever its identity.

    asked: the document that a GET under way is for, where that is known. opened_s: the time that connections
    have taken so far, s. held_until: when the last Retry-After is over, trio's time.
    """

    def __init__(self, recorder: LoadRecorder, device: Device, clock: SimClock) -> None:
        self.recorder = recorder
        self.device = device
        self.asked = ""
        self.opened_s = 0.0
        self._clock = clock
        self._due: tuple[object, float] | None = None
        self._ahead_s = 0.0
        self._follows_s: dict[str, float] = {}
        self._moments: dict[str, _Moments] = {}
        self.held_until: Callable[[], float] = lambda: 0.0
        self._schedule: DueTimes | None = None

    # ---- due times

    def schedule(self, clock: SimClock) -> Schedule:
        """The schedule of a new lifecycle."""
        self._schedule = DueTimes(clock, self.recorder.poll_rate)
        self._due = None
        return self._schedule

    def begin(self, key: Hashable) -> None:
        """An item of the schedule is done: its first request was due when the item was."""
        now_s = trio.current_time()
        due_s = now_s if self._schedule is None else self._schedule.taken_s(key, now_s)
        due_s = max(due_s, self.held_until())  # a Retry-After is no delay
        self._due = trio.lowlevel.current_task(), due_s

    def abandon(self) -> None:
        """A walk begins: nothing of it was due."""
        self._due = None

    def late_s(self) -> float:
        """By how much the request that begins is late; it counts once, for the task that polls."""
        due = self._due
        if due is None or due[0] is not trio.lowlevel.current_task():
            return 0.0
        self._due = None
        late_s = max(trio.current_time() - due[1], 0.0)
        self.recorder.polled(late_s)
        return late_s

    # ---- controls

    def follow(self, programs: Iterable[str], server_s: float) -> None:
        """These programs, by mRID, are ours at this server time."""
        for program in programs:
            if program not in self._follows_s and len(self._follows_s) < MOST_PROGRAMS:
                self._follows_s[program] = server_s
            self.recorder.follow(program, self.device.number, server_s)

    def noted(
        self,
        before: Mapping[str, Phase],
        now: Mapping[str, Phase],
        view: Callable[[str], EventView],
        server_s: float,
    ) -> None:
        """The phases of all events before and after something happened."""
        self._ahead_s = server_s - self._clock.now_s()
        for mrid, phase in now.items():
            if (was := before.get(mrid)) is not phase:
                self._changed(view(mrid), was, server_s)

    def _changed(self, event: EventView, was: Phase | None, server_s: float) -> None:
        facts = _facts(event)
        moments = self._moments.get(event.mrid) or self._see(facts, server_s)
        if event.phase is Phase.ACTIVE:
            moments.started_s = server_s
            if self._is_new(facts):
                self.recorder.step(facts, "started", server_s - event.effective_start_s)
                self.recorder.started(facts, self.device)
        elif not event.phase.live and was is Phase.ACTIVE:
            moments.ended_s = server_s
            self.recorder.over(event.mrid, self.device.number)

    def _is_new(self, facts: ControlFacts) -> bool:
        """Whether this DER could have seen the control when it was published."""
        return facts.published_s >= self._follows_s.get(facts.program, float("inf"))

    def _see(self, facts: ControlFacts, server_s: float) -> _Moments:
        after_s = server_s - facts.published_s if self._is_new(facts) else None
        self.recorder.seen(facts, self.device.number, after_s)
        while len(self._moments) >= _MOST_AWAITED:
            del self._moments[next(iter(self._moments))]
        made = self._moments[facts.mrid] = _Moments(facts, server_s)
        return made

    def answered(self, body: bytes) -> None:
        """The server has accepted this Response."""
        subject, status = _SUBJECT.search(body), _STATUS.search(body)
        moments = self._moments.get(subject[1].decode().upper()) if subject else None
        if moments is None or status is None or not self._is_new(moments.facts):
            return
        since = {b"1": moments.seen_s, b"2": moments.started_s, b"3": moments.ended_s}.get(status[1], 0.0)
        if since:
            after_s = self._clock.now_s() + self._ahead_s - since
            self.recorder.step(moments.facts, f"response {status[1].decode()}", after_s)


def _facts(event: EventView) -> ControlFacts:
    modes = ", ".join(
        f"{mode} {value}" if isinstance(value, int | float) else mode
        for mode, value in modes_to_json(plain(event.modes)).items()
    )
    end_s = max(event.effective_end_s, event.start_s + event.duration_s)
    return ControlFacts(
        event.mrid,
        event.program_mrid or event.program,
        event.creation_s,
        event.start_s,
        end_s,
        modes[:_MOST_MODES_CHARS],
    )


class DueTimes(Schedule):
    """A schedule that knows by the computer's clock, too, when each item is due: simulated time may wait.

    tell_rate: called with the name of a document and the poll rate, s, at which a walk has put it here.
    """

    def __init__(self, clock: SimClock, tell_rate: Callable[[str, float], None]) -> None:
        super().__init__(clock)
        self._real_s: dict[Hashable, float] = {}
        self._tell_rate = tell_rate
        self._rated: set[Hashable] = set()

    def set(self, key: Hashable, due_s: float) -> None:
        """As in `Schedule`."""
        super().set(key, due_s)
        left_s = max(due_s - self._clock.now_s(), 0.0)
        self._real_s[key] = trio.current_time() + left_s / self._clock.rate
        name = "DERProgramList" if isinstance(key, tuple) else _POLLED.get(key)
        if name is not None and key not in self._rated:
            self._rated.add(key)
            self._tell_rate(name, float(round(left_s)))

    def drop(self, key: Hashable) -> None:
        """As in `Schedule`."""
        super().drop(key)
        self._real_s.pop(key, None)
        self._rated.discard(key)

    def clear(self) -> None:
        """As in `Schedule`."""
        super().clear()
        self._real_s.clear()
        self._rated.clear()

    def taken_s(self, key: Hashable, otherwise_s: float) -> float:
        """When an item that was taken was due, trio's time."""
        return self._real_s.pop(key, otherwise_s)


class MeasuredEndpoint(Endpoint):
    """An endpoint whose connections are timed, TCP and TLS together."""

    def __init__(self, probe: ClientProbe, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._probe = probe

    async def open(self) -> trio.abc.Stream:
        """As in `Endpoint`."""
        began_s = trio.current_time()
        stream = await super().open()
        seconds = trio.current_time() - began_s
        self._probe.opened_s += seconds
        self._probe.recorder.handshake(seconds, resumed=bool(getattr(stream, "session_reused", False)))
        return stream


class MeasuredSession(Session):
    """A session whose requests are timed."""

    def __init__(self, probe: ClientProbe, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.probe = probe

    async def fetch(self, href: str, kind: type[T], cause: str, *, level: Level = "Info") -> Fetched[T]:
        """As in `Session`."""
        self.probe.asked = kind.__name__
        try:
            return await super().fetch(href, kind, cause, level=level)
        finally:
            self.probe.asked = ""

    async def _timed(
        self,
        connection: Requests,
        origin: Any,
        method: str,
        target: str,
        headers: Headers,
        cause: str,
        body: bytes,
    ) -> Response:
        probe, began_s = self.probe, trio.current_time()
        late_s, opened_s = probe.late_s(), probe.opened_s
        name = _document(body) if body else probe.asked
        status, error, text, received = 0, "", "", 0
        try:
            response = await super()._timed(connection, origin, method, target, headers, cause, body)
            status, received = response.status, len(response.body)
            name = name or _received(response.body)
            if status >= 400 and not (cause == PUT_CHECK and status in NOT_READ):
                error, text = str(status), f"{method} {target}: {status}"
        except UtilityUnreachable as failure:
            error, text = failure.phase or "unreachable", f"{method} {target}: {failure}"
            raise
        except RemoteProtocolError as failure:
            error, text = "not HTTP", f"{method} {target}: {failure}"
            raise
        finally:
            if status or error:
                # What never reached the server says nothing of its latency.
                measured = status or error == "receive"
                elapsed_s = trio.current_time() - began_s - (probe.opened_s - opened_s)
                probe.recorder.request(
                    RequestRecord(
                        f"{method} {name or _UNNAMED}",
                        probe.recorder.now_s(),
                        probe.device.number,
                        late_s,
                        max(elapsed_s, 0.0) if measured else None,
                        len(body),
                        received,
                        error,
                        text,
                    )
                )
        if body and status < 300 and name.endswith(_RESPONSE):
            probe.answered(body)
        return response

    def _read(self, href: str, kind: type, answer: Answer) -> Document:
        before = self.counters.violations
        try:
            return super()._read(href, kind, answer)
        except RemoteProtocolError as error:
            self._tell(kind, 1, str(error))
            raise
        finally:
            if found := self.counters.violations - before:
                self._tell(kind, found, f"GET {href}; the log has the reasons")

    def _tell(self, kind: type[Any], count: int, text: str) -> None:
        self.probe.recorder.violations(f"GET {kind.__name__}", count, self.probe.device.number, text)


def _document(body: bytes) -> str:
    """The name of a document that we send; Responses are one kind."""
    found = _ROOT.search(body)
    name = found[1].decode() if found else ""
    return _RESPONSE if name.endswith(_RESPONSE) else name


def _received(body: bytes) -> str:
    """The name of a document of 2030.5 that came without being asked for by it; "" for any other."""
    name = _document(body)
    return name if name[:1].isupper() and hasattr(resources, name) else ""
