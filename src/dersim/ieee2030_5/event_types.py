"""What the event scheduler keeps and says: plain records, no rules.

Times are seconds since 1970 UTC in the *server's* time base (2030.5 10.2.3: events run on server time).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, NamedTuple

from dersim.ieee2030_5.resources import DERControl, DERProgram


class Phase(Enum):
    """Where an event stands in our own life-cycle; all but the first two are final."""

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
    """How the open points of the standard are taken.

    device_category: our DeviceCategoryType bitmap; None obeys every event.
    event_removed: what an event that is gone from its list means.
    superseded: the Response of a loser: 7, 14, or "by_program": 14 where the winner is of another program
    and the loser has not started, else 7 (what the CSIP procedures want of aggregators).
    reread_lead_s: how long before its start an event is read again by its own href.
    active_poll_s: how often an active event is read again (10.2.3.3 a: at least every 15 min).
    """

    device_category: int | None = None
    event_removed: Literal["keep", "cancel"] = "keep"
    superseded: Literal[7, 14, "by_program"] = 7
    reread_lead_s: float = 2.0
    active_poll_s: float = 300.0


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
    """

    program: DERProgram
    controls: Sequence[DERControl] | None
    default_modes: Mapping[str, Any] = {}


class EventResponse(NamedTuple):
    """A Response to be posted: `time_s` is its createdDateTime, `modes` what it speaks of."""

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
    """What rules a mode: the value and where it comes from. `mrid` of the event; "" for a default."""

    value: Any
    mrid: str
    program: str


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
    """An event for people: `status` as EventStatus.currentStatus (2018) tells it, `why` in words."""

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


@dataclasses.dataclass(slots=True, eq=False)
class Program:
    """A program as the scheduler holds it."""

    key: str
    href: str = ""
    mrid: str = ""
    description: str = ""
    primacy: int = 255
    default_modes: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def take(self, feed: ProgramFeed) -> bool:
        """Take over what was read; whether anything that events or defaults depend on has changed."""
        read = feed.program
        changed = self.primacy != read.primacy or self.default_modes != feed.default_modes
        self.href, self.mrid, self.description = read.href or "", read.mRID, read.description or ""
        self.primacy, self.default_modes = read.primacy, feed.default_modes
        return changed

    @property
    def order(self) -> tuple[int, bytes]:
        """The order of a DERProgramList: primacy ascending, mRID descending."""
        return self.primacy, descending(self.mrid)


@dataclasses.dataclass(slots=True, eq=False)
class Event:
    """One DERControl and everything that was drawn, decided and said about it.

    spec_start_s, spec_end_s: as the interval says. drawn_*: with randomization. start_s, end_s: effective,
    after back-to-back events were made to meet. draw_start, draw_duration: 0 to 1, once per mRID.
    held: modes that it has ruled. lost: modes gone for good, by whom and why. beaten: modes that it would
    not get as things stand. cuts: modes that it rules until the named event starts.
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

    @property
    def rank(self) -> tuple[int, int, int, bytes]:
        """The better event sorts first: primacy, then newest, then last received, then greatest mRID."""
        return self.program.primacy, -self.creation_time, -self.arrival, self.tie

    def free_modes(self) -> list[str]:
        """The modes that it rules, or would rule if it were active."""
        return [mode for mode in self.modes if mode not in self.lost and mode not in self.beaten]

    @property
    def href(self) -> str:
        """Where it stands on the server, as last read."""
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
