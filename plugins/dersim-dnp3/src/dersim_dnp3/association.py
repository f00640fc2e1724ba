"""One master of one DER: its events, its session, and what was last seen of the DER.

py1815 shares the events of a `DerOutstation` between its sessions: one master's confirmation would take them
from another. So each master has its own, by its link address, and keeps it over reconnects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from py1815.control import (
    AnalogOutput,
    CommandStatus,
    ControlRelayOutputBlock,
    OperationType,
    TripCloseCode,
)
from py1815.events import EventClass
from py1815.observers import ProtocolAnomaly
from py1815.profile.model import Address, Kind, Point
from py1815.profile.outstation import DerOutstation
from py1815.session import Control, Session

from dersim_dnp3.points import AO, BO
from dersim_dnp3.station import Station

_BINARY_COMMAND = 12


class _Outstation(DerOutstation):
    """Tells the station what each command has come to."""

    def __init__(self, station: Station, clock_ms: Callable[[], int]) -> None:
        # Points that the profile makes mandatory and that are not served are told in the README.
        super().__init__(station.map, station.binding, strict=False, event_capacity=500, clock_ms=clock_ms)
        self._station = station

    def poll_some(self, moved: Iterable[Address]) -> None:
        """Make events of these inputs: to look at all of them costs more than the rest of a poll."""
        everything = self._served
        some: dict[Kind, list[Point]] = {kind: [] for kind in everything}
        for kind, index in moved:
            some[kind].append(self._map.point(kind, index))
        self._served = some
        try:
            self.poll()
        finally:
            self._served = everything

    def select(self, controls: Sequence[Control]) -> Sequence[CommandStatus]:
        """Whether each of them could be carried out."""
        return _without_repeats(controls, super().select)

    def operate(self, controls: Sequence[Control]) -> Sequence[CommandStatus]:
        """Carry them out, each by itself."""
        statuses = _without_repeats(controls, super().operate)
        for control, status in zip(controls, statuses, strict=True):
            kind = BO if control.group == _BINARY_COMMAND else AO
            self._station.note(
                (kind, control.index), _value(control.command, self._station, control.index), status
            )
        return statuses


def _without_repeats(
    controls: Sequence[Control], carry_out: Callable[[Sequence[Control]], Sequence[CommandStatus]]
) -> list[CommandStatus]:
    """The statuses; a control that is to be repeated is refused: these outputs are latched."""
    answered = iter(carry_out([each for each in controls if not _repeats(each)]))
    return [CommandStatus.NOT_SUPPORTED if _repeats(each) else next(answered) for each in controls]


def _repeats(control: Control) -> bool:
    return isinstance(control.command, ControlRelayOutputBlock) and control.command.count > 1


def _value(command: AnalogOutput | ControlRelayOutputBlock, station: Station, index: int) -> float:
    """What was asked for, in the unit."""
    if isinstance(command, ControlRelayOutputBlock):
        on = command.operation in (OperationType.LATCH_ON, OperationType.PULSE_ON)
        return float(on or command.trip_close is TripCloseCode.CLOSE)
    point = station.map.get(AO, index)
    if point is None or command.variation in (3, 4):
        return float(command.value)
    return point.from_wire(float(command.value))


class Association:
    """A master. clock: real seconds, for its time-outs."""

    def __init__(
        self,
        station: Station,
        master: int,
        address: int,
        *,
        unsolicited: bool,
        clock: Callable[[], float],
        on_anomaly: Callable[[ProtocolAnomaly], None],
    ) -> None:
        self.master = master
        self._owner: object | None = None
        self.used_s = 0.0
        self._station = station
        self._outstation = _Outstation(station, lambda: round(station.see.now_s() * 1000))
        self.session: Session = self._outstation.session(
            outstation_address=address,
            master_address=master,
            unsolicited=unsolicited,
            clock=clock,
            anomaly_observer=on_anomaly,
        )
        station.look()
        self._outstation.freeze_all()
        self._outstation.poll()
        self._seen = station.moved

    @property
    def connected(self) -> bool:
        """Whether it has a connection now."""
        return self._owner is not None

    def begin(self, connection: object) -> None:
        """It speaks over this connection from now on: what another one left half done is forgotten."""
        self._owner = connection
        self.session.connection_reset()

    def end(self, connection: object) -> None:
        """A connection is over; one that was replaced changes nothing."""
        if self._owner is connection:
            self._owner = None
            self.session.connection_reset()

    def now_s(self) -> float:
        """Simulated UTC seconds."""
        return self._station.see.now_s()

    @property
    def events(self) -> int:
        """Events that wait for this master."""
        classes = (EventClass.CLASS_1, EventClass.CLASS_2, EventClass.CLASS_3)
        return sum(self._outstation.events.count(each) for each in classes)

    def look(self) -> None:
        """Make events of what has moved since the last look."""
        self._station.look()
        if self._station.moved != self._seen:
            seen, self._seen = self._seen, self._station.moved
            moved = {address for address, at in self._station.moved_at.items() if at > seen}
            self._outstation.poll_some(moved)

    def receive(self, octets: bytes) -> bytes:
        """The answer to some octets of the master, and what is due beside it."""
        self.look()
        self._station.master = self.master
        return self.session.receive(octets) + self.session.initiate()
