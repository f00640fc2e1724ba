"""The base that spares a control function the parts of the protocol that it does not need."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dersim.functions.contract import NOTHING, Demand
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.modes import ModeValue

INF = math.inf


class Function:
    """A control function without timers and without memory; subclasses override what differs.

    `settled` is read after each step; a subclass with a filter or timer under way sets it False.
    """

    def __init__(self, nameplate: Nameplate, settings: Settings) -> None:
        self.nameplate = nameplate
        self.settings = settings
        self.settled = True

    def configure(self, modes: Mapping[str, ModeValue], seen: Measured) -> None:
        """Nothing to take over."""

    def step(self, dt_s: float, seen: Measured) -> Demand:
        """Nothing to ask."""
        return NOTHING

    def horizon_s(self, seen: Measured) -> float:
        """No timer runs."""
        return INF
