"""The records of the event scheduler; the rules are elsewhere.

Times are seconds since 1970 UTC on the scheduler's own clock, unless a name or docstring says "server".
A program's events run on the clock of its Time resource (2030.5-2018 9.2.3): `ahead_s` is how far that clock
is ahead of the scheduler's. So events of programs with different clocks compete on one time axis.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, NamedTuple

from dersim.ieee2030_5.resources import DERControl, DERProgram

#: A correction of a server's clock by this much or more is a jump, s (2030.5-2018 9.2.3).
JUMP_S = 60.0


class Phase(Enum):
    """The phases of an event; all but the first two are final."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    EXPIRED = "expired on arrival"
    MISSED = "missed"
    IGNORED = "not for this device"

    @property
    def live(self) -> bool:
        """Whether it may still control something."""
        return self in (Phase.SCHEDULED, Phase.ACTIVE)


class EventSettings(NamedTuple):
    """How the points that the standard leaves open are decided.

    device_category: our DeviceCategoryType bitmap; None obeys every event.
    event_removed: what an event that is gone from its list means.
    superseded: the Response of a loser: 7, 14, or "by_program": 14 where the winner is of another program
    and the loser has not started, else 7 (what the CSIP procedures want of aggregators).
    reread_lead_s: how long before its start an event is read again by its own href.
    active_poll_s: how often an active event is read again (10.2.3.3 a: at least every 15 min); the first
    time after half of it to all of it, drawn.
    most_held: how many events are held at the most.
    """

    device_category: int | None = None
    event_removed: Literal["keep", "cancel"] = "keep"
    superseded: Literal[7, 14, "by_program"] = 7
    reread_lead_s: float = 2.0
    active_poll_s: float = 300.0
    most_held: int = 10_000


class Judgement(NamedTuple):
    """What the device makes of a control.

    modes: those it can carry out, with their values, opaque to the scheduler.
    rejected: by Response status (251 not supported, 253 impossible), the modes that it refuses.
    """

    modes: Mapping[str, Any]
    rejected: Mapping[int, tuple[str, ...]] = {}
    reason: str = ""


class ProgramFeed(NamedTuple):
    """One program that is ours, as last read.

    controls None: the list could not be read; what is held of it stays.
    default_modes: what its DefaultDERControl sets, as far as the device can carry it out. A value None
    keeps the mode from worse programs while the value itself is still being fetched.
    ahead_s: how far the clock of the program's Time is ahead of the scheduler's, s.
    """

    program: DERProgram
    controls: Sequence[DERControl] | None
    default_modes: Mapping[str, Any] = {}
    ahead_s: float = 0.0


class EventResponse(NamedTuple):
    """A Response to be posted. time_s: its createdDateTime, server time; modes: those it is about."""

    mrid: str
    status: int
    reply_to: str
    modes: tuple[str, ...]
    time_s: float


class Reread(NamedTuple):
    """GET the control by its own href and hand it to `update`; a failure means nothing."""

    mrid: str
    href: str


class ModeSource(NamedTuple):
    """What rules a mode: the value and where it comes from.

    mrid: of the event; "" for a default. end_s: the effective end of the event; None for a default.
    """

    value: Any
    mrid: str
    program: str
    end_s: float | None = None


class Step(NamedTuple):
    """The outcome of one instant.

    events, defaults: the complete maps {mode: source}; an event rules over a default. A hand-over is one
    difference between two of these maps. `changed` is False where both maps are the same objects as before.
    responses: in the order in which they must be posted, after the maps were put in force.
    wake_s: when `step` must be called again at the latest; None: not before news.
    """

    events: Mapping[str, ModeSource]
    defaults: Mapping[str, ModeSource]
    responses: tuple[EventResponse, ...]
    rereads: tuple[Reread, ...]
    wake_s: float | None
    changed: bool

    @property
    def in_force(self) -> dict[str, ModeSource]:
        """What rules each mode, events over defaults."""
        return {**self.defaults, **self.events}


class EventView(NamedTuple):
    """An event for people: `status` as in EventStatus.currentStatus (2018), `why` in words.

    Times are server time. modes: what an active event rules now; of any other, what it asks for.
    """

    mrid: str
    href: str
    program: str
    primacy: int
    phase: Phase
    status: int
    status_text: str
    start_s: float
    duration_s: float
    effective_start_s: float
    effective_end_s: float
    modes: Mapping[str, Any]
    why: str
    program_mrid: str
    creation_s: float


