"""What an invariant is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from dersim.invariants.published import Published
from dersim.plugin.services import CsipService
from dersim.timestamps import rfc3339_or_none

if TYPE_CHECKING:
    from dersim.buffers import Buffers
    from dersim.clock import SimClock
    from dersim.device import Device
    from dersim.fleet import Fleet
    from dersim.ieee2030_5.event_types import EventView
    from dersim.logbuffer import LogBuffer
    from dersim.plugin.services import ConversationService, HttpExchange, Services, SunspecService


class Violation(NamedTuple):
    """One breach. device: 0 for one of the whole process. time_s: simulated UTC seconds."""

    id: str
    device: int
    time_s: float
    expected: str
    seen: str

    def __str__(self) -> str:
        """One line for the log."""
        return f"invariant {self.id} violated: expected {self.expected}; seen: {self.seen}"

    def to_json(self) -> dict[str, object]:
        """The form of `GET /api/dersim/invariants`."""
        return {**self._asdict(), "time_s": self.time_s, "time": rfc3339_or_none(self.time_s)}


@dataclass(frozen=True, slots=True)
class Look:
    """One DER after a tick.

    now_s: simulated UTC seconds. client, sunspec, conversation: None where this run has none.
    exchanges: what this DER's client sent and received since the last look, oldest first; published: what the
    server published in it and before. views: the events as the client explains them. overview: makes the
    measurements and the status of `GET /api/dersim/overview` and of the telemetry stream. real_s: a monotonic
    clock, real seconds. rate: simulated seconds a second. starved_s: how long the event loop waited for a
    processor in the last half minute, real seconds.
    """

    device: Device
    now_s: float
    tick_s: float
    client: CsipService | None = None
    sunspec: SunspecService | None = None
    conversation: ConversationService | None = None
    exchanges: Sequence[HttpExchange] = ()
    published: Published = field(default_factory=Published)
    views: Sequence[EventView] = ()
    overview: Callable[[], Mapping[str, Any]] | None = None
    real_s: float = 0.0
    rate: float = 1.0
    starved_s: float = 0.0

    @property
    def late_s(self) -> float:
        """How late a step may be, simulated s: two ticks, half a real second, what the computer took."""
        return 2 * self.tick_s + (0.5 + self.starved_s) * self.rate

    def ended_s(self, exchange: HttpExchange) -> float:
        """When an exchange was over, simulated s."""
        return exchange.time_s + exchange.elapsed_s * self.rate

    def violation(self, invariant: type[Invariant], expected: str, seen: str) -> Violation:
        """A violation of this DER at this instant."""
        return Violation(invariant.id, self.device.number, self.now_s, expected, seen)


@dataclass(frozen=True, slots=True)
class FleetLook:
    """The whole process after a tick. real_s: a monotonic clock, real seconds (trio's)."""

    fleet: Fleet
    services: Services
    clock: SimClock
    log: LogBuffer
    now_s: float
    real_s: float
    buffers: Buffers
    secrets: Sequence[str] = ()

    def violation(self, invariant: type[Invariant], expected: str, seen: str, device: int = 0) -> Violation:
        """A violation of the process, or of a DER."""
        return Violation(invariant.id, device, self.now_s, expected, seen)

    def clients(self) -> list[tuple[int, CsipService]]:
        """The CSIP clients of this run, with the numbers of their DERs."""
        found = (
            (device.number, self.services.find(CsipService, device.number)) for device in self.fleet.devices
        )
        return [(number, client) for number, client in found if client is not None]


class Invariant:
    """One rule that holds at every tick. A subclass says its id and statement and overrides what it needs.

    It may keep what it saw before; it must not take over a result of the code that it checks.
    """

    id: ClassVar[str]
    statement: ClassVar[str]

    def tick(self, device: Device, now_s: float) -> Iterable[Violation]:
        """Called for every DER after every tick, so it must be cheap."""
        del device, now_s
        return ()

    def check(self, look: Look) -> Iterable[Violation]:
        """Called for one DER after a tick; in a large fleet not after each one."""
        del look
        return ()

    def check_fleet(self, look: FleetLook) -> Iterable[Violation]:
        """Called after every tick."""
        del look
        return ()

    def held_bytes(self) -> int:
        """What it remembers at the moment and is worth counting, bytes."""
        return 0
