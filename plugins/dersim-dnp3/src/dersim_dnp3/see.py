"""What the points read from, and ask through: one device, its state, and what acts."""

from __future__ import annotations

from collections.abc import Callable

from dersim.plugin import Device, DeviceState, LocalView, SetpointSource
from dersim_dnp3.curve_store import CurveStore

#: Who asks, in documents and logs: a local source, as Modbus, REST and the operator.
DNP3 = SetpointSource("dnp3", "DNP3")


class See(LocalView):
    """One device as the points see it, and what its masters have chosen. now_s: simulated UTC seconds."""

    def __init__(self, device: Device, now_s: Callable[[], float]) -> None:
        super().__init__(device, now_s)
        #: 1: the power factor has the sign of P (IEC); 2: it is negative while var is injected (EEI).
        self.power_factor_sign = 1.0
        #: What a percentage of var is taken of: 1 setMaxW, 2 setMaxVar, 3 the var available.
        self.var_reference = 3.0
        self.curves = CurveStore()

    @property
    def state(self) -> DeviceState:
        """The latest state."""
        return self.device.state

    @property
    def phases(self) -> int:
        """1, 2 or 3."""
        return self.plate.phases

    def stamp(self) -> object:
        """Differs whenever a point may read differently; a state that is only a later one does not count."""
        device = self.device
        return device.moved_s, device.permitted, device.failed, self.rules_stamp()
