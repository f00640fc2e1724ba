"""One DER and its points without a network: commands as py1815 gives them, and time that stands still."""

from __future__ import annotations

from typing import Any

from dersim_dnp3.association import Association
from dersim_dnp3.profile import Profile
from dersim_dnp3.station import Station
from py1815.application import FunctionCode, build_request
from py1815.control import AnalogOutput, CommandStatus, ControlRelayOutputBlock, OperationType
from py1815.profile.model import Kind
from py1815.session import Control

from dersim.plugin import ManualClock, SetpointChange, SetpointSource, make_device


class OneDer:
    """`device`, its `station`, and one master."""

    def __init__(self, kind: str = "PV-3Phase", profile: Profile | None = None, **changes: Any) -> None:
        self.clock = ManualClock(1_790_000_000.0)
        self.device = make_device(device_type=kind, clock=self.clock, **changes)
        self.unforeseen: list[BaseException] = []
        self.station = Station(self.device, self.clock.now_s, profile or Profile(), 1.0, self._fenced)
        self.wait(5)
        self.master = self.associate(4)
        self.outstation = self.master._outstation

    def associate(self, address: int) -> Association:
        """Another master."""
        return Association(
            self.station,
            address,
            1,
            unsolicited=False,
            clock=lambda: self.clock.time_s,
            on_anomaly=lambda _anomaly: None,
        )

    def _fenced(self, _what: str, act: Any) -> str:
        try:
            act()
        except ValueError as error:
            self.unforeseen.append(error)
            return str(error)
        return ""

    def wait(self, seconds: float) -> None:
        """Let the DER run."""
        for _ in range(round(seconds)):
            self.clock.time_s += 1
            self.device.step(self.clock.time_s)
        self.station.timers.run_due()
        self.station.look()

    def command(self, point: str, value: float | bool) -> CommandStatus:
        """Command a point in the unit, or switch it; the status."""
        kind, index = Kind(point[:2]), int(point[2:])
        if kind is Kind.BO:
            operation = OperationType.LATCH_ON if value else OperationType.LATCH_OFF
            group, command = 12, ControlRelayOutputBlock(operation)
        else:
            wire = self.station.map.point(kind, index).to_wire(float(value))
            group, command = 41, AnalogOutput(round(wire), 1)
        control = Control(FunctionCode.DIRECT_OPERATE, 0, group, 1, index, b"", command)
        [status] = self.outstation.operate([control])
        return status

    def read(self, point: str) -> float | bool | None:
        """What a point shows, in the unit; None: offline."""
        kind = Kind.CTR if point.startswith("CTR") else Kind(point[:2])
        found = self.station.map.point(kind, int(point[len(kind.value) :]))
        self.station.look()
        if kind.is_output:
            value, flags = self.outstation._output_status(found)
        elif kind is Kind.AI:
            shown = self.outstation._analog(found)
            value, flags = found.from_wire(shown.value), shown.flags
        elif kind is Kind.BI:
            state = self.outstation._binary(found)
            value, flags = state.state, state.flags
        else:
            counter = self.outstation._counter(found)
            value, flags = counter.value, counter.flags
        return value if flags & 1 else None

    def ask(self, mode: str, value: Any, source: SetpointSource = SetpointSource.MODBUS) -> None:
        """Another front-end asks for something."""
        self.device.setpoints.submit(SetpointChange(source, mode, value, "another"))


def request(function: FunctionCode, body: bytes = b"", sequence: int = 0) -> bytes:
    """A request fragment."""
    return build_request(function, sequence=sequence, body=body)
