"""LogEvents: one for every alarm bit that is set or cleared, and the burst of BASIC-027.

A DER alarm has functionSet 11 and logEventCode 2 x bit, plus 1 when it returns to normal (CSIP table 14). The
burst consists of LE_GEN_SOFTWARE events (functionSet 0, code 2). Both have profileID 2 and the PEN of
IEEE 2030.5, because the standard defines the codes. Events wait here in order until the server accepts them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dersim.csip.reader import Moved
from dersim.csip.session import Fence, RequestRefused, Say, Session
from dersim.errors import ConfigError, DersimError, ProtocolError
from dersim.hardware.state import Alarm
from dersim.ieee2030_5 import resources as r
from dersim.kept import plain
from dersim.saved_states import no_wait

_PEN = 40732
_PROFILE_2030_5 = 2
_GENERAL, _DER = 0, 11
LE_GEN_SOFTWARE = 2
#: Events kept while the server cannot be reached; beyond that the oldest is dropped and logged.
MAX_WAITING = 1_000
#: Attempts to post a refused event before it is dropped.
MAX_ATTEMPTS = 3
#: Of a LogEvent, what a checkpoint keeps.
_FIELDS = (
    "createdDateTime",
    "details",
    "extendedData",
    "functionSet",
    "logEventCode",
    "logEventID",
    "logEventPEN",
)


class BurstImpossible(DersimError):  # noqa: N818 - an answer (409), not a fault
    """No burst can start: there is no LogEventList, or one is running."""


@dataclass(slots=True)
class _Burst:
    alarm_status: str
    bitmap: int | None
    interval_s: float
    count: int
    left: int
    next_s: float


class LogEvents:
    """The events of one DER on their way to its LogEventList.

    server_s: server time, s (our own until the server's is known). now_s: simulated time, s, for the interval
    of a burst. on_waiting: called when there is something to post. saved: waits until a checkpoint has what
    waits. repeats: whether a restored run posts what it has again; then each event waits for its own.
    """

    def __init__(
        self,
        session: Session,
        say: Say,
        *,
        server_s: Callable[[], float],
        now_s: Callable[[], float],
        on_waiting: Callable[[], None],
        fence: Fence,
        saved: Callable[[], Awaitable[None]] = no_wait,
        repeats: Callable[[], bool] = bool,
    ) -> None:
        self._session = session
        self._say = say
        self._server_s = server_s
        self._now_s = now_s
        self._on_waiting = on_waiting
        self._fence = fence
        self._saved = saved
        self._repeats = repeats
        self._waiting: list[tuple[r.LogEvent, str]] = []
        self._next_id = 0
        self._alarms = Alarm(0)
        self._attempts = 0
        self._accepted_at: str | None = None
        self._burst: _Burst | None = None

    @property
    def waiting(self) -> int:
        """The number of events not posted yet."""
        return len(self._waiting)

    def watch(self, alarms: Alarm) -> None:
        """Queue one event for every bit that differs from the alarms of the last call."""
        changed = alarms ^ self._alarms
        if not changed:
            return
        self._alarms = alarms
        for alarm in Alarm:
            if alarm & changed:
                is_set = bool(alarm & alarms)
                code = 2 * (alarm.value.bit_length() - 1) + (not is_set)
                text = f"{alarm.name}{'' if is_set else ' back to normal'}"
                self._add(_DER, code, text, None, f"log event: {text}")

    def start_burst(self, alarm_status: str | int, interval_s: float, count: int) -> None:
        """Post `count` general events, one every `interval_s` simulated seconds, the first at once.

        BurstImpossible while one runs; ConfigError for values that make no sense.
        """
        if self._burst is not None:
            raise BurstImpossible(f"a LogEvent burst is running, {self._burst.left} events remain")
        bitmap = alarm_status if isinstance(alarm_status, int) else None
        if isinstance(alarm_status, bool) or (bitmap is None and alarm_status not in ("Abnormal", "Normal")):
            raise ConfigError(
                f'alarm_status: "Abnormal", "Normal" or a bitmap is needed, not {alarm_status!r}'
            )
        if bitmap is not None and not 0 <= bitmap < 2**32:
            raise ConfigError(f"alarm_status: a bitmap of 32 bits is needed, not {bitmap}")
        if not 0 < interval_s <= 86_400 or not 1 <= count <= 1_000:
            raise ConfigError("a burst needs an interval above 0 s, up to a day, and a count from 1 to 1000")
        self._burst = _Burst(str(alarm_status), bitmap, interval_s, count, count, self._now_s())
        self.advance()

    def stop_burst(self) -> None:
        """Post no more events of the burst that runs, if one does; those that are due are posted."""
        self.advance()
        self._burst = None

    def advance(self) -> None:
        """Queue the events of the burst that are due."""
        burst = self._burst
        while burst is not None and burst.next_s <= self._now_s():
            burst.left -= 1
            cause = f"log event {burst.count - burst.left} of {burst.count}"
            self._add(_GENERAL, LE_GEN_SOFTWARE, burst.alarm_status, burst.bitmap, cause)
            burst.next_s += burst.interval_s
            if burst.left == 0:
                burst = self._burst = None

    @property
    def next_due_s(self) -> float | None:
        """The time of the next event of the burst, s of simulated time; None without a burst."""
        return None if self._burst is None else self._burst.next_s

    def _add(self, function_set: int, code: int, details: str, extended: int | None, cause: str) -> None:
        if len(self._waiting) >= MAX_WAITING:
            lost, _ = self._waiting.pop(0)
            self._say("Warning", f"LogEvent {lost.logEventID} dropped: {MAX_WAITING} others are waiting")
        self._next_id = (self._next_id + 1) % 65_536
        event = r.LogEvent(
            createdDateTime=int(self._server_s()),
            details=details,
            extendedData=extended,
            functionSet=function_set,
            logEventCode=code,
            logEventID=self._next_id,
            logEventPEN=_PEN,
            profileID=_PROFILE_2030_5,
        )
        self._waiting.append((event, cause))
        self._on_waiting()

    def checkpoint(self) -> dict[str, Any]:
        """The alarms as they were told, the last id, and the events that wait."""
        waiting = [
            [plain([getattr(event, name) for name in _FIELDS]), cause] for event, cause in self._waiting
        ]
        return {"alarms": int(self._alarms), "last_id": self._next_id, "waiting": waiting}

    def checkpoint_mark(self) -> Any:
        """Equal as long as the checkpoint is."""
        return int(self._alarms), self._next_id, len(self._waiting)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave; what waited is posted."""
        self._alarms, self._next_id = Alarm(document["alarms"]), document["last_id"]
        for fields, cause in document["waiting"]:
            event = r.LogEvent(**dict(zip(_FIELDS, fields, strict=True)), profileID=_PROFILE_2030_5)
            self._waiting.append((event, cause))

    async def post(self, href: str) -> None:
        """Post the waiting events in order.

        UtilityUnreachable, a Retry-After and Moved (the list that accepted events is gone) are raised; the
        events are kept.
        """
        saved = False
        while self._waiting:
            if not saved or self._repeats():
                await self._saved()
                saved = True
            event, cause = self._waiting[0]
            finished = True
            with self._fence("csip_log_event", f"LogEvent {event.logEventID}"):
                finished = await self._post_one(event, href, cause)
            if not finished:
                return
            self._attempts = 0
            # A full queue may have dropped this event during the post.
            if self._waiting and self._waiting[0][0] is event:
                self._waiting.pop(0)

    async def _post_one(self, event: r.LogEvent, href: str, cause: str) -> bool:
        """Post one event; returns False where it is to be posted again later."""
        session = self._session
        what = f"LogEvent {event.logEventID}: {event.details}"
        try:
            await session.send("POST", href, session.encode(event), what, cause)
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            self._attempts += 1
            if error.gone and self._accepted_at == href:
                self._accepted_at = None
                raise Moved(f"{error}; it existed before: discovering again") from None
            if (error.status >= 500 or error.gone) and self._attempts < MAX_ATTEMPTS:
                self._say("Warning", f"{what} not accepted: {error}; posted again later")
                return False
            self._say("Warning", f"{what} not accepted: {error}; dropped")
        except ProtocolError as error:
            self._say("Warning", f"{what}: {error}; dropped")
        else:
            session.counters.log_events += 1
            self._accepted_at = href
        return True
