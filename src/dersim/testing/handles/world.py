"""All handles of one world, for those who start several in a test."""

from __future__ import annotations

from dersim.testing.handles.clock import Clock
from dersim.testing.handles.conversation import Conversation
from dersim.testing.handles.der import Der, DerFleet
from dersim.testing.handles.faults import Faults
from dersim.testing.handles.modbus import Modbus
from dersim.testing.handles.utility import UtilityHandle
from dersim.testing.live import LiveWorld


class Handles:
    """clock, utility, faults, conversation, fleet, and of its first DER der and modbus."""

    def __init__(self, live: LiveWorld) -> None:
        self.clock = Clock(live)
        self.utility = UtilityHandle(live)
        self.faults = Faults(live)
        self.conversation = Conversation(live)
        self.fleet = DerFleet(live)

    @property
    def der(self) -> Der:
        """The first DER."""
        return self.fleet[0]

    @property
    def modbus(self) -> Modbus:
        """The SunSpec registers of the first DER."""
        return self.der.modbus
