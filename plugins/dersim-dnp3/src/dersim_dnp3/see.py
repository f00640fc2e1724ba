"""What the points read from, and ask through: one device, its state, and what acts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from dersim.plugin import Device, DeviceState, InForce, Nameplate, SetpointChange, SetpointSource, Settings

#: Who asks, in documents and logs: a local source, as Modbus, REST and the operator.
DNP3 = SetpointSource("dnp3", "DNP3")


class See:
    """One device as the points see it. now_s: simulated UTC seconds."""

    source = DNP3

    def __init__(self, device: Device, now_s: Callable[[], float]) -> None:
        self.device = device
        self.now_s = now_s
        self.plate: Nameplate = device.nameplate
        self.settings: Settings = device.settings
        self.setpoints = device.setpoints
        #: 1: the power factor has the sign of P (IEC); 2: it is negative while var is injected (EEI).
        self.power_factor_sign = 1.0
        #: What a percentage of var is taken of: 1 setMaxW, 2 setMaxVar, 3 the var available.
        self.var_reference = 3.0
        self._kept = 0

    @property
    def state(self) -> DeviceState:
        """The latest state."""
        return self.device.state

    @property
    def phases(self) -> int:
        """1, 2 or 3."""
        return self.plate.phases

    def supports(self, *modes: str) -> bool:
        """Whether the device has all of these modes."""
        return self.setpoints.supported_modes.issuperset(modes)

    def touched(self) -> None:
        """What is kept here, and not in the device, has changed."""
        self._kept += 1

    def stamp(self) -> object:
        """Differs whenever a point may read differently."""
        device = self.device
        rules = self.setpoints.changes, self.settings.changes, self._kept
        return device.moved_s, device.permitted, device.failed, rules

    def requests(self, modes: Collection[str]) -> list[InForce]:
        """All that is asked for in these modes, whether it acts or not."""
        held = (*self.setpoints.in_force(), *self.setpoints.overridden())
        return [each for each in held if each.mode in modes]

    def asks(self, modes: Collection[str], detail: str) -> bool:
        """Whether this function (by its detail) asks for one of these modes."""
        return any(each.source == self.source and each.detail == detail for each in self.requests(modes))

    def withdrawn(self, modes: Iterable[str], detail: str) -> list[SetpointChange]:
        """The changes that end what was asked for locally, or by the nameplate; the utility's stays."""
        ended = [
            each
            for each in self.requests(tuple(modes))
            if each.source.is_local or each.source is SetpointSource.NAMEPLATE
        ]
        return [SetpointChange(each.source, each.mode, None, detail) for each in ended]

    def allowed(
        self, mode: str, detail: str, *, expires_s: float | None = None, allow: bool
    ) -> list[SetpointChange]:
        """The changes that give or withdraw a permission (opModConnect, opModEnergize).

        To give it, local refusals are withdrawn, and one of the DefaultDERControl is overruled.
        """
        if not allow:
            return [SetpointChange(self.source, mode, False, detail, expires_s)]
        changes = self.withdrawn((mode,), detail)
        refused = any(
            each.source is SetpointSource.CSIP_DEFAULT and each.value is False
            for each in self.requests((mode,))
        )
        return [*changes, SetpointChange(self.source, mode, True, detail)] if refused else changes