@dataclasses.dataclass(slots=True, eq=False)
class Program:
    """A program as the scheduler holds it."""

    key: str
    href: str = ""
    mrid: str = ""
    description: str = ""
    primacy: int = 255
    default_modes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    ahead_s: float = 0.0
    told_s: float = -math.inf

    def take(self, feed: ProgramFeed) -> bool:
        """Take over what was read; whether anything that events or defaults depend on has changed."""
        read = feed.program
        changed = self.primacy != read.primacy or self.default_modes != feed.default_modes
        self.href, self.mrid, self.description = read.href or "", read.mRID, read.description or ""
        self.primacy, self.default_modes, self.ahead_s = read.primacy, feed.default_modes, feed.ahead_s
        return changed

    def server_s(self, now_s: float) -> float:
        """The server's time; after a correction of less than a minute it stands still, never runs back."""
        time_s = now_s + self.ahead_s
        if self.told_s - JUMP_S < time_s < self.told_s:
            return self.told_s
        self.told_s = time_s
        return time_s

    @property
    def order(self) -> tuple[int, bytes]:
        """The order of a DERProgramList: primacy ascending, mRID descending."""
        return self.primacy, descending(self.mrid)


@dataclasses.dataclass(slots=True, eq=False)
class Event:
    """One DERControl and everything that was drawn, decided and reported about it.

    spec_start_s, spec_end_s: as the interval says. drawn_*: with randomization. start_s, end_s: effective,
    after successive events were made to meet. draw_start, draw_duration: 0 to 1, once per mRID.
    ahead_s: how far the server's clock was ahead when these times were computed.
    held: modes that it has ruled. lost: modes gone for good, by whom and why. beaten: modes that it will
    not get unless a better event is cancelled. cuts: modes that it rules until the named event starts.
    """

    mrid: str
    control: DERControl
    program: Program
    arrival: int
    received_s: float
    tie: bytes
    draw_start: float = 0.0
    draw_duration: float = 0.0
    draw_cancel: float = 0.0
    creation_time: int = 0
    version: int = 0
    ahead_s: float = 0.0
    phase: Phase = Phase.SCHEDULED
    joined_s: float | None = None
    spec_start_s: float = 0.0
    spec_end_s: float = 0.0
    drawn_start_s: float = 0.0
    drawn_end_s: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0
    modes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    rejected: Mapping[int, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    held: set[str] = dataclasses.field(default_factory=set)
    lost: dict[str, Loss] = dataclasses.field(default_factory=dict)
    beaten: dict[str, Event] = dataclasses.field(default_factory=dict)
    cuts: dict[str, Event] = dataclasses.field(default_factory=dict)
    told: set[int] = dataclasses.field(default_factory=set)
    opted_out: bool = False
    ran: bool = False
    missed_part: bool = False
    server_superseded: bool = False
    vanished: bool = False
    cancel_at_s: float | None = None
    reread_done: bool = False
    next_poll_s: float | None = None
    note: str = ""
    #: What a checkpoint has of it once it is over, and of which values that was made.
    summary: tuple[Any, tuple[Any, ...]] | None = None

    @property
    def rank(self) -> tuple[int, int, int, bytes]:
        """The better event sorts first: primacy, then newest, then last received, then greatest mRID."""
        return self.program.primacy, -self.creation_time, -self.arrival, self.tie

    def free_modes(self) -> list[str]:
        """The modes that it rules, or will rule once it is active."""
        return [mode for mode in self.modes if mode not in self.lost and mode not in self.beaten]

    @property
    def claim_start_s(self) -> float:
        """From when on it competes: one that is in force early, by its randomization, from then on."""
        if self.phase is Phase.ACTIVE:
            return min(self.start_s, self.spec_start_s)
        return self.spec_start_s

    @property
    def href(self) -> str:
        """Its address on the server, as last read."""
        return self.control.href or ""


class Loss(NamedTuple):
    """Who took a mode, and by which rule."""

    winner: str
    same_program: bool
    why: str


_INVERTED = bytes(range(255, -1, -1))


def descending(text: str) -> bytes:
    """A sort key that puts the greater text first."""
    return text.encode().translate(_INVERTED) + b"\xff"
